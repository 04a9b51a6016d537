// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accepting connections.
 *
 * One listener for every local address, shared by the peers of a namespace
 * that use it, of whatever resource; the hello tells which one is meant.  A
 * connection from an address that no such peer has is closed without a word
 * to it; of the others, a bounded number may be in their handshake.
 *
 * We listen for peers, too, to which we connect.  They come if they take
 * themselves or us for another node than we do: our hello tells them, and
 * theirs us, what doesn't fit.
 */
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/sock.h>

#include "stream.h"

#define SHAKES_MAX	32

/* A listening socket and its thread. */
struct blkrepl_listener {
	struct list_head link;		/* blkrepl_net.listen_lock */
	struct sockaddr_storage addr;	/* I */
	struct socket *sock;		/* I */
	struct task_struct *task;	/* I */
	bool closing;			/* W */
	struct mutex lock;
	struct list_head peers;		/* E */
	struct list_head shakes;	/* E */
	unsigned int nr_shakes;		/* E */
	wait_queue_head_t idle;		/* W: nr_shakes is 0 */
};

/* A connection that has not said yet, or not proved, who it is. */
struct handshake {
	struct work_struct work;
	struct list_head link;		/* E */
	struct blkrepl_listener *l;
	struct socket *sock;		/* E to change */
	struct sockaddr_storage from;
};

/* From now on the caller's alone: listener_free() doesn't shut it down. */
static struct socket *shake_take(struct handshake *k)
{
	struct socket *sock;

	mutex_lock(&k->l->lock);
	sock = k->sock;
	k->sock = NULL;
	mutex_unlock(&k->l->lock);
	return sock;
}

static void shake_end(struct handshake *k)
{
	struct blkrepl_listener *l = k->l;

	mutex_lock(&l->lock);
	list_del(&k->link);
	l->nr_shakes--;
	/* Under the lock: the listener is freed once this is seen. */
	wake_up(&l->idle);
	mutex_unlock(&l->lock);
	kfree(k);
}

/*
 * The peer that we wait for; else one at that address to which we are not
 * connected: then node ids don't fit, and it is to hear of it.
 */
static struct blkrepl_peer *find_peer(struct handshake *k,
				      const char *resource, int from)
{
	struct blkrepl_peer *p, *found = NULL;
	struct blkrepl_listener *l = k->l;

	mutex_lock(&l->lock);
	list_for_each_entry(p, &l->peers, listen_link) {
		if (READ_ONCE(p->standalone) || strcmp(p->r->name, resource) ||
		    !blkrepl_same_host(&k->from, &p->cfg.remote))
			continue;
		if (p->peer.node == from && !p->initiator) {
			found = p;
			break;
		}
		if (!READ_ONCE(p->up))
			found = p;
	}
	if (found)
		kref_get(&found->ref);
	mutex_unlock(&l->lock);
	return found;
}

static void shake_work(struct work_struct *work)
{
	struct handshake *k = container_of(work, struct handshake, work);
	char resource[REPL_NAME_LEN], why[BLKREPL_ERROR_LEN];
	unsigned int noio = memalloc_noio_save();
	struct repl_hello_result res;
	struct repl_wire_hello hello;
	struct blkrepl_peer *p = NULL;
	enum repl_wire_error bad;
	int from, to, err;

	blkrepl_sock_setup(k->sock);
	err = blkrepl_recv_all(k->sock, &hello, sizeof(hello));
	if (err) {
		pr_info_ratelimited("blkrepl: %pISc connected and sent no hello\n",
				    &k->from);
		goto out;
	}
	bad = repl_hello_peek(&hello, resource, &from, &to);
	if (bad) {
		pr_info_ratelimited("blkrepl: refused a connection from %pISc: %s\n",
				    &k->from, repl_wire_text(bad));
		goto out;
	}
	p = find_peer(k, resource, from);
	if (!p) {
		pr_info_ratelimited("blkrepl: refused a connection from %pISc: it says it is node %d of resource %s, which is not a peer that we wait for at that address\n",
				    &k->from, from, resource);
		goto out;
	}
	/* Told to stay away: not worth a word. */
	if (!blkrepl_conn_wanted(p))
		goto out;
	WRITE_ONCE(p->heard, jiffies);
	blkrepl_sock_bufs(p, k->sock);
	err = blkrepl_shake_acceptor(p, k->sock, &hello, &res, why);
	if (err) {
		blkrepl_peer_error(p, why);
		goto out;
	}
	blkrepl_conn_offer(p, hello.stream, shake_take(k),
			   le64_to_cpu(hello.session), &res);
out:
	blkrepl_sock_release(shake_take(k));
	if (p)
		blkrepl_peer_put(p);
	shake_end(k);
	memalloc_noio_restore(noio);
}

static bool known_host(struct blkrepl_listener *l,
		       const struct sockaddr_storage *from)
{
	struct blkrepl_peer *p;

	list_for_each_entry(p, &l->peers, listen_link)
		if (blkrepl_same_host(from, &p->cfg.remote))
			return true;
	return false;
}

