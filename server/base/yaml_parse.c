/*
 * From libyaml's events to a bounded tree. The only file that includes yaml.h of libyaml.
 *
 * No recursion: open collections are a stack of frames, and nodes that wait for their parent to be complete are
 * a second stack, `pending`, from which an ending collection takes its children:
 *
 *    pending   root of document 1 │ root of document 2 │ its children … │ children of the second of them …
 *    frames                         ▲ first_child        ▲ first_child
 *
 * A collection is put into pending when it begins, so the children of one collection are contiguous once those that
 * began inside it have ended. What is left at the end of the stream are the roots.
 *
 * An alias puts a pointer to the anchored node into pending, but counts as many nodes as that node stands for and is
 * as deep as it is: a walk over the tree that follows every pointer is bounded by the two limits. An alias to a node
 * that is still open would make a cycle and is an error. Anchors live until the end of their document; the latest
 * definition of a name counts.
 *
 * libyaml counts positions in characters and takes rare Unicode characters for line breaks. A cursor converts its
 * character index into a byte offset, and lines end at LF only, as editors count.
 */
#include "base/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/strmap.h"

struct cursor {
	size_t index;      /* in characters */
	size_t offset;     /* in bytes, of the same place */
	size_t line_start; /* in bytes */
	unsigned line;     /* from 1 */
};

struct anchor {
	struct scd_yaml_node *node;
	size_t nodes;    /* that it expands to */
	unsigned height; /* 0 for a scalar */
	bool open;       /* the node has not ended yet */
};

struct frame {
	struct scd_yaml_node *node;
	struct anchor *anchor; /* NULL without one */
	size_t first_child;    /* index in pending */
	size_t nodes_before;
	unsigned height; /* so far; 1 while all children are scalars */
};

struct builder {
	struct scd_yaml *yaml;
	struct scd_error *err;
	yaml_parser_t parser;
	struct cursor cursor;
	struct scd_yaml_node **pending;
	size_t pending_count, pending_room;
	struct frame frames[SCD_LIMIT_YAML_DEPTH];
	unsigned depth; /* of frames */
	size_t nodes;   /* of the expanded tree so far */
	struct scd_strmap anchors;
};

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static void cursor_forward(struct cursor *cursor, struct scd_str source)
{
	if (source.data[cursor->offset++] == '\n') {
		cursor->line++;
		cursor->line_start = cursor->offset;
	}
	while (cursor->offset < source.len && is_continuation(source.data[cursor->offset]))
		cursor->offset++;
	cursor->index++;
}

static void cursor_back(struct cursor *cursor, struct scd_str source)
{
	cursor->index--;
	cursor->offset--;
	while (cursor->offset > 0 && is_continuation(source.data[cursor->offset]))
		cursor->offset--;
	if (source.data[cursor->offset] == '\n') {
		const char *before = memrchr(source.data, '\n', cursor->offset);

		cursor->line--;
		cursor->line_start = before ? (size_t)(before + 1 - source.data) : 0;
	}
}

/* Events come in the order of the text, so that the way is short. */
static const struct cursor *seek(struct builder *b, size_t index)
{
	while (b->cursor.index < index && b->cursor.offset < b->yaml->source.len)
		cursor_forward(&b->cursor, b->yaml->source);
	while (b->cursor.index > index)
		cursor_back(&b->cursor, b->yaml->source);
	return &b->cursor;
}

static unsigned column_of(const struct cursor *cursor)
{
	return (unsigned)(cursor->offset - cursor->line_start + 1);
}

static int fail_at(struct builder *b, int code, const yaml_mark_t *mark, const char *what)
{
	const struct cursor *place = seek(b, mark->index);

	scd_error_set(b->err, code, "%s", what);
	scd_error_at(b->err, b->yaml->name, place->line, column_of(place));
	return code;
}

static int fail_memory(struct builder *b)
{
	scd_error_set(b->err, -ENOMEM, "out of memory");
	scd_error_at(b->err, b->yaml->name, 0, 0);
	return -ENOMEM;
}

/* The reader's errors come with a byte offset instead of a mark. */
static int fail_encoding(struct builder *b)
{
	struct cursor *cursor = &b->cursor;

	while (cursor->offset < b->parser.problem_offset && cursor->offset < b->yaml->source.len)
		cursor_forward(cursor, b->yaml->source);
	scd_error_set(b->err, -EINVAL, "%s", b->parser.problem);
	scd_error_at(b->err, b->yaml->name, cursor->line, column_of(cursor));
	scd_error_hint(b->err, "the file must be UTF-8 without control characters");
	return -EINVAL;
}

