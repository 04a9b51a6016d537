#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Compile every probe with the flags of the module and write down which did:
#
#   CC=cc probe.sh OUTPUT RELEASE PROBE.c... -- FLAGS...
#
# A probe NAME.c that compiles defines BLKREPL_HAVE_NAME.  The one called
# "always" must compile: if it does not, the flags or the headers are broken,
# and no answer of the others could be believed.

set -eu

out=$1
release=$2
shift 2

dir=$(dirname "$out")
mkdir -p "$dir"
rm -rf "$dir/probe"
mkdir "$dir/probe"

probes=
while [ "$1" != -- ]; do
	probes="$probes $1"
	shift
done
shift

# Warnings that are errors (a probe may well convert a pointer to see its
# type) are wanted here; what the module's build adds for style is not.
for p in $probes; do
	name=$(basename "$p" .c)
	(
		if $CC "$@" -DMODULE -DKBUILD_MODNAME='"probe"' \
			-DKBUILD_BASENAME='"probe"' -DKBUILD_MODFILE='"probe"' \
			-Werror=implicit-function-declaration \
			-Werror=incompatible-pointer-types -Werror=int-conversion \
			-c -o "$dir/probe/$name.o" "$p" \
			2>"$dir/probe/$name.log"; then
			echo yes >"$dir/probe/$name.yes"
		fi
	) &
done
wait

if [ ! -f "$dir/probe/always.yes" ]; then
	cat "$dir/probe/always.log" >&2
	echo "blkrepl: cannot compile for kernel $release: see above" >&2
	exit 1
fi

{
	echo "/* Made by compat/probe.sh for $release: do not edit. */"
	for p in $probes; do
		name=$(basename "$p" .c)
		up=$(echo "$name" | tr '[:lower:]' '[:upper:]')
		if [ "$name" = always ]; then
			continue
		elif [ -f "$dir/probe/$name.yes" ]; then
			echo "#define BLKREPL_HAVE_$up 1"
		else
			echo "/* no BLKREPL_HAVE_$up */"
		fi
	done
} >"$out.tmp"
mv "$out.tmp" "$out"
rm -f "$dir"/probe/*.o
