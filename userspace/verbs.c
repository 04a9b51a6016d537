// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of verbs: what each takes, and what --help says of it.
 */
#include "cmd.h"

const struct verb verbs[] = {
	{ "status", VERBS_LOOK, "[RES|all]", "roles, disks, connections, resync progress",
	  "  blkrepl status\n"
	  "  blkrepl status r0 --watch\n"
	  "  blkrepl status --json | jq '.[] | select(.suspended)'\n",
	  0, 1, ARG(ARG_JSON) | ARG(ARG_STATISTICS) | ARG(ARG_WATCH), 0, cmd_status },
	{ "explain", VERBS_LOOK, "[RES|all]", "what is wrong, why, and what to do; worst first",
	  "  blkrepl explain r0\n"
	  "  blkrepl explain --json | jq '.[] | select(.severity == \"problem\")'\n"
	  "  # exit code 5 if something is not as it should be:\n"
	  "  what=$(blkrepl explain all) || echo \"$what\" | mail -s blkrepl root\n",	  0, 1, ARG(ARG_JSON), 0, cmd_explain },
	{ "events", VERBS_LOOK, "[RES|all]", "the present state, then a line for each change",
	  "  blkrepl events --json --changes-only\n"
	  "  blkrepl events r0 --now\n",
	  0, 1, ARG(ARG_JSON) | ARG(ARG_NOW) | ARG(ARG_CHANGES_ONLY) | ARG(ARG_TIMESTAMPS),
	  0, cmd_events },
	{ "role", VERBS_LOOK, "RES|all", "one word: the own role",
	  "  test \"$(blkrepl role r0)\" = Primary\n", 1, 1, 0, 0, cmd_role },
	{ "cstate", VERBS_LOOK, "RES[:PEER]|all", "one word for each connection",
	  "  blkrepl cstate r0:bob\n", 1, 1, 0, 0, cmd_cstate },
	{ "dstate", VERBS_LOOK, "RES[/VOL]|all", "disk states, own/peer/...",
	  "  blkrepl dstate r0/0\n", 1, 1, 0, 0, cmd_dstate },
	{ "wait-connect", VERBS_LOOK, "RES|all", "until all peers are connected",
	  "  blkrepl wait-connect r0 --timeout 30\n", 1, 1, ARG(ARG_WAIT), 0, cmd_wait_connect },
	{ "wait-sync", VERBS_LOOK, "RES|all", "until all disks that are connected are UpToDate",
	  "  blkrepl wait-sync r0 --timeout 600 || blkrepl status r0\n",
	  1, 1, ARG(ARG_WAIT), 0, cmd_wait_sync },

	{ "primary", VERBS_DAILY, "RES|all", "become Primary: the device can be written here",
	  "  blkrepl primary r0\n"
	  "  # every other node is gone for good, and this disk may lack the newest writes:\n"
	  "  blkrepl primary r0 --force\n",
	  1, 1, ARG(ARG_FORCE), 0, cmd_primary },
	{ "secondary", VERBS_DAILY, "RES|all", "become Secondary: nobody may have the device open",
	  "  umount /mnt && blkrepl secondary r0\n"
	  "  # I/O is suspended, and what waits for it is to get errors:\n"
	  "  blkrepl secondary r0 --force\n",
	  1, 1, ARG(ARG_FORCE), 0, cmd_secondary },
	{ "connect", VERBS_DAILY, "RES[:PEER]|all", "connect, and again whenever it breaks",
	  "  blkrepl connect r0:bob\n"
	  "  # after a split brain, on the node whose changes are to go:\n"
	  "  blkrepl connect r0:bob --discard-my-data\n",
	  1, 1, ARG(ARG_DISCARD_MY_DATA), 0, cmd_connect },
	{ "disconnect", VERBS_DAILY, "RES[:PEER]|all", "disconnect, and stay so",
	  "  blkrepl disconnect r0:bob\n", 1, 1, ARG(ARG_FORCE), 0, cmd_disconnect },
	{ "fenced", VERBS_DAILY, "RES:PEER", "say that a lost peer was switched off, with fencing wait",
	  "  # bob's power is off, or has been since it was lost:\n"
	  "  blkrepl fenced r0:bob\n", 1, 1, 0, 0, cmd_fenced },
	{ "attach", VERBS_DAILY, "RES[/VOL]|all [DISK]", "use the disk, of the configuration or DISK",
	  "  blkrepl attach r0/0\n"
	  "  blkrepl attach r0/0 /dev/vg/data --meta-disk /dev/vg/meta\n"
	  "  blkrepl attach r0/0 --meta-disk /dev/loop0   # on a witness\n",
	  1, 2, ARG(ARG_META_DISK), 0, cmd_attach },
	{ "detach", VERBS_DAILY, "RES[/VOL]|all", "let go of the disk; a peer's data serves",
	  "  blkrepl detach r0/0\n", 1, 1, ARG(ARG_FORCE), 0, cmd_detach },
	{ "resize", VERBS_DAILY, "RES[/VOL]", "after the disks of all nodes have grown",
	  "  # on every node, one after the other:\n"
	  "  lvextend -L +10G /dev/vg/data\n"
	  "  blkrepl detach r0/0 && blkrepl grow-md r0/0 && blkrepl attach r0/0\n"
	  "  blkrepl wait-sync r0\n"
	  "  # then on one:\n"
	  "  blkrepl resize r0/0\n",
	  1, 1, ARG(ARG_RESIZE), 0, cmd_resize },
	{ "invalidate", VERBS_DAILY, "RES[/VOL]", "replace the own data by a peer's",
	  "  blkrepl invalidate r0/0\n", 1, 1, 0, 0, cmd_invalidate },
	{ "invalidate-remote", VERBS_DAILY, "RES[:PEER][/VOL]", "replace a peer's data by the own",
	  "  blkrepl invalidate-remote r0:bob/0\n", 1, 1, 0, 0, cmd_invalidate_remote },
	{ "pause-sync", VERBS_DAILY, "RES[:PEER][/VOL]|all", "hold the resync",
	  "  blkrepl pause-sync r0:bob\n", 1, 1, 0, 0, cmd_pause_sync },
	{ "resume-sync", VERBS_DAILY, "RES[:PEER][/VOL]|all", "go on with the resync",
	  "  blkrepl resume-sync r0:bob\n", 1, 1, 0, 0, cmd_resume_sync },
	{ "new-data-set", VERBS_DAILY, "RES", "blank disks on all nodes: no initial sync",
	  "  # on one node, once all are connected, before anything is written:\n"
	  "  blkrepl new-data-set r0\n", 1, 1, 0, 0, cmd_new_data_set },

	{ "up", VERBS_CONFIG, "RES|all", "make, attach and connect what is configured",
	  "  blkrepl up all\n"
	  "  blkrepl up r0 --dry-run\n", 1, 1, 0, 0, cmd_up },
	{ "down", VERBS_CONFIG, "RES|all", "disconnect, detach and remove",
	  "  blkrepl down r0\n", 1, 1, 0, 0, cmd_down },
	{ "adjust", VERBS_CONFIG, "RES|all", "make what runs equal to what is configured",
	  "  blkrepl adjust r0 --dry-run   # what would change\n"
	  "  blkrepl adjust r0\n", 1, 1, 0, 0, cmd_adjust },
	{ "dump", VERBS_CONFIG, "[RES|all]", "check and print the configuration",
	  "  blkrepl dump > /dev/null && echo fine\n", 0, 1, ARG(ARG_SECRETS), 0, cmd_dump },
	{ "create-md", VERBS_CONFIG, "RES[/VOL]|DEVICE", "write fresh metadata",
	  "  blkrepl create-md r0\n"
	  "  blkrepl create-md r0/0 --max-peers 2\n"
	  "  blkrepl create-md /dev/vg/data --meta-disk /dev/vg/meta\n"
	  "  blkrepl create-md /dev/loop0 --witness\n",
	  1, 1, ARG(ARG_MAX_PEERS) | ARG(ARG_FORCE) | ARG(ARG_META_DISK) |
	  ARG(ARG_WITNESS), 0, cmd_create_md },
	{ "grow-md", VERBS_CONFIG, "RES[/VOL]|DEVICE", "after the disk has grown: metadata to its end",
	  "  blkrepl detach r0/0\n"
	  "  lvextend -L +10G /dev/vg/data\n"
	  "  blkrepl grow-md r0/0\n"
	  "  blkrepl attach r0/0\n",
	  1, 1, 0, 0, cmd_grow_md },
	{ "show-md", VERBS_CONFIG, "RES[/VOL]|DEVICE", "print the metadata of a disk",
	  "  blkrepl show-md r0/0\n"
	  "  blkrepl show-md /dev/vg/data --json\n",
	  1, 1, ARG(ARG_META_DISK) | ARG(ARG_JSON) | ARG(ARG_WITNESS), 0, cmd_show_md },

	{ "new-resource", VERBS_LOW, "RES NODE_ID", "make a resource",
	  "  blkrepl new-resource r0 0 --name alice --ack-policy sync\n",
	  2, 2, ARG(ARG_NAME) | ARG(ARG_WITNESS), OPTS_RES, cmd_new_resource },
	{ "del-resource", VERBS_LOW, "RES", "remove a resource that has no volumes and peers",
	  "  blkrepl del-resource r0\n", 1, 1, 0, 0, cmd_del_resource },
	{ "resource-options", VERBS_LOW, "RES|all", "change settings of a resource",
	  "  blkrepl resource-options r0 --on-no-data io-error\n",
	  1, 1, 0, OPTS_RES, cmd_resource_options },
	{ "new-volume", VERBS_LOW, "RES/VOL MINOR", "make /dev/blkreplMINOR",
	  "  blkrepl new-volume r0/0 0\n", 2, 3, 0, OPTS_DISK, cmd_new_volume },
	{ "del-volume", VERBS_LOW, "RES/VOL", "remove a detached volume",
	  "  blkrepl del-volume r0/0\n", 1, 1, 0, 0, cmd_del_volume },
	{ "disk-options", VERBS_LOW, "RES[/VOL]|all", "change settings of volumes",
	  "  blkrepl disk-options r0/0 --al-extents 500\n",
	  1, 1, 0, OPTS_DISK, cmd_disk_options },
	{ "new-peer", VERBS_LOW, "RES NODE_ID", "make a peer",
	  "  blkrepl new-peer r0 1 --name bob --local-addr 10.0.0.1:7789 \\\n"
	  "      --peer-addr 10.0.0.2:7789 --secret-file /etc/blkrepl.d/r0.secret\n",
	  2, 2, ARG(ARG_NAME) | ARG(ARG_LOCAL_ADDR) | ARG(ARG_PEER_ADDR) |
	  ARG(ARG_SECRET_FILE) | ARG(ARG_AUTH_NONE) | ARG(ARG_WITNESS),
	  OPTS_PEER, cmd_new_peer },
	{ "del-peer", VERBS_LOW, "RES:PEER", "disconnect and remove a peer",
	  "  blkrepl del-peer r0:bob\n", 1, 1, 0, 0, cmd_del_peer },
	{ "net-options", VERBS_LOW, "RES[:PEER]|all", "change settings of connections",
	  "  blkrepl net-options r0:bob --resync-rate-max 100M\n"
	  "  blkrepl net-options r0 --secret-file /etc/blkrepl.d/r0.secret\n",
	  1, 1, ARG(ARG_NAME) | ARG(ARG_LOCAL_ADDR) | ARG(ARG_PEER_ADDR) |
	  ARG(ARG_SECRET_FILE) | ARG(ARG_AUTH_NONE), OPTS_PEER, cmd_net_options },

	{ "help", VERBS_HIDDEN, "[VERB]", "as --help, for a verb or for all", NULL,
	  0, 1, 0, 0, cmd_help },
	/* the kernel module refuses it until it can */
	{ "verify", VERBS_HIDDEN, "RES[:PEER][/VOL]|all",
	  "compare with the peers while in use: not available yet", NULL,
	  1, 1, 0, 0, cmd_verify },
	/* words that admins of DRBD type */
	{ "new-minor", VERBS_HIDDEN, "RES/VOL MINOR", "second name of new-volume", NULL,
	  2, 3, 0, OPTS_DISK, cmd_new_volume },
	{ "del-minor", VERBS_HIDDEN, "RES/VOL", "second name of del-volume", NULL,
	  1, 1, 0, 0, cmd_del_volume },
	{ "dump-md", VERBS_HIDDEN, "RES[/VOL]|DEVICE", "second name of show-md", NULL,
	  1, 1, ARG(ARG_META_DISK) | ARG(ARG_JSON) | ARG(ARG_WITNESS), 0, cmd_show_md },
	{ 0 }
};
