# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The debug kernel: Debian 12's source, tinyconfig and debug.config.
# Sourced by tests/vm/kernel, after lib.sh.
# shellcheck source=tests/vm/lib.sh
: "${top:?}" "${cache:?}"

fragment=$top/tests/vm/debug.config

# The package with the source, at the version that apt would install.
source_version()
{
	apt_do apt-cache policy linux-source-6.1 | sed -n 's/^ *Candidate: //p'
}

# A debug kernel is named by what goes into it: another fragment or another
# source makes another directory, and going back to an old one costs nothing.
debug_dir()
{
	local hash

	hash=$( (source_version; cat "$fragment") | sha256sum | cut -c 1-12)
	kernel_dir "debug-$hash"
}

# The 6.1 source tree, unpacked once; also the home of checkpatch.pl.
kernel_source()
{
	local version dir

	version=$(source_version)
	dir=$cache/source/6.1-${version//[^0-9a-z.+~-]/_}
	mkdir -p "$cache/source"
	exec 7>"$cache/source/.lock"
	flock 7
	if [ ! -f "$dir/complete" ]; then
		echo "unpacking linux-source-6.1 $version into $dir" >&2
		rm -rf "$dir"
		unpack "$dir/package" linux-source-6.1
		tar -C "$dir" -xJf "$dir"/package/usr/src/linux-source-6.1.tar.xz
		mv "$dir"/linux-source-6.1 "$dir/linux"
		rm -rf "$dir/package"
		touch "$dir/complete"
	fi
	exec 7>&-
	printf '%s\n' "$dir/linux"
}

# What the fragment asks for and the configuration lacks is an error: an option
# that was renamed or lost its dependency must not switch a check off unseen.
check_config()
{
	local config=$1 line bad=0

	while read -r line; do
		case $line in
		CONFIG_*=n)
			if grep -q "^${line%=n}=[ym]" "$config"; then
				echo "debug.config: ${line%=n} came out as set" >&2
				bad=1
			fi
			;;
		CONFIG_*)
			if ! grep -qxF "$line" "$config"; then
				echo "debug.config: $line is not in the result" >&2
				bad=1
			fi
			;;
		esac
	done <"$fragment"
	[ "$bad" -eq 0 ] || die "mend tests/vm/debug.config: see the lines above"
}

fetch_debug()
{
	local dir=$1 src out=$1/build log=$1/build.log release

	need gcc make bc flex bison pahole
	src=$(kernel_source)
	mkdir -p "$out"
	{
		make -C "$src" O="$out" tinyconfig &&
			"$src/scripts/kconfig/merge_config.sh" -m -O "$out" \
				"$out/.config" "$fragment" &&
			make -C "$src" O="$out" olddefconfig
	} >"$log" 2>&1 || die "configuring the debug kernel failed: see $log"
	check_config "$out/.config"
	echo "building the debug kernel: some ten minutes, see $log" >&2
	nice make -C "$src" O="$out" -j "${JOBS:-2}" bzImage modules >>"$log" 2>&1 &&
		make -C "$src" O="$out" modules_install \
			INSTALL_MOD_PATH="$dir/root" >>"$log" 2>&1 ||
		die "building the debug kernel failed: see $log"
	release=$(cat "$out/include/config/kernel.release")
	ln -s "$out/arch/x86/boot/bzImage" "$dir/vmlinuz"
	ln -s "$dir/root/lib/modules/$release" "$dir/modules"
	printf '%s\n' "$release" >"$dir/release"
	printf '%s\n' "$out" >"$dir/kdir"
	# Objects are of no use any more; keep vmlinux for addresses in reports.
	find "$out" -name '*.o' -size +0 ! -path "$out/scripts/*" ! -path "$out/tools/*" \
		-delete
}
