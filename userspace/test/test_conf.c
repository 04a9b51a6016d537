// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration: what is accepted, what is refused and with which words,
 * what it means for a node, and that a dump means the same.
 */
#include <inttypes.h>

#include "conf.h"
#include "dump.h"
#include "tap.h"
#include "util.h"

#define A	"on a { node-id 0; address 10.0.0.1:7789; }\n"
#define B	"on b { node-id 1; address 10.0.0.2:7789; }\n"
#define SECRET	"net { secret \"correct horse\"; }\n"
#define VOL	"volume 0 { device minor 0; disk /dev/sda; }\n"
#define RES(body)	"resource r0 {\n" body "}\n"
#define OK(body)	RES(SECRET VOL A B body)

static const struct {
	const char *name;
	const char *text;
	const char *err;	/* part of the message; NULL: accepted */
} cases[] = {
	{ "nothing at all", "", NULL },
	{ "comments only", "# a\n#b", NULL },
	{ "two hosts", OK(""), NULL },
	{ "one host needs neither address nor secret",
	  RES(VOL "on a { node-id 0; }"), NULL },
	{ "auth none in common, a secret in the resource", "common { net { auth none; } } " OK(""), NULL },
	{ "auth secret beside the secret", RES("net { auth secret; secret \"correct horse\"; }" VOL A B), NULL },
	{ "auth none", RES("net { auth none; }" VOL A B), NULL },
	{ "secret in common", "common { " SECRET "} " RES(VOL A B), NULL },
	{ "volume 0 without a section",
	  RES(SECRET "device /dev/blkrepl3; disk /dev/x; meta-disk internal;" A B), NULL },
	{ "device by path and minor", RES(SECRET
	  "volume 0 { device /dev/blkrepl3 minor 3; disk /dev/x; }" A B), NULL },
	{ "all settings", OK(
	  "options { ack-policy quorum; on-no-data io-error;"
	  " on-no-quorum io-error; auto-promote yes; after-split-brain discard-unchanged; }\n"
	  "disk { on-io-error pass-on; al-extents 7; disk-flushes no;"
	  " resync-rate-max 100M; resync-rate-min 0; }"), NULL },
	{ "IPv6", RES(SECRET VOL
	  "on a { node-id 0; address ipv6 [fd00::1]:7789; }\n"
	  "on b { node-id 1; address [fd00::2]:7789; }\n"), NULL },
	{ "connection with addresses", OK(
	  "connection { host a address 10.1.0.1:1; host b address 10.1.0.2:1;"
	  " net { data-crc no; } disk { resync-rate-max 1M; } }"), NULL },
	{ "a diskless host", RES(SECRET VOL A
	  "on b { node-id 1; address 10.0.0.2:7789; disk none; }"), NULL },
	{ "a witness", OK("on w { node-id 2; address 10.0.0.3:7789; witness yes;"
	  " volume 0 { device minor 0; meta-disk /dev/loop0; } }"), NULL },
	{ "no witness", OK("on w { node-id 2; address 10.0.0.3:7789; witness no; }"), NULL },
	{ "a witness with a disk", OK("on w { node-id 2; address 10.0.0.3:7789; witness yes;"
	  " disk /dev/sda; meta-disk /dev/loop0; }"),
	  "host w is a witness, and has no data: expected \"meta-disk /dev/...;\" alone" },
	{ "a witness without metadata", OK("on w { node-id 2; address 10.0.0.3:7789; witness yes; }"),
	  "volume 0 has no meta-disk on host w, a witness" },
	{ "a witness, perhaps", RES("on w { witness perhaps; }"), "expected \"yes\" or \"no\"" },
	{ "twice a witness", RES("on w { witness yes; witness yes; }"), "\"witness\" is given twice" },
	{ "only a witness", RES("on w { node-id 0; witness yes; device minor 0; meta-disk /dev/loop0; }"),
	  "all hosts are witnesses, and none has data" },
	{ "the same minor on different hosts", RES(SECRET
	  "volume 0 { device minor 0; disk /dev/x; }"
	  "volume 1 { device minor 1; disk /dev/y; }" A
	  "on b { node-id 1; address 10.0.0.2:7789;"
	  " volume 0 { device minor 1; } volume 1 { device minor 0; } }"), NULL },
	{ "two resources share an address per host", OK("")
	  "resource r1 {" SECRET "volume 0 { device minor 1; disk /dev/sdb; }" A B "}", NULL },

	/* words */
	{ "unknown keyword", "rsource r0 {}", "t:1: \"rsource\" is not known in a configuration file, did you mean \"resource\"?" },
	{ "unknown keyword in a resource", RES("\nvolumes 0 {}"), "t:3: \"volumes\" is not known in a resource, did you mean \"volume\"?" },
	{ "unknown setting", RES("net { time-out 6s; }"), "did you mean \"timeout\"?" },
	{ "secret mistyped", RES("net { sekret \"12345678\"; }"), "did you mean \"secret\"?" },
	{ "DRBD's word", RES("net { shared-secret \"x\"; }"), "the word is \"secret\"" },
	{ "DRBD's protocol", RES("protocol C;"), "ack-policy" },
	{ "setting in the wrong section", RES("net { al-extents 7; }"), "\"al-extents\" belongs into section disk, not net" },
	{ "setting of a connection in a volume",
	  RES("volume 0 { disk { resync-rate-max 1M; } }"), "is a setting of a connection, not of a volume" },
	{ "mistyped value", RES("options { ack-policy snc; }"), "did you mean \"sync\"?" },
	{ "unknown value", RES("options { ack-policy C; }"), "expected sync, async or quorum" },
	{ "neither yes nor no", RES("net { data-crc maybe; }"), "neither yes nor no" },

	/* numbers */
	{ "time without a unit", RES("net { timeout 60; }"), "t:2: timeout: \"60\" lacks its unit, expected ms, s or min" },
	{ "time with a strange unit", RES("net { timeout 6h; }"), "unit \"h\" is not known" },
	{ "time too long", RES("net { timeout 2min; }"), "2min is out of range, expected 500ms to 1min" },
	{ "a size", RES("disk { size 10G; }"), "the smallest disk decides" },
	{ "size without a unit", RES("disk { resync-rate-max 100; }"), "lacks its unit" },
	{ "number too large for 64 bits", RES("disk { resync-rate-max 99999999999999999999T; }"), "not a number" },
	{ "product too large for 64 bits", RES("disk { resync-rate-max 99999999999T; }"), "too large" },
	{ "al-extents out of range", RES("disk { al-extents 1001; }"), "expected 7 to 1000" },
	{ "count with a unit", RES("disk { al-extents 100K; }"), "not a number" },
	{ "negative number", RES("disk { al-extents -7; }"), "not a number" },
	{ "volume number", RES("volume 64 {}"), "expected a number from 0 to 63" },
	{ "node id", RES("on a { node-id 32; }"), "expected a number from 0 to 31" },

	/* form */
	{ "no semicolon", RES("net { timeout 6s }"), "expected \";\" at the end of the statement, found \"}\"" },
	{ "no closing brace", "resource r0 {", "expected a keyword or \"}\", found the end of the file" },
	{ "no opening brace", "resource r0;", "expected \"{\", found \";\"" },
	{ "no value", RES("net { timeout ; }"), "expected a value, found \";\"" },
	{ "a brace too many", "}", "expected \"resource\" or \"common\", found \"}\"" },
	{ "open string", RES("net { secret \"abc\n\"; }"), "not closed on its line" },
	{ "open string at the end", "resource \"abc", "not closed" },
	{ "bad escape", "resource \"a\\n\" {}", "must be followed by" },
	{ "control character", "resource r\001 {}", "control character" },
	{ "not ASCII in a name", "resource r\xc3\xb6 {}", "a name is made of" },
	{ "twice the same setting", RES("net { timeout 6s; timeout 6s; }"), "\"timeout\" is given twice" },
	{ "twice the same volume", RES("volume 0 {}\nvolume 0 {}"), "t:3: volume 0 is already there, line 2" },
	{ "twice the same host", RES(A A), "host a is already there" },
	{ "twice the same resource", OK("") OK(""), "resource r0 is already there, t:1" },
	{ "twice a node id", RES("on a { node-id 0; node-id 0; }"), "given twice" },
	{ "three hosts in a connection", OK("connection { host a; host b; host c; }"), "this is a third one" },

	/* names, addresses, paths */
	{ "resource named all", "resource all {}", "means every resource" },
	{ "name with a slash", "resource r/0 {}", "a name is made of" },
	{ "name that begins with a dash", "resource -r {}", "begins with a letter or digit" },
	{ "long name", "resource a123456789012345678901234567890123456789012345678901234567890123 {}", "at most 63 characters" },
	{ "empty name", "resource \"\" {}", "a name is made of" },
	{ "address without a port", RES("on a { address 10.0.0.1; }"), "expected ADDRESS:PORT" },
	{ "port 0", RES("on a { address 10.0.0.1:0; }"), "the port 0 is out of range, expected 1 to 65535" },
	{ "port beyond 16 bits", RES("on a { address 10.0.0.1:65536; }"), "the port 65536 is out of range" },
	{ "port beyond 64 bits", RES("on a { address [::1]:99999999999999999999; }"), "is out of range" },
	{ "port that is a word", RES("on a { address 10.0.0.1:http; }"), "expected ADDRESS:PORT" },
	{ "any address", RES("on a { address 0.0.0.0:7789; }"), "not the address of one node" },
	{ "any IPv6 address", RES("on a { address [::]:7789; }"), "not the address of one node" },
	{ "multicast", RES("on a { address 224.0.0.1:7789; }"), "not the address of one node" },
	{ "IPv6 multicast", RES("on a { address [ff02::1]:7789; }"), "not the address of one node" },
	{ "broadcast", RES("on a { address 255.255.255.255:7789; }"), "not the address of one node" },
	{ "any address of a connection", OK("connection { host a address 0.0.0.0:1; host b; }"), "not the address of one node" },
	{ "host name as an address", RES("on a { address alice:7789; }"), "names are not looked up" },
	{ "IPv6 without brackets", RES("on a { address fd00::1:7789; }"), "brackets" },
	{ "relative path", RES("disk sda;"), "expected a path from / on" },
	{ "wrong device", RES("volume 0 { device /dev/drbd0; }"), "expected \"minor N\" or /dev/blkreplN" },
	{ "device contradicts itself", RES("volume 0 { device /dev/blkrepl1 minor 2; }"), "has the minor 1, not 2" },
	{ "secret and auth none", RES("net { secret \"correct horse\";\n auth none; }"), "t:3: \"secret\" and \"auth none\" contradict each other" },
	{ "auth none and secret", RES("net { auth none; secret \"correct horse\"; }"), "contradict each other" },
	{ "in two sections of one resource", RES("net { auth none; } " SECRET), "contradict each other" },
	{ "short secret", RES("net { secret \"1234567\"; }"), "a secret of 7 bytes, expected 8 to 64" },

	/* together */
	{ "no hosts", RES(SECRET VOL), "has no hosts" },
	{ "no volume", RES(SECRET A B), "has no volume" },
	{ "no secret", RES(VOL A B), "have no shared secret" },
	{ "no node id", RES(SECRET VOL A "on b { address 10.0.0.2:7789; }"), "host b has no node id" },
	{ "no address", RES(SECRET VOL A "on b { node-id 1; }"), "host b has no address" },
	{ "no minor", RES(SECRET "volume 0 { disk /dev/x; }" A B), "has no device on host a" },
	{ "no disk", RES(SECRET "volume 0 { device minor 0; }" A B), "has no disk on host a" },
	{ "same node id", RES(SECRET VOL A "on b { node-id 0; address 10.0.0.2:7789; }"), "hosts a and b have the same node id 0" },
	{ "same address", RES(SECRET VOL A "on b { node-id 1; address 10.0.0.1:7789; }"), "hosts a and b have the same address" },
	{ "IPv4 and IPv6", RES(SECRET VOL A "on b { node-id 1; address [::1]:7789; }"), "cannot talk" },
	{ "volume on one host only", RES(SECRET VOL A
	  "on b { node-id 1; address 10.0.0.2:7789; volume 1 { device minor 1; disk /dev/y; } }"),
	  "volume 1 is missing on host a" },
	{ "same minor", RES(SECRET VOL "volume 1 { device minor 0; disk /dev/y; }" A B), "the minor 0 belongs to volume 0" },
	{ "same disk", RES(SECRET VOL "volume 1 { device minor 1; disk /dev/sda; }" A B), "/dev/sda is used by volume 0" },
	{ "meta-disk of one is disk of another", RES(SECRET VOL
	  "volume 1 { device minor 1; disk /dev/y; meta-disk /dev/sda; }" A B), "/dev/sda is used by" },
	{ "meta-disk is the disk", RES(SECRET
	  "volume 0 { device minor 0; disk /dev/y; meta-disk /dev/y; }" A B), "meta-disk is the disk itself" },
	{ "same minor in another resource", OK("")
	  "resource r1 {" SECRET "volume 0 { device minor 0; disk /dev/z; }" A B "}", "belongs to volume 0 of resource r0" },
	{ "another host's address in another resource", OK("")
	  "resource r1 {" SECRET "volume 0 { device minor 1; disk /dev/z; }"
	  "on b { node-id 0; address 10.0.0.1:7789; } on c { node-id 1; address 10.0.0.9:7789; } }",
	  "the address of host b belongs to host a in resource r0" },
	{ "connection to nobody", OK("connection { host a; host x; }"), "host x is not in the resource" },
	{ "connection to itself", OK("connection { host a; host a; }"), "from host a to itself" },
	{ "connection with one host", OK("connection { host a; }"), "needs two hosts" },
	{ "connection twice", OK("connection { host a; host b; } connection { host b; host a; }"), "have a connection already" },
	{ "heartbeat slower than half the timeout", OK("connection { host a; host b; net { ping-int 3001ms; } }"), "at most half of timeout" },
	{ "nobody to elect it", OK("options { auto-promote yes; }"), "auto-promote needs \"quorum majority\"" },
	{ "elected, and sync", OK("options { ack-policy sync; quorum majority; auto-promote yes; }"), NULL },
	{ "a majority of which nobody is elected", OK("options { ack-policy quorum; quorum off; }"), "\"quorum off\" contradicts" },
	{ "off, said so", OK("options { quorum off; }"), NULL },
	{ "fencing", OK("options { fencing wait; }"), NULL },
	{ "fencing, and votes", OK("options { fencing wait; quorum majority; }"), "nobody has to be fenced" },
	{ "fencing, and votes by the policy", OK("options { fencing wait; ack-policy quorum; }"), "nobody has to be fenced" },
	{ "a quorum that is a number", OK("options { quorum 2; }"), "expected off or majority" },
	{ "resync rates crossed", OK("disk { resync-rate-max 1M; resync-rate-min 2M; }"), "lower than resync-rate-min" },
};

