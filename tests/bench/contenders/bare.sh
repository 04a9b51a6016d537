# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The ramdisk itself: no mirror can be faster.

ground()
{
	data bare >/dev/null
}

rise()
{
	:
}

start()
{
	ground
}

stop()
{
	:
}

device()
{
	ram bare
}

devices()
{
	device
}
