/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a fuzz target over its corpus, one TAP line per file: what a fuzzer found
 * once stays found.  FX_CORPUS is the corpus's name.
 */
#include "base.h"

#include "buf.h"
#include "fd.h"
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define INPUT_MAX (16u << 20)

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
replay(const char *path)
{
	auto_buf struct buf b = BUF_INIT(INPUT_MAX);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fd_read_all(fd, &b) != FX_OK)
		return false;
	(void)LLVMFuzzerTestOneInput(buf_head(&b), buf_left(&b));
	return true;
}

int
main(void)
{
	const char *top = getenv("FX_SRCDIR");
	auto_free char *dir = xasprintf("%s/tests/fuzz/corpus/%s",
	    top == NULL ? "." : top, FX_CORPUS);
	char **names = NULL;
	size_t n = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL) {
		printf("Bail out! no corpus\n");
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		names = xreallocarray(names, n + 1, sizeof(*names));
		names[n++] = xasprintf("%s/%s", dir, e->d_name);
	}
	closedir(d);
	if (n == 0) {
		printf("Bail out! the corpus is empty\n");
		return 1;
	}
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		bool ok = replay(names[i]);

		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1,
		    strrchr(names[i], '/') + 1);
		fflush(stdout);
		free(names[i]);
	}
	free(names);
	printf("1..%zu\n", n);
	return 0;
}
