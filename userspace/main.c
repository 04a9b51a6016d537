// SPDX-License-Identifier: GPL-2.0-only
/*
 * blkrepl: configure, watch and switch mirrored block devices.
 */
#include "cmd.h"

int main(int argc, char **argv)
{
	struct cmd c = { .file = stdout };
	int ret = cmd_main(&c, argc, argv);

	cmd_cleanup(&c);
	if (fflush(stdout) && !ret)
		ret = EX_SYSTEM;
	return ret;
}
