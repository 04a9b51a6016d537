// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection to a peer, from the first attempt to the last packet.
 *
 * Three threads a peer, as long as the administrator wants the connection; so
 * that a reconnect under memory pressure needs no new ones.  The one that
 * receives on the data stream owns the connection:
 *
 *	connect or wait for it -> repl_conn_up() -> receive -> shut both
 *	streams -> take back the sockets' callbacks -> repl_conn_down()
 *	-> close -> again
 *
 * The node with the lower id connects, both streams, tied together by a random
 * session number; the other one listens (listen.c).  Nodes that disagree about
 * their ids may both connect, or both wait: so both listen, and whoever waits
 * in vain says so.  Whoever finds that the connection has to end calls
 * blkrepl_conn_fail() and leaves the rest to the owner.
 */
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "stream.h"

/* A peer that connects to us tries again more often than that. */
#define UNHEARD_TIME	(10 * HZ)

static void note_peer(struct blkrepl_peer *p)
{
	struct repl_res *res = &p->r->res;

	res->ops->notify(res, NOTE_PEER, NULL, &p->peer, NULL);
}

static bool stopping(struct blkrepl_peer *p)
{
	return !READ_ONCE(p->wanted);
}

/* Not to connect, just now or for ever. */
static bool resting(struct blkrepl_peer *p)
{
	return stopping(p) || READ_ONCE(p->standalone);
}

static void set_conn(struct blkrepl_peer *p, enum repl_conn conn)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;

	blkrepl_lock(r, flags);
	/* Handshakes may come to their end after a disconnect. */
	if (!p->up && p->peer.conn != conn &&
	    (conn == CONN_STANDALONE || !resting(p))) {
		p->peer.conn = conn;
		note_peer(p);
	}
	blkrepl_unlock(r, flags);
}

void blkrepl_peer_error(struct blkrepl_peer *p, const char *why)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;
	bool news;

	blkrepl_lock(r, flags);
	news = strcmp(p->last_error, why);
	if (news) {
		strscpy(p->last_error, why, sizeof(p->last_error));
		note_peer(p);
	}
	blkrepl_unlock(r, flags);
	if (news)
		pr_info("blkrepl %s: not connected to %s (node %u): %s\n",
			r->name, p->cfg.name, p->peer.node, why);
}

void blkrepl_conn_fail(struct blkrepl_peer *p, const char *why)
{
	lockdep_assert_held(&p->r->lock);
	if (!p->up || p->failed)
		return;
	WRITE_ONCE(p->failed, true);
	strscpy(p->last_error, why, sizeof(p->last_error));
	blkrepl_tx_close(&p->stream[REPL_STREAM_DATA]);
	blkrepl_tx_close(&p->stream[REPL_STREAM_CTRL]);
	wake_up(&p->rx_wait);
	queue_work(blkrepl_io_wq, &p->shut_work);
}

void blkrepl_conn_shut(struct blkrepl_peer *p)
{
	struct socket *sock;
	unsigned int i;

	mutex_lock(&p->conn_lock);
	for (i = 0; i < REPL_STREAMS; i++) {
		sock = p->stream[i].sock;
		if (sock)
			kernel_sock_shutdown(sock, SHUT_RDWR);
	}
	mutex_unlock(&p->conn_lock);
}

static void shut_work(struct work_struct *work)
{
	blkrepl_conn_shut(container_of(work, struct blkrepl_peer, shut_work));
}

static void pending_release(struct blkrepl_pending *c)
{
	unsigned int i;

	for (i = 0; i < REPL_STREAMS; i++)
		blkrepl_sock_release(c->sock[i]);
	memset(c, 0, sizeof(*c));
}

/* Both streams of one session agreed on the same? */
static bool pending_add(struct blkrepl_pending *c, enum repl_stream nr,
			struct socket *sock, u64 session,
			const struct repl_hello_result *res)
{
	c->session = session;
	c->features = res->features;
	c->data_crc = res->data_crc;
	if (nr == REPL_STREAM_CTRL)
		memcpy(c->digest_key, res->digest_key, sizeof(c->digest_key));
	c->sock[nr] = sock;
	return c->sock[REPL_STREAM_DATA] && c->sock[REPL_STREAM_CTRL];
}

bool blkrepl_conn_wanted(struct blkrepl_peer *p)
{
	return !resting(p);
}

bool blkrepl_conn_idle(struct blkrepl_peer *p)
{
	lockdep_assert_held(&p->r->lock);
	return p->peer.conn == CONN_STANDALONE && resting(p);
}