/* Return: false if @sock is not wanted. */
static bool accepted(struct blkrepl_listener *l, struct socket *sock)
{
	struct sockaddr_storage from = { };
	struct handshake *k;
	const char *why;

	if (kernel_getpeername(sock, (struct sockaddr *)&from) < 0)
		return false;

	k = kzalloc(sizeof(*k), GFP_KERNEL);
	mutex_lock(&l->lock);
	if (!known_host(l, &from))
		why = "no peer has that address";
	else if (l->nr_shakes >= SHAKES_MAX)
		why = "too many connections at once";
	else if (!k)
		why = "out of memory";
	else
		why = NULL;
	if (why) {
		mutex_unlock(&l->lock);
		kfree(k);
		pr_info_ratelimited("blkrepl: refused a connection from %pISc: %s\n",
				    &from, why);
		return false;
	}
	k->l = l;
	k->sock = sock;
	k->from = from;
	INIT_WORK(&k->work, shake_work);
	list_add(&k->link, &l->shakes);
	l->nr_shakes++;
	mutex_unlock(&l->lock);
	queue_work(blkrepl_wq, &k->work);
	return true;
}

static int listen_thread(void *data)
{
	struct blkrepl_listener *l = data;
	struct socket *sock;

	/* Suspended I/O may wait for the very connection. */
	memalloc_noio_save();
	while (!kthread_should_stop()) {
		if (READ_ONCE(l->closing)) {
			/* Shut down: only the call of kthread_stop() is left. */
			schedule_timeout_idle(1);
		} else if (kernel_accept(l->sock, &sock, 0)) {
			schedule_timeout_idle(HZ / 10);
		} else if (!accepted(l, sock)) {
			blkrepl_sock_abort(sock);
		}
	}
	return 0;
}

static int open_socket(struct net *net, struct blkrepl_listener *l)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(net, l->addr.ss_family, SOCK_STREAM,
			       IPPROTO_TCP, &sock);
	if (err)
		return err;
	sock->sk->sk_allocation = GFP_NOIO;
	sock_set_reuseaddr(sock->sk);
	/* Listen before the interface has its address: it may come later. */
	ip_sock_set_freebind(sock->sk);
	err = kernel_bind(sock, COMPAT_SOCKADDR(&l->addr),
			  blkrepl_addr_len(&l->addr));
	if (!err)
		err = kernel_listen(sock, SHAKES_MAX);
	if (err) {
		sock_release(sock);
		return err;
	}
	l->sock = sock;
	return 0;
}

static struct blkrepl_listener *
listener_new(struct blkrepl_net *bn, const struct sockaddr_storage *addr,
	     const char **why)
{
	struct blkrepl_listener *l = kzalloc(sizeof(*l), GFP_KERNEL);
	int err;

	*why = "out of memory";
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->addr = *addr;
	mutex_init(&l->lock);
	INIT_LIST_HEAD(&l->peers);
	INIT_LIST_HEAD(&l->shakes);
	init_waitqueue_head(&l->idle);
	err = open_socket(bn->net, l);
	if (err) {
		*why = err == -EADDRINUSE ?
		       "the local address and port are in use" :
		       "cannot listen on the local address";
		goto err_free;
	}
	l->task = kthread_run(listen_thread, l, "blkrepl_listen");
	if (IS_ERR(l->task)) {
		err = PTR_ERR(l->task);
		*why = "cannot make a thread";
		goto err_sock;
	}
	return l;

err_sock:
	sock_release(l->sock);
err_free:
	kfree(l);
	return ERR_PTR(err);
}

static void listener_free(struct blkrepl_listener *l)
{
	struct handshake *k;

	WRITE_ONCE(l->closing, true);
	kernel_sock_shutdown(l->sock, SHUT_RDWR);
	kthread_stop(l->task);

	mutex_lock(&l->lock);
	list_for_each_entry(k, &l->shakes, link)
		if (k->sock)
			kernel_sock_shutdown(k->sock, SHUT_RDWR);
	mutex_unlock(&l->lock);
	wait_event(l->idle, !READ_ONCE(l->nr_shakes));
	/* The last one may still hold the lock. */
	mutex_lock(&l->lock);
	mutex_unlock(&l->lock);

	sock_release(l->sock);
	kfree(l);
}

int blkrepl_listen_add(struct blkrepl_peer *p, const char **why)
{
	struct blkrepl_net *bn = p->r->bn;
	struct blkrepl_listener *l;
	int err = 0;

	mutex_lock(&bn->listen_lock);
	list_for_each_entry(l, &bn->listeners, link)
		if (!memcmp(&l->addr, &p->cfg.local,
			    blkrepl_addr_len(&l->addr)))
			goto found;
	l = listener_new(bn, &p->cfg.local, why);
	if (IS_ERR(l)) {
		err = PTR_ERR(l);
		goto out;
	}
	list_add(&l->link, &bn->listeners);
found:
	mutex_lock(&l->lock);
	list_add(&p->listen_link, &l->peers);
	mutex_unlock(&l->lock);
	p->listener = l;
out:
	mutex_unlock(&bn->listen_lock);
	return err;
}

void blkrepl_listen_del(struct blkrepl_peer *p)
{
	struct blkrepl_net *bn = p->r->bn;
	struct blkrepl_listener *l = p->listener;
	bool last;

	if (!l)
		return;
	mutex_lock(&bn->listen_lock);
	mutex_lock(&l->lock);
	list_del_init(&p->listen_link);
	last = list_empty(&l->peers);
	mutex_unlock(&l->lock);
	if (last) {
		list_del(&l->link);
		listener_free(l);
	}
	mutex_unlock(&bn->listen_lock);
	p->listener = NULL;
}
