// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the configuration directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "util.h"

static int fail(struct conf_error *err, const char *path, const char *what)
{
	snprintf(err->text, sizeof(err->text), "%.500s: %.400s", path, what);
	return -1;
}

/* Return: bytes read, or -1 with errno; *@buf is to be freed. */
static ssize_t read_all(int fd, char **buf)
{
	size_t len = 0;
	ssize_t n = 1;

	*buf = xzalloc(CONF_FILE_MAX + 1);
	while (n > 0 && len <= CONF_FILE_MAX) {
		n = read(fd, *buf + len, CONF_FILE_MAX + 1 - len);
		if (n > 0)
			len += n;
	}
	if (n < 0)
		return -1;
	if (len > CONF_FILE_MAX) {
		errno = EFBIG;
		return -1;
	}
	return len;
}

static bool last_file_has_secret(const struct conf *conf)
{
	const struct conf_file *f = conf->files;

	while (f->next)
		f = f->next;
	return f->has_secret;
}

static int load_file(struct conf *conf, const char *path, struct conf_error *err)
{
	struct stat st = { 0 };
	char *buf = NULL;
	ssize_t len = -1;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st))
		len = read_all(fd, &buf);
	ret = len < 0 ? fail(err, path, strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	if (!ret)
		ret = conf_parse_into(conf, path, buf, len, err);
	if (!ret && last_file_has_secret(conf) && (st.st_mode & 0007))
		warn("%s contains a secret and everybody can read it; run: chmod o-rwx %s",
		     path, path);
	free(buf);
	return ret;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 &&
	       !strcmp(d->d_name + len - 5, ".conf");
}

int conf_load(const char *dir, struct conf **out, struct conf_error *err)
{
	struct conf *conf = conf_new();
	struct dirent **list;
	int n, i, ret = 0;

	*out = NULL;
	n = scandir(dir, &list, is_conf, alphasort);
	if (n < 0) {
		conf_free(conf);
		return fail(err, dir, errno == ENOENT ?
			    "No such file or directory: create it, and write RES.conf into it, see blkrepl.conf(5)" :
			    strerror(errno));
	}
	for (i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		if (!ret)
			ret = load_file(conf, path, err);
		free(path);
		free(list[i]);
	}
	free(list);
	if (!ret)
		ret = conf_check(conf, err);
	if (ret) {
		conf_free(conf);
		return -1;
	}
	*out = conf;
	return 0;
}
