// SPDX-License-Identifier: GPL-2.0-only
/*
 * create-md and show-md on files: what is made can be read, and what is there
 * is not overwritten.
 */
#include <fcntl.h>
#include <unistd.h>

#include "cmd.h"
#include "disk.h"
#include "tap.h"

#define MIB	(1L << 20)

static char dir[] = "/tmp/blkrepl-md-XXXXXX";
static char disk[64], meta[64];

/* What is printed goes to *@out; stdout of create-md goes to our own. */
static int run(char **out, char **errs, int argc, const char **argv)
{
	FILE *old = stderr, *old_out = stdout;
	size_t out_len, err_len;
	struct cmd c = { 0 };
	int code;

	c.file = open_memstream(out, &out_len);
	stdout = c.file;
	stderr = open_memstream(errs, &err_len);
	code = cmd_main(&c, argc, (char **)argv);
	cmd_cleanup(&c);
	fclose(stderr);
	stderr = old;
	stdout = old_out;
	fclose(c.file);
	return code;
}

#define RUN(out, errs, ...) ({ \
	const char *argv_[] = { "blkrepl", __VA_ARGS__, NULL }; \
	run(out, errs, ARRAY_SIZE(argv_) - 1, argv_); })

static void expect(int got, int want, char *out, char *errs, const char *part,
		   const char *name)
{
	tap_ok(got == want, name);
	tap_has(want ? errs : out, part, "words");
	free(out);
	free(errs);
}

static void test_internal(void)
{
	char *out, *errs, *before, *after;
	size_t len, len2;
	int ret;

	make_disk(disk, 64 * MIB + 1234);
	ret = RUN(&out, &errs, "show-md", disk);
	expect(ret, EX_DISK, out, errs, "and the device has grown, move it with grow-md", "none yet");
	ret = RUN(&out, &errs, "create-md", disk, "--max-peers", "3");
	expect(ret, 0, out, errs, "room for 3 peers", "created");
	ret = RUN(&out, &errs, "show-md", disk, "--json");
	expect(ret, 0, out, errs, "\"max-peers\": 3", "shown");

	before = slurp(disk, &len);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "has blkrepl metadata already", "not twice");
	after = slurp(disk, &len2);
	tap_ok(len == len2 && !memcmp(before, after, len), "nothing was written");
	free(before);
	free(after);
	ret = RUN(&out, &errs, "create-md", disk, "--force");
	expect(ret, 0, out, errs, "room for 7 peers", "with force");
}

/* By its own path, by a link and from another directory: nothing is written. */
static void test_same_device(void)
{
	char link[64], around[64], *out, *errs, *before, *after;
	const char *paths[] = { disk, link, around };
	size_t len, len2, i;
	int ret;

	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(around, sizeof(around), "%s/../%s/disk", dir, strrchr(dir, '/') + 1);
	make_disk(disk, 64 * MIB);
	poke(disk, 64 * MIB - 9, "important", 9);
	before = slurp(disk, &len);
	if (symlink("disk", link))
		exit(1);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		ret = RUN(&out, &errs, "create-md", disk, "--force", "--meta-disk", paths[i]);
		expect(ret, EX_DISK, out, errs, "is the disk itself", paths[i]);
		after = slurp(disk, &len2);
		tap_ok(len == len2 && !memcmp(before, after, len), "nothing was written");
		free(after);
	}
	free(before);
	unlink(link);
}

/* One copy torn: the other one counts.  Both: an error, and no new metadata. */
static void test_damage(void)
{
	off_t end = (64 * MIB + 1234) & ~4095L;
	char *out, *errs;
	int ret;

	poke(disk, end - 8192 + 100, "torn", 4);
	ret = RUN(&out, &errs, "show-md", disk);
	expect(ret, 0, out, errs, "max-peers       7", "one copy is enough");
	poke(disk, end - 16384 + 100, "torn", 4);
	ret = RUN(&out, &errs, "show-md", disk);
	expect(ret, EX_DISK, out, errs, "wrong checksum", "both are damaged");
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "has blkrepl metadata already", "damaged is not none");
}

static void test_shrunk(void)
{
	char *out, *errs;
	int ret;

	make_disk(disk, 64 * MIB);
	make_disk(meta, 4 * MIB);
	ret = RUN(&out, &errs, "create-md", disk, "--meta-disk", meta);
	expect(ret, 0, out, errs, "64.0 MiB for data", "external");
	if (truncate(disk, 63 * MIB))
		exit(1);
	ret = RUN(&out, &errs, "show-md", disk, "--meta-disk", meta);
	expect(ret, EX_DISK, out, errs, "smaller than when", "the data disk shrank");
	ret = RUN(&out, &errs, "show-md", meta);
	expect(ret, EX_DISK, out, errs, "damaged or belongs to another device",
	       "external metadata taken for internal");
}

