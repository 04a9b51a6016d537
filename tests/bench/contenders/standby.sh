# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, three nodes, of which one takes over by itself.

name=standby nodes=3 minor=70 res_options="options { ack-policy quorum; auto-promote yes; }"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
