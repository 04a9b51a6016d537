// SPDX-License-Identifier: GPL-2.0-only
/*
 * grow-md on files: what was known is known at the new end, and there is always
 * metadata, whenever the power goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"
#include "mdtool.h"
#include "meta.h"
#include "out.h"
#include "tap.h"

#define MIB		(1L << 20)
#define OLD_SIZE	(1536 * MIB + 4096)
#define NEW_SIZE	(2200 * MIB + 100)

static char dir[] = "/tmp/blkrepl-grow-XXXXXX";
static char disk[64];

/*
 * A power cut: so many writes are done, half of one more, and then none.  This
 * takes the place of the C library's, in the tool too.
 */
static int writes_left = -1;

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
	if (!writes_left) {
		errno = EIO;
		return -1;
	}
	if (writes_left > 0 && !--writes_left)
		len /= 2;
	return syscall(SYS_pwrite64, fd, buf, len, at);
}

typedef int (*fn)(const struct md_job *job);

/* What it prints is not for us, but it has to have these words. */
static void expect(fn what, int want, const char *words, const char *name)
{
	struct md_job job = {
		.what = "r0/0",
		.disk = disk,
		.node = 1,
		.max_peers = 7,
	};
	FILE *old = stderr, *old_out = stdout;
	size_t len;
	char *text;
	int ret;

	stdout = open_memstream(&text, &len);
	stderr = stdout;
	ret = what(&job);
	fclose(stdout);
	stderr = old;
	stdout = old_out;
	tap_ok(ret == want, name);
	tap_has(text, words, "words");
	free(text);
}

static void resize(off_t size)
{
	if (truncate(disk, size))
		exit(1);
}

static void peek(const char *path, off_t at, void *data, size_t len)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || pread(fd, data, len, at) != (ssize_t)len)
		exit(1);
	close(fd);
}

static void load_sb(off_t size, struct meta_sb *sb, struct meta_geom *g)
{
	char pair[2 * META_SB_SIZE];
	const struct meta_sb *best;

	peek(disk, meta_sb_offset(size), pair, sizeof(pair));
	if (meta_sb_pick(pair, pair + META_SB_SIZE, size, 0, &best, g))
		exit(1);
	memcpy(sb, best, sizeof(*sb));
}

/* A volume in use: a log, a chunk table, a record, another data set. */
static void use_disk(struct meta_sb *sb, struct meta_geom *g)
{
	struct meta_l1_sector l1 = { 0 };
	char raw[META_SB_SIZE];
	struct meta_al_block al = { 0 };
	char rec[4096] = "";

	make_disk(disk, OLD_SIZE);
	expect(md_create, 0, "made", "in use");
	load_sb(OLD_SIZE, sb, g);
	sb->dataset = cpu_to_le64(4711);
	sb->writes = cpu_to_le64(18);
	memset(raw, 0, sizeof(raw));
	memcpy(raw, sb, sizeof(*sb));
	meta_sb_seal(raw);
	memcpy(sb, raw, sizeof(*sb));
	poke(disk, g->area + g->sb_off, raw, sizeof(raw));
	al.magic = cpu_to_le32(META_AL_MAGIC);
	al.replica = sb->replica;
	al.tr = cpu_to_le64(5);
	al.count = cpu_to_le32(1);
	al.extent[0] = cpu_to_le32(7);
	meta_al_seal(&al);
	poke(disk, g->area + 5 * META_BLOCK, &al, sizeof(al));
	l1.replica = sb->replica;
	l1.l1[1].epoch = cpu_to_le32(99);
	l1.l1[1].full = cpu_to_le32(META_L1_RECORDS);
	meta_l1_seal(&l1);
	poke(disk, g->area + g->l1_off, &l1, sizeof(l1));
	((struct meta_rec *)rec)->extent = cpu_to_le32(300);
	((struct meta_rec *)rec)->epoch = cpu_to_le32(99);
	rec[100] = 1;
	meta_rec_seal((struct meta_rec *)rec, g->rec_size);
	poke(disk, g->area + g->rec_off + 300 * g->rec_size, rec, g->rec_size);
	poke(disk, 100 * MIB, "data", 4);
}

