/* SPDX-License-Identifier: Apache-2.0 */
/* The attacks.  Each makes its system calls by number where the C library
 * would choose another, and returns 0 if it got what it wanted. */
#include "base.h"
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* The role that has one, and the roles that see names of files outside:
 * Landlock does not hide what stat and readlink tell. */
#define NET IPC_S_NET
#define GIT (IPC_S_GIT_REMOTE | IPC_S_GIT_LOCAL)

static int
failed(long r)
{
	return r == -1 ? errno : 0;
}

/* ---- A77: files ---------------------------------------------------------- */

static int
opens(const char *path, int flags)
{
	return failed(syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

static int
peer_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)probe_world.victim,
	    name);
	return opens(path, O_RDONLY);
}

#define OPENS(name, path, flags)                                               \
	static int name(void)                                                  \
	{                                                                      \
		return opens(path, flags);                                     \
	}
#define PEER(name, file)                                                       \
	static int name(void)                                                  \
	{                                                                      \
		return peer_file(file);                                        \
	}
#define CALLS(name, ...)                                                       \
	static int name(void)                                                  \
	{                                                                      \
		return failed(syscall(__VA_ARGS__));                           \
	}

/* clang-format off */
OPENS(open_passwd, "/etc/passwd", O_RDONLY)
OPENS(open_root, "/", O_RDONLY | O_DIRECTORY)
OPENS(open_dot, ".", O_RDONLY | O_DIRECTORY)
OPENS(open_up, "../../../../../../etc/passwd", O_RDONLY)
OPENS(open_self_mem, "/proc/self/mem", O_RDWR)
OPENS(open_self_fd, "/proc/self/fd", O_RDONLY | O_DIRECTORY)
OPENS(open_self_fd_2, "/proc/self/fd/2", O_RDWR)
OPENS(open_thread_fd, "/proc/thread-self/environ", O_RDONLY)
OPENS(open_dev_mem, "/dev/kmsg", O_RDONLY)
OPENS(open_tty, "/dev/tty", O_RDWR)
OPENS(open_file, probe_world.file, O_RDONLY)
OPENS(open_file_rw, probe_world.file, O_RDWR)
OPENS(make_file, probe_world.other, O_WRONLY | O_CREAT)
OPENS(make_shm, "/dev/shm/fluxd-probe", O_WRONLY | O_CREAT)
OPENS(make_unnamed, probe_world.dir, O_RDWR | __O_TMPFILE | O_DIRECTORY)
PEER(peer_mem, "mem")
PEER(peer_environ, "environ")
PEER(peer_maps, "maps")
PEER(peer_fd, "fd")
PEER(peer_cwd, "cwd")
CALLS(old_open, SYS_open, "/etc/passwd", O_RDONLY)
CALLS(creats, SYS_creat, probe_world.other, 0600)
CALLS(open_by_kept, SYS_openat, 0, "..", O_RDONLY)
CALLS(stats, SYS_stat, "/etc/passwd", &(struct stat){ 0 })
CALLS(statxs, SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0, (char[256]){ 0 })
CALLS(newfstatats, SYS_newfstatat, AT_FDCWD, "/etc/passwd",
    &(struct stat){ 0 }, 0)
CALLS(readlinks, SYS_readlink, "/proc/self/exe", (char[64]){ 0 }, 64)
CALLS(accesses, SYS_access, "/etc/passwd", R_OK)
CALLS(truncates, SYS_truncate, probe_world.file, 0)
CALLS(makes_dir, SYS_mkdir, probe_world.other, 0700)
CALLS(makes_node, SYS_mknod, probe_world.other, S_IFIFO | 0600, 0)
CALLS(makes_link, SYS_symlink, "/etc/passwd", probe_world.other)
CALLS(links, SYS_link, probe_world.file, probe_world.other)
CALLS(renames, SYS_rename, probe_world.file, probe_world.other)
CALLS(unlinks, SYS_unlink, probe_world.file)
CALLS(chmods, SYS_chmod, probe_world.file, 0666)
CALLS(chowns, SYS_chown, probe_world.file, 0, 0)
CALLS(touches, SYS_utimensat, AT_FDCWD, probe_world.file, NULL, 0)
CALLS(removes_dir, SYS_rmdir, probe_world.dir)
CALLS(sets_attribute, SYS_setxattr, probe_world.file, "user.x", "x", 1, 0)
CALLS(chdirs, SYS_chdir, "/etc")
CALLS(watches, SYS_inotify_init1, 0)
CALLS(handles, SYS_name_to_handle_at, AT_FDCWD, "/etc", NULL, NULL, 0)
CALLS(mounts, SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)
CALLS(trees, SYS_open_tree, AT_FDCWD, "/", 0)
CALLS(chroots, SYS_chroot, ".")
/* clang-format on */

