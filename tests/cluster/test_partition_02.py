#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Split brain: the primary is isolated, a node on the other side is promoted,
both write.  It is detected on both sides, named, merged by nobody, and resolved
by connect --discard-my-data."""

import time

import workload as w

WRITE = ("fio --name={0} --filename=/dev/blkrepl0 --offset={1}M --size=2M --bs=64k "
         "--rw=write --direct=1 --verify=pattern --verify_pattern=0x{2} --do_verify=0 "
         "--verify_fatal=1 --minimal {3}")


def test(tap, cluster):
    """a on one side; b, then Primary, and c on the other."""
    a, b, c = cluster.nodes
    w.create(cluster)
    a.must("blkrepl primary --force r0")
    a.must(WRITE.format("both", 0, "11", ""), 120)
    w.settled(cluster.nodes)

    rc, out = b.run("blkrepl primary --force r0")
    tap.ok(rc == 10, "a second Primary is refused while the first is connected", f"{rc} {out}")

    cluster.partition([[0], [1, 2]])
    b.wait_status(w.misses("a"))
    c.wait_status(w.misses("a"))
    a.wait_status(w.misses("b"))
    a.wait_status(w.misses("c"))
    a.must(WRITE.format("alone", 4, "aa", ""), 120)
    tap.ok(True, "the isolated primary goes on writing")
    w.promote(b)
    b.must(WRITE.format("other", 8, "bb", ""), 120)
    b.must(WRITE.format("same", 4, "bb", ""), 120)
    tap.ok(w.peer(b.status(), "c")["peer_devices"][0]["peer-disk-state"] == "UpToDate",
           "the other side has a Primary of its own")

    events = {node: node.start("exec blkrepl events --changes-only r0") for node in (a, b)}
    time.sleep(1)
    cluster.heal()
    for node, other in ((a, "b"), (b, "a")):
        node.wait_status(w.split_from(other))
        tap.ok(True, f"{node.name} names the split brain with {other}: "
               + w.peer(node.status(), other)["last-error"])
        tap.ok("diverged" in events[node].output, f"{node.name} has an event of it",
               events[node].output[-1000:])
        text = node.must("blkrepl status r0")
        tap.ok("split brain" in text, f"status of {node.name} says it to people", text)
        tap.ok("split brain" in node.must("dmesg"), f"the log of {node.name} says it too")
    tap.ok(w.good(a.status()) and w.good(b.status()), "neither side's data is touched")
    for node, byte in ((a, "aa"), (b, "bb")):
        rc, out = node.run(WRITE.format("v", 4, byte, "--verify_only"), 120)
        tap.ok(rc == 0, f"{node.name} still has its own", out)

    a.must("blkrepl secondary r0")
    for name in ("b", "c"):
        a.must(f"blkrepl disconnect --force r0:{name} ; blkrepl connect --discard-my-data r0:{name}")
    for node in (b, c):
        node.must("blkrepl connect r0:a")
    w.settled(cluster.nodes)
    tap.ok(b.must("blkrepl role r0").strip() == "Primary", "a gives up its changes; b stays Primary")
    b.must("blkrepl secondary r0")
    w.promote(a)
    for what, offset, byte in (("from before", 0, "11"), ("b's", 8, "bb"), ("b's, not its own", 4, "bb")):
        rc, out = a.run(WRITE.format("v", offset, byte, "--verify_only"), 120)
        tap.ok(rc == 0, f"a, Primary again, has what is {what}", out)
    a.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    w.run(test, nodes=3, disks=["40M"])
