/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "landlock.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture. */
#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446

#define CREATE_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_CHANGE                                                              \
	(FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |        \
	    FS_MAKE_REG | FS_REFER | FS_TRUNCATE)
/* What can be let through for something that is not a directory. */
#define FS_OF_FILE (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE)

#define NET_BIND_TCP (1ull << 0)
#define NET_CONNECT_TCP (1ull << 1)

#define SCOPE_ABSTRACT_SOCKET (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

/* As the kernel reads it; older ones know only the first members. */
struct ruleset_attr {
	uint64_t handled_fs;
	uint64_t handled_net; /* ABI 4 */
	uint64_t scoped;      /* ABI 6 */
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

unsigned
landlock_abi(void)
{
	long abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);

	if (abi < 0)
		return 0;
	return abi > LANDLOCK_ABI_KNOWN ? LANDLOCK_ABI_KNOWN : (unsigned)abi;
}

/* All file rights that an ABI has: 13, then REFER, TRUNCATE, IOCTL_DEV. */
static uint64_t
file_rights(unsigned abi)
{
	unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	return (1ull << bits) - 1;
}

int
landlock_open(struct landlock *l, unsigned abi, bool files, bool connect,
    struct fx_err *err)
{
	struct ruleset_attr attr = { 0 };
	size_t size = offsetof(struct ruleset_attr, handled_net);
	long fd;

	if (files)
		attr.handled_fs = file_rights(abi);
	if (abi >= LANDLOCK_ABI_TCP) {
		attr.handled_net = NET_BIND_TCP;
		if (!connect)
			attr.handled_net |= NET_CONNECT_TCP;
		size = offsetof(struct ruleset_attr, scoped);
	}
	if (abi >= LANDLOCK_ABI_SCOPES) {
		attr.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
		size = sizeof(attr);
	}
	fd = syscall(NR_CREATE_RULESET, &attr, size, 0);
	if (fd == -1)
		return fx_fail(err, FX_ESYS, "landlock: %s", strerror(errno));
	l->fd = (int)fd;
	l->abi = abi;
	l->files = attr.handled_fs;
	return FX_OK;
}

int
landlock_path(const struct landlock *l, const char *path, bool change,
    struct fx_err *err)
{
	auto_fd int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_beneath_attr attr = { FS_READ, fd };
	struct stat st;

	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return FX_OK;
	if (fd == -1 || fstat(fd, &st) == -1)
		return fx_fail(err, FX_ESYS, "landlock: %s: %s", path,
		    strerror(errno));
	if (change)
		attr.allowed |= FS_CHANGE;
	if (!S_ISDIR(st.st_mode))
		attr.allowed &= FS_OF_FILE;
	attr.allowed &= l->files;
	if (attr.allowed == 0) /* an instrumented build forbids nothing */
		return FX_OK;
	if (syscall(NR_ADD_RULE, l->fd, RULE_PATH_BENEATH, &attr, 0) == -1)
		return fx_fail(err, FX_ESYS, "landlock: %s: %s", path,
		    strerror(errno));
	return FX_OK;
}

int
landlock_enter(struct landlock *l, struct fx_err *err)
{
	long r = syscall(NR_RESTRICT_SELF, l->fd, 0);
	int error = errno;

	fd_close(&l->fd);
	if (r == -1)
		return fx_fail(err, FX_ESYS, "landlock: %s", strerror(error));
	return FX_OK;
}
