# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The same, the disk of one of the replicas doing nothing.

name=quorum-stall nodes=3 minor=50 res_options="options { ack-policy quorum; }" stalled=yes
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
