/*
 * memory: what this process still has in its memory, freed memory included.
 *
 * What is looked for is given inverted, so that the search does not find
 * itself, and the pages are read in place, so that looking makes no copy.
 */
#ifndef FX_MEMORY_H
#define FX_MEMORY_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline size_t
memory_count_in(const uint8_t *p, size_t n, const uint8_t *inverted, size_t len)
{
	size_t found = 0, k;

	for (size_t i = 0; i + len <= n; i++) {
		for (k = 0; k < len; k++)
			if ((p[i + k] ^ inverted[k]) != 0xff)
				break;
		found += k == len;
	}
	return found;
}

/* Occurrences in everything this process can write. */
static inline size_t
memory_count(const uint8_t *inverted, size_t len)
{
	FILE *f = fopen("/proc/self/maps", "re");
	size_t found = 0;
	char line[512], access[8];
	uintptr_t from, to;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, access) != 3 ||
		    strncmp(access, "rw", 2) != 0 ||
		    strstr(line, "/dev/") != NULL)
			continue;
		found += memory_count_in((const uint8_t *)from, to - from,
		    inverted, len);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

#endif
