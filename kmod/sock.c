// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets, and the handshake with which every stream begins.
 *
 * Until the handshake is over the other side has a few seconds, 160 bytes of
 * our attention, and no access to reserves of memory.
 */
#include <crypto/algapi.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/pkt_sched.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "stream.h"

#define SHAKE_TIMEOUT	(5 * HZ)

/* So long a connection that ends may take for its last bytes. */
#define LAST_BYTES_TIME	(HZ / 10)

/* The secret and the like, copied so that they can't change half way. */
struct shake {
	struct repl_hello_params hp;
	u8 secret[BLKREPL_SECRET_MAX];
	unsigned int secret_len;
	struct repl_wire_hello ours;
	struct repl_wire_hello theirs;
};

/*
 * A submitter that holds locks of a file system sends on these sockets, while
 * user sockets fault in pages of files under the same class of locks: lockdep
 * has to know that they are different ones.
 */
static void sock_reclassify(struct socket *sock)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	static struct lock_class_key slock_key[2], lock_key[2];
	struct sock *sk = sock->sk;

	if (!sock_allow_reclassification(sk))
		return;
	if (sk->sk_family == AF_INET6)
		sock_lock_init_class_and_name(sk, "slock-AF_INET6-BLKREPL",
					      &slock_key[1],
					      "sk_lock-AF_INET6-BLKREPL",
					      &lock_key[1]);
	else
		sock_lock_init_class_and_name(sk, "slock-AF_INET-BLKREPL",
					      &slock_key[0],
					      "sk_lock-AF_INET-BLKREPL",
					      &lock_key[0]);
#endif
}

/*
 * The kernel wants to know whether any socket may use its memory reserves.  It is
 * told once, for as long as the module is there, and not by each socket with
 * sk_set_memalloc() and sk_clear_memalloc():
 *
 * - Either patches code that every CPU runs whenever the first of these sockets
 *   comes and the last one goes, under locks that memory reclaim may hold.
 * - Clearing corrects sk_forward_alloc, as does the FIN that may arrive just then.
 *   Under the socket's lock, what waits behind that finds the flag cleared, which
 *   is a BUG().
 */
void blkrepl_sock_init(void)
{
	static_branch_inc(&memalloc_socks_key);
}

void blkrepl_sock_exit(void)
{
	static_branch_dec(&memalloc_socks_key);
}

static void set_timeouts(struct sock *sk, long t)
{
	lock_sock(sk);
	WRITE_ONCE(sk->sk_rcvtimeo, t);
	WRITE_ONCE(sk->sk_sndtimeo, t);
	release_sock(sk);
}

void blkrepl_sock_setup(struct socket *sock)
{
	struct sock *sk = sock->sk;

	/* With lockdep this takes a reference on the module each time. */
	sock_reclassify(sock);
	sk->sk_allocation = GFP_NOIO;
	sk->sk_use_task_frag = false;
	set_timeouts(sk, SHAKE_TIMEOUT);
	sock_set_reuseaddr(sk);
	sock_set_keepalive(sk);
	sock_set_priority(sk, TC_PRIO_INTERACTIVE);
	tcp_sock_set_nodelay(sk);
}

void blkrepl_sock_bufs(struct blkrepl_peer *p, struct socket *sock)
{
	u32 sndbuf = READ_ONCE(p->cfg.sndbuf);
	u32 rcvbuf = READ_ONCE(p->cfg.rcvbuf);
	struct sock *sk = sock->sk;

	if (rcvbuf)
		sock_set_rcvbuf(sk, rcvbuf);
	if (sndbuf) {
		lock_sock(sk);
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
		WRITE_ONCE(sk->sk_sndbuf,
			   max_t(int, min_t(u32, sndbuf, INT_MAX / 2) * 2,
				 SOCK_MIN_SNDBUF));
		release_sock(sk);
	}
}

/*
 * Swap may depend on what arrives.  sk_set_memalloc() is not for sockets that come
 * and go in use: see blkrepl_sock_init().  The lock, as a softirq changes flags too.
 */
