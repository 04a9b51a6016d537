# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The same, one of the replicas not there.

name=quorum-away nodes=3 minor=33 res_options="options { ack-policy quorum; }" away=yes
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
