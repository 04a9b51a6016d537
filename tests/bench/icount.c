// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU 7.2: how often each instruction was executed between two
 * marks, as lines "ADDRESS COUNT" in files FILE.1, FILE.2, ..., one for each
 * pair of marks; FILE is its argument out=FILE.
 *
 * A mark is a no-op with a number in it that nobody else uses; tests/bench/mark
 * executes one.  Addresses of user space are all counted as 0.
 *
 * QEMU installs no header for plugins; what is needed of it stands here.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t id,
						      struct qemu_plugin_tb *tb));

#define INLINE_ADD_U64	0
#define EXPORT		__attribute__((visibility("default")))
#define BUCKETS		(1U << 20)

/* nopl 0x62656e00(%rax,%rax,1) begins, 0x62656e01 ends */
static const uint8_t mark[] = { 0x0f, 0x1f, 0x84, 0x00 };
#define MARK_BEGIN	0x62656e00
#define MARK_END	0x62656e01

struct counter {
	struct counter *next;
	uint64_t addr;
	uint64_t count;
};

EXPORT int qemu_plugin_version = 1;

static struct counter *bucket[BUCKETS];
static struct counter user;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *out = "icount.out";

static struct counter *counter_of(uint64_t addr)
{
	struct counter **head = &bucket[(addr * 0x9e3779b97f4a7c15ULL) >> 44], *c;

	if (!(addr >> 63))
		return &user;
	for (c = *head; c; c = c->next)
		if (c->addr == addr)
			return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->addr = addr;
	c->next = *head;
	*head = c;
	return c;
}

static void begin(unsigned int cpu, void *data)
{
	struct counter *c;
	unsigned int i;

	user.count = 0;
	for (i = 0; i < BUCKETS; i++)
		for (c = bucket[i]; c; c = c->next)
			c->count = 0;
}

static void end(unsigned int cpu, void *data)
{
	static unsigned int number;
	struct counter *c;
	char name[4096];
	unsigned int i;
	FILE *file;

	snprintf(name, sizeof(name), "%s.%u", out, ++number);
	file = fopen(name, "w");
	if (!file) {
		perror(name);
		return;
	}
	fprintf(file, "0 %llu\n", (unsigned long long)user.count);
	for (i = 0; i < BUCKETS; i++)
		for (c = bucket[i]; c; c = c->next)
			if (c->count)
				fprintf(file, "%llx %llu\n", (unsigned long long)c->addr,
					(unsigned long long)c->count);
	fclose(file);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	uint32_t number;

	pthread_mutex_lock(&lock);
	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64,
			&counter_of(qemu_plugin_insn_vaddr(insn))->count, 1);
		if (qemu_plugin_insn_size(insn) != sizeof(mark) + sizeof(number) ||
		    memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark)))
			continue;
		memcpy(&number, (const char *)qemu_plugin_insn_data(insn) + sizeof(mark),
		       sizeof(number));
		if (number == MARK_BEGIN)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, 0, NULL);
		else if (number == MARK_END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, 0, NULL);
	}
	pthread_mutex_unlock(&lock);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