static void test_too_small(void)
{
	char *out, *errs;
	int ret;

	make_disk(disk, 100 << 10);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "too small for data and metadata: it needs 156.0 KiB at least (159744 bytes)",
	       "a small disk");
	make_disk(disk, 159743);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "too small", "a byte less");
	make_disk(disk, 159744);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, 0, out, errs, "for data", "just that");
	make_disk(disk, 64 * MIB);
	make_disk(meta, 100 << 10);
	ret = RUN(&out, &errs, "create-md", disk, "--meta-disk", meta);
	expect(ret, EX_DISK, out, errs, "/meta: device is too small for data and metadata: it needs ",
	       "a small meta-disk");
	make_disk(meta, 4 * MIB);
	make_disk(disk, 100);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "too small", "a tiny disk");
	ret = RUN(&out, &errs, "show-md", disk);
	expect(ret, EX_DISK, out, errs, "too small", "show a tiny disk");
	ret = RUN(&out, &errs, "create-md", "/dev/null");
	expect(ret, EX_DISK, out, errs, "/dev/null is no block device: name a disk", "no block device");
	ret = RUN(&out, &errs, "show-md", "/dev/null");
	expect(ret, EX_DISK, out, errs, "/dev/null is no block device: name a disk", "nor to be shown");
	ret = RUN(&out, &errs, "create-md", dir);
	expect(ret, EX_DISK, out, errs, "is no block device: name a disk", "a directory");
	ret = RUN(&out, &errs, "show-md", dir);
	expect(ret, EX_DISK, out, errs, "is no block device: name a disk", "nor that");
	ret = RUN(&out, &errs, "create-md", "/nonexistent");
	expect(ret, EX_DISK, out, errs, "No such file", "no device");
}

/* No data belongs to it, and it is not taken for metadata of data. */
static void test_witness(void)
{
	char *out, *errs;
	int ret;

	make_disk(meta, 256 << 10);
	ret = RUN(&out, &errs, "create-md", meta, "--witness");
	expect(ret, 0, out, errs, "metadata of a witness made on", "a witness");
	ret = RUN(&out, &errs, "show-md", meta, "--witness");
	expect(ret, 0, out, errs, "external witness", "shown");
	ret = RUN(&out, &errs, "show-md", meta);
	expect(ret, EX_DISK, out, errs, "this is metadata of a witness", "no metadata of data");
	ret = RUN(&out, &errs, "create-md", disk, "--witness", "--meta-disk", meta);
	expect(ret, EX_USAGE, out, errs, "a witness has no data", "and a disk");
	make_disk(meta, 100 << 10);
	ret = RUN(&out, &errs, "create-md", meta, "--witness");
	expect(ret, EX_DISK, out, errs, "/meta: device is too small for data and metadata: it needs 152.0 KiB",
	       "too small for it");
	make_disk(meta, 4 * MIB);
}

static void test_signature(void)
{
	static const uint32_t swap[3] = { 1, 16383, 0 };
	char *out, *errs, *before, *after;
	size_t len, len2;
	int ret;

	make_disk(disk, 64 * MIB);
	poke(disk, 1024, swap, sizeof(swap));
	poke(disk, 4086, "SWAPSPACE2", 10);
	before = slurp(disk, &len);
	ret = RUN(&out, &errs, "create-md", disk);
	expect(ret, EX_DISK, out, errs, "has swap signature", "a signature");
	after = slurp(disk, &len2);
	tap_ok(len == len2 && !memcmp(before, after, len), "nothing was written");
	free(after);
	ret = RUN(&out, &errs, "create-md", disk, "--meta-disk", meta, "--force");
	expect(ret, 0, out, errs, "metadata made on", "external metadata leaves the data alone");
	after = slurp(disk, &len2);
	tap_ok(len == len2 && !memcmp(before, after, len), "not a byte of it");
	free(before);
	free(after);
}

int main(void)
{
	if (!mkdtemp(dir) || !freopen("/dev/null", "r", stdin))
		return 1;
	snprintf(disk, sizeof(disk), "%s/disk", dir);
	snprintf(meta, sizeof(meta), "%s/meta", dir);
	test_internal();
	test_damage();
	test_same_device();
	test_shrunk();
	test_too_small();
	test_witness();
	test_signature();
	unlink(disk);
	unlink(meta);
	rmdir(dir);
	return tap_end();
}
