#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A majority acknowledges: a slow replica costs nothing, a lost majority
# suspends, and only a node that has every acknowledged write is promoted.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c
new_conf r0 32 'options { ack-policy quorum; }'
up r0
synced r0

slow c delay 1s
begin=$(date +%s%N)
check "ten writes" write_some a 10
took=$((($(date +%s%N) - begin) / 1000000))
diag "ten writes took $took ms"
check "did not wait for the slow one" [ "$took" -lt 6000 ]
check "a flush neither" sync "$(dev a)"
on c tc qdisc del dev eth0 root

# One replica less is no matter, two are too many.
cut a c
check "writes beside a replica that is away" timeout 60 \
	dd if=/dev/urandom of="$(dev a)" bs=4k count=20 oflag=direct status=none
cut a b
check_soon "no majority" 30 no_quorum a
check "status says that it is that" grep -q quorum <(repl a status r0)
dd if=/dev/urandom of="$(dev a)" bs=4k count=1 oflag=direct status=none &
writer=$!
sleep 2
check "the write waits" kill -0 "$writer"
heal a b
check_soon "a majority again" 60 quorum_again a
check_ends "the write is done" "$writer"
heal a c
check_soon "all in step" 60 in_step a r0

# The majority goes on without the primary.
sum_a=$(sum "$(dev a)" 1024)
cut a b
cut a c
check_soon "the primary has no majority" 30 no_quorum a
check_soon "the others can promote one" 30 repl b primary r0
check_equal "which has every acknowledged write" "$(sum "$(dev b)" 1024)" "$sum_a"
check "and writes" write_some b 20
check "the old one steps down" repl a secondary r0
heal a b
heal a c
check_soon "and is brought up to date" 60 in_step b r0

# Alone, none knows.
must repl b secondary r0
cut a b
cut a c
check_soon "cut off" 30 is a r0 '.connections | all(."connection-state" != "Connected")' true
check_refused "not by itself" "too few are connected" repl a primary r0
heal a b
heal a c
check_soon "connected" 60 connected a r0
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
