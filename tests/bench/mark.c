// SPDX-License-Identifier: GPL-2.0-only
/* mark begin|end: tell icount.c when to count. */
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "begin"))
		__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x6e, 0x65, 0x62");
	else if (argc == 2 && !strcmp(argv[1], "end"))
		__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 0x01, 0x6e, 0x65, 0x62");
	else
		return 2;
	return 0;
}