/* ---- the side that listens ---- */

void blkrepl_conn_offer(struct blkrepl_peer *p, enum repl_stream nr,
			struct socket *sock, u64 session,
			const struct repl_hello_result *res)
{
	struct blkrepl_resource *r = p->r;
	struct blkrepl_pending old = { };
	bool complete = false;
	unsigned long flags;

	blkrepl_sock_trust(sock);
	mutex_lock(&p->conn_lock);
	if (resting(p)) {
		mutex_unlock(&p->conn_lock);
		blkrepl_sock_release(sock);
		return;
	}
	/* A stream that came twice, or of another session, is out of date. */
	if (p->pending.session != session || p->pending.sock[nr]) {
		old = p->pending;
		memset(&p->pending, 0, sizeof(p->pending));
	}
	complete = pending_add(&p->pending, nr, sock, session, res);
	mutex_unlock(&p->conn_lock);
	pending_release(&old);

	if (!complete) {
		set_conn(p, CONN_HANDSHAKE);
		return;
	}
	/*
	 * The peer would not come again if it still had the old connection: it
	 * lost it, and we have not noticed yet.
	 */
	blkrepl_lock(r, flags);
	blkrepl_conn_fail(p, "the peer has opened a new connection");
	blkrepl_unlock(r, flags);
	wake_up_all(&p->wait);
}

static bool take_pending(struct blkrepl_peer *p, struct blkrepl_pending *c)
{
	bool complete;

	mutex_lock(&p->conn_lock);
	complete = p->pending.sock[REPL_STREAM_DATA] &&
		   p->pending.sock[REPL_STREAM_CTRL];
	if (complete) {
		*c = p->pending;
		memset(&p->pending, 0, sizeof(p->pending));
	}
	mutex_unlock(&p->conn_lock);
	return complete;
}

static bool has_pending(struct blkrepl_peer *p)
{
	return READ_ONCE(p->pending.sock[REPL_STREAM_DATA]) &&
	       READ_ONCE(p->pending.sock[REPL_STREAM_CTRL]);
}

/* Has it been quiet for too long?  Then it is not that something is refused. */
static void check_heard(struct blkrepl_peer *p, unsigned long patience)
{
	char why[BLKREPL_ERROR_LEN];

	if (time_before(jiffies, READ_ONCE(p->heard) + patience))
		return;
	snprintf(why, sizeof(why),
		 "nothing heard from %pISc: node %u is to connect: is it up, our port open, and its node-id right?",
		 &p->cfg.remote, p->peer.node);
	blkrepl_peer_error(p, why);
}

static int conn_await(struct blkrepl_peer *p, struct blkrepl_pending *c)
{
	unsigned long patience = UNHEARD_TIME +
		2 * msecs_to_jiffies(READ_ONCE(p->cfg.connect_int_ms));

	WRITE_ONCE(p->heard, jiffies);
	while (!wait_event_idle_timeout(p->wait, resting(p) || has_pending(p),
					patience))
		check_heard(p, patience);
	if (resting(p))
		return -ESHUTDOWN;
	return take_pending(p, c) ? 0 : -EAGAIN;
}

/* ---- the side that connects ---- */

/* Publish the socket, so that a disconnect can wake us up. */
static bool set_dialing(struct blkrepl_peer *p, struct socket *sock)
{
	bool go;

	mutex_lock(&p->conn_lock);
	go = !stopping(p);
	p->dialing = sock;
	mutex_unlock(&p->conn_lock);
	return go;
}

static void connect_error(char *why, int err)
{
	switch (err) {
	case -ECONNREFUSED:
		strscpy(why, "the peer doesn't listen: is the resource up there?",
			BLKREPL_ERROR_LEN);
		break;
	case -ECONNRESET:
		strscpy(why, "the peer refused the connection (its log says why)",
			BLKREPL_ERROR_LEN);
		break;
	case -EINPROGRESS:
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
		strscpy(why, "the peer doesn't answer: is it up, and is the network?",
			BLKREPL_ERROR_LEN);
		break;
	default:
		snprintf(why, BLKREPL_ERROR_LEN, "cannot connect: error %d",
			 -err);
	}
}

static int dial_stream(struct blkrepl_peer *p, enum repl_stream nr,
		       struct blkrepl_pending *c)
{
	char why[BLKREPL_ERROR_LEN] = "out of memory";
	struct sockaddr_storage local = p->cfg.local;
	struct repl_hello_result res;
	struct socket *sock;
	int err;

