#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is installed, below DESTDIR and nowhere else, and the names that the udev
# rule makes.
. "$(dirname "$0")/lib.sh"

stage=$tmp/stage
release=$(uname -r)
udevd=/usr/lib/systemd/systemd-udevd

# --- DESTDIR

installed()
{
	local file

	for file in usr/sbin/blkrepl usr/share/man/man8/blkrepl.8 \
		usr/share/man/man5/blkrepl.conf.5 etc/blkrepl.d \
		usr/share/bash-completion/completions/blkrepl \
		usr/lib/udev/rules.d/60-blkrepl.rules \
		usr/lib/systemd/system/blkrepl.service; do
		[ -e "$stage/$file" ] || {
			echo "there is no $file"
			return 1
		}
	done
}

# Kernels before 6.2 say extra where later ones say updates; some compress it.
module_installed()
{
	find "$stage/lib/modules/$release/"{extra,updates} -maxdepth 1 -type f \
		-name 'blkrepl.ko*' 2>/dev/null | grep .
}

# Whatever of ours is new where a machine has it.
elsewhere()
{
	find /usr/sbin /usr/lib/udev /usr/lib/systemd /usr/share/man /usr/src \
		/etc/blkrepl.d "/lib/modules/$release" -newer "$tmp/before" \
		-name '*blkrepl*' 2>/dev/null
	find "/lib/modules/$release" -maxdepth 1 -newer "$tmp/before" \
		-name 'modules.*'
}

# make_in_tree TARGET...: with the module that was built on the host
make_in_tree()
{
	make -C "$tree" -o modules DESTDIR="$stage" RELEASE="$release" \
		KDIR="$kdir" MODDIR="${module%/*}" "$@"
}

touch "$tmp/before"
kdir=$("$tree/tests/vm/kernel" kdir "$VM_KERNEL")
targets=(install dkms-install modules_install)
if [ -f "$("$tree/tests/vm/kernel" dir "$VM_KERNEL")/chroot" ]; then
	diag "no modules_install: this kernel's build tools need a root of their own"
	unset "targets[2]"
fi
check "make ${targets[*]}" make_in_tree "${targets[@]}"
check "all of it" installed
check "the command runs" "$stage/usr/sbin/blkrepl" --version
check "the sources for DKMS" cmp "$tree/Kbuild" "$(echo "$stage"/usr/src/blkrepl-*/Kbuild)"
unit=$stage/usr/lib/systemd/system/blkrepl.service
check "the unit starts the command that is installed" \
	grep -qx "ExecStart=/usr/sbin/blkrepl up all" "$unit"
check "with the module" grep -q "^ExecStartPre=.*modprobe.* blkrepl$" "$unit"
check "at boot, if enabled" grep -q "^WantedBy=multi-user.target$" "$unit"
[ -z "${targets[2]:-}" ] ||
	check "the module" module_installed
check_equal "nothing elsewhere" "$(elsewhere)" ""

# --- udev: the rule that was installed, and no other

[ -x "$udevd" ] || {
	fail "$udevd is missing: run .ci/install-deps"
	exit 1
}
must mount --bind "$stage/usr/lib/udev/rules.d" /usr/lib/udev/rules.d
defer umount /usr/lib/udev/rules.d
"$udevd" >"$tmp/udevd" 2>&1 &
defer stop $!
must busywait 20 udevadm control --ping

# leads_to LINK DEVICE...: to one of these
leads_to()
{
	local got

	got=$(readlink -f "/dev/blkrepl/$1") || return
	[[ " ${*:2} " = *" $got "* ]] || {
		echo "/dev/blkrepl/$1 leads to $got"
		return 1
	}
}

no_links()
{
	! ls -R /dev/blkrepl 2>/dev/null
}

setup_nodes a b
new_conf r0 8
up r0
check_soon "a name by node, resource and volume" 20 leads_to by-node/0/r0/0 "$(dev a)"
check_soon "for each node" 20 leads_to by-node/1/r0/0 "$(dev b)"
check_soon "a name by resource and volume" 20 leads_to by-res/r0/0 "$(dev a)" "$(dev b)"

# --- the names go with their devices

must udevadm settle
must repl b down r0
check_soon "the other node's name goes" 20 test ! -e /dev/blkrepl/by-node/1
check_soon "the resource's leads to the one that is left" 20 \
	leads_to by-res/r0/0 "$(dev a)"
must udevadm settle
must repl a down r0
check_soon "no name is left" 20 no_links