void blkrepl_sock_trust(struct socket *sock)
{
	struct sock *sk = sock->sk;

	set_timeouts(sk, MAX_SCHEDULE_TIMEOUT);
	lock_sock(sk);
	sock_set_flag(sk, SOCK_MEMALLOC);
	sk->sk_allocation |= __GFP_MEMALLOC;
	release_sock(sk);
}

void blkrepl_sock_abort(struct socket *sock)
{
	sock_no_linger(sock->sk);
	sock_release(sock);
}

/* Shut down: has the other side all that we sent, and knows of the end? */
static bool sock_all_sent(const struct sock *sk)
{
	return !((1 << READ_ONCE(sk->sk_state)) &
		 (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK));
}

/*
 * What was sent last may say why the connection ends, so it gets a moment to
 * arrive.  (In kernel threads that are told to stop sk_stream_wait_close()
 * would not sleep.)
 */
void blkrepl_sock_release(struct socket *sock)
{
	struct sock *sk;

	if (!sock)
		return;
	sk = sock->sk;
	kernel_sock_shutdown(sock, SHUT_RDWR);
	wait_event_interruptible_timeout(*sk_sleep(sk), sock_all_sent(sk),
					 LAST_BYTES_TIME);
	blkrepl_sock_abort(sock);
}

int blkrepl_addr_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					  sizeof(struct sockaddr_in);
}

bool blkrepl_same_host(const struct sockaddr_storage *a,
		       const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->ss_family == AF_INET6 &&
	       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr);
}

static int send_all(struct socket *sock, void *buf, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	struct kvec kv;
	int ret;

	while (len) {
		kv.iov_base = buf;
		kv.iov_len = len;
		ret = kernel_sendmsg(sock, &msg, &kv, 1, len);
		if (ret <= 0)
			return ret ? ret : -EPIPE;
		buf += ret;
		len -= ret;
	}
	return 0;
}

static int shake_io_error(char *why, int err)
{
	if (err == -EAGAIN || err == -EWOULDBLOCK)
		strscpy(why, "the peer didn't answer the handshake in time",
			BLKREPL_ERROR_LEN);
	else if (err == -EPIPE || err == -ECONNRESET)
		strscpy(why, "the peer refused the handshake (its log says why)",
			BLKREPL_ERROR_LEN);
	else
		snprintf(why, BLKREPL_ERROR_LEN,
			 "the handshake failed: error %d", -err);
	return err ? err : -EPROTO;
}

static int shake_refuse(char *why, enum repl_wire_error e)
{
	strscpy(why, repl_wire_text(e), BLKREPL_ERROR_LEN);
	return e == WIRE_AUTH_FAILED || e == WIRE_AUTH_MISSING ? -EACCES :
								 -EPROTO;
}

static void shake_init(struct shake *k, struct blkrepl_peer *p,
		       enum repl_stream nr, u64 session)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;

	blkrepl_lock(r, flags);
	k->hp.data_crc = p->cfg.data_crc;
	k->secret_len = p->cfg.secret_len;
	memcpy(k->secret, p->cfg.secret, sizeof(k->secret));
	blkrepl_unlock_quiet(r, flags);

	k->hp.resource = r->name;
	k->hp.self = r->res.node;
	k->hp.peer = p->peer.node;
	k->hp.stream = nr;
	k->hp.session = session;
	k->hp.witness = r->res.witness;
	k->hp.peer_witness = p->peer.witness;
	k->hp.auth = k->secret_len > 0;
	get_random_bytes(k->hp.nonce, sizeof(k->hp.nonce));
	repl_hello_make(&k->ours, &k->hp);
}

static int shake_hmac(const struct shake *k, bool we_initiated,
		      enum repl_auth_text use, u8 out[REPL_HMAC_LEN])
{
	u8 text[REPL_AUTH_TEXT_LEN];

	repl_auth_text(text, use, we_initiated ? &k->ours : &k->theirs,
		       we_initiated ? &k->theirs : &k->ours);
	return blkrepl_hmac(k->secret, k->secret_len, text, sizeof(text), out);
}

