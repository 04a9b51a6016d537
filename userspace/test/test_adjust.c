// SPDX-License-Identifier: GPL-2.0-only
/*
 * What adjust plans for pairs of a configuration and a state.
 */
#include "adjust.h"
#include "fake.h"
#include "state.h"
#include "tap.h"
#include "util.h"

/* What fake_r0() is: but for the volume 1, which has no disk there. */
#define NET	"net { secret \"correct horse\"; } "
#define VOLS	"volume 0 { device minor 0; disk /dev/vg/x; } " \
		"volume 1 { device minor 1; disk none; } "
#define ALICE	"on alice { node-id 0; address 10.0.0.1:7789; } "
#define BOB	"on bob { node-id 1; address 10.0.0.2:7789; } "
#define CAROL	"on carol { node-id 2; address 10.0.0.3:7789; } "
#define SAME	NET VOLS ALICE BOB CAROL

static const struct {
	const char *name;
	const char *body;	/* of the resource's section */
	const char *plan;
} cases[] = {
	{ "nothing differs", SAME,
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n" },
	{ "votes", SAME "options { quorum majority; }",
	  "resource-options r0 --quorum majority\n"
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n" },
	{ "votes, as a majority acknowledges", SAME "options { ack-policy quorum; }",
	  "resource-options r0 --ack-policy quorum --quorum majority\n"
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n" },
	{ "settings", SAME "options { on-no-data io-error; } disk { al-extents 50; } "
	  "connection { host alice; host bob; net { timeout 7s; } }",
	  "resource-options r0 --on-no-data io-error\n"
	  "disk-options r0/0 --al-extents 50\n"
	  "disk-options r0/1 --al-extents 50\n"
	  "net-options r0:1 --timeout 7s\n# refresh net-options r0:1\n"
	  "# refresh net-options r0:2\n" },
	{ "no secret any more", "net { auth none; } " VOLS ALICE BOB CAROL,
	  "net-options r0:1 --auth-none\nnet-options r0:2 --auth-none\n" },
	{ "a peer went", NET VOLS ALICE BOB,
	  "del-peer r0:2\n# refresh net-options r0:1\n" },
	{ "a peer came", SAME "on dave { node-id 9; address 10.0.0.9:7789; }",
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n"
	  "new-peer r0 9 --name dave --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.9:7789 --secret-file FILE\n"
	  "connect r0:9\n" },
	{ "a peer moved", NET VOLS ALICE CAROL "on bob { node-id 1; address 10.0.0.7:7789; }",
	  "# refresh net-options r0:2\n"
	  "disconnect r0:1\n"
	  "net-options r0:1 --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.7:7789\n"
	  "# refresh net-options r0:1\n"
	  "connect r0:1\n" },
	{ "a peer has another name", NET VOLS ALICE CAROL "on robert { node-id 1; address 10.0.0.2:7789; }",
	  "# refresh net-options r0:2\n"
	  "net-options r0:1 --name robert\n# refresh net-options r0:1\n" },
	{ "a volume went", NET "volume 1 { device minor 1; disk none; } " ALICE BOB CAROL,
	  "detach r0/0\ndel-volume r0/0\n"
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n" },
	{ "a volume came", SAME "volume 2 { device minor 2; disk /dev/vg/z; meta-disk /dev/vg/m; }",
	  "new-volume r0/2 2\n"
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n"
	  "attach r0/2 /dev/vg/z --meta-disk /dev/vg/m\n" },
	{ "another disk", NET "volume 0 { device minor 0; disk /dev/vg/other; } "
	  "volume 1 { device minor 1; disk none; } " ALICE BOB CAROL,
	  "detach r0/0\n# refresh net-options r0:1\n# refresh net-options r0:2\n"
	  "attach r0/0 /dev/vg/other\n" },
	{ "another meta-disk", NET "volume 0 { device minor 0; disk /dev/vg/x; meta-disk /dev/vg/m; } "
	  "volume 1 { device minor 1; disk none; } " ALICE BOB CAROL,
	  "detach r0/0\n# refresh net-options r0:1\n# refresh net-options r0:2\n"
	  "attach r0/0 /dev/vg/x --meta-disk /dev/vg/m\n" },
	{ "another minor", NET "volume 0 { device minor 5; disk /dev/vg/x; } "
	  "volume 1 { device minor 1; disk none; } " ALICE BOB CAROL,
	  "detach r0/0\ndel-volume r0/0\nnew-volume r0/0 5\n"
	  "# refresh net-options r0:1\n# refresh net-options r0:2\n"
	  "attach r0/0 /dev/vg/x\n" },
};

static void print_plan(const struct plan *p, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");
	char line[1024];
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		req_format(&p->req[i], line, sizeof(line));
		if (p->req[i].refresh)
			*strstr(line, " --") = '\0';
		fprintf(f, "%s%s\n", p->req[i].refresh ? "# refresh " : "",
			line + strlen("blkrepl "));
	}
	fclose(f);
}

static void plan_for(const char *name, const char *body, const struct st_res *res,
		     const char *want)
{
	char *text = xasprintf("resource r0 { %s }", body);
	char got[8192] = "";
	struct conf_error err;
	struct conf *conf;
	struct view view;
	struct plan p;

	if (conf_parse_buffer("t", text, strlen(text), &conf, &err)) {
		tap_ok(false, err.text);
	} else {
		conf_view(conf, conf->resources, "alice", &view);
		plan_adjust(&p, &view, res);
		print_plan(&p, got, sizeof(got));
		tap_is(got, want, name);
		plan_free(&p);
	}
	conf_free(conf);
	free(text);
}

static void test_from_nothing(void)
{
	plan_for("all is new", SAME "options { ack-policy sync; }", NULL,
		 "new-resource r0 0 --name alice --ack-policy sync\n"
		 "new-volume r0/0 0\n"
		 "new-volume r0/1 1\n"
		 "new-peer r0 1 --name bob --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.2:7789 --secret-file FILE\n"
		 "new-peer r0 2 --name carol --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.3:7789 --secret-file FILE\n"
		 "attach r0/0 /dev/vg/x\n"
		 "connect r0:1\n"
		 "connect r0:2\n");
}

/* It attaches metadata alone, and its peers are told what it is. */
static void test_witness(void)
{
	plan_for("a witness", NET VOLS BOB
		 "on alice { node-id 0; address 10.0.0.1:7789; witness yes;"
		 " volume 0 { meta-disk /dev/loop0; } volume 1 { meta-disk /dev/loop1; } }", NULL,
		 "new-resource r0 0 --witness --name alice\n"
		 "new-volume r0/0 0\n"
		 "new-volume r0/1 1\n"
		 "new-peer r0 1 --name bob --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.2:7789 --secret-file FILE\n"
		 "attach r0/0 --meta-disk /dev/loop0\n"
		 "attach r0/1 --meta-disk /dev/loop1\n"
		 "connect r0:1\n");
	plan_for("a witness as a peer", NET VOLS ALICE
		 "on bob { node-id 1; address 10.0.0.2:7789; witness yes;"
		 " volume 0 { meta-disk /dev/loop0; } volume 1 { meta-disk /dev/loop1; } }", NULL,
		 "new-resource r0 0 --name alice\n"
		 "new-volume r0/0 0\n"
		 "new-volume r0/1 1\n"
		 "new-peer r0 1 --witness --name bob --local-addr 10.0.0.1:7789 --peer-addr 10.0.0.2:7789 --secret-file FILE\n"
		 "attach r0/0 /dev/vg/x\n"
		 "connect r0:1\n");
}

static void test_standalone(void)
{
	struct state *st = fake_r0();

	FAKE(st, "r0", -1, 1, BLKREPL_A_PEER_INFO,
	     U32(BLKREPL_PI_CONN_STATE, BLKREPL_CONN_STANDALONE));
	plan_for("a peer was disconnected", SAME, st->resources,
		 "# refresh net-options r0:1\n# refresh net-options r0:2\n"
		 "connect r0:1\n");
	state_free(st);
}

/* Where there is fencing, the peers hear that its disk is gone. */
static void test_down(void)
{
	struct state *st = fake_r0();
	char got[8192] = "";
	struct plan p;

	FAKE(st, "r0", -1, -1, BLKREPL_A_RES_CFG,
	     U32(BLKREPL_RC_FENCING, BLKREPL_FENCING_WAIT));
	plan_down(&p, st->resources);
	print_plan(&p, got, sizeof(got));
	tap_has(got, "secondary r0\ndetach r0/0\ndisconnect r0:1\n", "down, with fencing");
	plan_free(&p);
	state_free(st);
}

int main(void)
{
	struct state *st = fake_r0();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		plan_for(cases[i].name, cases[i].body, st->resources, cases[i].plan);
	state_free(st);
	test_from_nothing();
	test_witness();
	test_standalone();
	test_down();
	return tap_end();
}
