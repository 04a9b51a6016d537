#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Check that the netlink spec and the uapi header say the same.

Usage: netlink-spec.py [SPEC HEADER]

Compared are names, order and values of everything: constants, enums, flags,
attributes with their types, commands, the family and its multicast groups.
"""

import os
import re
import sys

import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SPEC = os.path.join(TOP, "docs", "netlink", "blkrepl.yaml")
HEADER = os.path.join(TOP, "kmod", "uapi", "blkrepl.h")


class Header:
    """What the header defines: {name: value} of constants and of each enum."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        code = re.sub(r"/\*.*?\*/", "", self.text, flags=re.S)
        self.consts = {}
        for name, value in re.findall(r"^#define (BLKREPL_\w+)[ \t]+(\S.*)$", code, re.M):
            self.consts[name] = self.value(value.strip())
        self.enums = {name: self.enum(body) for name, body in
                      re.findall(r"enum (\w+) \{(.*?)\n\};", code, re.S)}

    @staticmethod
    def value(text):
        shift = re.fullmatch(r"\(1U << (\d+)\)", text)
        if shift:
            return 1 << int(shift.group(1))
        return text.strip('"') if text.startswith('"') else int(text, 0)

    @staticmethod
    def enum(body):
        """Members by value, without the __MAX at the end."""
        result, at = {}, 0
        for item in body.split(","):
            if not item.strip():
                continue
            name, _, value = (part.strip() for part in item.partition("="))
            if name.startswith("__") or value.startswith("__"):
                continue
            at = int(value, 0) if value else at
            result[name] = at
            at += 1
        return result

    def type_of(self, member):
        """The type that the comment of an attribute begins with, if it does."""
        found = re.search(r"\b%s,\s*/\*\s*(string|u32|u64|flag|binary|nest)\b" % member,
                          self.text)
        return found.group(1) if found else None


class Check:
    def __init__(self, spec, header):
        self.spec, self.header = spec, header
        self.errors = []
        self.seen = set()        # what of the header the spec has

    def same(self, what, got, want):
        if got != want:
            self.errors.append(f"{what}: spec says {got!r}, header says {want!r}")

    def members(self, what, enum, pairs):
        """pairs: (name, value) of the spec; enum: name in the header."""
        self.seen.add(enum)
        want = self.header.enums.get(enum)
        if want is None:
            self.errors.append(f"{what}: the header has no enum {enum}")
            return
        want = [(n, v) for n, v in want.items() if not n.endswith("_UNSPEC")]
        pairs = [(n, v) for n, v in pairs if not n.endswith("_UNSPEC")]
        self.same(f"{what}: number of members", len(pairs), len(want))
        for got, expected in zip(pairs, want):
            self.same(what, got, expected)

    def define(self, name, value):
        self.seen.add(name)
        self.same(name, value, self.header.consts.get(name))


def c_name(*parts):
    return "".join(parts).upper().replace("-", "_")


def entry_name(entry):
    name = entry["name"] if isinstance(entry, dict) else entry
    # "off" without quotes is a boolean in YAML
    return name if isinstance(name, str) else f"(not a string: {name})"


def check_definitions(check):
    for d in check.spec["definitions"]:
        prefix = d.get("name-prefix", "")
        entries = d.get("entries", [])
        if d["type"] == "const":
            check.define(c_name("blkrepl-", d["name"]), d["value"])
        elif d["type"] == "flags":
            for bit, entry in enumerate(entries):
                check.define(c_name(prefix, entry_name(entry)), 1 << bit)
        else:
            start = d.get("value-start", 0)
            check.members(d["name"], "blkrepl_" + d["name"].replace("-", "_"),
                          [(c_name(prefix, entry_name(e)), start + i)
                           for i, e in enumerate(entries)])


def check_attributes(check):
    known = {d["name"] for d in check.spec["definitions"]}
    sets = {s["name"] for s in check.spec["attribute-sets"]}
    for s in check.spec["attribute-sets"]:
        pairs, at = [], 0
        for a in s["attributes"]:
            at = a.get("value", at + 1)
            name = c_name(s["name-prefix"], a["name"])
            pairs.append((name, at))
            kind = check.header.type_of(name)
            if kind:
                check.same(f"type of {name}", a["type"], kind)
            if a["type"] == "nest" and a.get("nested-attributes") not in sets:
                check.errors.append(f"{name}: no attribute set {a.get('nested-attributes')}")
            if "enum" in a and a["enum"] not in known:
                check.errors.append(f"{name}: no enum {a['enum']}")
        check.members(s["name"], s["enum-name"].replace("-", "_"), pairs)


def attribute_lists(op):
    for part in ("do", "dump"):
        for way in ("request", "reply"):
            yield from op.get(part, {}).get(way, {}).get("attributes", [])
    yield from op.get("event", {}).get("attributes", [])


def check_operations(check):
    ops = check.spec["operations"]
    sets = {s["name"]: {a["name"] for a in s["attributes"]}
            for s in check.spec["attribute-sets"]}
    groups = {g["name"] for g in check.spec["mcast-groups"]["list"]}
    pairs, at = [], 0
    for op in ops["list"]:
        at = op.get("value", at + 1)
        pairs.append((c_name(ops["name-prefix"], op["name"]), at))
        for attr in attribute_lists(op):
            if attr not in sets[op["attribute-set"]]:
                check.errors.append(f"command {op['name']}: no attribute {attr}")
        if "mcgrp" in op and op["mcgrp"] not in groups:
            check.errors.append(f"command {op['name']}: no group {op['mcgrp']}")
    check.members("commands", ops["enum-name"].replace("-", "_"), pairs)


def check_family(check):
    check.define("BLKREPL_GENL_NAME", check.spec["name"])
    check.define("BLKREPL_GENL_VERSION", check.spec["version"])
    for g in check.spec["mcast-groups"]["list"]:
        check.define(c_name("blkrepl-mcgrp-", g["name"]), g["name"])


def check_complete(check):
    """Whatever the header has, the spec must have."""
    for name in list(check.header.consts) + list(check.header.enums):
        if name not in check.seen:
            check.errors.append(f"{name}: in the header, not in the spec")


def main():
    paths = sys.argv[1:] or [SPEC, HEADER]
    if len(paths) != 2:
        sys.exit(__doc__)
    with open(paths[0], encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    check = Check(spec, Header(paths[1]))
    check_definitions(check)
    check_attributes(check)
    check_operations(check)
    check_family(check)
    check_complete(check)
    for error in check.errors:
        print(f"netlink-spec: {error}", file=sys.stderr)
    sys.exit(1 if check.errors else 0)


if __name__ == "__main__":
    main()
