// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: what each becomes, by --dry-run, and what is refused.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "fake.h"
#include "state.h"
#include "tap.h"

static const char conf_text[] =
	"resource r0 {\n"
	"  net { secret \"correct horse\"; }\n"
	"  volume 0 { device minor 0; disk /dev/vg/x; }\n"
	"  volume 1 { device minor 1; disk /dev/vg/y; meta-disk /dev/vg/m; }\n"
	"  on alice { node-id 0; address 10.0.0.1:7789; }\n"
	"  on bob { node-id 1; address 10.0.0.2:7789; }\n"
	"  on carol { node-id 2; address 10.0.0.3:7789; }\n"
	"}\n"
	"resource r1 {\n"
	"  net { auth none; timeout 10s; }\n"
	"  volume 0 { device minor 9; disk /dev/vg/z; disk { al-extents 64; } }\n"
	"  on alice { node-id 4; address 10.0.0.1:7789; }\n"
	"  on bob { node-id 5; address 10.0.0.2:7789; }\n"
	"}\n"
	"resource r2 {\n"
	"  options { ack-policy quorum; }\n"
	"  volume 0 { device minor 8; disk /dev/vg/q; }\n"
	"  on alice { node-id 0; }\n"
	"}\n";

static const char r2_dump[] =
	"resource r2 {\n"
	"    options {\n"
	"        ack-policy quorum;\n"
	"    }\n"
	"    volume 0 {\n"
	"        device minor 8;\n"
	"        disk \"/dev/vg/q\";\n"
	"    }\n"
	"    on alice {\n"
	"        node-id 0;\n"
	"    }\n"
	"}\n";

