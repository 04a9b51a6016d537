// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink transport on libnl.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"
#include "req.h"
#include "util.h"

struct ctl {
	struct nl_sock *sock;
	int family;
};

/* One request on its way. */
struct exchange {
	struct ctl_error *err;
	ctl_handler handler;
	void *arg;
	bool done;
};

static void set_error(struct ctl_error *err, int errnum, bool from_kernel,
		      const char *text)
{
	err->errnum = errnum;
	err->from_kernel = from_kernel;
	str_copy(err->text, text, sizeof(err->text));
}

/* errno for what libnl itself calls an error. */
static int nle_errno(int nle)
{
	switch (-nle) {
	case NLE_NOMEM:
		return ENOBUFS;
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_OBJ_NOTFOUND:
		return ENOENT;
	case NLE_DUMP_INTR:
	case NLE_INTR:
		return EINTR;
	case NLE_AGAIN:
		return EAGAIN;
	default:
		return EIO;
	}
}

static void transport_error(struct ctl_error *err, int nle)
{
	char text[256];

	snprintf(text, sizeof(text), "netlink: %s", nl_geterror(nle));
	set_error(err, nle_errno(nle), false, text);
}

static void next_attr(const struct nlattr **a, int *rem)
{
	*a = nla_next(*a, rem);
}

/* The attributes behind an error message: words, place, what is missing. */
static void read_extack(const struct nlattr *a, int rem, struct ctl_error *err)
{
	int missing = -1;

	for (; nla_ok(a, rem); next_attr(&a, &rem)) {
		switch (nla_type(a)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(err->text, sizeof(err->text), "%.*s",
				 nla_len(a), (const char *)nla_data(a));
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (nla_len(a) >= (int)sizeof(uint32_t))
				missing = nla_get_u32(a);
			break;
		default:
			break;
		}
	}
	if (missing >= 0 && !err->text[0])
		snprintf(err->text, sizeof(err->text),
			 "the request lacks an attribute: %s", attr_name(missing));
}

/* Payload of NLMSG_ERROR: struct nlmsgerr, the request unless capped, TLVs. */
static void read_error(const struct nlmsghdr *nlh, struct ctl_error *err)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	size_t skip = sizeof(*e), len = nlmsg_datalen(nlh);

	err->errnum = -e->error;
	err->from_kernel = true;
	err->text[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && skip < len)
		read_extack((const struct nlattr *)((const char *)e + skip),
			    len - skip, err);
	if (err->errnum && !err->text[0])
		str_copy(err->text, strerror(err->errnum), sizeof(err->text));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct exchange *x = arg;

	(void)from;
	read_error((const struct nlmsghdr *)((const char *)e - NLMSG_HDRLEN), x->err);
	x->done = true;
	return NL_STOP;
}

/* Success can carry a warning. */
static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	read_error(nlmsg_hdr(msg), x->err);
	x->done = true;
	return NL_STOP;
}

/* The end of a dump: an int with its result, and TLVs. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct exchange *x = arg;
	int len = nlmsg_datalen(nlh);

	if (len >= (int)sizeof(int) && *(const int *)nlmsg_data(nlh) < 0) {
		x->err->errnum = -*(const int *)nlmsg_data(nlh);
		x->err->from_kernel = true;
		x->err->text[0] = '\0';
		if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
			read_extack((const struct nlattr *)((const char *)nlmsg_data(nlh) +
							    sizeof(int)),
				    len - (int)sizeof(int), x->err);
		if (!x->err->text[0])
			str_copy(x->err->text, strerror(x->err->errnum),
				 sizeof(x->err->text));
	}
	x->done = true;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	if (x->handler)
		x->handler(nlmsg_hdr(msg), x->arg);
	return NL_OK;
}

static int no_seq_check(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static struct nl_cb *make_callbacks(struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, x);
	return cb;
}

static int no_memory(struct ctl_error *err)
{
	set_error(err, ENOMEM, false, strerror(ENOMEM));
	return -1;
}

/* Send @msg, which is freed, and handle what comes back until it is done. */
static int exchange(struct ctl *ctl, struct nl_msg *msg, struct exchange *x)
{
	struct nl_cb *cb = make_callbacks(x);
	bool interrupted = false;
	int ret;

	memset(x->err, 0, sizeof(*x->err));
	if (!cb) {
		nlmsg_free(msg);
		return no_memory(x->err);
	}
	ret = nl_send_auto(ctl->sock, msg);
	while (ret >= 0 && !x->done) {
		ret = nl_recvmsgs(ctl->sock, cb);
		/* still read the rest: the next dump must not find it */
		if (ret == -NLE_DUMP_INTR && !x->done) {
			interrupted = true;
			ret = 0;
		}
	}
	if (interrupted && ret >= 0)
		ret = -NLE_DUMP_INTR;
	nl_cb_put(cb);
	nlmsg_free(msg);
	if (ret < 0 && !x->err->errnum)
		transport_error(x->err, ret);
	return x->err->errnum ? -1 : 0;
}

