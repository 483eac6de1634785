/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

void
fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

int
fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return FX_ESYS;
	return FX_OK;
}

int
fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) == -1 ? FX_ESYS : FX_OK;
}

static int
write_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = write(fd, p, n);
		if (w == -1 && errno == EINTR)
			w = 0;
		else if (w <= 0)
			return -1;
	}
	return 0;
}

int
fd_sealed(const char *name, const void *p, size_t n)
{
	auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int out;

	if (fd == -1 || write_all(fd, p, n) == -1 ||
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == -1)
		return -1;
	out = fd;
	fd = -1;
	return out;
}

int
fd_read_all(int fd, struct buf *out)
{
	uint8_t chunk[4096];
	off_t at = 0;
	ssize_t n;
	int r = FX_OK;

	while (r == FX_OK) {
		n = pread(fd, chunk, sizeof(chunk), at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			r = FX_ESYS;
		if (n <= 0)
			break;
		at += n;
		r = buf_put(out, chunk, (size_t)n);
	}
	explicit_bzero(chunk, sizeof(chunk)); /* it may have been a key */
	return r;
}
