/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "confine.h"

#include "fd.h"
#include "landlock.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Instruments write their files when the process ends. */
#ifdef FX_TEST_BUILD
#	define CONFINE_FILES false
#else
#	define CONFINE_FILES true
#endif

/* What the resolver, OpenSSL and the loader of their modules read. */
static const char *const readable[] = { "/etc", "/usr", "/lib", "/lib32",
	"/lib64", "/run" };

/* Variables that name certificates elsewhere. */
static const char *const readable_by[] = { "SSL_CERT_FILE", "SSL_CERT_DIR" };

/*
 * Landlock says nothing about these.  An allow-list would not last: the
 * resolver runs modules that the system's administrator chose.
 */
static const int refused[] = {
	/* programs */
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
/* other processes, and what debuggers see */
#ifndef FX_TEST_BUILD
	SCMP_SYS(ptrace), /* a leak checker stops the other threads with it */
#endif
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(perf_event_open),
	/* files' modes, owners, times and attributes */
	SCMP_SYS(chmod),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(chown),
	SCMP_SYS(fchown),
	SCMP_SYS(lchown),
	SCMP_SYS(fchownat),
	SCMP_SYS(utimensat),
	SCMP_SYS(setxattr),
	SCMP_SYS(lsetxattr),
	SCMP_SYS(fsetxattr),
	SCMP_SYS(open_by_handle_at),
	/* ways into the kernel */
	SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(add_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(request_key),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
};

/* ioctls that type on the terminal, where a shell reads on afterwards. */
static const unsigned long refused_ioctls[] = { TIOCSTI, TIOCLINUX };

/* Families of sockets that a client needs; the last one is the resolver's, to
 * see which addresses the machine has. */
static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static bool
is_needed(int family)
{
	for (size_t i = 0; i < nitems(families); i++)
		if (families[i] == family)
			return true;
	return false;
}

/*
 * libcurl before 8 connects even a socket that it was told is connected, and
 * takes the error for one; so this is said to have worked, and is not done.
 */
static int
add_no_network(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
	    SCMP_SYS(socket), 0);

	return r != 0
	    ? r
	    : seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(connect), 0);
}

static int
add_families(scmp_filter_ctx filter)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	int r = 0;

	for (int f = 0; f <= AF_NETLINK && r == 0; f++)
		if (!is_needed(f))
			r = seccomp_rule_add(filter, no, SCMP_SYS(socket), 1,
			    SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)f, 0));
	if (r == 0)
		r = seccomp_rule_add(filter, no, SCMP_SYS(socket), 1,
		    SCMP_A0_32(SCMP_CMP_GT, AF_NETLINK, 0));
	return r;
}

static int
add_rules(scmp_filter_ctx filter, enum confine_reach reach)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	int r = 0;

	for (size_t i = 0; i < nitems(refused) && r == 0; i++)
		r = seccomp_rule_add(filter, no, refused[i], 0);
	for (size_t i = 0; i < nitems(refused_ioctls) && r == 0; i++)
		r = seccomp_rule_add(filter, no, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, refused_ioctls[i]));
	if (r != 0)
		return r;
	return reach == CONFINE_NETWORK ? add_families(filter)
					: add_no_network(filter);
}

static int
enter_filter(enum confine_reach reach, struct ctl_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (filter == NULL)
		fx_bug("no memory for a filter");
	r = add_rules(filter, reach);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r == 0 || r == -EINVAL || r == -ENOSYS) /* a kernel without */
		return FX_OK;
	return ctl_fail(err, FX_ESYS, "cannot confine fluxctl: seccomp: %s",
	    strerror(-r));
}

static int
let_through(const struct landlock *rules, const char *writable,
    struct fx_err *why)
{
	const char *path;
	int r = FX_OK;

	for (size_t i = 0; i < nitems(readable) && r == FX_OK; i++)
		r = landlock_path(rules, readable[i], false, why);
	for (size_t i = 0; i < nitems(readable_by) && r == FX_OK; i++) {
		path = getenv(readable_by[i]);
		if (path != NULL && *path != '\0')
			r = landlock_path(rules, path, false, why);
	}
	if (r == FX_OK && writable != NULL)
		r = landlock_path(rules, writable, true, why);
	return r;
}

static int
enter_landlock(const char *writable, enum confine_reach reach,
    struct ctl_error *err)
{
	struct landlock rules = { .fd = -1 };
	struct fx_err why = { 0 };
	unsigned abi = landlock_abi();
	int r;

	if (abi == 0)
		return FX_OK;
	r = landlock_open(&rules, abi, CONFINE_FILES, reach == CONFINE_NETWORK,
	    &why);
	if (r == FX_OK)
		r = let_through(&rules, writable, &why);
	if (r == FX_OK)
		r = landlock_enter(&rules, &why);
	fd_close(&rules.fd);
	if (r != FX_OK)
		return ctl_fail(err, r, "cannot confine fluxctl: %s", why.text);
	return FX_OK;
}

int
ctl_confine(const char *writable, enum confine_reach reach,
    struct ctl_error *err)
{
	int r;

	/* both layers want it; it cannot fail for want of rights */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	r = enter_landlock(writable, reach, err);
	return r == FX_OK ? enter_filter(reach, err) : r;
}