	err = sock_create_kern(p->r->bn->net, local.ss_family, SOCK_STREAM,
			       IPPROTO_TCP, &sock);
	if (err)
		goto out;
	blkrepl_sock_setup(sock);
	blkrepl_sock_bufs(p, sock);
	err = -ESHUTDOWN;
	if (!set_dialing(p, sock))
		goto out_sock;

	/* From the address that the peer expects, but any port. */
	if (local.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&local)->sin6_port = 0;
	else
		((struct sockaddr_in *)&local)->sin_port = 0;
	err = kernel_bind(sock, COMPAT_SOCKADDR(&local),
			  blkrepl_addr_len(&local));
	if (err) {
		snprintf(why, sizeof(why),
			 "cannot use the local address: error %d", -err);
		goto out_sock;
	}
	err = kernel_connect(sock, COMPAT_SOCKADDR(&p->cfg.remote),
			     blkrepl_addr_len(&p->cfg.remote), 0);
	if (err) {
		connect_error(why, err);
		goto out_sock;
	}
	set_conn(p, CONN_HANDSHAKE);
	err = blkrepl_shake_initiator(p, sock, nr, c->session, &res, why);

out_sock:
	set_dialing(p, NULL);
	if (!err) {
		blkrepl_sock_trust(sock);
		pending_add(c, nr, sock, c->session, &res);
		return 0;
	}
	blkrepl_sock_release(sock);
out:
	if (!stopping(p))
		blkrepl_peer_error(p, why);
	return err;
}

static int conn_dial(struct blkrepl_peer *p, struct blkrepl_pending *c)
{
	int err;

	c->session = get_random_u64();
	err = dial_stream(p, REPL_STREAM_DATA, c);
	if (!err)
		err = dial_stream(p, REPL_STREAM_CTRL, c);
	if (err)
		pending_release(c);
	return err;
}

/* ---- both ---- */

static bool conn_begin(struct blkrepl_peer *p, struct blkrepl_pending *c)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;
	unsigned int i;

	mutex_lock(&p->conn_lock);
	for (i = 0; i < REPL_STREAMS; i++)
		blkrepl_tx_open(&p->stream[i], c->sock[i]);
	mutex_unlock(&p->conn_lock);

	blkrepl_lock(r, flags);
	if (!p->wanted) {
		blkrepl_unlock_quiet(r, flags);
		return false;
	}
	p->up = true;
	WRITE_ONCE(p->failed, false);
	/* I/O of an earlier connection that is still under way is dropped. */
	memcpy(p->digest_key, c->digest_key, sizeof(p->digest_key));
	p->data_crc = c->data_crc;
	if (p->data_crc)
		r->crc_peers++;
	p->last_error[0] = 0;
	p->peer.features = c->features;
	repl_conn_up(&p->peer);
	note_peer(p);
	blkrepl_unlock(r, flags);
	for (i = 0; i < REPL_STREAMS; i++)
		blkrepl_rxquick_start(&p->stream[i]);
	return true;
}

static void conn_end(struct blkrepl_peer *p)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;
	unsigned int i;

	blkrepl_conn_shut(p);
	for (i = 0; i < REPL_STREAMS; i++)
		blkrepl_rxquick_stop(&p->stream[i]);

	blkrepl_lock(r, flags);
	p->up = false;
	if (p->data_crc)
		r->crc_peers--;
	p->data_crc = false;
	/* We refuse the peer's data, but the peer was the first to end it. */
	if (p->wanted && p->peer.end_at_ms) {
		p->standalone = true;
		strscpy(p->last_error, p->peer.end_why, sizeof(p->last_error));
	}
	repl_conn_down(&p->peer);
	p->peer.conn = p->wanted && !p->standalone ? CONN_CONNECTING :
						     CONN_STANDALONE;
	note_peer(p);
	blkrepl_unlock(r, flags);
	/* Nothing queues it any more; late, it would shut the next connection. */
	cancel_work_sync(&p->shut_work);
}