static struct nl_msg *new_message(const struct ctl *ctl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctl->family, 0,
				 flags, cmd, BLKREPL_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int ctl_do(struct ctl *ctl, const struct req *r, struct ctl_error *err)
{
	struct exchange x = { .err = err };
	struct nl_msg *msg = new_message(ctl, r->cmd, NLM_F_REQUEST | NLM_F_ACK);

	if (!msg || !req_encode(r, msg)) {
		nlmsg_free(msg);
		return no_memory(err);
	}
	return exchange(ctl, msg, &x);
}

int ctl_dump(struct ctl *ctl, int cmd, ctl_handler handler, void *arg,
	    struct ctl_error *err)
{
	struct exchange x = { .err = err, .handler = handler, .arg = arg };
	struct nl_msg *msg = new_message(ctl, cmd, NLM_F_REQUEST | NLM_F_DUMP);

	return msg ? exchange(ctl, msg, &x) : no_memory(err);
}

static void no_module(struct ctl_error *err)
{
	if (geteuid())
		set_error(err, ENOENT, false,
			  "the kernel module is not loaded; as root, run: modprobe blkrepl");
	else
		set_error(err, ENOENT, false,
			  "the kernel module is not loaded; run: modprobe blkrepl");
}

/* Replies carry more than a page when names and errors are long. */
#define RECV_BUFFER	(256 * 1024)

static int setup(struct ctl *ctl, struct ctl_error *err)
{
	int one = 1, ret;

	ctl->sock = nl_socket_alloc();
	if (!ctl->sock)
		return no_memory(err);
	ret = genl_connect(ctl->sock);
	if (ret < 0) {
		transport_error(err, ret);
		return -1;
	}
	/* Best effort: without them only the words of errors are missing. */
	(void)setsockopt(nl_socket_get_fd(ctl->sock), SOL_NETLINK, NETLINK_EXT_ACK,
			 &one, sizeof(one));
	(void)setsockopt(nl_socket_get_fd(ctl->sock), SOL_NETLINK, NETLINK_CAP_ACK,
			 &one, sizeof(one));
	nl_socket_set_buffer_size(ctl->sock, RECV_BUFFER, 0);
	nl_socket_enable_msg_peek(ctl->sock);
	ret = genl_ctrl_resolve(ctl->sock, BLKREPL_GENL_NAME);
	if (ret < 0) {
		if (ret == -NLE_OBJ_NOTFOUND)
			no_module(err);
		else
			transport_error(err, ret);
		return -1;
	}
	ctl->family = ret;
	return 0;
}

struct ctl *ctl_open(struct ctl_error *err)
{
	struct ctl *ctl = xzalloc(sizeof(*ctl));

	memset(err, 0, sizeof(*err));
	if (setup(ctl, err)) {
		ctl_close(ctl);
		return NULL;
	}
	return ctl;
}

void ctl_close(struct ctl *ctl)
{
	if (!ctl)
		return;
	nl_socket_free(ctl->sock);
	free(ctl);
}

int ctl_subscribe(struct ctl *ctl, struct ctl_error *err)
{
	int group, ret;

	group = genl_ctrl_resolve_grp(ctl->sock, BLKREPL_GENL_NAME, BLKREPL_MCGRP_EVENTS);
	ret = group < 0 ? group : nl_socket_add_membership(ctl->sock, group);
	if (ret >= 0)
		ret = nl_socket_set_nonblocking(ctl->sock);
	if (ret >= 0)
		return 0;
	transport_error(err, ret);
	return -1;
}

int ctl_fd(const struct ctl *ctl)
{
	return nl_socket_get_fd(ctl->sock);
}

int ctl_events(struct ctl *ctl, ctl_handler handler, void *arg, struct ctl_error *err)
{
	struct exchange x = { .err = err, .handler = handler, .arg = arg };
	struct nl_cb *cb = make_callbacks(&x);
	int ret;

	memset(err, 0, sizeof(*err));
	if (!cb)
		return no_memory(err);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, no_seq_check, NULL);
	do {
		ret = nl_recvmsgs(ctl->sock, cb);
	} while (ret >= 0);
	nl_cb_put(cb);
	if (ret == -NLE_AGAIN)
		return 0;
	transport_error(err, ret);
	return -1;
}
