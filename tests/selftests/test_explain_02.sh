#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# explain says who has to come back before a node can be Primary, or go on.
. "$(dirname "$0")/lib.sh"

setup_nodes a b c
new_conf r0 16
up r0
synced r0

# After all have gone, one is back.
down r0
must repl b up r0
check "who may know better" explains b r0 5 'volume 0: Consistent.*not heard of yet: a and c' \
	'promotion: b cannot become Primary now' 'may be only on a and c'
check "why it is not promoted" refused_so b r0
must repl b down r0
rm "$conf/r0.conf"

# Without a majority.
new_conf r1 16 'options { ack-policy quorum; }'
up r1
brisk r1
synced r1
check "all is well" explains a r1 0 '^ok +r1: I/O is not suspended'
cut a b
cut a c
check_soon "no quorum comes first" 30 explains_first a r1 \
	'^problem +r1: I/O (has been|is) suspended.*1 of 3 replicas is in step, 2 are needed'
check "it says who is missing" explains a r1 5 'not in step: b and c' 'get 1 more of b and c in step'
check "the JSON says the same" sh -c "$(declare -f on repl); tmp=$tmp
	repl a explain --json r1 | jq -e '.[0] | .severity == \"problem\" and .about == \"resource\"
		and (.what | contains(\"2 are needed\")) and .do != \"\"'"
check_soon "the others could go on" 20 explains b r1 5 'b could become Primary.*2 of 3 votes are here, 2 are needed'
cut b c
check_soon "but not one alone" 30 explains b r1 5 '1 of 3 votes is here, 2 are needed' \
	'bring back 1 more of a and c'
check "why it is not promoted" refused_so b r1
heal a b
heal a c
heal b c
check_soon "all is well again" 60 explains a r1 0
down r1
