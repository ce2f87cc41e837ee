/*
 * The transformer getopt: short options among words.
 *
 *     getopt(("-n", "-tvalue", "-xy", "file"), "nt:x")     n  t  value  x  ?
 *
 * Options may stand together behind one dash. One that takes a value has what follows it in its word, or the next
 * word; where there is none, its value is empty, and it stands in the list by that alone (as Falco has it). An unknown
 * option is a `?`. Reading ends at `--`, and at the first word that is no option; `--long` is passed over.
 */
#include <string.h>

#include "engine/transform.h"

/* Where in the words reading is. */
struct reader {
	const struct scd_value *words;
	struct scd_str options;
	size_t at;           /* the next word */
	struct scd_str rest; /* of the current word: letters that are still to be read */
};

struct found {
	struct scd_str letter;
	bool known, takes_value, has_value;
	struct scd_str value;
};

/* Goes on to the next word with options. False at the end. */
static bool next_word(struct reader *r)
{
	while (r->at < r->words->list.count) {
		struct scd_str word = r->words->list.items[r->at].text;
		if (word.len < 2 || word.data[0] != '-' || scd_str_is(word, "--"))
			return false;
		r->at++;
		if (word.data[1] == '-')
			continue;
		r->rest = (struct scd_str){ word.data + 1, word.len - 1 };
		return true;
	}
	return false;
}

static void look_up(struct reader *r, struct found *found)
{
	char letter = found->letter.data[0];
	const char *option = r->options.len > 0 && letter != ':' ? memchr(r->options.data, letter, r->options.len)
	                                                         : NULL;
	found->known = option != NULL;
	found->takes_value = option && option + 1 < r->options.data + r->options.len && option[1] == ':';
}

/* The rest of the word, or the next word. */
static void take_value(struct reader *r, struct found *found)
{
	found->has_value = r->rest.len > 0 || r->at < r->words->list.count;
	found->value = SCD_STR("");
	if (r->rest.len > 0)
		found->value = r->rest;
	else if (found->has_value)
		found->value = r->words->list.items[r->at++].text;
	r->rest.len = 0;
}

static bool next_option(struct reader *r, struct found *ret_found)
{
	if (r->rest.len == 0 && !next_word(r))
		return false;
	*ret_found = (struct found){ .letter = { r->rest.data, 1 } };
	r->rest = (struct scd_str){ r->rest.data + 1, r->rest.len - 1 };
	look_up(r, ret_found);
	if (ret_found->takes_value)
		take_value(r, ret_found);
	return true;
}

/* Two for an option with its value, else one. Written where there is room. */
static size_t put_found(const struct found *found, struct scd_value *items)
{
	struct scd_str first = found->known ? found->letter : SCD_STR("?");
	size_t count = found->takes_value && found->has_value ? 2 : 1;
	if (!items)
		return count;
	if (found->takes_value && !found->has_value)
		first = found->value;
	items[0] = (struct scd_value){ .type = SCD_TYPE_STRING, .text = first };
	if (count > 1)
		items[1] = (struct scd_value){ .type = SCD_TYPE_STRING, .text = found->value };
	return count;
}

static size_t put_all(const struct scd_value *words, struct scd_str options, struct scd_value *items)
{
	struct reader r = { .words = words, .options = options };
	struct found found;
	size_t count = 0;
	while (next_option(&r, &found))
		count += put_found(&found, items ? items + count : NULL);
	return count;
}

bool scd__getopt_list(const struct scd_value *words, struct scd_str options, struct scd_arena *scratch,
                      struct scd_value *ret_value)
{
	size_t count = put_all(words, options, NULL);
	struct scd_value *items = scd_arena_zalloc(scratch, count + 1, sizeof(*items));
	if (!items)
		return false;
	put_all(words, options, items);
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .is_list = true };
	ret_value->list.items = items;
	ret_value->list.count = count;
	return true;
}

bool scd__getopt_value(const struct scd_value *words, struct scd_str options, char option, struct scd_value *ret_value)
{
	struct reader r = { .words = words, .options = options };
	struct scd_str last = { NULL, 0 };
	struct found found;
	bool occurs = false;
	while (next_option(&r, &found)) {
		if (!found.known || found.letter.data[0] != option)
			continue;
		occurs = true;
		last = found.takes_value ? found.value : found.letter;
	}
	if (occurs)
		*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = last };
	return occurs;
}
