# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Stock kernels of Debian: unpacked from its packages, never installed.
# Sourced by tests/vm/kernel.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# A mirror that stands still for some weeks is good enough here: what it offers
# is signed all the same.
apt_always=(
	-o APT::Sandbox::User=root -o Acquire::Retries=3
	-o Acquire::Check-Valid-Until=false
)

# Options that make apt keep to a private directory; none for the machine's own.
apt_private=()

apt_do()
{
	local tool=$1

	shift
	"$tool" -q "${apt_always[@]}" "${apt_private[@]}" "$@"
}

# The mirror that this machine's own apt uses for Debian itself.
mirror()
{
	local uri

	# shellcheck disable=SC2016 # apt expands these
	uri=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' \
		'Created-By: Packages' |
		awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
	[ -n "$uri" ] ||
		die "apt knows no Debian mirror: check its sources, run apt-get update"
	printf '%s\n' "${uri%/}"
}

# Make apt_do ask another suite, with lists and cache below a directory.
use_suite()
{
	local suite=$1 dir=$2

	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$(mirror)" "$suite" \
		>"$dir/sources.list"
	apt_private=(
		-o Dir::State="$dir/state" -o Dir::Cache="$dir/cache"
		-o Dir::Etc::SourceList="$dir/sources.list"
		-o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null
		-o Dir::Etc::PreferencesParts=/dev/null
	)
	apt_do apt-get update >/dev/null || apt_do apt-get update >/dev/null ||
		die "can't read the package lists of $suite: check the network"
}

# depends PACKAGE PATTERN: the dependency whose name matches
depends()
{
	local found

	found=$(apt_do apt-cache depends "$1" |
		sed -n 's/^ *Depends: //p' | grep -E -m 1 "$2") ||
		die "no package like $2 below $1: run apt-get update"
	printf '%s\n' "$found"
}

# The packages that make up an image: newer ones keep the kernel and its
# modules in packages of their own.
image_parts()
{
	printf '%s\n' "$1"
	apt_do apt-cache depends "$1" | sed -n 's/^ *Depends: //p' |
		grep -E '^linux-(base|binary|modules)-[0-9]' || true
}

# unpack ROOT PACKAGE...
unpack()
{
	local root=$1 debs=$1.debs deb

	shift
	mkdir -p "$root" "$debs"
	(cd "$debs" && { apt_do apt-get download "$@" || apt_do apt-get download "$@"; }) \
		>/dev/null || die "can't download $*: run apt-get update, check the network"
	for deb in "$debs"/*.deb; do
		dpkg -x "$deb" "$root" || die "can't unpack ${deb##*/}: is the disk full?"
	done
	rm -rf "$debs"
}

# Name what a kernel's directory must offer, from its unpacked packages.
finish_stock()
{
	local dir=$1 root=$2 release image

	release=$(basename "$root"/lib/modules/*)
	for image in "$root/boot/vmlinuz-$release" "$root/lib/modules/$release/vmlinuz"; do
		[ ! -f "$image" ] || ln -s "$image" "$dir/vmlinuz"
	done
	[ -e "$dir/vmlinuz" ] ||
		die "no vmlinuz in the packages: their layout is new, see finish_stock"
	# Packages leave making modules.dep to their installation.
	depmod -b "$root" "$release"
	ln -s "$root/lib/modules/$release" "$dir/modules"
	printf '%s\n' "$release" >"$dir/release"
}

# The current kernel of the suite that apt_do asks; its tools run on this host.
fetch_stock()
{
	local dir=$1 root=$1/root image headers common kbuild

	image=$(depends linux-image-amd64 '^linux-image-[0-9]')
	headers=$(depends linux-headers-amd64 '^linux-headers-[0-9]')
	common=$(depends "$headers" '^linux-headers-.*-common')
	kbuild=$(depends "$headers" '^linux-kbuild-')
	# shellcheck disable=SC2046 # names of packages have no spaces
	unpack "$root" $(image_parts "$image") "$headers" "$common" "$kbuild"
	# The only absolute path in the headers.
	sed -i "s|^include /usr/src/|include $root/usr/src/|" \
		"$root/usr/src/$headers/Makefile"
	finish_stock "$dir" "$root"
	printf '%s\n' "$root/usr/src/$headers" >"$dir/kdir"
}

fetch_bookworm()
{
	fetch_stock "$1"
}

fetch_backports()
{
	use_suite bookworm-backports "$1/apt"
	fetch_stock "$1"
	rm -rf "$1/apt"
}

# Unstable's kernel tools are linked against its own C library: they get a
# root of their own, with the compiler that belongs to them.
fetch_unstable()
{
	local dir=$1 root=$1/root image headers

	need debootstrap
	need_root "making the root for the tools of Debian unstable"
	debootstrap --variant=minbase --include=gcc,make,libc6-dev \
		--keyring="$keyring" sid "$root" "$(mirror)" >"$dir/debootstrap.log" 2>&1 ||
		die "debootstrap failed: see $dir/debootstrap.log"
	# Downloads go through the host's network set-up.
	use_suite sid "$dir/apt"
	image=$(depends linux-image-amd64 '^linux-image-[0-9]')
	headers=$(depends linux-headers-amd64 '^linux-headers-[0-9]')
	install_in_root "$root" "$headers"
	# shellcheck disable=SC2046 # names of packages have no spaces
	unpack "$root" $(image_parts "$image")
	finish_stock "$dir" "$root"
	printf '/usr/src/%s\n' "$headers" >"$dir/kdir"
	printf '%s\n' "$root" >"$dir/chroot"
	rm -rf "$dir/apt"
}

# shellcheck disable=SC2016 # the inner shell expands these
install_in_root()
{
	unshare -m sh -ec '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		cat /etc/resolv.conf >"$root/etc/resolv.conf"
		cat /etc/hosts >"$root/etc/hosts"
		export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
		apt="chroot $root apt-get -q -o Acquire::Check-Valid-Until=false"
		$apt update
		$apt -y --no-install-recommends install "$@"
	' sh "$@" >>"$1/../debootstrap.log" 2>&1 ||
		die "can't install $2 in $1: see $1/../debootstrap.log"
}
