// SPDX-License-Identifier: GPL-2.0
/* Dirty maps over the wire: two nodes end up with the union of both maps. */
#include "scenes.h"
#include "tap.h"

static struct fake a, b;

static struct repl_pv *pv_of(struct fake *f)
{
	return list_first_entry(&f->vol.pvs, struct repl_pv, by_vol);
}

static struct dirty_set *map_of(struct fake *f)
{
	return &f->vol.store->dirty;
}

static u64 blocks(void)
{
	return map_of(&a)->blocks;
}

static void random_map(struct fake *f, u32 density)
{
	struct dirty_set *d = map_of(f);
	u32 n;

	dirty_clear_all(d, 0);
	for (n = 0; n < density; n++) {
		dirty_set_range(d, 0, fake_rand() % blocks(), fake_rand() % 64 + 1);
		if (fake_rand() % 4 == 0)
			dirty_extent_fill(d, 0, fake_rand() % d->extents);
		if (fake_rand() % 8 == 0)
			dirty_fill_run(d, 0, fake_rand() % (d->extents / 2),
				       d->extents / 2);
	}
}

static bool bit(struct fake *f, u64 block)
{
	return dirty_next(map_of(f), 0, block) == block;
}

/* What is on a's side of the wire arrives at b, in a's order. */
static void transfer(void)
{
	struct fake_pkt *pkt, *tmp;
	bool last = false;

	a.keep_pkts = true;
	map_send_begin(pv_of(&a));
	while (!list_empty(&a.pkts)) {
		list_for_each_entry_safe(pkt, tmp, &a.pkts, link) {
			struct repl_wire_hdr ack = { .type = PKT_MAP_ACK };

			CHECK(pkt->h.type == PKT_MAP && !last);
			CHECK(map_merge(pv_of(&b), pkt->payload, le32_to_cpu(pkt->h.length)));
			last = pkt->h.flags & REPL_HDR_LAST;
			list_del(&pkt->link);
			free(pkt);
			fake_rx(&a, 0, &ack, "");
		}
	}
	CHECK(last);
	a.keep_pkts = false;
}

static void round_trips(void)
{
	u64 i, wrong;
	u8 *was;
	u32 n;

	for (n = 0; n < 40; n++) {
		random_map(&a, n * 4);
		random_map(&b, n / 2);
		was = calloc(1, blocks());
		for (i = 0; i < blocks(); i++)
			was[i] = bit(&b, i);
		transfer();
		for (i = 0, wrong = 0; i < blocks(); i++)
			wrong += bit(&b, i) != (was[i] || bit(&a, i));
		CHECK(!wrong, "%llu blocks", (unsigned long long)wrong);
		free(was);
	}
}

static void full_is_small(void)
{
	dirty_fill(map_of(&a), 0);
	dirty_clear_all(map_of(&b), 0);
	a.npkts = 0;
	transfer();
	CHECK(a.npkts == 1, "%u packets", a.npkts);
	CHECK(map_of(&b)->map[0].count == blocks());
}

static void entry(u8 *p, u32 extent, u32 run)
{
	__le32 v[2] = { cpu_to_le32(extent), cpu_to_le32(run) };

	memcpy(p, v, 8);
}

static bool merge(const u8 *p, u32 len)
{
	/* exactly as long as said, so that reading beyond is noticed */
	u8 *copy = malloc(len + !len);
	bool ok;

	memcpy(copy, p, len);
	ok = map_merge(pv_of(&b), copy, len);
	free(copy);
	return ok;
}

static void malformed(void)
{
	u32 end = DIV_ROUND_UP_ULL(blocks(), EXTENT_BLOCKS), len;
	u8 p[REPL_MAX_INLINE] = { 0 };

	CHECK(merge(p, 0));
	for (len = 1; len < 8 + EXTENT_MAP_BYTES; len++)
		CHECK(!merge(p, len), "cut at %u", len);
	CHECK(merge(p, 8 + EXTENT_MAP_BYTES));
	entry(p, 0, end);
	CHECK(merge(p, 8));
	entry(p, 0, end + 1);
	CHECK(!merge(p, 8));
	entry(p, 1, end);
	CHECK(!merge(p, 8));
	entry(p, 1, ~0U);
	CHECK(!merge(p, 8));
	entry(p, end, 1);
	CHECK(!merge(p, 8));
	entry(p, ~0U, 1);
	CHECK(!merge(p, 8));
	entry(p, end, 0);
	CHECK(!merge(p, 8 + EXTENT_MAP_BYTES));
}

static void noise(void)
{
	u8 p[REPL_MAX_INLINE];
	u32 n, k;

	for (n = 0; n < 20000; n++) {
		for (k = 0; k < 160; k++)
			p[k] = fake_rand() % 8 ? 0 : fake_rand();
		merge(p, fake_rand() % 160);
		CHECK(map_of(&b)->map[0].count <= blocks());
	}
}

int main(void)
{
	fake_seed(7);
	scene(&a, SCENE_SOURCE);
	scene(&b, SCENE_SOURCE);
	RUN(round_trips);
	RUN(full_is_small);
	RUN(malformed);
	RUN(noise);
	fake_exit(&a);
	fake_exit(&b);
	return tap_end();
}