static int fail_syntax(struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;

	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return fail_memory(b);
	if (parser->error == YAML_READER_ERROR)
		return fail_encoding(b);
	fail_at(b, -EINVAL, &parser->problem_mark, parser->problem);
	if (parser->context)
		scd_error_hint(b->err, "%s that began at line %u", parser->context,
		               seek(b, parser->context_mark.index)->line);
	return -EINVAL;
}

static int count_nodes(struct builder *b, size_t nodes, const yaml_event_t *event)
{
	if (nodes > SCD_LIMIT_YAML_NODES - b->nodes)
		return fail_at(b, -E2BIG, &event->start_mark, "the file has, or its aliases expand to, too many nodes");
	b->nodes += nodes;
	return 0;
}

static int check_depth(struct builder *b, unsigned height, const yaml_event_t *event)
{
	if (height > SCD_LIMIT_YAML_DEPTH - b->depth)
		return fail_at(b, -E2BIG, &event->start_mark, "sequences and maps are nested too deeply");
	return 0;
}

/* The next child of an open map is a key where an even number of children came before. */
static bool wants_key(const struct builder *b)
{
	const struct frame *frame = b->depth ? &b->frames[b->depth - 1] : NULL;

	return frame && frame->node->kind == SCD_YAML_MAP && (b->pending_count - frame->first_child) % 2 == 0;
}

static int push_pending(struct builder *b, struct scd_yaml_node *node)
{
	if (b->pending_count == b->pending_room) {
		size_t room = b->pending_room ? b->pending_room * 2 : 64;
		struct scd_yaml_node **larger = reallocarray(b->pending, room, sizeof(struct scd_yaml_node *));

		if (!larger)
			return fail_memory(b);
		b->pending = larger;
		b->pending_room = room;
	}
	b->pending[b->pending_count++] = node;
	return 0;
}

static void raise_height(struct builder *b, unsigned height)
{
	if (b->depth && b->frames[b->depth - 1].height < height)
		b->frames[b->depth - 1].height = height;
}

/* Gives the node, which is height levels high, to the open collection or makes it a root. */
static int add_child(struct builder *b, struct scd_yaml_node *node, unsigned height, const yaml_event_t *event)
{
	if (wants_key(b) && node->kind != SCD_YAML_SCALAR)
		return fail_at(b, -EINVAL, &event->start_mark, "the key of a map must be a scalar");
	raise_height(b, height + 1);
	return push_pending(b, b->depth == 0 && scd_yaml_is_null(node) ? NULL : node);
}

static int new_node(struct builder *b, enum scd_yaml_kind kind, const yaml_event_t *event,
                    struct scd_yaml_node **ret_node)
{
	const struct cursor *place = seek(b, event->start_mark.index);
	struct scd_yaml_node *node;
	int r;

	r = count_nodes(b, 1, event);
	if (r < 0)
		return r;
	node = scd_arena_zalloc(&b->yaml->arena, 1, sizeof(*node));
	if (!node)
		return fail_memory(b);
	node->kind = kind;
	node->line = place->line;
	node->column = column_of(place);
	node->offset = place->offset;
	*ret_node = node;
	return 0;
}

/* *ret_anchor is NULL where the node has no anchor. */
static int define_anchor(struct builder *b, const yaml_char_t *name, struct scd_yaml_node *node,
                         struct anchor **ret_anchor)
{
	struct anchor *anchor = NULL;
	struct scd_str key;

	if (name) {
		key = scd_arena_dup(&b->yaml->arena, scd_str_from((const char *)name));
		anchor = scd_arena_zalloc(&b->yaml->arena, 1, sizeof(*anchor));
		if (!key.data || !anchor || scd_strmap_put(&b->anchors, key, anchor) < 0)
			return fail_memory(b);
		*anchor = (struct anchor){ .node = node, .nodes = 1, .open = node->kind != SCD_YAML_SCALAR };
	}
	*ret_anchor = anchor;
	return 0;
}

static enum scd_yaml_style style_of(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	switch (event->data.scalar.style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return SCD_YAML_QUOTED;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE: return SCD_YAML_BLOCK;
	default:
		return tag && (strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0) ? SCD_YAML_QUOTED
		                                                                        : SCD_YAML_PLAIN;
	}
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	struct scd_str value = { (const char *)event->data.scalar.value, event->data.scalar.length };
	struct scd_yaml_node *node;
	struct anchor *anchor;
	int r;

	r = new_node(b, SCD_YAML_SCALAR, event, &node);
	if (r < 0)
		return r;
	node->style = style_of(event);
	node->text = scd_arena_dup(&b->yaml->arena, value);
	if (!node->text.data)
		return fail_memory(b);
	r = define_anchor(b, event->data.scalar.anchor, node, &anchor);
	return r < 0 ? r : add_child(b, node, 0, event);
}

