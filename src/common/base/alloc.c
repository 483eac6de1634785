/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LARGE (128 * 1024) /* bytes of a block that is mapped by itself */
#define KEPT (16 * 1024)   /* free bytes kept at the end of the heap */

void
fx_no_memory(void)
{
	static const char text[] = "out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(FX_EXIT_NO_MEMORY);
}

static void *
checked(void *p)
{
	if (p == NULL)
		fx_no_memory();
	return p;
}

void *
xmalloc(size_t n)
{
	return checked(malloc(n == 0 ? 1 : n));
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *
xreallocarray(void *p, size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return checked(reallocarray(p, count, size));
}

char *
xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *
xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		s = NULL;
	va_end(ap);
	return checked(s);
}

/* glibc raises these by itself with each large block that is freed, up to 32
 * MiB, and keeps as much in every process. */
void
fx_frugal(void)
{
	/* tests of the filters choose for themselves */
	if (getenv("MALLOC_MMAP_THRESHOLD_") != NULL)
		return;
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, LARGE);
	(void)mallopt(M_TOP_PAD, KEPT);
}

void
fx_free_at(void *pointer_to_pointer)
{
	void *p;

	memcpy(&p, pointer_to_pointer, sizeof(p));
	free(p);
}

void
fx_bug(const char *fmt, ...)
{
	va_list ap;

	fputs("bug: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
