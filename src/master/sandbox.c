/* SPDX-License-Identifier: Apache-2.0 */
/* What the master may still do once it serves: move frames and descriptors,
 * append to the journal and the log, tell the time. */
#include "base.h"
#include "mst_sandbox.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

static const struct sandbox_call calls[] = {
	/* channels: frames and the descriptors that travel with them */
	SB_ALLOW(recvmsg),
	SB_NO_BITS(sendmsg, 2, MSG_FASTOPEN), /* which would connect */
	SB_ALLOW(poll),
	SB_ALLOW(close),
	/* a sealed file or listener for the next incarnation of a worker */
	SB_ARG(fcntl, 1, F_DUPFD_CLOEXEC),
	/* the log, and the journal: its descriptors were opened before */
	SB_ALLOW(write),
	SB_ALLOW(pwrite64),
	SB_ALLOW(ftruncate),
	SB_ALLOW(fdatasync),
	SB_ALLOW(fstat), /* is the journal still there? (ledger.c) */
	/* libc: memory, never executable */
	SB_ALLOW(brk),
	SB_NO_BITS(mmap, 2, PROT_EXEC),
	SB_ALLOW(munmap),
	SB_ALLOW(mremap),
	SB_ALLOW(madvise),
	SB_ALLOW(futex),
	/* job ids */
	SB_ALLOW(getrandom),
	/* where the clock has no vDSO */
	SB_ALLOW(clock_gettime),
	SB_ALLOW(gettimeofday),
	/* abort(3) says who aborts; signals; poll after SIGCONT; the end */
	SB_ALLOW(getpid),
	SB_ALLOW(rt_sigreturn),
	SB_ALLOW(rt_sigprocmask),
	SB_ALLOW(restart_syscall),
	SB_ALLOW(exit_group),
};

const struct sandbox mst_sandbox = {
	.name = "master",
	.calls = calls,
	.ncalls = nitems(calls),
	.nofile = 256, /* channels, listeners, what is on its way */
	.as_bytes = 512ul << 20,
	.alone = true,
	.writes_files = true, /* the log and the journal */
};
