// SPDX-License-Identifier: GPL-2.0
/* Hellos: who may talk to whom, and what the proof of the secret covers. */
#include "shell.h"
#include "tap.h"

static const struct repl_hello_params one = {
	.resource = "r0", .self = 1, .peer = 2, .session = 77,
	.stream = REPL_STREAM_CTRL, .auth = true, .nonce = { 1 },
};

static const struct repl_hello_params two = {
	.resource = "r0", .self = 2, .peer = 1, .session = 77,
	.stream = REPL_STREAM_CTRL, .auth = true, .nonce = { 2 },
};

static enum repl_wire_error check(const struct repl_wire_hello *h, bool initiator)
{
	struct repl_hello_result r;

	return repl_hello_check(h, &two, initiator, &r);
}

static void reseal(struct repl_wire_hello *h)
{
	h->crc = cpu_to_le32(repl_crc32c((u8 *)h + 12, sizeof(*h) - 12));
}

static void agree(void)
{
	struct repl_hello_params p = one;
	struct repl_hello_result r = { 0 };
	struct repl_wire_hello h;
	char name[REPL_NAME_LEN];
	int from, to;

	repl_hello_make(&h, &p);
	CHECK(repl_hello_peek(&h, name, &from, &to) == WIRE_OK);
	CHECK(!strcmp(name, "r0") && from == 1 && to == 2);
	CHECK(repl_hello_check(&h, &two, true, &r) == WIRE_OK);
	CHECK(r.version == REPL_WIRE_VERSION_MAX && r.features == REPL_FEAT_OURS);
	CHECK(!r.data_crc);
	p.data_crc = true;	/* one of the two is enough */
	repl_hello_make(&h, &p);
	CHECK(repl_hello_check(&h, &two, true, &r) == WIRE_OK && r.data_crc);
	h.features = cpu_to_le32(~0U);	/* of a newer release */
	reseal(&h);
	CHECK(repl_hello_check(&h, &two, true, &r) == WIRE_OK);
	CHECK(r.features == REPL_FEAT_OURS);
}

/* Both ends count the same voters. */
static void witness(void)
{
	struct repl_hello_params p = one, us = two;
	struct repl_hello_result r;
	struct repl_wire_hello h;

	us.peer_witness = true;
	repl_hello_make(&h, &p);
	CHECK(repl_hello_check(&h, &us, true, &r) == WIRE_NOT_WITNESS);
	p.witness = true;
	repl_hello_make(&h, &p);
	CHECK(repl_hello_check(&h, &us, true, &r) == WIRE_OK);
}

#define WITH(field, value, error) do {					\
	struct repl_wire_hello h_;					\
	repl_hello_make(&h_, &one);					\
	h_.field = (value);						\
	reseal(&h_);							\
	CHECK(check(&h_, true) == (error), #field " " #value);		\
} while (0)

static void refused(void)
{
	struct repl_wire_hello h;

	WITH(magic, 0, WIRE_BAD_MAGIC);
	WITH(version_min, cpu_to_le16(REPL_WIRE_VERSION_MAX + 1), WIRE_BAD_VERSION);
	WITH(version_max, 0, WIRE_BAD_VERSION);
	WITH(stream, REPL_STREAMS, WIRE_BAD_FIELD);
	WITH(from, 32, WIRE_BAD_FIELD);
	WITH(to, 32, WIRE_BAD_FIELD);
	WITH(from, 2, WIRE_SAME_NODE);
	WITH(from, 3, WIRE_UNKNOWN_NODE);
	WITH(to, 3, WIRE_WRONG_NODE);
	WITH(stream, REPL_STREAM_DATA, WIRE_WRONG_SESSION);
	WITH(session, cpu_to_le64(78), WIRE_WRONG_SESSION);
	WITH(flags, 0, WIRE_AUTH_MISSING);
	WITH(flags, REPL_HELLO_AUTH | REPL_HELLO_WITNESS, WIRE_IS_WITNESS);
	WITH(resource[1], '1', WIRE_WRONG_RESOURCE);

	repl_hello_make(&h, &one);
	memset(h.resource, 'x', sizeof(h.resource));
	reseal(&h);
	CHECK(check(&h, true) == WIRE_BAD_FIELD, "name without an end");
	/* An acceptor has not chosen the session: any will do. */
	repl_hello_make(&h, &one);
	h.session = cpu_to_le64(5);
	h.stream = REPL_STREAM_DATA;
	reseal(&h);
	CHECK(check(&h, false) == WIRE_OK);
}