static int on_alias(struct builder *b, const yaml_event_t *event)
{
	const struct anchor *anchor = scd_strmap_get(&b->anchors, scd_str_from((const char *)event->data.alias.anchor));
	int r;

	if (!anchor)
		return fail_at(b, -EINVAL, &event->start_mark, "the alias has no anchor before it in this document");
	if (anchor->open)
		return fail_at(b, -EINVAL, &event->start_mark, "the alias stands inside the node that it refers to");
	r = count_nodes(b, anchor->nodes, event);
	if (r == 0)
		r = check_depth(b, anchor->height, event);
	return r < 0 ? r : add_child(b, anchor->node, anchor->height, event);
}

static int on_collection_start(struct builder *b, enum scd_yaml_kind kind, const yaml_char_t *anchor_name,
                               const yaml_event_t *event)
{
	struct frame frame = { .nodes_before = b->nodes, .height = 1 };
	int r;

	r = check_depth(b, 1, event);
	if (r == 0)
		r = new_node(b, kind, event, &frame.node);
	if (r == 0)
		r = define_anchor(b, anchor_name, frame.node, &frame.anchor);
	if (r == 0)
		r = add_child(b, frame.node, 1, event);
	if (r < 0)
		return r;
	frame.first_child = b->pending_count;
	b->frames[b->depth++] = frame;
	return 0;
}

static struct scd_yaml_node **take_children(struct builder *b, const struct frame *frame, size_t start, size_t step)
{
	size_t count = frame->node->count;
	struct scd_yaml_node **children = scd_arena_zalloc(&b->yaml->arena, count, sizeof(struct scd_yaml_node *));

	for (size_t i = 0; children && i < count; i++)
		children[i] = b->pending[frame->first_child + start + i * step];
	return children;
}

static int on_collection_end(struct builder *b)
{
	const struct frame *frame = &b->frames[--b->depth];
	struct scd_yaml_node *node = frame->node;
	size_t step = node->kind == SCD_YAML_MAP ? 2 : 1;

	node->count = (b->pending_count - frame->first_child) / step;
	node->items = take_children(b, frame, step - 1, step);
	if (node->kind == SCD_YAML_MAP)
		node->keys = take_children(b, frame, 0, step);
	if (!node->items || (node->kind == SCD_YAML_MAP && !node->keys))
		return fail_memory(b);
	b->pending_count = frame->first_child;
	if (frame->anchor) {
		frame->anchor->nodes = b->nodes - frame->nodes_before;
		frame->anchor->height = frame->height;
		frame->anchor->open = false;
	}
	raise_height(b, frame->height + 1);
	return 0;
}

static int on_stream_end(struct builder *b)
{
	struct scd_yaml *yaml = b->yaml;

	yaml->roots = scd_arena_zalloc(&yaml->arena, b->pending_count, sizeof(struct scd_yaml_node *));
	if (!yaml->roots)
		return fail_memory(b);
	yaml->root_count = b->pending_count;
	if (b->pending_count)
		memcpy(yaml->roots, b->pending, b->pending_count * sizeof(struct scd_yaml_node *));
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return on_scalar(b, event);
	case YAML_ALIAS_EVENT: return on_alias(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_collection_start(b, SCD_YAML_SEQUENCE, event->data.sequence_start.anchor, event);
	case YAML_MAPPING_START_EVENT:
		return on_collection_start(b, SCD_YAML_MAP, event->data.mapping_start.anchor, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return on_collection_end(b);
	case YAML_DOCUMENT_END_EVENT: scd_strmap_done(&b->anchors); return 0;
	case YAML_STREAM_END_EVENT: return on_stream_end(b);
	default: return 0;
	}
}

static int run(struct builder *b)
{
	bool ended = false;
	int r = 0;

	while (r == 0 && !ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->parser, &event))
			return fail_syntax(b);
		ended = event.type == YAML_STREAM_END_EVENT;
		r = on_event(b, &event);
		yaml_event_delete(&event);
	}
	return r;
}

int scd__yaml_parse(struct scd_yaml *yaml, struct scd_error *err)
{
	struct builder b = { .yaml = yaml, .err = err, .cursor.line = 1 };
	int r;

	if (!yaml_parser_initialize(&b.parser))
		return fail_memory(&b);
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)yaml->source.data, yaml->source.len);
	scd_strmap_init(&b.anchors);
	r = run(&b);
	scd_strmap_done(&b.anchors);
	free(b.pending);
	yaml_parser_delete(&b.parser);
	return r;
}