static void test_cases(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conf_error err = { "" };
		struct conf *conf;
		int ret = conf_parse_buffer("t", cases[i].text, strlen(cases[i].text),
					    &conf, &err);

		if (cases[i].err)
			tap_has(err.text, cases[i].err, cases[i].name);
		else
			tap_is(err.text, "", cases[i].name);
		tap_ok(!ret == !cases[i].err && !conf == !!cases[i].err, "outcome");
		conf_free(conf);
	}
}

static const char three[] =
	"common { net { timeout 10s; } disk { al-extents 100; } }\n"
	"resource r0 {\n"
	"  options { on-no-data io-error; }\n"
	"  net { secret \"a \\\"quoted\\\" one\"; ping-int 2s; }\n"
	"  disk { al-extents 200; }\n"
	"  volume 0 { device minor 0; disk /dev/vg/x; }\n"
	"  volume 5 { device minor 5; disk /dev/vg/y; disk { al-extents 300; } }\n"
	"  on a { node-id 3; address 10.0.0.1:7789; }\n"
	"  on b { node-id 7; address 10.0.0.2:7789;\n"
	"         volume 5 { disk /dev/other; meta-disk /dev/meta; disk { al-extents 400; } } }\n"
	"  on c { node-id 1; address 10.0.0.3:7789; volume 0 { disk none; } }\n"
	"  connection { host c; host b address 10.9.0.2:1; net { async yes; auth none; } }\n"
	"}\n";

