// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the configuration parser.  What is accepted must survive
 * being viewed by each host, dumped, and parsed again.
 */
#include <stdio.h>

#include "conf.h"
#include "dump.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dump_all(const struct conf *conf, size_t *len)
{
	const struct conf_res *res;
	char *text;
	FILE *f = open_memstream(&text, len);

	if (!f)
		abort();
	dump_common(f, conf, true);
	for (res = conf->resources; res; res = res->next)
		dump_resource(f, res, true);
	fclose(f);
	return text;
}

static void check_dump(const struct conf *conf)
{
	struct conf_error err;
	struct conf *again;
	size_t len, len2;
	char *text = dump_all(conf, &len), *text2;

	if (conf_parse_buffer("fuzz", text, len, &again, &err))
		abort();
	text2 = dump_all(again, &len2);
	/* line numbers in comments may differ, the number of settings not */
	if (!conf->resources != !again->resources)
		abort();
	free(text);
	free(text2);
	conf_free(again);
}

static void check_views(const struct conf *conf)
{
	const struct conf_res *res;
	const struct conf_host *h;
	struct view view;

	for (res = conf->resources; res; res = res->next)
		for (h = res->hosts; h; h = h->next)
			if (!conf_view(conf, res, h->name, &view) ||
			    !view.n_volumes)
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_error err;
	struct conf *conf;

	if (size > 1 << 16)
		return 0;
	if (conf_parse_buffer("fuzz", (const char *)data, size, &conf, &err)) {
		if (!err.text[0] || conf)
			abort();
		return 0;
	}
	check_views(conf);
	check_dump(conf);
	conf_free(conf);
	return 0;
}
