// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the hello, all that is parsed of a stranger.
 *
 * The first byte says whether the checksum is made right.  What is accepted
 * must be one that we could have been sent.
 */
#include "input.h"
#include "wire.h"

static void accepted(const struct repl_wire_hello *h,
		     const struct repl_hello_params *p,
		     const struct repl_hello_result *r)
{
	u8 text[REPL_AUTH_TEXT_LEN];

	assert(h->from != p->self && h->to == p->self);
	assert(h->from < REPL_NODES && h->stream < REPL_STREAMS);
	assert(!strcmp(h->resource, p->resource));
	assert(r->version >= REPL_WIRE_VERSION_MIN &&
	       r->version <= REPL_WIRE_VERSION_MAX);
	assert(!(r->features & ~REPL_FEAT_OURS));
	repl_auth_text(text, REPL_BY_INITIATOR, h, h);
	repl_auth_text(text, REPL_BY_ACCEPTOR, h, h);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct repl_hello_params p = { .resource = "r0", .self = 2, .peer = 1,
				       .session = 7 };
	struct repl_hello_result r;
	struct repl_wire_hello h;
	char name[REPL_NAME_LEN];
	u8 how = take_u8(&in);
	int from, to;

	take(&in, &h, sizeof(h));
	if (how & 1)
		h.crc = cpu_to_le32(repl_crc32c((u8 *)&h + 12, sizeof(h) - 12));
	p.auth = how & 2;
	p.peer = how & 4 ? -1 : 1;
	if (repl_hello_peek(&h, name, &from, &to) == WIRE_OK) {
		assert(strlen(name) < sizeof(name));
		assert(from >= 0 && from < REPL_NODES && to >= 0 && to < REPL_NODES);
	}
	if (repl_hello_check(&h, &p, how & 8, &r) == WIRE_OK)
		accepted(&h, &p, &r);
	return 0;
}