/* What a module finds at the new end. */
static void check_grown(const struct meta_sb *old)
{
	struct meta_al_block al;
	struct meta_l1_sector l1;
	struct meta_geom g;
	struct meta_sb sb;
	char rec[4096], data[4], zeroes[META_SB_SIZE] = "", gone[META_SB_SIZE];

	load_sb(NEW_SIZE, &sb, &g);
	tap_ok(sb.dataset == old->dataset && sb.replica == old->replica &&
	       !memcmp(sb.slot, old->slot, sizeof(sb.slot)), "the same replica");
	tap_ok(g.max_sectors > OLD_SIZE / 512, "with more room");
	peek(disk, g.area + 5 * META_BLOCK, &al, sizeof(al));
	tap_ok(meta_al_check(&al, le64_to_cpu(sb.replica), g.extents), "its log");
	peek(disk, g.area + g.l1_off, &l1, sizeof(l1));
	tap_ok(meta_l1_check(&l1, le64_to_cpu(sb.replica), 0), "its chunk table");
	tap_ok(le32_to_cpu(l1.l1[1].full) == META_L1_RECORDS &&
	       le32_to_cpu(l1.l1[1].epoch) == 99, "says the same of what was there");
	tap_ok(le32_to_cpu(l1.l1[2].full) == 0x7f, "what is new is dirty for all");
	peek(disk, g.area + g.rec_off + 300 * g.rec_size, rec, g.rec_size);
	tap_ok(meta_rec_check((void *)rec, g.rec_size, 300, 99) == META_REC_VALID &&
	       rec[100] == 1, "its records");
	peek(disk, g.area + g.rec_off + 500 * g.rec_size, rec, g.rec_size);
	tap_ok(meta_rec_check((void *)rec, g.rec_size, 500, 99) == META_REC_NONE,
	       "and none that are new");
	peek(disk, 100 * MIB, data, 4);
	tap_ok(!memcmp(data, "data", 4), "its data");
	peek(disk, meta_sb_offset(OLD_SIZE), gone, sizeof(gone));
	tap_ok(!memcmp(gone, zeroes, sizeof(gone)), "and nothing at the old end");
}

static void test_grow(void)
{
	struct meta_geom g;
	struct meta_sb sb;
	char pair[2 * META_SB_SIZE];

	use_disk(&sb, &g);
	expect(md_grow, 0, "already", "nothing to do");
	resize(NEW_SIZE);
	/* What another disk has left there, and one that reached as far. */
	peek(disk, meta_sb_offset(OLD_SIZE), pair, sizeof(pair));
	poke(disk, 1800 * MIB, pair, sizeof(pair));
	memset(pair, 0x5a, sizeof(pair));
	poke(disk, meta_sb_offset(NEW_SIZE), pair, sizeof(pair));
	poke(disk, 2190 * MIB, pair, sizeof(pair));
	expect(md_grow, 0, "for data, it was 1.5 GiB", "grown");
	check_grown(&sb);
	expect(md_grow, 0, "already", "and no more");
}

static void test_grow_refused(void)
{
	char *before, *after;
	struct meta_geom g;
	struct meta_sb sb;
	size_t len, len2;

	make_disk(disk, 64 * MIB);
	expect(md_grow, EX_DISK, "no blkrepl metadata that was at its end before", "there was none");
	expect(md_create, 0, "made", "small");
	load_sb(64 * MIB, &sb, &g);
	resize(64 * MIB + 100 * 1024);
	before = slurp(disk, &len);
	expect(md_grow, EX_DISK, "extend it by 64.0 KiB more at least (65536 bytes)", "by too little");
	after = slurp(disk, &len2);
	tap_ok(len == len2 && !memcmp(before, after, len), "nothing was written");
	free(before);
	free(after);
	resize(64 * MIB + 164 * 1024 - 4096);
	expect(md_grow, EX_DISK, "by 4.0 KiB more at least", "a block less");
	resize(64 * MIB + 164 * 1024);
	expect(md_grow, 0, "moved", "just that");
}

/* Whatever comes of it. */
static int quietly(void)
{
	struct md_job job = { .what = "r0/0", .disk = disk, .node = 1 };
	FILE *old = stderr, *old_out = stdout;
	int ret;

	stdout = fopen("/dev/null", "w");
	stderr = stdout;
	ret = md_grow(&job);
	fclose(stdout);
	stderr = old;
	stdout = old_out;
	return ret;
}

/* After every write, and in the middle of it. */
static void test_grow_cut(void)
{
	int cut = 1, whole = 0, again = 0;
	struct meta_geom g;
	struct meta_sb sb;

	for (writes_left = -1; cut; again++) {
		use_disk(&sb, &g);
		resize(NEW_SIZE);
		writes_left = again + 1;
		cut = quietly();
		writes_left = -1;
		expect(md_grow, 0, "the end of", "after a power cut");
		load_sb(NEW_SIZE, &sb, &g);
		whole += sb.dataset == cpu_to_le64(4711);
	}
	tap_ok(again > 8, "there were some");
	tap_ok(whole == again, "nothing was ever lost");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(disk, sizeof(disk), "%s/disk", dir);
	test_grow();
	test_grow_refused();
	test_grow_cut();
	unlink(disk);
	rmdir(dir);
	return tap_end();
}
