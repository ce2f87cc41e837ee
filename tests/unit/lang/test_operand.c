/*
 * Fields, transformers and their arguments, one line each.
 */
#include "tests/unit/lang/fixture.h"

static const char *const accepted_sides[] = {
	/* clang-format off */
	"a.b[c] exists",
	"a.b[0] = c",
	"a.b[c.d/e] = f",
	"a.b[,()=] exists",
	"a.b['c d'] exists",
	"a.b[\"[c]\"] exists",
	"a.b[''] exists",
	"a.b[c]exists",
	"a.b[c]=d",
	"tolower(a.b) = c",
	"toupper(a.b) = c",
	"b64(a.b) = c",
	"basename(a.b) = c",
	"len(a.b) > 1",
	"join(a.b) = c",
	"concat(a.b) = c",
	"getopt(a.b) = c",
	"tolower( a.b ) = c",
	"tolower(\na.b\n)=c",
	"tolower(a.b)exists",
	"tolower(a.b[c]) = d",
	"tolower(a.b)[c] = d",
	"tolower(a.b)['c d'] = d",
	"tolower(toupper(b64(a.b))) = c",
	"concat(a.b, c.d) = e",
	"concat(a.b,c.d,'e',1) = f",
	"concat('a', \"b\") = ab",
	"concat(1, 0x2, -3.5) = c",
	"join(',', (a.b, c.d)) = e",
	"join(',', ()) = ''",
	"join(',', ( )) = ''",
	"join(',', ('a', 1, len(a.b))) = c",
	"join(',', ( a.b , c.d )) = e",
	"getopt(a.b, \"c:\")[c] = d",
	"len((a.b)) > 0",
	"len(()) = 0",
	"a.b = val(c.d)",
	"a.b = val( c.d )",
	"a.b = val(c.d[e])",
	"a.b=val(c.d)and e",
	"a.b contains val(c.d)",
	"a.b > val(c.d)",
	"a.b in val(c.d)",
	"a.b intersects val(c.d)",
	"a.b pmatch val(c.d)",
	"a.b = tolower(c.d)",
	"a.b > len(c.d)",
	"a.b in tolower(c.d)",
	"a.b in(tolower)",
	"a.b = join(',', (c.d))",
	"a.b = tolower",
	"a.b = val",
	"a.b = len and c",
	"tolower.b = c",
	"val.b = c",
	/* clang-format on */
};

static const char *const refused_sides[] = {
	/* clang-format off */
	"a.b[] = c",
	"a.b[ = c",
	"a.b[c = d",
	"a.b[c d] = e",
	"a.b[ c] = d",
	"a.b[c ] = d",
	"a.b [c] = d",
	"a.b[c]d = e",
	"a.b[c][d] = e",
	"a.b[[c]] = d",
	"a.b['c] = d",
	"a.b['\\q'] = d",
	"a[b] = c",
	"tolower (a.b) = c",
	"tolower() = c",
	"tolower( ) = c",
	"tolower(a) = c",
	"tolower(a.b = c",
	"tolower(a.b, = c",
	"tolower(a.b,) = c",
	"tolower(,a.b) = c",
	"tolower(a.b c.d) = e",
	"tolower(a.b) ",
	"tolower(a.b) and c",
	"tolower(a.b) [c] = d",
	"tolower(a.b [c]) = d",
	"tolower(bare) = c",
	"tolower(val(a.b)) = c",
	"TOLOWER(a.b) = c",
	"lower(a.b) = c",
	"a.tolower(b.c) = d",
	"val(a.b) = c",
	"val(a.b) exists",
	"join(',', (a.b) = c",
	"join(',', (a.b,)) = c",
	"join(',', (,a.b)) = c",
	"join(',', (a.b c.d)) = e",
	"join(',', ((a.b))) = c",
	"join(',', (bare)) = c",
	"a.b = val (c.d)",
	"a.b = val(c)",
	"a.b = val()",
	"a.b = val('c')",
	"a.b = val(c.d, e.f)",
	"a.b = val(val(c.d))",
	"a.b = val(tolower(c.d))",
	"a.b = val(c.d",
	"a.b = val(c.d)[e]",
	"a.b = tolower (c.d)",
	"a.b = tolower(c)",
	"a.b = (tolower(c.d))",
	"a.b = nosuch(c.d)",
	"a.b exists tolower(c.d)",
	/* clang-format on */
};

static void test_parse__takes_fields_and_transformers_as_sides(void **state)
{
	accept_all(*state, accepted_sides, COUNT_OF(accepted_sides));
	refuse_all(*state, refused_sides, COUNT_OF(refused_sides));
}

static void test_parse_side__reads_one_field_or_transformer_and_tells_its_length(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: refused */
		const char *canonical;
	} rows[] = {
		{ "proc.name", 9, "proc.name" },
		{ "proc.name and", 9, "proc.name" },
		{ "proc.nameand", 12, "proc.nameand" },
		{ "proc.name.", 9, "proc.name" },
		{ "proc.aname[2]: %x", 13, "proc.aname[2]" },
		{ "toupper( proc.name )x", 20, "toupper(proc.name)" },
		{ "getopt(proc.args, 'c')[c] rest", 25, "getopt(proc.args,c)[c]" },
		{ "", 0, NULL },
		{ " proc.name", 0, NULL },
		{ "proc", 0, NULL },
		{ "proc.name[", 0, NULL },
		{ "toupper(proc", 0, NULL },
		{ "val(proc.name)", 0, NULL },
		{ "'proc.name'", 0, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct scd_ast *ast = NULL;
		struct scd_ast_error error;
		size_t len = 0;
		int r = scd_ast_parse_side(scd_str_from(rows[i].text), SCD_LIMIT_PARSE_DEPTH, *state, &ast, &len,
		                           &error);

		assert_int_equal(r, rows[i].len > 0 ? 0 : -EINVAL);
		assert_int_equal(len, rows[i].len);
		if (r == 0)
			assert_string_equal(print(*state, ast), rows[i].canonical);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LANG_TEST(test_parse__takes_fields_and_transformers_as_sides),
		LANG_TEST(test_parse_side__reads_one_field_or_transformer_and_tells_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