static void conn_run(struct blkrepl_peer *p, struct blkrepl_pending *c)
{
	struct blkrepl_resource *r = p->r;
	struct socket *sock[REPL_STREAMS];
	unsigned long flags;
	unsigned int i;

	if (conn_begin(p, c)) {
		blkrepl_rx_loop(&p->stream[REPL_STREAM_DATA]);
		/* All that ends the loop has said why; to be sure: */
		blkrepl_lock(r, flags);
		blkrepl_conn_fail(p, "the connection has ended");
		blkrepl_unlock(r, flags);
		conn_end(p);
	}
	blkrepl_conn_shut(p);
	mutex_lock(&p->conn_lock);
	for (i = 0; i < REPL_STREAMS; i++)
		sock[i] = blkrepl_tx_purge(&p->stream[i]);
	mutex_unlock(&p->conn_lock);
	for (i = 0; i < REPL_STREAMS; i++)
		blkrepl_sock_release(sock[i]);
}

/* Not all nodes of a cluster at the same moment: up to a quarter later. */
static void conn_pause(struct blkrepl_peer *p)
{
	u32 ms = READ_ONCE(p->cfg.connect_int_ms);

	ms += get_random_u32_below(ms / 4 + 1);
	wait_event_idle_timeout(p->wait, resting(p), msecs_to_jiffies(ms));
}

int blkrepl_conn_thread(void *data)
{
	struct blkrepl_stream *s = data;
	struct blkrepl_peer *p = s->peer;
	struct blkrepl_pending c;
	int err;

	memalloc_noio_save();
	while (!kthread_should_stop()) {
		if (READ_ONCE(p->standalone)) {
			set_conn(p, CONN_STANDALONE);
			wait_event_idle(p->wait, !resting(p) || stopping(p));
		}
		if (stopping(p)) {
			/* Only for kthread_stop(), which follows at once. */
			schedule_timeout_idle(1);
			continue;
		}
		set_conn(p, CONN_CONNECTING);
		memset(&c, 0, sizeof(c));
		err = p->initiator ? conn_dial(p, &c) : conn_await(p, &c);
		if (!err)
			conn_run(p, &c);
		if (p->initiator)
			conn_pause(p);
	}
	return 0;
}

static void stop_threads(struct blkrepl_peer *p)
{
	struct blkrepl_stream *data = &p->stream[REPL_STREAM_DATA];
	unsigned int i;

	/* The owner first: it waits for what the others do. */
	if (data->rx_task)
		kthread_stop(data->rx_task);
	data->rx_task = NULL;
	for (i = 0; i < REPL_STREAMS; i++) {
		if (p->stream[i].tx_task)
			kthread_stop(p->stream[i].tx_task);
		p->stream[i].tx_task = NULL;
	}
}

static struct task_struct *make_thread(int (*fn)(void *),
				       struct blkrepl_stream *s,
				       const char *what)
{
	struct task_struct *t;

	t = kthread_create(fn, s, "br_%s%u_%s", what, s->peer->peer.node,
			   s->peer->r->name);
	return IS_ERR(t) ? NULL : t;
}

static int start_threads(struct blkrepl_peer *p)
{
	struct blkrepl_stream *data = &p->stream[REPL_STREAM_DATA];
	struct blkrepl_stream *ctrl = &p->stream[REPL_STREAM_CTRL];

	data->tx_task = make_thread(blkrepl_tx_thread, data, "td");
	ctrl->tx_task = make_thread(blkrepl_tx_thread, ctrl, "tc");
	data->rx_task = make_thread(blkrepl_conn_thread, data, "rd");
	if (!data->tx_task || !ctrl->tx_task || !data->rx_task) {
		/* Those that never ran don't run now either. */
		stop_threads(p);
		return -ENOMEM;
	}
	wake_up_process(data->tx_task);
	wake_up_process(ctrl->tx_task);
	wake_up_process(data->rx_task);
	return 0;
}

int blkrepl_peer_connect(struct blkrepl_peer *p, const char **why)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;
	int err;

	lockdep_assert_held(&r->admin);
	if (p->started) {
		WRITE_ONCE(p->standalone, false);
		wake_up_all(&p->wait);
		return 0;
	}

	blkrepl_lock(r, flags);
	WRITE_ONCE(p->wanted, true);
	WRITE_ONCE(p->standalone, false);
	WRITE_ONCE(p->failed, true);
	blkrepl_unlock_quiet(r, flags);

	/* Where we connect it only helps to find errors: it may fail. */
	err = blkrepl_listen_add(p, why);
	if (err && !p->initiator)
		goto err_listen;
	err = start_threads(p);
	if (err) {
		*why = "cannot make threads";
		goto err_threads;
	}
	p->started = true;
	return 0;

err_threads:
	blkrepl_listen_del(p);
