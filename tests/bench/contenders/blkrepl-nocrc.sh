# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl without checksums of the data on the wire, as DRBD comes.

name=blkrepl-nocrc minor=30 net_settings="data-crc no;"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
