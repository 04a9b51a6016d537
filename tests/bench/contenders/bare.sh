# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The ramdisk itself: no mirror can be faster.

start()
{
	data bare >/dev/null
}

stop()
{
	:
}

device()
{
	ram bare
}
