/*
 * bpf: what a seccomp filter can answer, found by following every path.
 *
 * The program is walked with a known architecture and call number and unknown
 * arguments: each comparison of an argument goes both ways.  So the verdict
 * tells what is possible with some arguments, not with those of one try.
 */
#ifndef FX_ATTACK_BPF_H
#define FX_ATTACK_BPF_H

#include "base.h"

#include <linux/filter.h>
#include <seccomp.h>
#include <sys/types.h>

#define BPF_MAX 4096 /* instructions; the kernel's limit too */

struct bpf {
	struct sock_filter code[BPF_MAX];
	size_t n;
};

struct bpf_verdict {
	bool allow, kill, other; /* other: neither of these nor an error */
	bool error;
	unsigned errno_is; /* the last seen */
};

/* The program that libseccomp would load. */
void bpf_export(scmp_filter_ctx, struct bpf *);

/* A filter that a process has loaded; 0 is the oldest.  Stops the process
 * for a moment; needs CAP_SYS_ADMIN.  false: there is no such filter. */
bool bpf_of_process(pid_t, unsigned index, struct bpf *);

struct bpf_verdict bpf_walk(const struct bpf *, uint32_t arch, uint32_t nr);

/* "allow", "some", "errno 38", "some errno 1", "kill". */
const char *bpf_verdict_text(const struct bpf_verdict *, char *, size_t);

#endif
