/*
 * The program. Everything is in server/cli.
 */
#include "seccheckd/cli/cli.h"

int main(int argc, char **argv)
{
	return scd_cli_main(argc, argv);
}
