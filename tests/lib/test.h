/*
 * test: a TAP producer in one header.
 *
 *	int main(void) { test_run("buf: a limit holds", test_limit); …
 *	                 return test_done(); }
 *
 * A case is a function; each want_… that fails prints what was got and what
 * was wanted and fails the case.  Case names are sentences.
 */
#ifndef FX_TEST_H
#define FX_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int test_count, test_failures, test_case_failures;

static inline bool
test_check(bool ok, const char *file, int line, const char *what)
{
	if (!ok) {
		test_case_failures++;
		printf("# %s:%d: %s\n", file, line, what);
	}
	return ok;
}

#define want(cond) test_check((cond), __FILE__, __LINE__, #cond)

static inline bool
test_int(long long got, long long wanted, const char *file, int line,
    const char *expr)
{
	if (got == wanted)
		return true;
	printf("# %s: got %lld, want %lld\n", expr, got, wanted);
	return test_check(false, file, line, expr);
}

#define want_int(got, wanted)                                                  \
	test_int((long long)(got), (long long)(wanted), __FILE__, __LINE__,    \
	    #got)

static inline bool
test_str(const char *got, const char *wanted, const char *file, int line,
    const char *expr)
{
	if (got != NULL && wanted != NULL && strcmp(got, wanted) == 0)
		return true;
	if (got == NULL && wanted == NULL)
		return true;
	printf("# %s:\n#  got  [%s]\n#  want [%s]\n", expr,
	    got == NULL ? "(null)" : got, wanted == NULL ? "(null)" : wanted);
	return test_check(false, file, line, expr);
}

#define want_str(got, wanted)                                                  \
	test_str((got), (wanted), __FILE__, __LINE__, #got)

#define want_mem(got, wanted, n)                                               \
	test_check(memcmp((got), (wanted), (n)) == 0, __FILE__, __LINE__,      \
	    #got " equals " #wanted)

static inline void
test_run(const char *name, void (*fn)(void))
{
	test_case_failures = 0;
	fn();
	test_count++;
	if (test_case_failures != 0)
		test_failures++;
	printf("%sok %d - %s\n", test_case_failures != 0 ? "not " : "",
	    test_count, name);
	fflush(stdout);
}

static inline int
test_done(void)
{
	printf("1..%d\n", test_count);
	return test_failures != 0;
}

#endif
