/*
 * The words for what taints a sandbox.
 */
#include "seccheckd/state/sandbox.h"

static const char *const words[] = { "",
#define X(name, word, help) word,
	                             SCD_TAINTS(X)
#undef X
};

static const char *const helps[] = { "",
#define X(name, word, help) help,
	                             SCD_TAINTS(X)
#undef X
};

const char *scd_taint_word(enum scd_taint taint)
{
	return words[taint];
}

const char *scd_taint_help(enum scd_taint taint)
{
	return helps[taint];
}
