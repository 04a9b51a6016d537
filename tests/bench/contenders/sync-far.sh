# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, three nodes, all acknowledge, one of them behind a slow link.

name=sync-far nodes=3 minor=60 res_options="" far_ms=50
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
