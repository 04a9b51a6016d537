#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Messages that the tool never sends: what the module does with bad netlink.

  genl.py refuse [PATH:ERRNO:TEXT]...
                       malformed and contradicting requests, a line for each,
                       and disks that can't be attached: "ok WHAT (why)" or
                       "BAD WHAT: why"
  genl.py fuzz SEED N [NODE OWN-ADDRESS PEER-ADDRESS DISK...]
                       N random messages; only the kernel's log tells the outcome
  genl.py clean        remove what fuzz has made
  genl.py dump CMD [RESOURCE]
                       count the messages of a dump; a volume of RESOURCE comes
                       while it runs
"""

import random
import re
import socket
import struct
import sys

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_EXT_ACK = 11
NETLINK_GET_STRICT_CHK = 12
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED = 0x8000


def enums(path):
    """The constants of the uapi header, by name without the prefix."""
    text = re.sub(r"/\*.*?\*/", "", open(path).read(), flags=re.S)
    out = {}
    for body in re.findall(r"enum \w+ \{(.*?)\};", text, flags=re.S):
        value = 0
        for name in body.split(","):
            name = name.strip()
            if not name:
                continue
            if "=" in name:
                continue
            out[name.replace("BLKREPL_", "")] = value
            value += 1
    return out


def attr(kind, data=b"", nested=False):
    if isinstance(data, str):
        data = data.encode() + b"\0"
    elif isinstance(data, int):
        data = struct.pack("=I", data)
    if nested:
        kind |= NLA_F_NESTED
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + b"\0" * (-length % 4)


class Genl:
    def __init__(self, rcvbuf=0):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.bind((0, 0))
        self.seq = 0
        self.family = 0x10
        reply = self.ask(3, attr(2, "blkrepl"))
        if not isinstance(reply, bytes):
            raise SystemExit("no family blkrepl: %s" % (reply,))
        self.family = struct.unpack_from("=H", self.parse(reply)[1])[0]

    @staticmethod
    def parse(data):
        out = {}
        while len(data) >= 4:
            length, kind = struct.unpack_from("=HH", data)
            if length < 4:
                break
            out[kind & 0x3fff] = data[4:length]
            data = data[(length + 3) & ~3:]
        return out

    def send(self, cmd, payload, flags=NLM_F_REQUEST | NLM_F_ACK, version=1,
             reserved=0):
        self.seq += 1
        body = struct.pack("=BBH", cmd, version, reserved) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), self.family,
                                   flags, self.seq, 0) + body)

    def messages(self):
        """Until the ack, an error or the end of a dump: (type, flags, body)."""
        while True:
            data = self.sock.recv(1 << 16)
            while len(data) >= 16:
                length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
                body = data[16:length]
                data = data[(length + 3) & ~3:]
                if seq != self.seq:
                    continue
                yield kind, flags, body
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return

    def ask(self, cmd, payload, **more):
        """(errno, text), or what came back."""
        self.send(cmd, payload, **more)
        got = b""
        for kind, flags, body in self.messages():
            if kind == NLMSG_ERROR:
                err = -struct.unpack_from("=i", body)[0]
                text = ""
                if flags & 0x200:
                    skip = 4 + 16
                    if not flags & 0x100:
                        skip = 4 + ((struct.unpack_from("=I", body, 4)[0] + 3)
                                    & ~3)
                    text = self.parse(body[skip:]).get(1, b"")
                    text = text.rstrip(b"\0").decode(errors="replace")
                if err:
                    return err, text
            elif kind == NLMSG_DONE:
                # A dump that failed says so at its end.
                err = -struct.unpack_from("=i", body)[0] if body else 0
                if err:
                    text = self.parse(body[4:]).get(1, b"") if flags & 0x200 \
                        else b""
                    return err, text.rstrip(b"\0").decode(errors="replace")
            else:
                got += body[4:]
        return got or (0, "")


def refuse(e):
    g = Genl()
    bad = 0

    def expect(what, cmd, payload, errnos=None, text=None, **more):
        nonlocal bad
        reply = g.ask(e["CMD_" + cmd], payload, **more)
        err, why = reply if isinstance(reply, tuple) else (0, "")
        if err == 0 or (errnos and err not in errnos) or \
                (text and not re.search(text, why, re.I)):
            bad += 1
            print("BAD %s: errno %d, '%s'" % (what, err, why))
        else:
            print("ok %s (%s)" % (what, why))

    res = attr(e["A_RES"], "nl0")
    cfg = lambda *a: attr(e["A_RES_CFG"], b"".join(a), True)
    vcfg = lambda *a: attr(e["A_VOL_CFG"], b"".join(a), True)
    pcfg = lambda *a: attr(e["A_PEER_CFG"], b"".join(a), True)
    node0 = attr(e["RC_NODE_ID"], 0)
    v4 = lambda a, p: struct.pack("=H", socket.AF_INET) + \
        struct.pack(">H", p) + socket.inet_aton(a) + b"\0" * 8
    addrs = attr(e["PC_LOCAL_ADDR"], v4("127.0.0.1", 7001)) + \
        attr(e["PC_PEER_ADDR"], v4("127.0.0.1", 7002))

    expect("no name", "RES_NEW", cfg(node0), [22], "name .* missing")
    expect("no settings", "RES_NEW", res, [22], "node id is missing")
    expect("empty name", "RES_NEW", attr(e["A_RES"], "") + cfg(node0), [22])
    expect("name with a slash", "RES_NEW", attr(e["A_RES"], "a/b") +
           cfg(node0), [22], "name has")
    expect("name with a newline", "RES_NEW", attr(e["A_RES"], "a\nb") +
           cfg(node0), [22])
    expect("name of 64 letters", "RES_NEW", attr(e["A_RES"], "x" * 64) +
           cfg(node0), [22, 34])
    expect("name without end", "RES_NEW",
           attr(e["A_RES"], b"x" * 8) + cfg(node0), [22])
    expect("node id 32", "RES_NEW", res + cfg(attr(e["RC_NODE_ID"], 32)), [34])
    expect("node id of 2 bytes", "RES_NEW", res +
           cfg(attr(e["RC_NODE_ID"], b"\0\0")), [22, 34])
    expect("node id of 8 bytes", "RES_NEW", res +
           cfg(attr(e["RC_NODE_ID"], b"\0" * 8)), [34, 22])
    expect("unknown setting", "RES_NEW", res + cfg(node0, attr(77, 1)), [22])
    expect("unknown attribute", "RES_NEW", res + cfg(node0) + attr(99, 1), [22])
    expect("attribute of another command", "RES_NEW", res + cfg(node0) +
           attr(e["A_ROLE"], 1), [22])
    expect("nest not marked", "RES_NEW", res + attr(e["A_RES_CFG"], node0),
           [22])
    expect("trailing bytes", "RES_NEW", res + cfg(node0) + b"\1\2\3", [22])
    expect("attribute longer than the message", "RES_NEW",
           res + struct.pack("=HH", 200, e["A_RES_CFG"]) + b"\0" * 8, [22])
    expect("reserved header field", "RES_NEW", res + cfg(node0), [22],
           reserved=7)
    expect("command that only multicasts", "EVENT", res, [95])
    expect("ack policy 9", "RES_NEW", res + cfg(node0, attr(
        e["RC_ACK_POLICY"], 9)), [34])

    expect("unknown resource", "RES_DEL", res, [2], "no resource nl0")
    for cmd in ("RES_SET", "ROLE_SET", "VOL_NEW", "VOL_DEL", "VOL_SET",
                "ATTACH", "DETACH", "RESIZE", "INVALIDATE", "NEW_DATASET",
                "PEER_NEW", "PEER_DEL", "PEER_SET", "CONNECT", "DISCONNECT",
                "PAUSE_SYNC", "RESUME_SYNC", "VERIFY"):
        expect("%s of an unknown resource" % cmd, cmd, res, [2, 22],
               "no resource nl0")
    for cmd in ("RES_GET", "VOL_GET", "PEER_GET", "PVOL_GET"):
        expect("%s of an unknown resource" % cmd, cmd, res +
               (attr(e["A_VOL"], 0) if "V" in cmd else b"") +
               (attr(e["A_PEER"], 1) if cmd[0] == "P" else b""), [2],
               "no such resource")
        expect("dump %s of an unknown resource" % cmd, cmd, res, [2],
               text="no such resource", flags=NLM_F_REQUEST | NLM_F_DUMP)

    if g.ask(e["CMD_RES_NEW"], res + cfg(node0)) != (0, ""):
        print("BAD cannot make a resource")
        return 1
    expect("the same again", "RES_NEW", res + cfg(node0), [17], "exists")
    expect("node id can't change", "RES_SET", res + cfg(node0), [22])
    expect("role missing", "ROLE_SET", res, [22], "role is missing")
    expect("role unknown", "ROLE_SET", res + attr(e["A_ROLE"], 0), [34])
    expect("volume number missing", "VOL_NEW", res, [22], "volume number")
    expect("volume 64", "VOL_NEW", res + attr(e["A_VOL"], 64), [34])
    expect("no such volume", "VOL_DEL", res + attr(e["A_VOL"], 3), [2],
           "no volume 3")
    expect("minor too large", "VOL_NEW", res + attr(e["A_VOL"], 0) +
           vcfg(attr(e["VC_MINOR"], 1 << 20)), [34])
    vol = attr(e["A_VOL"], 0)
    if g.ask(e["CMD_VOL_NEW"], res + vol +
             vcfg(attr(e["VC_MINOR"], 77))) != (0, ""):
        print("BAD cannot make a volume")
        return 1
    expect("volume again", "VOL_NEW", res + vol + vcfg(attr(
        e["VC_MINOR"], 78)), [17], "already")
    expect("minor in use", "VOL_NEW", res + attr(e["A_VOL"], 1) +
           vcfg(attr(e["VC_MINOR"], 77)), [17], "blkrepl77 exists")
    expect("attach nothing", "ATTACH", res + vol, [22], "path .* missing")

    disk = lambda p, *a: res + vol + vcfg(attr(e["VC_DISK"], p), *a)
    expect("attach no file", "ATTACH", disk("/dev/none"), [2], "not exist")
    expect("attach a file", "ATTACH", disk("/etc/passwd"), [15],
           "not a block device")
    expect("attach a directory", "ATTACH", disk("/"), [15])
    expect("attach a character device", "ATTACH", disk("/dev/null"), [15])
    expect("attach itself", "ATTACH", disk("/dev/blkrepl77"), [22], "stacked")
    expect("path of 256 letters", "ATTACH", disk("/" * 256), [22, 34])
    expect("6 hot extents", "ATTACH", disk("/dev/none", attr(
        e["VC_AL_EXTENTS"], 6)), [34])
    expect("a size for attach", "ATTACH", disk("/dev/none", attr(
        e["VC_SIZE"], bytes(8))), [22])
    for arg in sys.argv[2:]:
        path, errno, text = arg.split(":")
        expect("attach " + path, "ATTACH", disk(path), [int(errno)], text)
    expect("detach nothing", "DETACH", res + vol, [19], "no disk")
    expect("resize nothing", "RESIZE", res + vol, [22, 19, 16])
    expect("invalidate nothing", "INVALIDATE", res + vol)
    expect("invalidate by a peer", "INVALIDATE", res + vol + attr(
        e["A_PEER"], 1), [22], "can't be chosen")
    expect("Primary without data", "ROLE_SET", res + attr(e["A_ROLE"], 2))

    peer = attr(e["A_PEER"], 1)
    expect("peer with own id", "PEER_NEW", res + attr(e["A_PEER"], 0) +
           pcfg(addrs), [22], "own node id")
    expect("peer 32", "PEER_NEW", res + attr(e["A_PEER"], 32) + pcfg(addrs),
           [34])
    expect("peer without addresses", "PEER_NEW", res + peer, [22], "addresses")
    expect("peer with half an address", "PEER_NEW", res + peer + pcfg(attr(
        e["PC_LOCAL_ADDR"], b"\2\0")), [34])
    expect("port 0", "PEER_NEW", res + peer + pcfg(
        attr(e["PC_LOCAL_ADDR"], v4("127.0.0.1", 0)),
        attr(e["PC_PEER_ADDR"], v4("127.0.0.1", 7002))), [22], "port")
    expect("address of no family", "PEER_NEW", res + peer + pcfg(
        attr(e["PC_LOCAL_ADDR"], b"\xff" * 16),
        attr(e["PC_PEER_ADDR"], v4("127.0.0.1", 7002))), [22])
    expect("short secret", "PEER_NEW", res + peer + pcfg(addrs, attr(
        e["PC_SECRET"], b"short")), [34])
    expect("long secret", "PEER_NEW", res + peer + pcfg(addrs, attr(
        e["PC_SECRET"], b"x" * 65)), [34])
    expect("timeout of 1 ms", "PEER_NEW", res + peer + pcfg(addrs, attr(
        e["PC_TIMEOUT"], 1)), [34])
    expect("heartbeat slower than the timeout", "PEER_NEW", res + peer + pcfg(
        addrs, attr(e["PC_TIMEOUT"], 1000), attr(e["PC_PING_INT"], 5000)),
        [22], "heartbeat")
    expect("authentication without a secret", "PEER_NEW", res + peer + pcfg(
        addrs, attr(e["PC_AUTH"], 1)), [22], "secret")
    if g.ask(e["CMD_PEER_NEW"], res + peer + pcfg(addrs, attr(
            e["PC_SECRET"], b"not a secret"))) != (0, ""):
        print("BAD cannot make a peer")
        return 1
    expect("peer again", "PEER_NEW", res + peer + pcfg(addrs), [17], "already")
    reply = g.ask(e["CMD_PEER_GET"], res + peer)
    if isinstance(reply, bytes) and b"not a secret" not in reply:
        print("ok the secret is not told")
    else:
        bad += 1
        print("BAD the secret: %r" % (reply,))
    expect("no such peer", "CONNECT", res + attr(e["A_PEER"], 9), [2],
           "no peer")
    expect("pause with nobody", "PAUSE_SYNC", res + vol + attr(
        e["A_PEER"], 9), [2])
    if g.ask(e["CMD_RES_DEL"], res) != (0, ""):
        bad += 1
        print("BAD cannot remove the resource with its volume and peer")
    expect("removed", "RES_DEL", res, [2])
    return 1 if bad else 0


class Fuzzer:
    """Random messages, most of them nearly right.

    Resources f0 to f2 are made on the node NODE at the address OWN, with peers
    at PEER, and attach DISKs: two nodes that do this at the same time connect.
    """

    def __init__(self, e, seed, node=0, own="127.0.0.1", peer="127.0.0.2",
                 *disks):
        self.e = e
        self.rnd = random.Random(seed)
        self.genl = Genl()
        self.node = int(node)
        self.addr = (own, peer)
        self.disks = disks or ("/dev/none",)
        self.names = ["f%d" % i for i in range(3)]
        self.cmds = [v for k, v in e.items() if k.startswith("CMD_")]
        # Where the nests are, so that most messages get past the parser.
        self.nests = {e["A_RES_CFG"]: 5, e["A_VOL_CFG"]: 9,
                      e["A_PEER_CFG"]: 17}

    def value(self, kind):
        rnd = self.rnd
        pick = rnd.random()
        if kind == self.e["A_RES"]:
            return rnd.choice(self.names).encode() + b"\0"
        if pick < 0.8:
            return struct.pack("=I", rnd.choice((0, 0, 1, 1, 2, 3, 7, 31, 63,
                                                 100, 1000, 6000, 1 << 31)))
        if pick < 0.9:
            return struct.pack("=Q", rnd.choice((0, 4096, 1 << 30)))
        return rnd.randbytes(rnd.choice((0, 1, 2, 4, 4, 8, 16, 28, 60, 300)))

    def anything(self):
        rnd, e = self.rnd, self.e
        kinds = [e["A_RES"]] if rnd.random() < 0.95 else []
        kinds += [e["A_VOL"]] * (rnd.random() < 0.6)
        kinds += [e["A_PEER"]] * (rnd.random() < 0.5)
        kinds += [rnd.randrange(0, 20) for _ in range(rnd.randrange(0, 3))]
        out = b""
        for kind in kinds:
            if kind in self.nests and rnd.random() < 0.9:
                inner = b"".join(
                    attr(k, self.value(-1)) for k in
                    rnd.sample(range(self.nests[kind] + 2),
                               rnd.randrange(0, 6)))
                out += attr(kind, inner, True)
            else:
                out += attr(kind, self.value(kind))
        if rnd.random() < 0.1:
            out = bytearray(out)
            for _ in range(rnd.randrange(1, 4)):
                if out:
                    out[rnd.randrange(len(out))] = rnd.randrange(256)
            out = bytes(out)
        return rnd.choice(self.cmds), out

    def sockaddr(self, which, nr):
        return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(7000 + nr),
                           socket.inet_aton(self.addr[which]))

    def sensible(self):
        """What makes and uses objects: the rest needs some."""
        rnd, e = self.rnd, self.e
        nr = rnd.randrange(len(self.names))
        res = attr(e["A_RES"], self.names[nr])
        vol = attr(e["A_VOL"], rnd.randrange(2))
        peer = attr(e["A_PEER"], 1 - self.node if self.node < 2 else 0)
        force = attr(e["A_FORCE"]) if rnd.random() < 0.7 else b""
        return rnd.choice((
            ("RES_NEW", res + attr(e["A_RES_CFG"], attr(
                e["RC_NODE_ID"], self.node), True)),
            ("VOL_NEW", res + vol),
            ("PEER_NEW", res + peer + attr(
                e["A_PEER_CFG"],
                attr(e["PC_LOCAL_ADDR"], self.sockaddr(0, nr)) +
                attr(e["PC_PEER_ADDR"], self.sockaddr(1, nr)), True)),
            ("ATTACH", res + vol + attr(e["A_VOL_CFG"], attr(
                e["VC_DISK"], rnd.choice(self.disks)), True)),
            ("CONNECT", res + peer),
            ("CONNECT", res + peer),
            ("ROLE_SET", res + attr(e["A_ROLE"], 2) + force),
            ("ROLE_SET", res + attr(e["A_ROLE"], 1)),
            ("NEW_DATASET", res),
            ("INVALIDATE", res + vol),
            ("INVALIDATE", res + vol + peer + attr(e["A_REMOTE"])),
            ("PAUSE_SYNC", res + vol + peer),
            ("RESUME_SYNC", res + vol + peer),
            ("DISCONNECT", res + peer + force),
            ("DETACH", res + vol + force),
            ("VOL_DEL", res + vol),
            ("PEER_DEL", res + peer),
            ("RES_DEL", res),
        ))

    def run(self, count):
        accepted = 0
        for _ in range(count):
            if self.rnd.random() < 0.6:
                cmd, msg = self.sensible()
                cmd = self.e["CMD_" + cmd]
            else:
                cmd, msg = self.anything()
            flags = NLM_F_REQUEST | NLM_F_ACK
            if self.rnd.random() < 0.1:
                flags = NLM_F_REQUEST | NLM_F_DUMP
            reply = self.genl.ask(cmd, msg, flags=flags)
            if not isinstance(reply, tuple) or not reply[0]:
                accepted += 1
        print("%d of %d accepted" % (accepted, count))

    def clean(self):
        """Take all down; what remains is told."""
        ask, e = self.genl.ask, self.e
        bad = 0
        for name in self.names:
            res = attr(e["A_RES"], name)
            ask(e["CMD_ROLE_SET"], res + attr(e["A_ROLE"], 1))
            for i in range(32):
                ask(e["CMD_DISCONNECT"], res + attr(e["A_PEER"], i) +
                    attr(e["A_FORCE"]))
            for i in range(64):
                ask(e["CMD_DETACH"], res + attr(e["A_VOL"], i) +
                    attr(e["A_FORCE"]))
            reply = ask(e["CMD_RES_DEL"], res)
            if reply[0] not in (0, 2):
                print("BAD %s is still there: %s" % (name, reply))
                bad = 1
        return bad


def dump(e, cmd, name=None):
    g = Genl(rcvbuf=2048)
    g.send(e["CMD_" + cmd], b"", flags=NLM_F_REQUEST | NLM_F_DUMP)
    if name:
        # The kernel has filled some messages, and waits for room for more.
        Genl().ask(e["CMD_VOL_NEW"], attr(e["A_RES"], name) +
                   attr(e["A_VOL"], 60))
    count = 0
    interrupted = False
    for kind, flags, _ in g.messages():
        count += kind == g.family
        interrupted |= bool(flags & NLM_F_DUMP_INTR)
    if interrupted:
        print("interrupted")
    print(count)
    return 0


def main():
    e = enums(sys.path[0] + "/../../kmod/uapi/blkrepl.h")
    if sys.argv[1] == "refuse":
        return refuse(e)
    if sys.argv[1] == "fuzz":
        Fuzzer(e, int(sys.argv[2]), *sys.argv[4:]).run(int(sys.argv[3]))
        return 0
    if sys.argv[1] == "clean":
        return Fuzzer(e, 0).clean()
    return dump(e, *sys.argv[2:])


sys.exit(main())
