# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts of tests/vm share: where things are, and how to fail.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# Kernels are big, slow to get and independent of the tree, so they live in a
# cache of the user's, which a second clone on the same machine finds full.
cache=${BLKREPL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/blkrepl}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

need()
{
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			die "$tool is missing: run .ci/install-deps"
	done
}

# Nothing but root may read all of the host's root file system, mount, chroot.
need_root()
{
	[ "$(id -u)" -eq 0 ] || die "$1 needs root: run it with sudo"
}

kernel_dir()
{
	printf '%s/kernels/%s\n' "$cache" "$1"
}

# The directory of a kernel that is there, or an error that says how to get it.
have_kernel()
{
	local dir

	dir=$(kernel_dir "$1")
	[ -f "$dir/complete" ] ||
		die "no kernel '$1' in $cache: run tests/vm/kernel get $1"
	printf '%s\n' "$dir"
}
