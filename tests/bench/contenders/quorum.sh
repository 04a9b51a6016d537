# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, three nodes, a majority acknowledges.

name=quorum nodes=3 minor=30 res_options="options { ack-policy quorum; }"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
