# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# A program that sends the data over the loopback device to another one, which
# answers with 16 bytes: what TCP alone costs here, copies from and to user
# space included.

start()
{
	:
}

stop()
{
	:
}

# load SIZE DEPTH COUNT: in place of a device
load()
{
	tcp-echo "$1" "$2" "$3"
}
