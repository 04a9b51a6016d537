#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The network is taken away, or full of strangers, and it all can be removed.
. "$(dirname "$0")/lib.sh"

# strangers: as many connections to b as it takes, which say nothing
cat >"$tmp/idle.py" <<'E2'
import socket, time
socks = []
for i in range(40):
    s = socket.socket()
    s.settimeout(10)
    try:
        s.connect(("10.11.0.2", 7789))
    except OSError:
        pass
    socks.append(s)
print("open", flush=True)
time.sleep(300)
E2

strangers()
{
	start a python3 "$tmp/idle.py" >"$tmp/idle"
	must busywait 30 grep -q open "$tmp/idle"
}

setup_nodes a b
new_conf r0 24
up r0
synced r0

# 40 at a time, again and again: none leaves anything behind.
strangers
check "strangers don't matter" scribble "$(dev a)" 256
check "in step" in_step a r0
check "down with 40 idle connections" repl b down r0
must repl b up r0
strangers
must repl a secondary r0
check "down" repl b down r0
check "both" repl a down r0
check_soon "the module unloads" 20 unload
check "and loads" load
must repl a up r0
must repl b up r0
must busywait 20 connected a r0
must repl a primary r0

# The interface goes under writes.
work_on "$(dev a)"
work=$started
must busywait 60 is a r0 '.devices[0] | .openers > 0 and .writes > 100' true
must ip -n b link del eth0
check_soon "a notices" 30 is a r0 '.connections[0]."connection-state"' Connecting
check "the writer has not been disturbed" kill "$work"
wait "$work"
check "b is taken down without its interface" repl b down r0
must repl b up r0
check "and while it can't listen to anybody" repl b down r0
# for a, the address that it connects from is gone
must repl a disconnect r0
must ip -n a addr flush dev eth0
must repl a connect r0
check_soon "status tells what is wrong" 15 is a r0 \
	'.connections[0]."last-error" | test("local address")' true
check "a is taken down while it connects" repl a disconnect r0
must repl a secondary r0
must repl a down r0
check_soon "the module unloads" 20 unload
