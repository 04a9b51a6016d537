# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The same, one of the replicas behind a slow link.

name=quorum-far nodes=3 minor=40 res_options="options { ack-policy quorum; }" far_ms=50
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