static const struct {
	const char *args;
	int code;
	const char *out;	/* all of it, or NULL */
	const char *err;	/* part of it, or NULL: nothing */
} cases[] = {
	/* the line and its dry run are the same */
	{ "new-resource r9 3 --name alice --ack-policy sync", 0,
	  "blkrepl new-resource r9 3 --name alice --ack-policy sync\n", NULL },
	{ "new-resource r9 32", EX_USAGE, NULL, "\"32\" is no node id" },
	{ "new-resource r9", EX_USAGE, NULL, "usage: blkrepl new-resource RES NODE_ID" },
	{ "new-resource r/9 1", EX_USAGE, NULL, "a volume means nothing" },
	{ "new-resource all 1", EX_USAGE, NULL, "name one resource" },
	{ "resource-options r0 --on-no-data io-error", 0,
	  "blkrepl resource-options r0 --on-no-data io-error\n", NULL },
	{ "resource-options r0", EX_USAGE, NULL, "which setting?" },
	{ "resource-options r0 --on-no-data=stop", EX_USAGE, NULL, "expected suspend-io or io-error" },
	{ "del-resource r0", 0, "blkrepl del-resource r0\n", NULL },

	{ "primary r0", 0, "blkrepl primary r0\n", NULL },
	{ "primary r0 --force", 0, "blkrepl primary r0 --force\n", NULL },
	{ "primary -f all", 0, "blkrepl primary r0 --force\n", NULL },
	{ "secondary r0", 0, "blkrepl secondary r0\n", NULL },
	{ "secondary r0 --force", 0, "blkrepl secondary r0 --force\n", NULL },
	{ "resource-options r0 --quorum majority", 0,
	  "blkrepl resource-options r0 --quorum majority\n", NULL },
	{ "resource-options r0 --fencing wait", 0,
	  "blkrepl resource-options r0 --fencing wait\n", NULL },
	{ "resource-options r0 --auto-promote yes --on-no-quorum io-error", 0,
	  "blkrepl resource-options r0 --on-no-quorum io-error --auto-promote yes\n", NULL },
	{ "resource-options r0 --after-split-brain discard-secondary", 0,
	  "blkrepl resource-options r0 --after-split-brain discard-secondary\n", NULL },
	{ "resource-options r0 --after-split-brain merge", EX_USAGE, NULL,
	  "expected ask, discard-unchanged, discard-younger-primary or discard-secondary" },
	{ "primary", EX_USAGE, NULL, "usage: blkrepl primary RES|all" },
	{ "primary r0 r1", EX_USAGE, NULL, "usage:" },
	{ "primary r0 --froce", EX_USAGE, NULL, "did you mean --force?" },
	{ "primary r0 --force=yes", EX_USAGE, NULL, "takes no value" },
	{ "primry r0", EX_USAGE, NULL, "did you mean \"primary\"?" },
	{ "xyzzy", EX_USAGE, NULL, "\"xyzzy\" is not known" },
	{ "", EX_USAGE, NULL, "no verb given" },
	{ "new-data-set r0", 0, "blkrepl new-data-set r0\n", NULL },

	{ "new-volume r0/3 7 --al-extents 100", 0, "blkrepl new-volume r0/3 7 --al-extents 100\n", NULL },
	{ "new-volume r0 3 7", 0, "blkrepl new-volume r0/3 7\n", NULL },
	{ "new-minor r0/3 7", 0, "blkrepl new-volume r0/3 7\n", NULL },
	{ "new-volume r0 3", EX_USAGE, NULL, "which volume? expected RES/VOL" },
	{ "new-volume r0/64 3", EX_USAGE, NULL, "a volume number, 0 to 63" },
	{ "new-volume r0/1 x", EX_USAGE, NULL, "is no device minor" },
	{ "del-volume r0/1", 0, "blkrepl del-volume r0/1\n", NULL },
	{ "disk-options r0 --disk-flushes no", 0,
	  "blkrepl disk-options r0/0 --disk-flushes no\n"
	  "blkrepl disk-options r0/1 --disk-flushes no\n", NULL },
	{ "disk-options r0/0 --al-extents 5", EX_USAGE, NULL, "--al-extents: 5 is out of range, expected 7 to 1000" },
	{ "attach r0/0 /dev/a --meta-disk /dev/b", 0, "blkrepl attach r0/0 /dev/a --meta-disk /dev/b\n", NULL },
	{ "attach r0", 0, "blkrepl attach r0/0 /dev/vg/x\n"
	  "blkrepl attach r0/1 /dev/vg/y --meta-disk /dev/vg/m\n", NULL },
	{ "attach r0/1", 0, "blkrepl attach r0/1 /dev/vg/y --meta-disk /dev/vg/m\n", NULL },
	{ "attach r7", EX_NO_OBJECT, NULL, "resource r7 is not configured for node alice" },
	{ "detach r0", 0, "blkrepl detach r0/0\nblkrepl detach r0/1\n", NULL },
	{ "detach r0/1 --force", 0, "blkrepl detach r0/1 --force\n", NULL },
	{ "resize r0/0 --size 10G", 0, "blkrepl resize r0/0 --size 10G\n", NULL },
	{ "resize r0/0", 0, "blkrepl resize r0/0 --size 0\n", NULL },
	{ "resize r0/0 --size 10", EX_USAGE, NULL, "--size: \"10\" lacks its unit" },
	{ "grow-md /dev/vg/x", 0, "blkrepl grow-md /dev/vg/x\n", NULL },
	{ "grow-md nosuch", EX_NO_OBJECT, NULL, "not configured" },
	{ "invalidate r0/0", 0, "blkrepl invalidate r0/0\n", NULL },
	{ "invalidate r0:bob/0", EX_USAGE, NULL, "can't be chosen" },
	{ "invalidate-remote r0:bob/1", 0, "blkrepl invalidate-remote r0:1/1\n", NULL },
	{ "invalidate-remote r0/1", EX_USAGE, NULL, "several peers: which one's data" },

	{ "new-peer r0 5 --local-addr 10.0.0.1:1 --peer-addr [::1]:2 --auth-none --ping-int 2s", 0,
	  "blkrepl new-peer r0 5 --local-addr 10.0.0.1:1 --peer-addr [::1]:2 --auth-none --ping-int 2s\n", NULL },
	{ "new-peer r0 5 --local-addr 10.0.0.1:1 --peer-addr 10.0.0.2:1", EX_USAGE, NULL, "needs --secret-file" },
	{ "new-peer r0 5 --auth-none", EX_USAGE, NULL, "needs --local-addr and --peer-addr" },
	{ "new-peer r0 5 --local-addr 1.2.3 --peer-addr 10.0.0.2:1 --auth-none", EX_USAGE, NULL, "--local-addr 1.2.3: expected ADDRESS:PORT" },
	{ "new-peer r0 5 --local-addr 10.0.0.1:1 --peer-addr 10.0.0.2:1 --secret-file /nonexistent", EX_USAGE, NULL, "cannot read the secret" },
	{ "new-peer r0 5 --local-addr 10.0.0.1:1 --peer-addr 10.0.0.2:1 --secret-file SECRET --name eve", 0,
	  "blkrepl new-peer r0 5 --name eve --local-addr 10.0.0.1:1 --peer-addr 10.0.0.2:1 --secret-file FILE\n", NULL },
	{ "del-peer r0:carol", 0, "blkrepl del-peer r0:2\n", NULL },
	{ "del-peer r0", EX_USAGE, NULL, "which peer?" },
	{ "net-options r0 --timeout 10s", 0, "blkrepl net-options r0:1 --timeout 10s\nblkrepl net-options r0:2 --timeout 10s\n", NULL },
	{ "net-options r0:bob --auth-none", 0, "blkrepl net-options r0:1 --auth-none\n", NULL },
	{ "net-options r0:bob --secret-file SECRET --auth-none", EX_USAGE, NULL, "either --secret-file or --auth-none" },
	{ "net-options r0:bob", EX_USAGE, NULL, "which setting?" },
	{ "net-options r0:bob --timeout 10", EX_USAGE, NULL, "lacks its unit" },
	{ "connect r0:bob --discard-my-data", 0, "blkrepl connect r0:1 --discard-my-data\n", NULL },
	{ "connect all --discard-my-data", EX_USAGE, NULL, "throws data away" },
	{ "connect r0:bbo", EX_NO_OBJECT, NULL, "has no peer bbo, did you mean bob?" },
	{ "connect r0:", EX_USAGE, NULL, "comes a peer's name" },
	{ "connect r8", EX_NO_OBJECT, NULL, "resource r8 is not known, did you mean r0?" },
	{ "connect r1", EX_NO_OBJECT, NULL, "resource r1 is not up; start it with: blkrepl up r1" },
	{ "disconnect all", 0, "blkrepl disconnect r0:1\nblkrepl disconnect r0:2\n", NULL },
	{ "fenced r0:bob", 0, "blkrepl fenced r0:1\n", NULL },
	{ "fenced r0", EX_USAGE, NULL, "which node was switched off? say r0:PEER" },
	{ "fenced all", EX_USAGE, NULL, "name one resource" },
	{ "pause-sync r0:bob", 0, "blkrepl pause-sync r0:1/0\nblkrepl pause-sync r0:1/1\n", NULL },
	{ "resume-sync r0/0", 0, "blkrepl resume-sync r0:1/0\nblkrepl resume-sync r0:2/0\n", NULL },
	{ "verify r0:2/1", 0, "blkrepl verify r0:2/1\n", NULL },

	{ "role r0", 0, "Primary\n", NULL },
	{ "cstate r0", 0, "Connected\nConnecting\n", NULL },
	{ "cstate r0:carol", 0, "Connecting\n", NULL },
	{ "dstate r0", 0, "UpToDate/Inconsistent/Unknown\nDiskless/UpToDate/Unknown\n", NULL },
	{ "status r5", EX_NO_OBJECT, NULL, "resource r5 is not known" },
	{ "explain r5", EX_NO_OBJECT, NULL, "resource r5 is not known" },
	{ "explain r0/1", EX_USAGE, NULL, "a volume means nothing" },
	{ "status r0 --watch=0", EX_USAGE, NULL, "expected seconds" },
	{ "events --now --changes-only", EX_USAGE, NULL, "either --now or --changes-only" },

	{ "up r1", 0,
	  "blkrepl new-resource r1 4 --name alice\n"
	  "blkrepl new-volume r1/0 9 --al-extents 64\n"
	  "blkrepl new-peer r1 5 --name bob --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.2:7789 --auth-none --timeout 10s\n"
	  "blkrepl attach r1/0 /dev/vg/z\n"
	  "blkrepl connect r1:5\n", NULL },
	{ "adjust r0", 0, "blkrepl attach r0/1 /dev/vg/y --meta-disk /dev/vg/m\n", NULL },
	{ "--node bob up r0", EX_CONFIG, NULL, "it runs with node id 0, configured is 1" },
	{ "--node dave up r0", EX_CONFIG, NULL, "resource r0 has no host dave" },
	{ "up r3", EX_NO_OBJECT, NULL, "resource r3 is not configured, did you mean" },
	{ "down r0", 0,
	  "blkrepl secondary r0\n"
	  "blkrepl disconnect r0:1\nblkrepl disconnect r0:2\n"
	  "blkrepl detach r0/0\nblkrepl del-volume r0/0\nblkrepl del-volume r0/1\n"
	  "blkrepl del-peer r0:1\nblkrepl del-peer r0:2\n"
	  "blkrepl del-resource r0\n", NULL },
	{ "down r1", 0, "", "resource r1 is not up" },
	{ "create-md r0 --max-peers 3", 0,
	  "blkrepl create-md /dev/vg/x --max-peers 3\n"
	  "blkrepl create-md /dev/vg/y --meta-disk /dev/vg/m --max-peers 3\n", NULL },
	{ "create-md r0 --max-peers 32", EX_USAGE, NULL, "expected a number from 1 to 31" },
	{ "create-md r0/7", EX_NO_OBJECT, NULL, "no disk is configured" },
	{ "create-md r0 --meta-disk /dev/x", EX_USAGE, NULL, "--meta-disk goes with a device" },
	{ "--config-dir /nonexistent dump", EX_CONFIG, NULL, "/nonexistent: No such file or directory: create it" },

	{ "--version", 0, "blkrepl " BLKREPL_VERSION "\n", NULL },
	{ "-V", 0, "blkrepl " BLKREPL_VERSION "\n", NULL },
	{ "help xyzzy", EX_USAGE, NULL, "\"xyzzy\" is not known" },
	{ "up r2", 0,
	  "blkrepl new-resource r2 0 --name alice --ack-policy quorum\n"
	  "blkrepl new-volume r2/0 8\n"
	  "blkrepl attach r2/0 /dev/vg/q\n", "warning: resource r2 has one host, alice" },
	{ "adjust r2", 0,
	  "blkrepl new-resource r2 0 --name alice --ack-policy quorum\n"
	  "blkrepl new-volume r2/0 8\n"
	  "blkrepl attach r2/0 /dev/vg/q\n", "warning: resource r2 has one host, alice" },
	{ "--node dave up all", 0, "", "this machine, dave, has no \"on\" section" },
};