static int
open_how(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	return failed(
	    syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}

/* ---- A78: other processes ------------------------------------------------ */

static int
ptraces(void)
{
	return failed(
	    syscall(SYS_ptrace, PTRACE_SEIZE, probe_world.victim, NULL, NULL));
}

static int
reads_memory(void)
{
	char b;
	struct iovec to = { &b, 1 }, from = { &probe_world, 1 };

	return failed(syscall(SYS_process_vm_readv, probe_world.victim, &to, 1,
	    &from, 1, 0));
}

static int
writes_memory(void)
{
	char b = 0;
	struct iovec from = { &b, 1 }, to = { &probe_world, 1 };

	return failed(syscall(SYS_process_vm_writev, probe_world.victim, &from,
	    1, &to, 1, 0));
}

static int
opens_pidfd(void)
{
	return failed(syscall(SYS_pidfd_open, probe_world.victim, 0));
}

static int
steals_descriptor(void)
{
	return failed(syscall(SYS_pidfd_getfd, 0, 3, 0));
}

static int
compares(void)
{
	return failed(syscall(SYS_kcmp, getpid(), probe_world.victim, 0, 0, 0));
}

static int
signals(void)
{
	return failed(syscall(SYS_kill, probe_world.victim, 0));
}

static int
signals_thread(void)
{
	return failed(
	    syscall(SYS_tgkill, probe_world.victim, probe_world.victim, 0));
}

static int
signals_with_value(void)
{
	siginfo_t i = { .si_signo = SIGTERM, .si_code = SI_QUEUE };

	return failed(
	    syscall(SYS_rt_sigqueueinfo, probe_world.victim, SIGTERM, &i));
}

static int
limits_other(void)
{
	struct rlimit l = { 0, 0 };

	return failed(syscall(SYS_prlimit64, probe_world.victim, RLIMIT_NOFILE,
	    &l, NULL));
}

static int
slows_other(void)
{
	return failed(
	    syscall(SYS_setpriority, PRIO_PROCESS, probe_world.victim, 19));
}

static int
moves_other(void)
{
	unsigned long one = 1;

	return failed(syscall(SYS_sched_setaffinity, probe_world.victim,
	    sizeof(one), &one));
}

/* clang-format off */
CALLS(signals_all, SYS_kill, -1, 0)
CALLS(signals_group, SYS_kill, 0, 0)
CALLS(traced, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0)
CALLS(advises, SYS_process_madvise, 0, NULL, 0, 0, 0)

/* ---- A79: the network ---------------------------------------------------- */

CALLS(socket_inet, SYS_socket, AF_INET, SOCK_STREAM, 0)
CALLS(socket_inet6, SYS_socket, AF_INET6, SOCK_STREAM, 0)
CALLS(socket_udp, SYS_socket, AF_INET, SOCK_DGRAM, 0)
CALLS(socket_raw, SYS_socket, AF_INET, SOCK_RAW, IPPROTO_TCP)
CALLS(socket_unix, SYS_socket, AF_UNIX, SOCK_STREAM, 0)
CALLS(socket_netlink, SYS_socket, AF_NETLINK, SOCK_RAW, 0)
CALLS(socket_packet, SYS_socket, AF_PACKET, SOCK_RAW, 0)
CALLS(socket_vsock, SYS_socket, AF_VSOCK, SOCK_STREAM, 0)
CALLS(socket_alg, SYS_socket, AF_ALG, SOCK_SEQPACKET, 0)
CALLS(socket_pair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 })
CALLS(listens, SYS_listen, probe_world.stream, 1)
CALLS(mq_opens, SYS_mq_open, "probe", O_RDWR | O_CREAT, 0600, NULL)
CALLS(fifo_opens, SYS_pipe2, (int[2]){ 0 }, 0)
/* clang-format on */

