/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launch.h"

#include "sandbox.h"

#include <errno.h>
#include <malloc.h>
#include <sys/socket.h>

/* clang-format off */
#define N(call) SCMP_SYS(call)
static const int refused[] = {
	/* looking into others */
	N(ptrace), N(process_vm_readv), N(process_vm_writev),
	N(process_madvise), N(process_mrelease), N(pidfd_getfd), N(kcmp),
	N(perf_event_open), N(move_pages), N(migrate_pages),
	/* loading code into the kernel; large and young parts of it */
	N(bpf), N(init_module), N(finit_module), N(delete_module),
	N(kexec_load), N(kexec_file_load), N(io_uring_setup),
	N(io_uring_enter), N(io_uring_register), N(userfaultfd),
	N(memfd_secret), N(vmsplice), N(modify_ldt), N(personality), N(uselib),
	/* another view of the system */
	N(unshare), N(setns), N(mount), N(umount2), N(pivot_root), N(fsopen),
	N(fsconfig), N(fsmount), N(fspick), N(move_mount), N(open_tree),
	N(mount_setattr), N(quotactl), N(quotactl_fd), N(open_by_handle_at),
	N(name_to_handle_at), N(fanotify_init), N(mknod), N(mknodat),
	/* the machine */
	N(reboot), N(swapon), N(swapoff), N(acct), N(syslog), N(sethostname),
	N(setdomainname), N(settimeofday), N(clock_settime), N(clock_adjtime),
	N(adjtimex), N(iopl), N(ioperm), N(vhangup), N(nfsservctl),
	N(lookup_dcookie),
	/* keys of others */
	N(keyctl), N(add_key), N(request_key),
	/* waiting for the network; programs from elsewhere than a path */
	N(listen), N(execveat),
};
/* and, to all but the connector and who starts it: reaching the network */
static const int refused_sockets[] = { N(socket), N(connect), N(bind) };
#undef N
/* clang-format on */

static int
refuse(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(ctx, action, calls[i], 0);
	return r;
}

/* Families below AF_INET, between it and AF_INET6, and above. */
static int
refuse_families(scmp_filter_ctx ctx, uint32_t action)
{
	int r;

	r = seccomp_rule_add_exact(ctx, action, SCMP_SYS(socket), 1,
	    SCMP_A0_32(SCMP_CMP_LT, AF_INET, 0));
	if (r == 0)
		r = seccomp_rule_add_exact(ctx, action, SCMP_SYS(socket), 1,
		    SCMP_A0_32(SCMP_CMP_GT, AF_INET6, 0));
	for (int f = AF_INET + 1; r == 0 && f < AF_INET6; f++)
		r = seccomp_rule_add_exact(ctx, action, SCMP_SYS(socket), 1,
		    SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)f, 0));
	return r;
}

scmp_filter_ctx
launch_filter(bool sockets)
{
	const uint32_t action = SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (ctx == NULL ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) != 0)
		fx_bug("filter: seccomp_init");
	r = refuse(ctx, action, refused, nitems(refused));
	if (r == 0 && sockets)
		r = refuse_families(ctx, action);
	else if (r == 0)
		r = refuse(ctx, action, refused_sockets,
		    nitems(refused_sockets));
	if (r != 0)
		fx_bug("filter: %s", strerror(-r));
	return ctx;
}

int
launch_load_filter(bool sockets)
{
	scmp_filter_ctx ctx;
	int r;

	if (!sandbox_can_filter())
		return -ENOSYS;
	ctx = launch_filter(sockets);
	r = seccomp_load(ctx);
	seccomp_release(ctx);
	(void)malloc_trim(0); /* building it took most of what there is */
	return r;
}
