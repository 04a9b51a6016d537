// SPDX-License-Identifier: GPL-2.0
/* The hello that begins a stream, and the text that authenticates it. */
#include "wire.h"

static u32 hello_crc(const struct repl_wire_hello *h)
{
	size_t skip = offsetof(struct repl_wire_hello, version_min);

	return repl_crc32c((const u8 *)h + skip, sizeof(*h) - skip);
}

void repl_hello_make(struct repl_wire_hello *out,
		     const struct repl_hello_params *p)
{
	memset(out, 0, sizeof(*out));
	out->magic = cpu_to_le64(REPL_HELLO_MAGIC);
	out->version_min = cpu_to_le16(REPL_WIRE_VERSION_MIN);
	out->version_max = cpu_to_le16(REPL_WIRE_VERSION_MAX);
	out->stream = p->stream;
	out->from = p->self;
	out->to = p->peer;
	out->flags = (p->auth ? REPL_HELLO_AUTH : 0) |
		     (p->data_crc ? REPL_HELLO_DATA_CRC : 0) |
		     (p->witness ? REPL_HELLO_WITNESS : 0);
	out->features = cpu_to_le32(REPL_FEAT_OURS);
	out->session = cpu_to_le64(p->session);
	memcpy(out->nonce, p->nonce, sizeof(out->nonce));
	/* The whole field is on the wire: zero padded, terminated. */
	memcpy(out->resource, p->resource,
	       min_t(size_t, strlen(p->resource), REPL_NAME_LEN - 1));
	out->crc = cpu_to_le32(hello_crc(out));
}

/* What is the same in all versions: so that those who have none in common say so. */
static enum repl_wire_error hello_form(const struct repl_wire_hello *in)
{
	if (le64_to_cpu(in->magic) != REPL_HELLO_MAGIC)
		return WIRE_BAD_MAGIC;
	if (le32_to_cpu(in->crc) != hello_crc(in))
		return WIRE_BAD_CRC;
	if (in->stream >= REPL_STREAMS || in->from >= REPL_NODES ||
	    in->to >= REPL_NODES ||
	    !memchr(in->resource, 0, sizeof(in->resource)))
		return WIRE_BAD_FIELD;
	return WIRE_OK;
}

static bool version_in_common(const struct repl_wire_hello *in)
{
	u16 lo = le16_to_cpu(in->version_min), hi = le16_to_cpu(in->version_max);

	return lo <= hi && hi >= REPL_WIRE_VERSION_MIN &&
	       lo <= REPL_WIRE_VERSION_MAX;
}

enum repl_wire_error repl_hello_peek(const struct repl_wire_hello *in,
				     char *resource, int *from, int *to)
{
	enum repl_wire_error e = hello_form(in);

	if (e)
		return e;
	memcpy(resource, in->resource, sizeof(in->resource));
	*from = in->from;
	*to = in->to;
	return WIRE_OK;
}

enum repl_wire_error repl_hello_check(const struct repl_wire_hello *in,
				      const struct repl_hello_params *p,
				      bool initiator,
				      struct repl_hello_result *out)
{
	enum repl_wire_error e = hello_form(in);

	if (e)
		return e;
	if (!version_in_common(in))
		return WIRE_BAD_VERSION;
	if (strcmp(in->resource, p->resource))
		return WIRE_WRONG_RESOURCE;
	if (in->from == p->self)
		return WIRE_SAME_NODE;
	if (in->to != p->self)
		return WIRE_WRONG_NODE;
	if (p->peer >= 0 && in->from != p->peer)
		return WIRE_UNKNOWN_NODE;
	if (initiator && (in->stream != p->stream ||
			  le64_to_cpu(in->session) != p->session))
		return WIRE_WRONG_SESSION;
	if (!!(in->flags & REPL_HELLO_AUTH) != p->auth)
		return WIRE_AUTH_MISSING;
	if (!!(in->flags & REPL_HELLO_WITNESS) != p->peer_witness)
		return p->peer_witness ? WIRE_NOT_WITNESS : WIRE_IS_WITNESS;
	out->version = min_t(u16, le16_to_cpu(in->version_max),
			     REPL_WIRE_VERSION_MAX);
	out->features = le32_to_cpu(in->features) & REPL_FEAT_OURS;
	out->data_crc = p->data_crc || (in->flags & REPL_HELLO_DATA_CRC);
	return WIRE_OK;
}

void repl_auth_text(u8 *out, enum repl_auth_text use,
		    const struct repl_wire_hello *initiator,
		    const struct repl_wire_hello *acceptor)
{
	static const char tag[][17] = {
		[REPL_BY_ACCEPTOR] = "blkrepl acceptor",
		[REPL_BY_INITIATOR] = "blkrepl initiatr",
		[REPL_DIGEST_KEY] = "blkrepl digests\0",
	};

	memcpy(out, tag[use], 16);
	memcpy(out + 16, initiator, sizeof(*initiator));
	memcpy(out + 16 + sizeof(*initiator), acceptor, sizeof(*acceptor));
}