static int
shm_gets(void)
{
	long id = syscall(SYS_shmget, IPC_PRIVATE, 4096, 0600);

	if (id != -1)
		syscall(SYS_shmctl, id, IPC_RMID, NULL);
	return failed(id);
}

static struct sockaddr_in
target(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)probe_world.tcp_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A filter may answer connect without running it: then nothing can be sent. */
static int
connects_with(int fd, const struct sockaddr *to, socklen_t n)
{
	long r = syscall(SYS_connect, fd, to, n);

	if (r == -1)
		return errno;
	return failed(syscall(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, NULL, 0));
}

static int
connects(void)
{
	struct sockaddr_in to = target();

	return connects_with(probe_world.stream, (struct sockaddr *)&to,
	    sizeof(to));
}

static int
binds(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	return failed(syscall(SYS_bind, probe_world.stream, &to, sizeof(to)));
}

static int
connects_by_data(void)
{
	struct sockaddr_in to = target();

	return failed(syscall(SYS_sendto, probe_world.stream, "x", 1,
	    MSG_FASTOPEN | MSG_NOSIGNAL, &to, sizeof(to)));
}

static int
connects_by_message(void)
{
	struct sockaddr_in to = target();
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct msghdr m = { .msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1 };

	return failed(syscall(SYS_sendmsg, probe_world.stream, &m,
	    MSG_FASTOPEN | MSG_NOSIGNAL));
}

/* shutdown(2) makes a listener a socket like any other. */
static int
connects_listener(void)
{
	probe_world.stream = probe_world.listener;
	if (syscall(SYS_shutdown, probe_world.stream, SHUT_RD) == -1)
		return errno;
	return connects_by_message();
}

static int
connects_abstract(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(probe_world.abstract);

	memcpy(to.sun_path + 1, probe_world.abstract, n);
	return connects_with(probe_world.local, (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n));
}

/* ---- A80: new code ------------------------------------------------------- */

