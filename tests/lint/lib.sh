# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the checks share.  A check is a script in tests/lint/ named check-NAME:
# it prints what is wrong, and how to mend it, and fails.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$top" || exit 1

need()
{
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || {
			echo "$tool is missing: run .ci/install-deps"
			exit 1
		}
	done
}

# files PATTERN...: of the tree, those in git and those that will be
files()
{
	git ls-files -co --exclude-standard -- "$@" | while read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done
}

# All shell scripts: by name, or by their first line.
shell_files()
{
	local file

	files | while read -r file; do
		case $file in
		*.sh) printf '%s\n' "$file" ;;
		*.[ch]|*.py|*.md) ;;
		*) head -c 64 "$file" 2>/dev/null | head -n 1 |
			grep -qaE '^#!.*(bash|/sh)( |$)' && printf '%s\n' "$file" ;;
		esac
	done
}
