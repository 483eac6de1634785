/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launch.h"

#include <errno.h>
#include <sys/socket.h>

static const int refused[] = {
	/* looking into others */
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(process_madvise),
	SCMP_SYS(process_mrelease),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(perf_event_open),
	/* loading code into the kernel, large and young parts of it */
	SCMP_SYS(bpf),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(memfd_secret),
	SCMP_SYS(vmsplice),
	SCMP_SYS(modify_ldt),
	SCMP_SYS(personality),
	SCMP_SYS(uselib),
	/* another view of the system */
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(fanotify_init),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	/* the machine */
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(syslog),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(vhangup),
	SCMP_SYS(nfsservctl),
	SCMP_SYS(lookup_dcookie),
	/* keys of others */
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	/* waiting for the network, and programs from elsewhere than a path */
	SCMP_SYS(listen),
	SCMP_SYS(execveat),
	/* memory of others by pages and nodes */
	SCMP_SYS(move_pages),
	SCMP_SYS(migrate_pages),
};

/* Families below AF_INET, between it and AF_INET6, and above. */
static int
refuse_sockets(scmp_filter_ctx ctx, uint32_t action)
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
launch_filter(void)
{
	const uint32_t action = SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = 0;

	if (ctx == NULL ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) != 0)
		fx_bug("filter: seccomp_init");
	for (size_t i = 0; r == 0 && i < nitems(refused); i++)
		r = seccomp_rule_add(ctx, action, refused[i], 0);
	if (r == 0)
		r = refuse_sockets(ctx, action);
	if (r != 0)
		fx_bug("filter: %s", strerror(-r));
	return ctx;
}
