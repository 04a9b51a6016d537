/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doubly linked circular lists for programs, with the names and the meaning
 * of the kernel's, so that the core compiles against either.  A deleted entry
 * is poisoned: using it ends in a fault at a recognizable address.
 */
#ifndef REPL_LIST_USER_H
#define REPL_LIST_USER_H

#include <stdbool.h>
#include <stddef.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_POISON_NEXT	((struct list_head *)0x1101)
#define LIST_POISON_PREV	((struct list_head *)0x1102)

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline void list_join_(struct list_head *a, struct list_head *b)
{
	a->next = b;
	b->prev = a;
}

static inline void list_add(struct list_head *e, struct list_head *h)
{
	list_join_(e, h->next);
	list_join_(h, e);
}

static inline void list_add_tail(struct list_head *e, struct list_head *h)
{
	list_join_(h->prev, e);
	list_join_(e, h);
}

static inline void list_del(struct list_head *e)
{
	list_join_(e->prev, e->next);
	e->next = LIST_POISON_NEXT;
	e->prev = LIST_POISON_PREV;
}

static inline void list_del_init(struct list_head *e)
{
	list_join_(e->prev, e->next);
	INIT_LIST_HEAD(e);
}

static inline void list_move(struct list_head *e, struct list_head *h)
{
	list_join_(e->prev, e->next);
	list_add(e, h);
}

static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	list_join_(e->prev, e->next);
	list_add_tail(e, h);
}

static inline void list_replace(struct list_head *old, struct list_head *e)
{
	list_join_(e, old->next);
	list_join_(old->prev, e);
}

static inline void list_replace_init(struct list_head *old,
				     struct list_head *e)
{
	list_replace(old, e);
	INIT_LIST_HEAD(old);
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline bool list_is_singular(const struct list_head *h)
{
	return h->next != h && h->next == h->prev;
}

static inline bool list_is_first(const struct list_head *e,
				 const struct list_head *h)
{
	return e->prev == h;
}

static inline bool list_is_last(const struct list_head *e,
				const struct list_head *h)
{
	return e->next == h;
}

static inline bool list_is_head(const struct list_head *e,
				const struct list_head *h)
{
	return e == h;
}

/* All of @from, in order, after @h; @from is left undefined. */
static inline void list_splice(struct list_head *from, struct list_head *h)
{
	if (list_empty(from))
		return;
	list_join_(from->prev, h->next);
	list_join_(h, from->next);
}

static inline void list_splice_init(struct list_head *from,
				    struct list_head *h)
{
	list_splice(from, h);
	INIT_LIST_HEAD(from);
}

static inline void list_splice_tail(struct list_head *from,
				    struct list_head *h)
{
	struct list_head *last = h->prev;

	if (list_empty(from))
		return;
	list_join_(last, from->next);
	list_join_(from->prev, h);
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *h)
{
	list_splice_tail(from, h);
	INIT_LIST_HEAD(from);
}

#define list_entry(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define list_first_entry(h, type, member) \
	list_entry((h)->next, type, member)

#define list_last_entry(h, type, member) \
	list_entry((h)->prev, type, member)

#define list_first_entry_or_null(h, type, member) \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))

#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, __typeof__(*(pos)), member)

#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, __typeof__(*(pos)), member)

#define list_entry_is_head(pos, h, member) \
	(&(pos)->member == (h))

#define list_for_each(pos, h) \
	for (pos = (h)->next; pos != (h); pos = pos->next)

#define list_for_each_safe(pos, n, h) \
	for (pos = (h)->next, n = pos->next; pos != (h); \
	     pos = n, n = pos->next)

#define list_for_each_entry(pos, h, member) \
	for (pos = list_first_entry(h, __typeof__(*pos), member); \
	     !list_entry_is_head(pos, h, member); \
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, h, member) \
	for (pos = list_last_entry(h, __typeof__(*pos), member); \
	     !list_entry_is_head(pos, h, member); \
	     pos = list_prev_entry(pos, member))

#define list_for_each_entry_continue(pos, h, member) \
	for (pos = list_next_entry(pos, member); \
	     !list_entry_is_head(pos, h, member); \
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_from(pos, h, member) \
	for (; !list_entry_is_head(pos, h, member); \
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_safe(pos, n, h, member) \
	for (pos = list_first_entry(h, __typeof__(*pos), member), \
	     n = list_next_entry(pos, member); \
	     !list_entry_is_head(pos, h, member); \
	     pos = n, n = list_next_entry(n, member))

#define list_for_each_entry_safe_reverse(pos, n, h, member) \
	for (pos = list_last_entry(h, __typeof__(*pos), member), \
	     n = list_prev_entry(pos, member); \
	     !list_entry_is_head(pos, h, member); \
	     pos = n, n = list_prev_entry(n, member))

#endif