static char dir[] = "/tmp/blkrepl-test-XXXXXX";
static char *secret_file;

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	fputs(text, f);
	fchmod(fileno(f), 0600);
	return !fclose(f);
}

/* Split at blanks; the word SECRET stands for a file with one. */
static int split(char *line, char **argv)
{
	char *word, *save;
	int n = 0;

	argv[n++] = (char *)"blkrepl";
	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[n++] = strcmp(word, "SECRET") ? word : secret_file;
	argv[n] = NULL;
	return n;
}

static int run(const char *args, char **out, char **errs)
{
	FILE *old = stderr;
	struct cmd c = { .state = fake_r0() };
	char line[512], *argv[32];
	size_t out_len, err_len;
	int code;

	snprintf(line, sizeof(line), "--dry-run --node alice --config-dir %s %s", dir, args);
	c.file = open_memstream(out, &out_len);
	stderr = open_memstream(errs, &err_len);
	code = cmd_main(&c, split(line, argv), argv);
	cmd_cleanup(&c);
	fclose(stderr);
	stderr = old;
	fclose(c.file);
	return code;
}

static void test_cases(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *out, *errs, code[32], want[32];

		snprintf(code, sizeof(code), "exit code %d", run(cases[i].args, &out, &errs));
		snprintf(want, sizeof(want), "exit code %d", cases[i].code);
		tap_is(code, want, cases[i].args);
		tap_is(out, cases[i].out ?: "", "output");
		if (cases[i].err)
			tap_has(errs, cases[i].err, "error");
		else
			tap_is(errs, "", "no error");
		free(out);
		free(errs);
	}
}