static struct conf *parse(const char *text)
{
	struct conf_error err;
	struct conf *conf;

	if (!conf_parse_buffer("t", text, strlen(text), &conf, &err))
		return conf;
	tap_ok(false, err.text);
	exit(tap_end());
}

static void print_view(const struct view *v, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");
	char local[80], peer[80];
	unsigned int i;

	fprintf(f, "%s %u %" PRIu64 "\n", v->node, v->node_id,
		opt_get(&v->opts, OPT_ON_NO_DATA));
	for (i = 0; i < v->n_volumes; i++)
		fprintf(f, "vol %u minor %u %s %s al %" PRIu64 "\n", v->volume[i].nr,
			v->volume[i].minor, v->volume[i].disk ?: "-",
			v->volume[i].meta_disk ?: "-",
			opt_get(&v->volume[i].opts, OPT_AL_EXTENTS));
	for (i = 0; i < v->n_peers; i++) {
		addr_format(&v->peer[i].local, local, sizeof(local));
		addr_format(&v->peer[i].peer, peer, sizeof(peer));
		fprintf(f, "peer %u %s %s %s %s timeout %" PRIu64 " async %" PRIu64 "\n",
			v->peer[i].node_id, v->peer[i].name, local, peer,
			v->peer[i].secret ?: "-", opt_get(&v->peer[i].opts, OPT_TIMEOUT),
			opt_get(&v->peer[i].opts, OPT_ASYNC));
	}
	fclose(f);
}