err_listen:
	WRITE_ONCE(p->wanted, false);
	mutex_lock(&p->conn_lock);
	pending_release(&p->pending);
	mutex_unlock(&p->conn_lock);
	return err;
}

void blkrepl_peer_disconnect(struct blkrepl_peer *p, const char *why)
{
	struct blkrepl_resource *r = p->r;
	unsigned long flags;

	lockdep_assert_held(&r->admin);
	if (!p->started)
		return;

	blkrepl_lock(r, flags);
	WRITE_ONCE(p->wanted, false);
	blkrepl_conn_fail(p, why ? why : "disconnected by the administrator");
	blkrepl_unlock(r, flags);

	/* No more offers, then nothing to be woken from. */
	blkrepl_listen_del(p);
	mutex_lock(&p->conn_lock);
	if (p->dialing)
		kernel_sock_shutdown(p->dialing, SHUT_RDWR);
	pending_release(&p->pending);
	mutex_unlock(&p->conn_lock);
	wake_up_all(&p->wait);
	wake_up_all(&p->rx_wait);
	stop_threads(p);
	flush_work(&p->shut_work);
	p->started = false;

	blkrepl_lock(r, flags);
	if (p->peer.conn != CONN_STANDALONE) {
		p->peer.conn = CONN_STANDALONE;
		note_peer(p);
	}
	blkrepl_unlock(r, flags);
}

void blkrepl_conn_net_init(struct blkrepl_net *bn)
{
	mutex_init(&bn->listen_lock);
	INIT_LIST_HEAD(&bn->listeners);
}

void blkrepl_peer_use(struct blkrepl_peer *p)
{
	atomic_inc(&p->users);
}

void blkrepl_peer_unuse(struct blkrepl_peer *p)
{
	/* Once users is 0 only RCU keeps the wait queue from being freed. */
	rcu_read_lock();
	if (atomic_dec_and_test(&p->users))
		wake_up_all(&p->wait);
	rcu_read_unlock();
}

static void free_bufs(struct blkrepl_peer *p)
{
	unsigned int i;

	for (i = 0; i < REPL_STREAMS; i++) {
		kfree(p->stream[i].tx_vec);
		kfree(p->stream[i].rx_buf);
		kfree(p->stream[i].rx_batch);
	}
}

int blkrepl_peer_init(struct blkrepl_peer *p)
{
	struct blkrepl_stream *s;
	unsigned int i;

	kref_init(&p->ref);
	p->initiator = p->r->res.node < p->peer.node;
	mutex_init(&p->conn_lock);
	INIT_LIST_HEAD(&p->listen_link);
	init_waitqueue_head(&p->wait);
	init_waitqueue_head(&p->rx_wait);
	INIT_WORK(&p->shut_work, shut_work);
	for (i = 0; i < REPL_STREAMS; i++) {
		s = &p->stream[i];
		s->peer = p;
		s->nr = i;
		spin_lock_init(&s->q_lock);
		INIT_LIST_HEAD(&s->queue);
		INIT_LIST_HEAD(&s->out);
		INIT_LIST_HEAD(&s->kick);
		INIT_LIST_HEAD(&s->ended);
		mutex_init(&s->tx_lock);
		init_waitqueue_head(&s->tx_wait);
		blkrepl_gather_init(s);
		s->tx_vec = kmalloc_array(BLKREPL_TX_VECS, sizeof(*s->tx_vec),
					  GFP_KERNEL);
		s->rx_buf = kmalloc(REPL_MAX_INLINE, GFP_KERNEL);
		if (!s->tx_vec || !s->rx_buf)
			goto err;
	}
	s = &p->stream[REPL_STREAM_DATA];
	s->rx_batch = kcalloc(BLKREPL_RX_BATCH, sizeof(*s->rx_batch),
			      GFP_KERNEL);
	if (!s->rx_batch)
		goto err;
	blkrepl_resource_get(p->r);
	return 0;

err:
	free_bufs(p);
	return -ENOMEM;
}

static void peer_free(struct kref *ref)
{
	struct blkrepl_peer *p = container_of(ref, struct blkrepl_peer, ref);
	struct blkrepl_resource *r = p->r;

	wait_event(p->wait, !atomic_read(&p->users));
	free_bufs(p);
	memzero_explicit(p->cfg.secret, sizeof(p->cfg.secret));
	kfree_rcu(p, rcu);
	blkrepl_resource_put(r);
}

void blkrepl_peer_put(struct blkrepl_peer *p)
{
	kref_put(&p->ref, peer_free);
}
