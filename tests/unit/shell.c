// SPDX-License-Identifier: GPL-2.0
/* A fake shell: see shell.h. */
#include "shell.h"

u32 fake_alloc_fail;

static u64 rnd_state = 1;

void fake_seed(u64 seed)
{
	rnd_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

u64 fake_rand(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state * 0x2545f4914f6cdd1dULL;
}

static struct fake *of_res(const struct repl_res *res)
{
	return res->priv;
}

/* ---- operations ---- */

static struct fake_io *fio(struct repl_io *io)
{
	return container_of(io, struct fake_io, io);
}

struct fake_io *fake_io_new(struct fake *f)
{
	struct fake_io *x = calloc(1, sizeof(*x));

	x->f = f;
	INIT_LIST_HEAD(&x->disk);
	list_add_tail(&x->all, &f->ios);
	f->live++;
	return x;
}

static void io_drop(struct fake_io *x)
{
	assert(list_empty(&x->disk));
	if (x->io.hash.next)
		assert(list_empty(&x->io.hash) && list_empty(&x->io.link));
	list_del(&x->all);
	x->f->live--;
	free(x);
}

static void op_disk_io(struct repl_io *io)
{
	struct fake_io *x = fio(io);

	assert(list_empty(&x->disk));
	assert(io->vol == &x->f->vol && io->vol->store);
	if (io->op != OP_FLUSH)
		assert(io->sector + io->size / SECTOR_BYTES <=
		       io->vol->store->g.max_sectors);
	list_add_tail(&x->disk, &x->f->disk);
	x->disk_done = false;
	if (x->f->issued)
		x->f->issued(x);
}

static void op_meta_io(struct repl_vol *vol, struct repl_mio *mio)
{
	struct fake *f = vol->priv;

	assert(!f->mio);
	assert(mio->len && mio->len % SECTOR_BYTES == 0);
	f->mio = mio;
}

static void op_send(struct repl_peer *p, enum repl_stream stream,
		    struct repl_wire_hdr *h, const void *payload,
		    struct repl_io *io)
{
	struct fake *f = of_res(p->res);
	u32 len = le32_to_cpu(h->length);
	struct fake_pkt *pkt;

	assert(p->conn == CONN_CONNECTED);
	repl_wire_seal(h, 0);
	/* What the core sends must be what the core accepts. */
	assert(repl_wire_check(h, stream) == WIRE_OK);
	assert(!len || !!payload != !!io);
	assert(!io || repl_wire_has_data(h->type));
	f->npkts++;
	if (!f->keep_pkts)
		return;
	pkt = calloc(1, sizeof(*pkt));
	pkt->node = p->node;
	pkt->h = *h;
	if (payload)
		memcpy(pkt->payload, payload, len);
	list_add_tail(&pkt->link, &f->pkts);
}

static void op_complete(struct repl_io *io, int err)
{
	struct fake_io *x = fio(io);

	assert(io->kind == IO_APP && !x->done);
	x->done = true;
	x->err = err;
	x->f->completed++;
}

static void op_release(struct repl_io *io)
{
	struct fake_io *x = fio(io);

	assert(io->kind != IO_APP || !io->vol || x->done);
	if (!x->ours)
		io_drop(x);
}

static struct repl_io *op_io_alloc(struct repl_vol *vol,
				   struct repl_peer *peer, u32 size)
{
	struct fake *f = vol->priv;
	struct fake_io *x;

	if (fake_alloc_fail && fake_rand() % fake_alloc_fail == 0)
		return NULL;
	x = fake_io_new(f);
	x->io.vol = vol;
	x->io.peer = peer;
	x->io.size = size;
	return &x->io;
}

static void op_copy_data(struct repl_io *to, struct repl_io *from)
{
	assert(to->size == from->size);
}

static void op_disconnect(struct repl_peer *p, bool standalone, const char *why)
{
	struct fake *f = of_res(p->res);

	(void)standalone;
	assert(why && *why);
	f->want_down[p->node - 1] = true;
}

static void op_disk_close(struct repl_vol *vol, bool failed)
{
	struct fake *f = vol->priv;

	(void)failed;
	assert(!f->mio && list_empty(&f->disk));
	f->closed = true;
}

static void op_resized(struct repl_vol *vol)
{
	(void)vol;
}

static bool op_in_use(struct repl_vol *vol)
{
	return of_res(vol->res)->in_use;
}

static bool op_has_writers(struct repl_vol *vol)
{
	return of_res(vol->res)->has_writers;
}

static void op_vote_done(struct repl_res *res, int err, struct repl_peer *by,
			 const char *why)
{
	struct fake *f = of_res(res);

	assert(!err || why);
	f->vote_err = err;
	f->vote_by = by;
	snprintf(f->vote_why, sizeof(f->vote_why), "%s", why ? why : "");
}

static void op_notify(struct repl_res *res, enum repl_note note,
		      struct repl_vol *vol, struct repl_peer *peer,
		      const char *text)
{
	(void)res;
	(void)note;
	(void)vol;
	(void)peer;
	(void)text;
}

static void *op_alloc(struct repl_res *res, size_t size)
{
	if (fake_alloc_fail && fake_rand() % fake_alloc_fail == 0)
		return NULL;
	of_res(res)->mem += size;
	return calloc(1, size);
}

static void op_free(struct repl_res *res, void *p, size_t size)
{
	of_res(res)->mem -= size;
	free(p);
}

static u64 fake_now(void)
{
	return 1000;
}

static const struct repl_ops ops = {
	.disk_io = op_disk_io,
	.meta_io = op_meta_io,
	.send = op_send,
	.complete = op_complete,
	.release = op_release,
	.io_alloc = op_io_alloc,
	.copy_data = op_copy_data,
	.disconnect = op_disconnect,
	.disk_close = op_disk_close,
	.resized = op_resized,
	.in_use = op_in_use,
	.has_writers = op_has_writers,
	.vote_done = op_vote_done,
	.notify = op_notify,
	.alloc = op_alloc,
	.free = op_free,
	.random = fake_rand,
	.now = fake_now,
};

/* ---- the disk ---- */

static u64 dev_bytes(const struct fake *f)
{
	return f->meta_bytes ? f->meta_bytes : f->data_bytes;
}

static u64 img_start(const struct fake *f)
{
	return round_down(dev_bytes(f), (u64)META_BLOCK) - f->img_bytes;
}

void fake_format(struct fake *f, u64 data_bytes, u64 meta_bytes, u32 slots)
{
	struct meta_create c = { .node = 0, .slots = slots, .lbs = FAKE_LBS,
				 .external = meta_bytes, .replica = 0x1234 };
	u8 sb[META_SB_SIZE];
	struct meta_geom g;
	enum meta_error e;

	e = meta_layout(data_bytes, meta_bytes, slots, &g);
	assert(e == META_OK);
	f->data_bytes = data_bytes;
	f->meta_bytes = meta_bytes;
	f->img_bytes = g.area_bytes;
	free(f->img);
	f->img = calloc(1, g.area_bytes);
	meta_sb_new(sb, &g, &c);
	memcpy(f->img + g.sb_off, sb, META_SB_SIZE);
	memcpy(f->img + g.sb_off + META_SB_SIZE, sb, META_SB_SIZE);
}

struct meta_sb *fake_sb(struct fake *f)
{
	return (struct meta_sb *)(f->img + f->img_bytes - 2 * META_SB_SIZE);
}

void fake_seal(struct fake *f)
{
	struct meta_sb *sb = fake_sb(f);

	meta_sb_seal(sb);
	memcpy((u8 *)sb + META_SB_SIZE, sb, META_SB_SIZE);
}

u8 *fake_area(struct fake *f, u64 offset)
{
	assert(offset < f->img_bytes);
	return f->img + offset;
}

static int img_read(void *ctx, u64 offset, void *buf, u32 len)
{
	struct fake *f = ctx;

	assert(offset >= img_start(f));
	offset -= img_start(f);
	assert(offset + len <= f->img_bytes);
	memcpy(buf, f->img + offset, len);
	return 0;
}

bool fake_meta_step(struct fake *f)
{
	struct repl_mio *mio = f->mio;
	u32 len;

	if (!mio)
		return false;
	assert(mio->offset + mio->len <= f->img_bytes);
	len = f->torn ? f->torn(f, mio) : mio->len;
	memcpy(f->img + mio->offset, mio->buf, len);
	f->mio = NULL;
	f->mios++;
	repl_meta_done(&f->vol, mio, 0);
	return true;
}

bool fake_disk_step(struct fake *f, u32 which, int err)
{
	struct fake_io *x;
	u32 n = 0;

	list_for_each_entry(x, &f->disk, disk)
		n++;
	if (!n)
		return false;
	which %= n;
	list_for_each_entry(x, &f->disk, disk)
		if (!which--)
			break;
	list_del_init(&x->disk);
	x->disk_done = true;
	repl_io_done(&x->io, err);
	return true;
}

void fake_run(struct fake *f)
{
	u32 i;

	do {
		for (i = 0; i < FAKE_PEERS; i++)
			if (f->want_down[i])
				fake_down(f, i);
	} while (fake_meta_step(f) || fake_disk_step(f, 0, 0));
}

/* ---- life of a node ---- */

static void init_vol(struct fake *f, struct repl_res *res, u16 nr)
{
	int err;

	memset(&f->vol, 0, sizeof(f->vol));
	INIT_LIST_HEAD(&f->ios);
	INIT_LIST_HEAD(&f->disk);
	INIT_LIST_HEAD(&f->pkts);
	f->mio = NULL;
	f->closed = false;
	f->vol.res = res;
	f->vol.nr = nr;
	f->vol.priv = f;
	repl_vol_conf_init(&f->vol.conf);
	err = repl_vol_add(&f->vol);
	assert(!err);
}

void fake_init(struct fake *f, u32 npeers)
{
	struct repl_refusal no;
	u32 i;
	int err;

	memset(&f->res, 0, sizeof(f->res));
	memset(f->peer, 0, sizeof(f->peer));
	memset(f->want_down, 0, sizeof(f->want_down));
	f->vote_err = 1;
	f->res.ops = &ops;
	f->res.priv = f;
	repl_res_conf_init(&f->res.conf);
	repl_res_init(&f->res);
	init_vol(f, &f->res, 0);
	for (i = 0; i < npeers; i++) {
		f->peer[i].res = &f->res;
		f->peer[i].node = i + 1;
		f->peer[i].features = REPL_FEAT_OURS;
		repl_peer_conf_init(&f->peer[i].conf);
		err = repl_peer_add(&f->peer[i], &no);
		assert(!err);
	}
	repl_tick(&f->res, 1000);
}

void fake_add_vol(struct fake *f, struct fake *second)
{
	init_vol(second, &f->res, 1);
}

void fake_del_vol(struct fake *second)
{
	struct fake *f = of_res(second->vol.res);
	u32 i;

	for (i = 0; i < FAKE_PEERS; i++)
		if (f->peer[i].res)
			fake_down(f, i);
	fake_detach(second);
	assert(!repl_vol_del(&second->vol));
	free(second->img);
	second->img = NULL;
}

int fake_load(struct fake *f, struct repl_store **s, const char **why)
{
	struct repl_store_params p = {
		.data_bytes = f->data_bytes, .meta_bytes = f->meta_bytes,
		.lbs = FAKE_LBS, .read = img_read, .ctx = f,
	};
	int err = repl_store_load(f->vol.res, f->vol.nr, &f->vol.conf, &p, s);

	assert(!err == !p.why);
	if (why)
		*why = p.why;
	return err;
}

int fake_attach(struct fake *f)
{
	struct repl_store *s;
	const char *why;
	int err = fake_load(f, &s, &why);

	if (err)
		return err;
	err = repl_attach(&f->vol, s, &why);
	if (err) {
		repl_store_free(s);
		return err;
	}
	fake_run(f);
	return 0;
}

static void close_disk(struct fake *f)
{
	if (!f->closed)
		return;
	f->closed = false;
	repl_store_free(repl_store_take(&f->vol));
}

void fake_detach(struct fake *f)
{
	const char *why;
	int tries = 100;

	while (f->vol.store && tries--) {
		repl_detach(&f->vol, true, &why);
		fake_run(f);
		close_disk(f);
	}
	assert(!f->vol.store);
}

static void drop_all(struct fake *f)
{
	struct fake_io *x, *tmp;

	fake_forget(f);
	list_for_each_entry_safe(x, tmp, &f->ios, all) {
		INIT_LIST_HEAD(&x->disk);
		x->io.hash.next = NULL;
		io_drop(x);
	}
}

/* The node dies as it is: the image keeps what it has. */
void fake_crash(struct fake *f)
{
	struct repl_pv *pv;

	while ((pv = list_first_entry_or_null(&f->vol.pvs, struct repl_pv,
					      by_vol))) {
		list_del(&pv->by_vol);
		list_del(&pv->by_peer);
		op_free(&f->res, pv, sizeof(*pv));
	}
	repl_store_free(f->vol.store);
	f->vol.store = NULL;
	drop_all(f);
	assert(!f->mem);
}

static void end_app_io(struct fake *f)
{
	int tries = 100;

	/* Whatever is held for want of data ends with an error. */
	f->res.conf.on_no_data = NO_DATA_IO_ERROR;
	while (app_busy(&f->res) && tries--) {
		repl_tick(&f->res, f->res.now + 100);
		fake_run(f);
	}
}

void fake_exit(struct fake *f)
{
	struct repl_refusal no;
	struct fake_io *x, *tmp;
	const char *why;
	u32 i;

	for (i = 0; i < FAKE_PEERS; i++)
		if (f->peer[i].res)
			fake_down(f, i);
	fake_run(f);
	end_app_io(f);
	close_disk(f);
	fake_detach(f);
	end_app_io(f);
	list_for_each_entry_safe(x, tmp, &f->ios, all)
		if (x->ours && x->done)
			io_drop(x);
	assert(!app_busy(&f->res));
	list_for_each_entry(x, &f->ios, all)
		fprintf(stderr, "not released: kind %d op %d state %d\n",
			x->io.kind, x->io.op, x->io.state);
	assert(!f->live);
	if (f->res.role == ROLE_PRIMARY)
		repl_demote(&f->res, false, &why);
	for (i = 0; i < FAKE_PEERS; i++)
		if (f->peer[i].res)
			assert(!repl_peer_del(&f->peer[i], &no));
	assert(!repl_vol_del(&f->vol));
	assert(!f->mem);
	fake_forget(f);
	free(f->img);
	f->img = NULL;
}

/* ---- application and peers ---- */

struct fake_io *fake_submit(struct fake *f, u8 op, u64 sector, u32 size)
{
	struct fake_io *x = fake_io_new(f);

	x->ours = true;
	x->io.vol = &f->vol;
	x->io.op = op;
	x->io.sector = sector;
	x->io.size = size;
	repl_submit(&x->io);
	return x;
}

void fake_up(struct fake *f, u32 i)
{
	f->want_down[i] = false;
	repl_conn_up(&f->peer[i]);
}

void fake_down(struct fake *f, u32 i)
{
	f->want_down[i] = false;
	repl_conn_down(&f->peer[i]);
}

static enum repl_stream stream_for(const struct repl_wire_hdr *h)
{
	return repl_wire_check(h, REPL_STREAM_CTRL) == WIRE_BAD_STREAM ?
	       REPL_STREAM_DATA : REPL_STREAM_CTRL;
}

enum repl_wire_error fake_rx(struct fake *f, u32 i, struct repl_wire_hdr *h,
			     const void *payload)
{
	enum repl_wire_error e;
	enum repl_stream stream;
	struct fake_io *x = NULL;

	repl_wire_seal(h, 0);
	stream = stream_for(h);
	e = repl_wire_check(h, stream);
	if (e)
		return e;
	if (repl_rx_needs_io(h->type))
		x = fake_io_new(f);
	repl_rx(&f->peer[i], stream, h, payload, x ? &x->io : NULL);
	return WIRE_OK;
}

void fake_res_state(struct fake *f, u32 i, enum repl_role role)
{
	struct repl_wire_res_state w = {
		.term = cpu_to_le64(f->res.term),
		.role = role,
		.primary = role == ROLE_PRIMARY ? i + 1 : NODE_NONE,
		.flags = elects(&f->res) ? REPL_RS_VOTES : 0,
	};
	struct repl_wire_hdr h = { .type = PKT_RES_STATE };

	h.length = cpu_to_le32(sizeof(w));
	fake_rx(f, i, &h, &w);
}

void fake_vol_state(struct fake *f, u32 i, const struct repl_wire_vol_state *w)
{
	struct repl_wire_hdr h = { .type = PKT_VOL_STATE };

	h.length = cpu_to_le32(sizeof(*w));
	fake_rx(f, i, &h, w);
}

void fake_same_state(struct fake *f, u32 i, struct repl_wire_vol_state *w)
{
	const struct repl_store *s = f->vol.store;

	memset(w, 0, sizeof(*w));
	w->replica = cpu_to_le64(0x1000 + i);
	w->sectors = cpu_to_le64(s->g.max_sectors);
	w->cur_sectors = cpu_to_le64(s->sectors);
	w->dataset = cpu_to_le64(s->dataset);
	w->set_version = cpu_to_le64(s->set_version);
	w->in_sync = cpu_to_le32(s->in_sync);
	w->lbs = cpu_to_le32(s->lbs);
	w->disk = DISK_UPTODATE;
	w->flags = cpu_to_le16(REPL_VS_SINCE_VALID);
	lineage_to_wire(w->lineage, &s->lineage);
	lineage_to_wire(w->since, &s->lineage);
}

struct fake_pkt *fake_find(struct fake *f, u8 type)
{
	struct fake_pkt *pkt;

	list_for_each_entry(pkt, &f->pkts, link)
		if (pkt->h.type == type)
			return pkt;
	return NULL;
}

void fake_forget(struct fake *f)
{
	struct fake_pkt *pkt, *tmp;

	list_for_each_entry_safe(pkt, tmp, &f->pkts, link) {
		list_del(&pkt->link);
		free(pkt);
	}
}
