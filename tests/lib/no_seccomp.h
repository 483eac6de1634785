/*
 * no_seccomp: a process that finds out what it does on a kernel without
 * seccomp.
 */
#ifndef FX_NO_SECCOMP_H
#define FX_NO_SECCOMP_H

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

/* From here on there is none, for this process and what it executes. */
static inline void
lose_seccomp(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (ctx == NULL ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp),
		0) != 0 ||
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
		SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)) != 0 ||
	    seccomp_load(ctx) != 0)
		_exit(126);
	seccomp_release(ctx);
}

#endif
