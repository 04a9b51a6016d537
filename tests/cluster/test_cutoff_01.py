#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fio writes at random and verifies, while one secondary is cut off and brought
back, CUTOFFS=N times (3): no error, and identical replicas afterwards."""

import os
import random
import time

import workload as w

CUTOFFS = int(os.environ.get("CUTOFFS", "3"))
DEVICE = "/dev/blkrepl0"

# Overwrites 24 MiB in random order, reads it back, again and again.
VERIFY = """
rm -f /run/stop
n=0
until [ -e /run/stop ]; do
	n=$((n + 1))
	fio --name=v --filename=DEVICE --offset=40M --size=24M --bs=4k --rw=randwrite \\
		--direct=1 --ioengine=libaio --iodepth=16 --thread --verify=crc32c \\
		--verify_fatal=1 --randseed=$n --minimal >/dev/null || exit 1
	echo "verified $n"
done
"""


def cut_off(tap, primary, lost, number, lot):
    """Once; half of the time just long enough to be noticed."""
    cluster = primary.cluster
    alone = [[lost.index], [n.index for n in cluster.nodes if n is not lost]]
    cluster.partition(alone)
    primary.wait_status(w.misses(lost.name))
    before = primary.status()["devices"][0]
    time.sleep(lot.choice([0, lot.uniform(1, 6)]))
    end = time.monotonic() + 30
    oos = 0
    while not oos and time.monotonic() < end:
        time.sleep(0.2)
        status = primary.status()
        oos = w.peer(status, lost.name)["peer_devices"][0]["out-of-sync-bytes"]
    cluster.heal()
    begin = time.monotonic()
    w.settled([primary])
    tap.ok(oos > 0, f"cut off {number}: {oos >> 10} KiB behind, in step again after "
           f"{time.monotonic() - begin:.1f} s", f"{before}\n{status}")


def test(tap, cluster):
    """See above."""
    seed = w.seed_from_env()
    lot = random.Random(seed)
    print(f"# CUTOFFS={CUTOFFS} SEED={seed}", flush=True)
    primary, _, lost = cluster.nodes
    w.create(cluster)
    primary.must("blkrepl primary --force r0")
    w.settled([primary])
    verify = primary.start(VERIFY.replace("DEVICE", DEVICE))
    raw = w.Fio(DEVICE, 16)
    raw.start(primary)
    for number in range(1, CUTOFFS + 1):
        cut_off(tap, primary, lost, number, lot)
        if verify.ended.is_set():
            break
    primary.must("touch /run/stop")
    good, text = raw.stop(primary)
    tap.ok(good, "writing never failed", text)
    rc, out = verify.wait(240)
    tap.ok(rc == 0, f"fio verified {out.count('verified')} times, without an error", out)
    w.settled(cluster.nodes)
    primary.must("blkrepl secondary r0")
    w.promote(lost)
    good, text = raw.check(lost)
    tap.ok(good, f"{lost.name}, Primary now, has all of it", text)
    lost.must("blkrepl secondary r0")
    w.identical(tap, cluster)


if __name__ == "__main__":
    w.run(test, nodes=3, disks=["72M"])