static void test_view(void)
{
	struct conf *conf = parse(three);
	char text[4096];
	struct view v;

	tap_ok(conf_view(conf, conf->resources, "b", &v), "host b has a view");
	print_view(&v, text, sizeof(text));
	tap_is(text,
	       "b 7 1\n"
	       "vol 0 minor 0 /dev/vg/x - al 200\n"
	       "vol 5 minor 5 /dev/other /dev/meta al 400\n"
	       "peer 3 a 10.0.0.2:7789 10.0.0.1:7789 a \"quoted\" one timeout 10000 async 0\n"
	       "peer 1 c 10.9.0.2:1 10.0.0.3:7789 - timeout 10000 async 1\n",
	       "settings are inherited and overridden");
	conf_view(conf, conf->resources, "c", &v);
	tap_ok(!v.volume[0].disk && v.volume[1].disk, "disk none");
	tap_ok(!conf_view(conf, conf->resources, "x", &v), "host x has none");
	conf_free(conf);
}

static char *dump(const struct conf *conf)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	dump_common(f, conf, true);
	dump_resource(f, conf->resources, true);
	fclose(f);
	return text;
}

/* But for the line that tells where it was written. */
static void test_dump(void)
{
	struct conf *conf = parse(three), *again;
	char *first = dump(conf), *second;

	again = parse(first);
	second = dump(again);
	tap_is(strstr(second, "resource"), strstr(first, "resource"),
	       "a dump means the same");
	free(first);
	free(second);
	conf_free(conf);
	conf_free(again);
}

static void test_nul(void)
{
	static const char text[] = "resource r0\0 {}";
	struct conf_error err;
	struct conf *conf;

	tap_ok(conf_parse_buffer("t", text, sizeof(text) - 1, &conf, &err), "a NUL is refused");
	tap_has(err.text, "control character", "with a reason");
}

int main(void)
{
	test_cases();
	test_view();
	test_dump();
	test_nul();
	return tap_end();
}
