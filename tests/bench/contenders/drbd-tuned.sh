# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# DRBD 8.4, its resync's controller held open, and large buffers.

name=drbd-tuned minor=30 port=7730
disk_options="--c-plan-ahead=0 --resync-rate=4194304k"
net_options="--max-buffers=36864 --sndbuf-size=4194304 --rcvbuf-size=4194304"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/drbd-c.sh
. "$bench_dir/contenders/drbd-c.sh"
