#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Garbage and impostors on the port: refused, and those who work don't notice.
. "$(dirname "$0")/lib.sh"

# Each is a connection to b's port that must be ended by b, all at once.
cat >"$tmp/talk.py" <<'E2'
import os, socket, struct, sys, threading

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

def hello(low=2, high=2, stream=0, frm=0, to=1, flags=1, name=b"r0", crc=0):
    rest = struct.pack("<HHBBBBIQ32s64s", low, high, stream, frm, to, flags,
                       0, 1, os.urandom(32), name)
    return struct.pack("<QI", 0x4c504552424b4c42, crc32c(rest) ^ crc) + rest

CASES = {
    "random bytes": os.urandom(100000),
    "a web browser": b"GET / HTTP/1.1\r\nHost: b\r\n\r\n" * 10,
    "zeroes": bytes(128),
    "nothing at all": b"",
    "half a hello": hello()[:64],
    "another protocol version": hello(low=7, high=9),
    "a wrong checksum": hello(crc=1),
    "another resource": hello(name=b"r1"),
    "a name without an end": hello(name=b"x" * 64),
    "a node that is not configured": hello(frm=5),
    "its own node id": hello(frm=1),
    "a hello for another node": hello(to=3),
    "no such stream": hello(stream=9),
    "no such node": hello(frm=200, to=255),
    "without the secret": hello(flags=0),
    "a false proof": hello() + os.urandom(32),
    "a right hello, and then nothing": hello(),
}

def talk(what, data):
    try:
        s = socket.create_connection(("10.11.0.2", 7789), 20)
        s.settimeout(60)
        s.sendall(data)
        while s.recv(65536):
            pass
    except (ConnectionError, BrokenPipeError):
        pass
    except OSError as e:
        print(f"{what}: {e}")

threads = [threading.Thread(target=talk, args=case) for case in CASES.items()
           if len(sys.argv) < 2 or case[0] in sys.argv]
for t in threads:
    t.start()
for t in threads:
    t.join()
E2

setup_nodes a b c
nodes=(a b)
new_conf r0 16
up r0
synced r0
must ip -n switch addr add 10.11.0.99/24 dev br0

session()
{
	query a r0 '.connections[0] | [."connection-state", ."last-error" // "none"] | join(" ")'
}

version_named()
{
	query b r0 '.connections[0]."last-error"' | grep "no common protocol version"
}

slab()
{
	awk '/^SUnreclaim/ { print $2 }' /proc/meminfo
}

before=$(session)
slab=$(slab)
work_on "$(dev a)" --rate=256k
work=$started
check_equal "everything is hung up on: from a peer's address" \
	"$(on a python3 "$tmp/talk.py" 2>&1)" ""
check_equal "from another node's" "$(on c python3 "$tmp/talk.py" 2>&1)" ""
check_equal "from nobody's" \
	"$(ip netns exec switch python3 "$tmp/talk.py" 2>&1)" ""
check "the writer has not been disturbed" kill "$work"
wait "$work"
check_equal "nor has the connection" "$(session)" "$before"
check "they are still in step" in_step a r0
now=$(slab)
check "memory has not grown: $slab, then $now KiB" [ "$now" -lt $((slab + 8192)) ]
check "the log says what was refused" \
	sh -c 'dmesg | grep -q "refused a connection from"'

# Who waits for a peer says what is wrong with it.
must repl a disconnect r0
on a python3 "$tmp/talk.py" "another protocol version" 2>&1
check_soon "another version is named in the status" 10 version_named
down r0
nodes=(a b c)