/* Every verb can explain itself, and has an example. */
static void test_help(void)
{
	const struct verb *v;
	char *out, *errs, args[64];

	for (v = verbs; v->name; v++) {
		snprintf(args, sizeof(args), "%s --help", v->name);
		tap_ok(!run(args, &out, &errs), args);
		tap_has(out, "Usage:", "usage");
		if (v->group != VERBS_HIDDEN)
			tap_has(out, "Examples:", "examples");
		free(out);
		free(errs);
	}
	tap_ok(!run("help primary", &out, &errs), "help VERB");
	tap_has(out, "blkrepl primary - ", "which is its --help");
	free(out);
	free(errs);
	tap_ok(!run("help", &out, &errs), "help");
	tap_has(out, "Usage: blkrepl [options] VERB", "the same as --help");
	tap_ok(!strstr(out, "verify"), "says nothing of what is not available");
	free(out);
	free(errs);
	tap_ok(!run("--help", &out, &errs), "--help");
	tap_has(out, "create-md", "which tells the verbs");
	free(out);
	free(errs);
}

/* What is printed, after the line that says where it comes from. */
static void test_dump(void)
{
	char *out, *errs, *body;

	tap_ok(!run("dump r2", &out, &errs), "dump");
	body = strchr(out, '\n');
	tap_is(body ? body + 1 : "", r2_dump, "the resource");
	tap_has(errs, "has one host, alice: nothing is mirrored", "and what is strange in it");
	free(out);
	free(errs);
	tap_ok(!run("--node carol dump r0", &out, &errs), "dump on a host");
	tap_is(errs, "", "nothing is strange");
	free(out);
	free(errs);
	tap_ok(!run("--node carol dump r1", &out, &errs), "dump on a machine that is no host");
	tap_has(errs, "this machine, carol, has no \"on\" section", "which is said");
	free(out);
	free(errs);
}

int main(void)
{
	char *conf;

	if (!mkdtemp(dir))
		return 1;
	conf = xasprintf("%s/test.conf", dir);
	secret_file = xasprintf("%s/secret", dir);
	if (!write_file(conf, conf_text) || !write_file(secret_file, "correct horse\n"))
		return 1;
	test_cases();
	test_help();
	test_dump();
	unlink(conf);
	unlink(secret_file);
	rmdir(dir);
	free(conf);
	free(secret_file);
	return tap_end();
}
