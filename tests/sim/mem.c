// SPDX-License-Identifier: GPL-2.0
/*
 * Memory.  What a node owns dies with it at a crash, so every block is on its
 * owner's list; a node that ends cleanly must have an empty list.  Blocks come
 * from free lists by size class, or straight from malloc under ASan, which
 * then sees every use after free.
 */
#include "sim.h"

#define CLASSES		24

struct blk {
	struct list_head link;
	u32 class;
	u32 size;
	u64 magic;
	u64 pad;
	u8 data[];
};

#define BLK_LIVE	0x6c697665b10cULL
#define BLK_DEAD	0x64656164b10cULL

static struct list_head pool[CLASSES];
static bool pool_ready;

#if defined(__SANITIZE_ADDRESS__)
#define USE_POOLS	0
#else
#define USE_POOLS	1
#endif

static u32 class_of(size_t size)
{
	u32 c = 0;

	while ((64UL << c) < size)
		c++;
	return c;
}

void mem_owner_init(struct mem_owner *o)
{
	INIT_LIST_HEAD(&o->list);
	o->count = 0;
	if (!pool_ready) {
		for (u32 i = 0; i < CLASSES; i++)
			INIT_LIST_HEAD(&pool[i]);
		pool_ready = true;
	}
}

void *mem_alloc(struct mem_owner *o, size_t size)
{
	u32 c = class_of(size);
	struct blk *b;

	if (USE_POOLS && c < CLASSES && !list_empty(&pool[c])) {
		b = list_first_entry(&pool[c], struct blk, link);
		list_del(&b->link);
	} else {
		b = malloc(sizeof(*b) + (USE_POOLS ? 64UL << c : size));
		if (!b)
			abort();
	}
	b->class = c;
	b->size = (u32)size;
	b->magic = BLK_LIVE;
	memset(b->data, 0, size);
	list_add(&b->link, &o->list);
	o->count++;
	return b->data;
}

void mem_free(struct mem_owner *o, void *p)
{
	struct blk *b;

	if (!p)
		return;
	b = container_of(p, struct blk, data);
	if (b->magic != BLK_LIVE)
		violation("contract", "double free of %p", p);
	b->magic = BLK_DEAD;
	list_del(&b->link);
	o->count--;
	if (USE_POOLS && b->class < CLASSES)
		list_add(&b->link, &pool[b->class]);
	else
		free(b);
}

void mem_free_all(struct mem_owner *o)
{
	while (!list_empty(&o->list))
		mem_free(o, list_first_entry(&o->list, struct blk, link)->data);
}

/* ---- the seed's own memory ---- */

struct region {
	struct region *next;
	size_t used, size;
	u8 data[] __attribute__((aligned(16)));
};

static struct region *first, *cur;

void *arena_alloc(size_t size)
{
	struct region *r = cur;
	void *p;

	size = (size + 15) & ~(size_t)15;
	while (r && r->size - r->used < size)
		r = r->next;
	if (!r) {
		size_t want = max(size, (size_t)(1 << 20));

		r = malloc(sizeof(*r) + want);
		if (!r)
			abort();
		r->size = want;
		r->used = 0;
		r->next = NULL;
		if (!first) {
			first = r;
		} else {
			struct region *l = first;

			while (l->next)
				l = l->next;
			l->next = r;
		}
	}
	cur = r;
	p = r->data + r->used;
	r->used += size;
	memset(p, 0, size);
	return p;
}

void arena_reset(void)
{
	for (struct region *r = first; r; r = r->next)
		r->used = 0;
	cur = first;
}
