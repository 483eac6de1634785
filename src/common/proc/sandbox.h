/*
 * sandbox: what a process may still do, as data, applied by one function.
 *
 * Every worker keeps a `const struct sandbox` in its own sandbox.c.
 * sandbox_enter is the last thing before it reads a byte that somebody else
 * wrote: no core dumps, not dumpable, no new privileges; own user id and an
 * empty root where the capabilities for it are there; resource limits;
 * Landlock; seccomp, where anything not listed kills the process.  Then a
 * fixed list of forbidden things is tried and must fail.
 */
#ifndef FX_SANDBOX_H
#define FX_SANDBOX_H

#include "base.h"

#include <seccomp.h>
#include <sys/types.h>

/* One line of an allow-list: a call, with what its arguments must be. */
struct sandbox_call {
	int nr; /* SCMP_SYS(…) */
	/* 0: allow; -1: not run, looks as if it had worked; else not run, fails
	 * with this errno */
	int error;
	unsigned nargs; /* conditions that must all hold */
	struct scmp_arg_cmp args[3];
};

#define SB_ALLOW(call)                                                         \
	{                                                                      \
		.nr = SCMP_SYS(call)                                           \
	}
#define SB_ERRNO(call, e)                                                      \
	{                                                                      \
		.nr = SCMP_SYS(call), .error = (e)                             \
	}
#define SB_FAKE(call)                                                          \
	{                                                                      \
		.nr = SCMP_SYS(call), .error = -1                              \
	}
/* Allowed if argument n equals v / has no bits outside of mask. */
#define SB_ARG(call, n, v)                                                     \
	{                                                                      \
		.nr = SCMP_SYS(call), .nargs = 1, .args = {                    \
			{ (n), SCMP_CMP_EQ, (scmp_datum_t)(v), 0 }             \
		}                                                              \
	}
#define SB_NO_BITS(call, n, forbidden)                                         \
	{                                                                      \
		.nr = SCMP_SYS(call), .nargs = 1, .args = {                    \
			{ (n), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(forbidden),  \
			    0 }                                                \
		}                                                              \
	}

struct sandbox {
	const char *name;
	const struct sandbox_call *calls;
	size_t ncalls;
	unsigned nofile;   /* RLIMIT_NOFILE */
	size_t as_bytes;   /* RLIMIT_AS; not in instrumented builds */
	bool may_connect;  /* TCP: the connector only */
	bool keeps_root;   /* no empty root: it needs a path on disk */
	bool writes_files; /* through descriptors it holds: no RLIMIT_FSIZE */
	bool alone;	   /* calls is the whole list, without sandbox_common */
	const char *const *read_paths; /* fixed, ended by NULL; may be NULL */
};

#define SANDBOX_MAX_PATHS 8

/* Paths that stay reachable, known at run time only; each list ends at the
 * first NULL.  What does not exist is left out.  Without keeps_root they are
 * gone all the same where the root becomes empty. */
struct sandbox_paths {
	const char *dir; /* its own directory: read and write; becomes uid's */
	const char *rw[SANDBOX_MAX_PATHS + 1];
	const char *read[SANDBOX_MAX_PATHS + 1]; /* beside sandbox.read_paths */
};

/* What was had, for READY. */
struct sandbox_state {
	unsigned landlock; /* ABI in force, 0: none */
	char missing[512]; /* layers that could not be had, for people, or "" */
	bool empty_root;
	bool own_uid;
};

/*
 * No way back, and no way to carry on if a step fails: ends the process with
 * exit status 70 and a line on standard error.  `uid` is (uid_t)-1 where user
 * ids are not changed; the group is the one that the launcher has set, else
 * the number of the user.  `paths` may be NULL.  strict: a layer that the
 * running kernel claims to support and that fails is an end, not a warning.
 */
void sandbox_enter(const struct sandbox *, uid_t uid,
    const struct sandbox_paths *, bool strict, struct sandbox_state *);

#define SANDBOX_EXIT 70

/* Before anything else in main(): not dumpable, no core, no new privileges.
 * ppid, unless 0: die with this parent; whoever forked has asked for that
 * before exec already, so getppid() is right. */
void sandbox_early(pid_t ppid);

/* Are all the capabilities effective that user ids and an empty root of their
 * own need: SETUID SETGID SYS_CHROOT KILL CHOWN? */
bool sandbox_has_caps(void);

/* Give up all capabilities but these (bits), for good.  FX_ESYS. */
int sandbox_keep_caps(uint64_t keep) FX_MUSTUSE;

/* Does the kernel have filters that end a process?  Where it does not,
 * libseccomp does not even build one. */
bool sandbox_can_filter(void);

/* Build the filter without loading it, for the tests that print it. */
scmp_filter_ctx sandbox_filter(const struct sandbox *);

/* Calls that every worker's channel, loop, memory and end need; a worker's
 * list is this plus its own. */
extern const struct sandbox_call sandbox_common[];
extern const size_t sandbox_ncommon;

#endif
