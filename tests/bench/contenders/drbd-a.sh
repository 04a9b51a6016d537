# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# DRBD 8.4 with protocol A: a write is acknowledged before the peer has it.

protocol=A name=drbd-a minor=10 port=7710
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/drbd-c.sh
. "$bench_dir/contenders/drbd-c.sh"
