/*
 * key_util: key files for the tests of fluxd-key, made by ssh-keygen.
 */
#ifndef KEY_UTIL_H
#define KEY_UTIL_H

#include "base.h"
#include "fd.h"
#include "key.h"
#include "str.h"
#include "test.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static char key_dir[] = "/tmp/fluxd-test-key.XXXXXX";

/* Run a command in the tests' directory; its output, owned. */
static inline FX_PRINTF(1, 2) char *key_run(const char *fmt, ...)
{
	auto_free char *command = NULL;
	struct buf out = BUF_INIT(1 << 20);
	auto_free char *line = NULL;
	char chunk[4096];
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, fmt);
	want(vasprintf(&line, fmt, ap) > 0);
	va_end(ap);
	command = xasprintf("cd %s && %s", key_dir, line);
	f = popen(command, "r");
	while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		want_int(buf_put(&out, chunk, n), FX_OK);
	want(f != NULL && pclose(f) == 0);
	return str_take(&out);
}

static inline void
key_dir_make(void)
{
	want(mkdtemp(key_dir) != NULL);
}

static inline void
key_dir_remove(void)
{
	free(key_run("rm -rf %s", key_dir));
}

/* A new key `name` without a passphrase. */
static inline void
key_make(const char *name, const char *options)
{
	free(key_run("rm -f %s %s.pub && ssh-keygen -q -N '' -C '%s@ci' %s "
		     "-f %s </dev/null",
	    name, name, name, options, name));
}

static inline void
key_text(const char *name, struct buf *out)
{
	auto_free char *path = xasprintf("%s/%s", key_dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = (struct buf)BUF_INIT(KEY_FILE_MAX);
	want(fd != -1 && fd_read_all(fd, out) == FX_OK);
	fd_close(&fd);
}

/* NULL and the error when the file is refused. */
static inline struct key *
key_load(const char *name, struct fx_err *err)
{
	struct key *k = NULL;
	struct buf text;
	int r;

	key_text(name, &text);
	r = key_parse(&text, &k, err);
	want_int(r, err->code);
	want_int(buf_left(&text), 0);
	return k;
}

/* What is between the lines of an OpenSSH key, decoded. */
static inline void
key_binary(const char *name, struct buf *out)
{
	auto_free char *base64 =
	    key_run("grep -v -e -- %s | tr -d '\\n'", name);

	*out = (struct buf)BUF_INIT(KEY_FILE_MAX);
	want_int(str_unbase64(base64, strlen(base64), out), FX_OK);
}

#endif
