// SPDX-License-Identifier: GPL-2.0-only
/*
 * Percentiles, and how latencies are printed; the histograms are the module's.
 */
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "fake.h"
#include "hist.h"
#include "json.h"
#include "latency.h"
#include "out.h"
#include "state.h"
#include "status.h"
#include "tap.h"
#include "uapi/blkrepl.h"

/* A message as the module sends it. */
static void tell(struct state *st, int attr, uint32_t nr, uint32_t stage)
{
	struct nl_msg *msg = nlmsg_alloc();
	uint64_t from, below, count;
	struct nlattr *nest, *bucket;
	unsigned int i;

	genlmsg_put(msg, 0, 0, 1, 0, 0, BLKREPL_CMD_LATENCY_GET, 1);
	nla_put_string(msg, BLKREPL_A_RES, "r0");
	nla_put_u32(msg, attr, nr);
	nest = nla_nest_start(msg, BLKREPL_A_LATENCY);
	nla_put_u32(msg, BLKREPL_LA_STAGE, stage);
	nla_put_u64(msg, BLKREPL_LA_COUNT, hist_count());
	nla_put_u64(msg, BLKREPL_LA_SUM, hist_sum());
	nla_put_u64(msg, BLKREPL_LA_LONGEST, hist_max());
	for (i = 0; hist_bucket(i, &from, &below, &count); i++) {
		if (!count)
			continue;
		bucket = nla_nest_start(msg, BLKREPL_LA_BUCKET);
		nla_put_u64(msg, BLKREPL_BU_FROM, from);
		if (below)
			nla_put_u64(msg, BLKREPL_BU_BELOW, below);
		nla_put_u64(msg, BLKREPL_BU_COUNT, count);
		nla_nest_end(msg, bucket);
	}
	nla_nest_end(msg, nest);
	state_apply(st, nlmsg_hdr(msg), NULL);
	nlmsg_free(msg);
}

static void tell_write(struct state *st)
{
	tell(st, BLKREPL_A_VOL, 0, BLKREPL_STAGE_WRITE);
}

static const struct st_latency *first(const struct state *st)
{
	return state_vol(st->resources, 0)->latency;
}

static bool within(uint64_t got, uint64_t want, unsigned int percent)
{
	if (got >= want - want * percent / 100 && got <= want + want * percent / 100)
		return true;
	printf("# got %llu, wanted about %llu\n", (unsigned long long)got,
	       (unsigned long long)want);
	return false;
}

static void test_percentiles(void)
{
	struct state *st = fake_r0();
	uint64_t i;

	hist_clear();
	tell_write(st);
	tap_ok(latency_percentile(first(st), 50) == 0, "none: no percentile");

	hist_add(70000);
	tell_write(st);
	tap_ok(latency_percentile(first(st), 1) == 70000 &&
	       latency_percentile(first(st), 99) == 70000, "one is all percentiles");

	/* a hundred: from 10 us in steps of 10 us */
	hist_clear();
	for (i = 1; i <= 100; i++)
		hist_add(i * 10000);
	tell_write(st);
	tap_ok(first(st)->count == 100 && first(st)->sum == 50500000, "count and sum");
	tap_ok(within(latency_percentile(first(st), 50), 500000, 5), "median, evenly spread");
	tap_ok(within(latency_percentile(first(st), 99), 990000, 5), "99 of 100");
	tap_ok(latency_percentile(first(st), 100) == 1000000, "the last is the longest");
	for (i = 1; i < 100; i++)
		if (latency_percentile(first(st), i) > latency_percentile(first(st), i + 1))
			break;
	tap_ok(i == 100, "they never fall");

	/* two of a hundred are slow: only the last percentiles show it */
	hist_clear();
	for (i = 0; i < 98; i++)
		hist_add(100000);
	hist_add(50000000);
	hist_add(200000000000ULL);
	tell_write(st);
	tap_ok(within(latency_percentile(first(st), 98), 100000, 50), "98 are fast");
	tap_ok(within(latency_percentile(first(st), 99), 50000000, 50), "the 99th is slow");
	tap_ok(latency_percentile(first(st), 100) == 200000000000ULL, "beyond the last limit");
	state_free(st);
}

static void test_units(void)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} t[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1500, "1.50 us" },
		{ 45600, "45.6 us" }, { 1230000, "1.23 ms" }, { 456000000, "456 ms" },
		{ 61000000000ULL, "61.0 s" }, { 7200000000000ULL, "7200 s" },
	};
	unsigned int i;
	char buf[32];

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		format_ns(t[i].ns, buf, sizeof(buf));
		tap_is(buf, t[i].text, t[i].text);
	}
}

static void test_print(void)
{
	struct state *st = fake_r0();
	struct json_object *o;
	char *text;

	hist_clear();
	text = fake_print(st, true, true);
	o = json_tokener_parse(text);
	tap_is(path(o, "/0/devices/0/latency"), "{ }", "a module that keeps none");
	json_object_put(o);
	free(text);

	tell_write(st);
	text = fake_print(st, false, true);
	tap_ok(!strstr(text, "latency"), "no table without a duration");
	free(text);

	hist_add(2000000);
	hist_add(100000000000ULL);
	tell(st, BLKREPL_A_PEER, 1, BLKREPL_STAGE_ACK);
	tell(st, BLKREPL_A_PEER, 7, BLKREPL_STAGE_ACK);
	tell(st, BLKREPL_A_PEER, 2, 99);
	text = fake_print(st, false, true);
	tap_has(text, "    latency              count      mean       p50       p99       max\n"
		      "    ack                      2    50.0 s   2.10 ms     100 s     100 s\n",
		"a peer's table");
	tap_has(text, "    ?                        2", "a stage of the future");
	tap_ok(!strstr(text, "\n      latency"), "none of the volume");
	free(text);
	text = fake_print(st, false, false);
	tap_ok(!strstr(text, "latency"), "without --statistics");
	free(text);

	text = fake_print(st, true, true);
	o = json_tokener_parse(text);
	tap_is(path(o, "/0/devices/0/latency/write/count"), "0", "JSON has a stage without any");
	tap_is(path(o, "/0/connections/0/latency/ack/max-ns"), "100000000000", "max");
	tap_is(path(o, "/0/connections/0/latency/ack/p99-ns"), "100000000000", "p99");
	tap_is(path(o, "/0/connections/0/latency/ack/buckets/0/from-ns"), "1572864", "from");
	tap_is(path(o, "/0/connections/0/latency/ack/buckets/0/below-ns"), "2097152", "below");
	tap_is(path(o, "/0/connections/0/latency/ack/buckets/1/below-ns"), "(absent)", "no limit");
	tap_is(path(o, "/0/connections/0/latency/ack/buckets/1/count"), "1", "count");
	json_object_put(o);
	free(text);
	state_free(st);
}

int main(void)
{
	test_percentiles();
	test_units();
	test_print();
	return tap_end();
}
