/* SPDX-License-Identifier: Apache-2.0 */
/* Who a process is: capabilities, and what others may see of it. */
#include "base.h"
#include "sandbox_parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whom to die with; 0: nobody. */
static pid_t parent;

#ifdef FX_TEST_BUILD
/* LeakSanitizer stops the world by ptrace at exit, and waits for it for ever;
 * it is told not to where that cannot be. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}
#endif

void
sandbox_die(const char *name, const char *fmt, ...)
{
	char text[256], line[320];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "%s: sandbox: %s\n", name, text);
	/* not stdio: it would use calls that the filter kills for */
	(void)!write(STDERR_FILENO, line, (size_t)n);
	_exit(SANDBOX_EXIT);
}

#define CAP_BIT(cap) (1ull << (cap))

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int
caps_get(struct caps *c)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, d) == -1)
		return FX_ESYS;
	c->effective = (uint64_t)d[1].effective << 32 | d[0].effective;
	c->permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	c->inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable;
	return FX_OK;
}

/* The bounding set can be cut only by who may; under no_new_privs it gives
 * nothing anyway. */
static void
cut_bounding_set(uint64_t keep)
{
	struct caps c;

	if (caps_get(&c) != FX_OK || !(c.effective & CAP_BIT(CAP_SETPCAP)))
		return;
	for (unsigned i = 0; i < 64; i++)
		if (!(keep & CAP_BIT(i)))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

int
sandbox_keep_caps(uint64_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
	struct caps c;

	if (caps_get(&c) != FX_OK)
		return FX_ESYS;
	cut_bounding_set(keep);
	/* The ambient set follows the other two. */
	c.effective &= keep;
	c.permitted &= keep;
	c.inheritable &= keep;
	for (unsigned i = 0; i < nitems(d); i++) {
		d[i].effective = (uint32_t)(c.effective >> 32 * i);
		d[i].permitted = (uint32_t)(c.permitted >> 32 * i);
		d[i].inheritable = (uint32_t)(c.inheritable >> 32 * i);
	}
	return syscall(SYS_capset, &head, d) == -1 ? FX_ESYS : FX_OK;
}

bool
sandbox_has_caps(void)
{
	const uint64_t needed = CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) |
	    CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN);
	struct caps c;

	return caps_get(&c) == FX_OK && (c.effective & needed) == needed;
}

int
sandbox_lock_privileges(void)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	struct caps c;

	if (caps_get(&c) != FX_OK)
		return FX_ESYS;
	if (!(c.effective & CAP_BIT(CAP_SETPCAP)))
		return FX_OK;
	cut_bounding_set(0);
	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == -1 ? FX_ESYS : FX_OK;
}

void
sandbox_private(const char *name)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		sandbox_die(name, "dumpable, core, new privileges: %s",
		    strerror(errno));
	if (parent == 0)
		return;
	/* A change of user clears the signal.  The parent may have died before
	 * it was asked for: then nobody sends it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		sandbox_die(name, "parent's death: %s", strerror(errno));
	if (getppid() != parent)
		_exit(SANDBOX_EXIT);
}

void
sandbox_early(pid_t ppid)
{
	parent = ppid;
	sandbox_private("fluxd");
}
