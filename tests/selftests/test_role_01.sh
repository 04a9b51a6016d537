#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One writer at a time; the role moves, and the data with it.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c
new_conf r0 16
up r0
synced r0
must busywait 20 in_step b r0

exec 9>"$(dev a)"
check_refused "no second Primary while the first is in use" \
	"a \(node 0\): it is Primary, and volume 0 is open" repl b primary r0
exec 9>&-
check_refused "not by force" "Primary" repl b primary --force r0
scribble "$(dev a)" 1024
check_equal "a Secondary can be read" "$(sum "$(dev b)" 1024)" "$(sum "$(dev a)" 1024)"
check_refused "but not written to" "read-only|not permitted" \
	dd if=/dev/zero of="$(dev b)" bs=4k count=1 oflag=direct
exec 9<"$(dev b)"
check "a reader of a Secondary is in nobody's way" \
	dd if=/dev/urandom of="$(dev a)" bs=4k count=8 oflag=direct
exec 9<&-

exec 9>"$(dev a)"
check_refused "no demotion while it is open, and which device it is" \
	"$(dev a) was opened for writing and is still open by 1" \
	repl a secondary r0
check_equal "it is still Primary" "$(repl a role r0)" Primary
exec 8<"$(dev a)"
exec 9>&-
check_refused "nor while one that only reads is left, and it says so" \
	"still open by 1, readers counted" repl a secondary r0
exec 8<&-
check "its peer takes it for Primary, too" is b r0 '.connections[0]."peer-role"' Primary

# Round and round, each leaves something for the next.
from=a
for to in b c a b; do
	scribble "$(dev $from)" 512 $(($(node_id $to) * 512))
	want=$(sum "$(dev $from)" 2048)
	must repl $from secondary r0
	check "from $from to $to" repl $to primary r0
	check_equal "$to has what $from had" "$(sum "$(dev $to)" 2048)" "$want"
	from=$to
done
must repl b secondary r0

# All at once: one may win, or none, never two.
for round in 1 2 3; do
	for node in a b c; do
		repl $node primary r0 >/dev/null 2>&1 &
	done
	wait
	won=0
	for node in a b c; do
		[ "$(repl $node role r0)" != Primary ] || won=$((won + 1))
	done
	check "race $round: $won won" [ "$won" -le 1 ]
	for node in a b c; do
		must repl $node secondary r0
	done
done
check "and it works afterwards" repl c primary r0
down r0