static long
map(int prot)
{
	return syscall(SYS_mmap, NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
}

static int
maps_rwx(void)
{
	return failed(map(PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int
maps_rx(void)
{
	return failed(map(PROT_READ | PROT_EXEC));
}

static int
protects_exec(void)
{
	return failed(syscall(SYS_mprotect, map(PROT_READ | PROT_WRITE), 4096,
	    PROT_READ | PROT_EXEC));
}

static int
pkey_protects(void)
{
	return failed(syscall(SYS_pkey_mprotect, map(PROT_READ | PROT_WRITE),
	    4096, PROT_READ | PROT_EXEC, -1));
}

static int
execs(void)
{
	char *argv[] = { (char *)(uintptr_t) "false", NULL };

	/* its exit status says that it ran */
	return failed(syscall(SYS_execve, "/bin/false", argv, NULL));
}

/* clang-format off */
CALLS(execs_at, SYS_execveat, AT_FDCWD, "/bin/false", NULL, NULL, 0)
CALLS(memfds, SYS_memfd_create, "x", 0)
CALLS(memfds_secret, SYS_memfd_secret, 0)
CALLS(personalities, SYS_personality, 0x0400000)
CALLS(modify_ldts, SYS_modify_ldt, 0, NULL, 0)
CALLS(arch_prctls, SYS_arch_prctl, 0x1004, 0)

/* ---- A81: the kernel, more processes, more rights ------------------------ */

CALLS(threads, SYS_clone, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0)
CALLS(clones3, SYS_clone3, (uint64_t[8]){ 0 }, 64)
CALLS(io_urings, SYS_io_uring_setup, 1, (char[120]){ 0 })
CALLS(userfaults, SYS_userfaultfd, 1)
CALLS(bpfs, SYS_bpf, 0, (char[64]){ 0 }, 64)
CALLS(perfs, SYS_perf_event_open, (char[128]){ 0 }, 0, -1, -1, 0)
CALLS(keyctls, SYS_keyctl, 0, -3, 0)
CALLS(keys_adds, SYS_add_key, "user", "probe", "x", 1, -3)
CALLS(unshares, SYS_unshare, CLONE_NEWUSER)
CALLS(setnss, SYS_setns, 0, 0)
CALLS(modules, SYS_init_module, "", 0, "")
CALLS(uids, SYS_setresuid, 0, 0, 0)
CALLS(gids, SYS_setresgid, 0, 0, 0)
CALLS(dumpables, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
CALLS(ptracers, SYS_prctl, 0x59616d61, -1, 0, 0, 0)
CALLS(syslogs, SYS_syslog, 3, (char[16]){ 0 }, 16)
CALLS(ioctls, SYS_ioctl, 2, 0x5412 /* TIOCSTI */, "x")
CALLS(vm86s, SYS_iopl, 3)
/* clang-format on */

static int
forks_by(long nr)
{
	long pid = syscall(nr, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return failed(pid);
}

static int
forks(void)
{
	return forks_by(SYS_fork);
}

static int
clones(void)
{
	return forks_by(SYS_clone);
}

/* The child runs on our stack: no call, no return in between. */
static int
vforks(void)
{
	long r = -1;

#ifdef __x86_64__
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %1, %%eax\n\t"
			 "xor %%edi, %%edi\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(r)
			 : "i"(SYS_exit), "a"(SYS_vfork)
			 : "rcx", "r11", "rdi", "memory");
#endif
	return r > 0 ? 0 : 1;
}

static int
gains_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2] = { { 1u << CAP_KILL, 1u << CAP_KILL,
	    0 } };

	return failed(syscall(SYS_capset, &head, d));
}

static int
adds_filter(void)
{
	struct sock_filter f = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &f };

	return failed(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}

static int
calls_x32(void)
{
	return failed(syscall(0x40000000L | SYS_getpid));
}

/* 32-bit getpid by the old gate */
static int
calls_i386(void)
{
	long r = 20;

#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
#endif
	return r > 0 ? 0 : 1;
}

/* ---- A82: exhaustion ----------------------------------------------------- */

static int
takes_memory(void)
{
	size_t n = 1ul << 30;

	return failed(syscall(SYS_mmap, NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

static int
locks_memory(void)
{
	return failed(syscall(SYS_mlockall, 1));
}

static int
raises_limit(void)
{
	struct rlimit l = { RLIM_INFINITY, RLIM_INFINITY };

	return failed(syscall(SYS_prlimit64, 0, RLIMIT_AS, &l, NULL));
}

static int
real_time(void)
{
	struct sched_param p = { 1 };

	return failed(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
}

/* ---- the list ------------------------------------------------------------ */

#define ONE(id, what, fn)                                                      \
	{                                                                      \
		id, what, fn, 0, false                                         \
	}
#define MAY(id, what, fn, roles)                                               \
	{                                                                      \
		id, what, fn, roles, false                                     \
	}
#define ALL(id, what, fn)                                                      \
	{                                                                      \
		id, what, fn, 0, true                                          \
	}

/* clang-format off */
const struct probe probes[] = {
	ONE("A77", "open /etc/passwd", open_passwd),
	ONE("A77", "open /", open_root),
	ONE("A77", "open .", open_dot),
	ONE("A77", "open ../../etc/passwd", open_up),
	ONE("A77", "open(2) /etc/passwd", old_open),
	ONE("A77", "openat2 /etc/passwd", open_how),
	ONE("A77", "openat below a kept descriptor", open_by_kept),
	ONE("A77", "open /proc/self/mem", open_self_mem),
	ONE("A77", "open /proc/self/fd", open_self_fd),
	ONE("A77", "open /proc/self/fd/2", open_self_fd_2),
	ONE("A77", "open /proc/thread-self/environ", open_thread_fd),
	ONE("A77", "open /dev/kmsg", open_dev_mem),
	ONE("A77", "open /dev/tty", open_tty),
	ONE("A77", "open a file that anybody may read", open_file),
	ONE("A77", "open a file that anybody may write", open_file_rw),
	ONE("A77", "make a file where anybody may", make_file),
	ONE("A77", "make a file in /dev/shm", make_shm),
	ONE("A77", "make a file without a name", make_unnamed),
	ONE("A77", "creat", creats),
	ONE("A77", "stat", stats),
	ONE("A77", "statx", statxs),
	/* Landlock knows nothing of these: names, sizes, and modes and times
	 * of what the user owns, where a path is needed on disk */
	MAY("A77", "newfstatat", newfstatats, NET | GIT),
	MAY("A77", "readlink", readlinks, GIT),
	MAY("A77", "access", accesses, GIT),
	ONE("A77", "truncate", truncates),
	ONE("A77", "mkdir", makes_dir),
	ONE("A77", "mknod", makes_node),
	ONE("A77", "symlink", makes_link),
	ONE("A77", "link", links),
	ONE("A77", "rename", renames),
	ONE("A77", "unlink", unlinks),
	MAY("A77", "chmod", chmods, GIT),
	MAY("A77", "utimensat", touches, GIT),
	ONE("A77", "setxattr", sets_attribute),
	ONE("A77", "rmdir", removes_dir),
	ONE("A77", "chown", chowns),
	ONE("A77", "chdir", chdirs),
	ONE("A77", "inotify_init1", watches),
	ONE("A77", "name_to_handle_at", handles),
	ONE("A77", "mount", mounts),
	ONE("A77", "open_tree", trees),
	ONE("A77", "chroot", chroots),
	ALL("A77", "open /proc/PID/mem", peer_mem),
	ALL("A77", "open /proc/PID/environ", peer_environ),
	ALL("A77", "open /proc/PID/maps", peer_maps),
	ALL("A77", "open /proc/PID/fd", peer_fd),
	ALL("A77", "open /proc/PID/cwd", peer_cwd),

	ALL("A78", "ptrace", ptraces),
	ALL("A78", "process_vm_readv", reads_memory),
	ALL("A78", "process_vm_writev", writes_memory),
	ALL("A78", "pidfd_open", opens_pidfd),
	ALL("A78", "kcmp", compares),
	ALL("A78", "kill", signals),
	ALL("A78", "tgkill", signals_thread),
	ALL("A78", "rt_sigqueueinfo", signals_with_value),
	ALL("A78", "prlimit64", limits_other),
	ALL("A78", "setpriority", slows_other),
	ALL("A78", "sched_setaffinity", moves_other),
	ONE("A78", "pidfd_getfd", steals_descriptor),
	ONE("A78", "kill -1", signals_all),
	ONE("A78", "kill 0", signals_group),
	ONE("A78", "PTRACE_TRACEME", traced),
	ONE("A78", "process_madvise", advises),

	MAY("A79", "socket AF_INET", socket_inet, NET),
	MAY("A79", "socket AF_INET6", socket_inet6, NET),
	MAY("A79", "socket AF_INET, UDP", socket_udp, NET),
	ONE("A79", "socket AF_INET, raw", socket_raw),
	ONE("A79", "socket AF_UNIX", socket_unix),
	ONE("A79", "socket AF_NETLINK", socket_netlink),
	ONE("A79", "socket AF_PACKET", socket_packet),
	ONE("A79", "socket AF_VSOCK", socket_vsock),
	ONE("A79", "socket AF_ALG", socket_alg),
	ONE("A79", "socketpair", socket_pair),
	MAY("A79", "connect", connects, NET),
	ONE("A79", "bind", binds),
	ONE("A79", "listen", listens),
	/* connect without connect(2), by TCP fast open; and with a listener
	 * in the place of a fresh socket */
	MAY("A79", "sendto that connects", connects_by_data, NET),
	ONE("A79", "sendmsg that connects", connects_by_message),
	ONE("A79", "a listener that connects", connects_listener),
	ONE("A79", "connect to an abstract socket", connects_abstract),
	ONE("A79", "mq_open", mq_opens),
	ONE("A79", "shmget", shm_gets),
	ONE("A79", "pipe2", fifo_opens),

	ONE("A80", "execve", execs),
	ONE("A80", "execveat", execs_at),
	ONE("A80", "memfd_create", memfds),
	ONE("A80", "memfd_secret", memfds_secret),
	ONE("A80", "mmap, writable and executable", maps_rwx),
	ONE("A80", "mmap, executable", maps_rx),
	ONE("A80", "mprotect, executable", protects_exec),
	ONE("A80", "pkey_mprotect, executable", pkey_protects),
	ONE("A80", "personality", personalities),
	ONE("A80", "modify_ldt", modify_ldts),
	ONE("A80", "arch_prctl", arch_prctls),

	ONE("A81", "fork", forks),
	ONE("A81", "vfork", vforks),
	ONE("A81", "clone", clones),
	ONE("A81", "clone of a thread", threads),
	ONE("A81", "clone3", clones3),
	ONE("A81", "io_uring_setup", io_urings),
	ONE("A81", "userfaultfd", userfaults),
	ONE("A81", "bpf", bpfs),
	ONE("A81", "perf_event_open", perfs),
	ONE("A81", "keyctl", keyctls),
	ONE("A81", "add_key", keys_adds),
	ONE("A81", "unshare", unshares),
	ONE("A81", "setns", setnss),
	ONE("A81", "init_module", modules),
	ONE("A81", "setresuid 0", uids),
	ONE("A81", "setresgid 0", gids),
	ONE("A81", "capset", gains_caps),
	ONE("A81", "prctl: dumpable", dumpables),
	ONE("A81", "prctl: tracer", ptracers),
	ONE("A81", "seccomp: one more filter", adds_filter),
	ONE("A81", "syslog", syslogs),
	ONE("A81", "ioctl on standard error", ioctls),
	ONE("A81", "iopl", vm86s),
	ONE("A81", "x32", calls_x32),
	ONE("A81", "i386", calls_i386),

	ONE("A82", "a gigabyte of memory", takes_memory),
	ONE("A82", "mlockall", locks_memory),
	ONE("A82", "prlimit: more memory", raises_limit),
	ONE("A82", "sched_setscheduler: real time", real_time),
};
/* clang-format on */
const size_t nprobes = nitems(probes);

/* ---- targets ------------------------------------------------------------- */

void
probe_renew_file(void)
{
	int fd;

	unlink(probe_world.other);
	rmdir(probe_world.other);
	fd = open(probe_world.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || fchmod(fd, 0666) == -1)
		fx_bug("no file to attack");
	close(fd);
}

void
probe_open_targets(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t n = sizeof(in);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len;

	if (mkdtemp(probe_world.dir) == NULL ||
	    chmod(probe_world.dir, 0777) == -1)
		fx_bug("no directory to attack");
	snprintf(probe_world.file, sizeof(probe_world.file), "%s/file",
	    probe_world.dir);
	snprintf(probe_world.other, sizeof(probe_world.other), "%s/other",
	    probe_world.dir);
	probe_renew_file();
	snprintf(probe_world.abstract, sizeof(probe_world.abstract),
	    "fluxd-probe-%d", (int)getpid());
	len = strlen(probe_world.abstract);
	memcpy(un.sun_path + 1, probe_world.abstract, len);
	if (bind(tcp, (struct sockaddr *)&in, n) == -1 ||
	    listen(tcp, 64) == -1 ||
	    getsockname(tcp, (struct sockaddr *)&in, &n) == -1 ||
	    bind(local, (struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
		    len)) == -1 ||
	    listen(local, 64) == -1)
		fx_bug("no targets to attack");
	probe_world.tcp_port = ntohs(in.sin_port);
}

void
probe_give_targets(uid_t uid)
{
	if (chown(probe_world.file, uid, uid) == -1 ||
	    chown(probe_world.dir, uid, uid) == -1)
		fx_bug("the targets cannot be given to user %u", (unsigned)uid);
}

bool
probe_close_targets(void)
{
	return unlink(probe_world.file) == 0 && rmdir(probe_world.dir) == 0;
}
