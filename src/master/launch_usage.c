/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launch.h"

#include "fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_STAT 1024

int
launch_parse_stat(const char *text, struct launch_usage *u)
{
	/* the name, in brackets, may hold anything */
	const char *p = strrchr(text, ')');
	unsigned long long user, system, bytes;
	long long pages;
	uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	/* proc(5): fields 14, 15, 23 and 24, counted from the 3rd */
	if (p == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d "
		"%*d %*d %*d %*d %*d %*u %llu %lld",
		&user, &system, &bytes, &pages) != 4 ||
	    pages < 0)
		return FX_ESYNTAX;
	u->cpu_us += (user + system) * tick_us;
	u->address_space += bytes;
	u->resident += (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return FX_OK;
}

void
launch_add_usage(pid_t pid, struct launch_usage *u)
{
	char path[64], text[MAX_STAT];
	auto_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || (n = read(fd, text, sizeof(text) - 1)) == -1)
		return;
	text[n] = '\0';
	(void)!launch_parse_stat(text, u);
}
