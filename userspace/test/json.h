/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking into JSON that was printed.
 */
#ifndef BLKREPL_TEST_JSON_H
#define BLKREPL_TEST_JSON_H

#include <json-c/json.h>

/* What is at a place, as text; @p is a JSON pointer. */
static inline const char *path(struct json_object *o, const char *p)
{
	struct json_object *found;

	return json_pointer_get(o, p, &found) ? "(absent)" : json_object_to_json_string(found);
}

#endif