static int shake_prove(const struct shake *k, struct socket *sock,
		       bool we_initiated, char *why)
{
	struct repl_wire_auth auth;
	int err;

	if (!k->secret_len)
		return 0;
	err = shake_hmac(k, we_initiated,
			 we_initiated ? REPL_BY_INITIATOR : REPL_BY_ACCEPTOR,
			 auth.hmac);
	if (!err)
		err = send_all(sock, &auth, sizeof(auth));
	return err ? shake_io_error(why, err) : 0;
}

static int shake_verify(const struct shake *k, struct socket *sock,
			bool we_initiated, char *why)
{
	struct repl_wire_auth theirs;
	u8 want[REPL_HMAC_LEN];
	int err;

	if (!k->secret_len)
		return 0;
	err = blkrepl_recv_all(sock, &theirs, sizeof(theirs));
	if (!err)
		err = shake_hmac(k, we_initiated,
				 we_initiated ? REPL_BY_ACCEPTOR :
						REPL_BY_INITIATOR, want);
	if (err)
		return shake_io_error(why, err);
	if (crypto_memneq(theirs.hmac, want, sizeof(want)))
		return shake_refuse(why, WIRE_AUTH_FAILED);
	return 0;
}

/*
 * The control stream's counts.  Without a secret, the nonces alone make it one
 * that no writer of data knows.
 */
static int shake_key(const struct shake *k, bool we_initiated,
		     struct repl_hello_result *res, char *why)
{
	int err;

	if (k->hp.stream != REPL_STREAM_CTRL)
		return 0;
	err = shake_hmac(k, we_initiated, REPL_DIGEST_KEY, res->digest_key);
	return err ? shake_io_error(why, err) : 0;
}

int blkrepl_shake_initiator(struct blkrepl_peer *p, struct socket *sock,
			    enum repl_stream nr, u64 session,
			    struct repl_hello_result *res, char *why)
{
	enum repl_wire_error bad;
	struct shake k;
	int err;

	shake_init(&k, p, nr, session);
	err = send_all(sock, &k.ours, sizeof(k.ours));
	if (!err)
		err = blkrepl_recv_all(sock, &k.theirs, sizeof(k.theirs));
	if (err) {
		err = shake_io_error(why, err);
		goto out;
	}
	bad = repl_hello_check(&k.theirs, &k.hp, true, res);
	if (bad) {
		err = shake_refuse(why, bad);
		goto out;
	}
	err = shake_prove(&k, sock, true, why);
	if (!err)
		err = shake_verify(&k, sock, true, why);
	if (!err)
		err = shake_key(&k, true, res, why);
out:
	memzero_explicit(&k, sizeof(k));
	return err;
}

/*
 * Our hello goes out even if theirs is refused: it shows the other side, too,
 * what doesn't fit.
 */
int blkrepl_shake_acceptor(struct blkrepl_peer *p, struct socket *sock,
			   const struct repl_wire_hello *hello,
			   struct repl_hello_result *res, char *why)
{
	enum repl_wire_error bad;
	struct shake k;
	int err;

	if (hello->stream >= REPL_STREAMS)
		return shake_refuse(why, WIRE_BAD_STREAM);
	shake_init(&k, p, hello->stream, le64_to_cpu(hello->session));
	k.theirs = *hello;
	bad = repl_hello_check(&k.theirs, &k.hp, false, res);
	if (!bad && p->initiator) {
		strscpy(why, "the peer connects to us, though its node id is the higher one",
			BLKREPL_ERROR_LEN);
		err = -EPROTO;
		goto out;
	}
	err = send_all(sock, &k.ours, sizeof(k.ours));
	if (bad) {
		err = shake_refuse(why, bad);
		goto out;
	}
	if (err) {
		err = shake_io_error(why, err);
		goto out;
	}
	err = shake_verify(&k, sock, false, why);
	if (!err)
		err = shake_prove(&k, sock, false, why);
	if (!err)
		err = shake_key(&k, false, res, why);
out:
	memzero_explicit(&k, sizeof(k));
	return err;
}
