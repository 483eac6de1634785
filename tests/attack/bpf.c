/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "bpf.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

void
bpf_export(scmp_filter_ctx ctx, struct bpf *b)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;

	if (fd == -1 || seccomp_export_bpf(ctx, fd) != 0)
		fx_bug("the filter cannot be exported");
	n = pread(fd, b->code, sizeof(b->code), 0);
	if (n <= 0)
		fx_bug("the filter cannot be read");
	b->n = (size_t)n / sizeof(b->code[0]);
	close(fd);
}

#ifndef PTRACE_SECCOMP_GET_FILTER
#	define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

bool
bpf_of_process(pid_t pid, unsigned index, struct bpf *b)
{
	long n = -1;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
		return false;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
	    waitpid(pid, NULL, __WALL) == pid)
		n = ptrace(PTRACE_SECCOMP_GET_FILTER, pid,
		    (void *)(uintptr_t)index, b->code);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	b->n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* What the accumulator holds at a place: one of two known values, or an
 * argument. */
enum acc { ACC_NR, ACC_ARCH, ACC_UNKNOWN, ACC_KINDS };

struct walk {
	const struct bpf *b;
	uint32_t value[ACC_UNKNOWN]; /* of ACC_NR, ACC_ARCH */
	bool seen[BPF_MAX][ACC_KINDS];
	struct {
		uint32_t pc;
		enum acc acc;
	} todo[BPF_MAX * ACC_KINDS];
	size_t ntodo;
	struct bpf_verdict v;
};

static void
go_to(struct walk *w, size_t pc, enum acc acc)
{
	if (pc >= w->b->n)
		fx_bug("the filter jumps out of itself");
	if (w->seen[pc][acc])
		return;
	w->seen[pc][acc] = true;
	w->todo[w->ntodo].pc = (uint32_t)pc;
	w->todo[w->ntodo++].acc = acc;
}

static void
note(struct bpf_verdict *v, uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		v->allow = true;
		break;
	case SECCOMP_RET_KILL_PROCESS:
		v->kill = true;
		break;
	case SECCOMP_RET_ERRNO:
		v->error = true;
		v->errno_is = action & SECCOMP_RET_DATA;
		break;
	default:
		v->other = true;
	}
}

static bool
compare(const struct sock_filter *i, uint32_t value)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return value == i->k;
	case BPF_JGT:
		return value > i->k;
	case BPF_JGE:
		return value >= i->k;
	case BPF_JSET:
		return (value & i->k) != 0;
	default:
		fx_bug("a jump of no known kind");
	}
}

static void
jump(struct walk *w, size_t pc, enum acc acc)
{
	const struct sock_filter *i = &w->b->code[pc];

	if (BPF_OP(i->code) == BPF_JA) {
		go_to(w, pc + 1 + i->k, acc);
		return;
	}
	if (acc == ACC_UNKNOWN || compare(i, w->value[acc]))
		go_to(w, pc + 1 + i->jt, acc);
	if (acc == ACC_UNKNOWN || !compare(i, w->value[acc]))
		go_to(w, pc + 1 + i->jf, acc);
}

static void
step(struct walk *w, size_t pc, enum acc acc)
{
	const struct sock_filter *i = &w->b->code[pc];

	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		if (i->k == offsetof(struct seccomp_data, nr))
			go_to(w, pc + 1, ACC_NR);
		else if (i->k == offsetof(struct seccomp_data, arch))
			go_to(w, pc + 1, ACC_ARCH);
		else
			go_to(w, pc + 1, ACC_UNKNOWN);
		break;
	case BPF_ALU: /* a mask over an argument */
		go_to(w, pc + 1, ACC_UNKNOWN);
		break;
	case BPF_JMP:
		jump(w, pc, acc);
		break;
	case BPF_RET:
		note(&w->v, i->k);
		break;
	default:
		fx_bug("an instruction of no known kind");
	}
}

struct bpf_verdict
bpf_walk(const struct bpf *b, uint32_t arch, uint32_t nr)
{
	static struct walk w;

	memset(&w, 0, sizeof(w));
	w.b = b;
	w.value[ACC_NR] = nr;
	w.value[ACC_ARCH] = arch;
	go_to(&w, 0, ACC_UNKNOWN);
	while (w.ntodo > 0) {
		w.ntodo--;
		step(&w, w.todo[w.ntodo].pc, w.todo[w.ntodo].acc);
	}
	return w.v;
}

const char *
bpf_verdict_text(const struct bpf_verdict *v, char *text, size_t size)
{
	bool one = v->allow + v->kill + v->error + v->other == 1;

	if (v->other)
		snprintf(text, size, "other");
	else if (one && v->allow)
		snprintf(text, size, "allow");
	else if (one && v->kill)
		snprintf(text, size, "kill");
	else if (one)
		snprintf(text, size, "errno %u", v->errno_is);
	else
		snprintf(text, size, "%s%s", v->allow ? "some" : "kill",
		    v->error ? " errno" : "");
	return text;
}
