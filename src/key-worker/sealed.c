/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sealed.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
sealed_open(struct sealed *s, const char *name, size_t max)
{
	void *p = MAP_FAILED;

	s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd != -1 && ftruncate(s->fd, (off_t)max) == 0)
		p = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		    0);
	if (p == MAP_FAILED) {
		fd_close(&s->fd);
		return FX_ESYS;
	}
	s->bytes = (struct buf){ .data = p, .cap = max, .max = max };
	return FX_OK;
}

static void
unmap(struct sealed *s)
{
	if (s->bytes.data != NULL)
		(void)munmap(s->bytes.data, s->bytes.cap);
	s->bytes = (struct buf){ 0 };
}

int
sealed_take(struct sealed *s)
{
	int fd = s->fd;

	/* it cannot be sealed against writing while it is mapped for that */
	unmap(s);
	s->fd = -1;
	if (fd != -1 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		fd_close(&fd);
	return fd;
}

void
sealed_close(struct sealed *s)
{
	unmap(s);
	fd_close(&s->fd);
}