static void newer_release(void)
{
	char resource[REPL_NAME_LEN];
	int from, to;
	struct repl_hello_result r;
	struct repl_wire_hello h;

	repl_hello_make(&h, &one);
	h.version_max = cpu_to_le16(9);
	reseal(&h);
	CHECK(repl_hello_check(&h, &two, true, &r) == WIRE_OK);
	CHECK(r.version == REPL_WIRE_VERSION_MAX);
	h.version_min = cpu_to_le16(10);
	reseal(&h);
	CHECK(check(&h, true) == WIRE_BAD_VERSION, "min above max");
	/* An acceptor knows whom it is to tell. */
	CHECK(repl_hello_peek(&h, resource, &from, &to) == WIRE_OK);
	CHECK(from == one.self && to == one.peer && !strcmp(resource, one.resource));
}

static void every_bit(void)
{
	struct repl_wire_hello h;
	u32 bit;

	repl_hello_make(&h, &one);
	for (bit = 0; bit < sizeof(h) * 8; bit++) {
		((u8 *)&h)[bit / 8] ^= 1 << bit % 8;
		CHECK(check(&h, true) != WIRE_OK, "bit %u", bit);
		((u8 *)&h)[bit / 8] ^= 1 << bit % 8;
	}
}

/* A name of the greatest length, and one that is too long, are both safe. */
static void long_names(void)
{
	struct repl_hello_params p = one;
	struct repl_hello_result r;
	struct repl_wire_hello h;
	char name[REPL_NAME_LEN + 10];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = 0;
	p.resource = name;
	repl_hello_make(&h, &p);
	CHECK(h.resource[REPL_NAME_LEN - 1] == 0);
	CHECK(check(&h, true) == WIRE_WRONG_RESOURCE);
	name[REPL_NAME_LEN - 1] = 0;
	p.self = 2;
	p.peer = 1;
	CHECK(repl_hello_check(&h, &p, true, &r) == WIRE_OK);
}

static void proofs_differ(void)
{
	u8 a[REPL_AUTH_TEXT_LEN], b[REPL_AUTH_TEXT_LEN];
	struct repl_wire_hello h1, h2;
	u32 bit;

	repl_hello_make(&h1, &one);
	repl_hello_make(&h2, &two);
	repl_auth_text(a, REPL_BY_INITIATOR, &h1, &h2);
	repl_auth_text(b, REPL_BY_ACCEPTOR, &h1, &h2);
	CHECK(memcmp(a, b, sizeof(a)), "a proof could be reflected");
	repl_auth_text(b, REPL_BY_INITIATOR, &h2, &h1);
	CHECK(memcmp(a, b, sizeof(a)));
	/* Whatever is altered on the way changes the text. */
	for (bit = 0; bit < sizeof(h1) * 8; bit++) {
		((u8 *)&h1)[bit / 8] ^= 1 << bit % 8;
		repl_auth_text(b, REPL_BY_INITIATOR, &h1, &h2);
		CHECK(memcmp(a, b, sizeof(a)), "bit %u", bit);
		((u8 *)&h1)[bit / 8] ^= 1 << bit % 8;
	}
}

int main(void)
{
	RUN(agree);
	RUN(witness);
	RUN(refused);
	RUN(newer_release);
	RUN(every_bit);
	RUN(long_names);
	RUN(proofs_differ);
	return tap_end();
}
