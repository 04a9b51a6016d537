# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, asynchronous, two nodes.

name=blkrepl-async minor=20 res_options="options { ack-policy async; }"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
