# Attacks from inside: the processes' own lists, in programs that try what they
# forbid.  Not in instrumented builds, which let more through.
ATTACK_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS) -I$(srcdir)/src/master

noinst_LIBRARIES += tests/attack/libroles.a
tests_attack_libroles_a_CPPFLAGS = $(ATTACK_CPPFLAGS) $(GIT2_CFLAGS) \
	$(SSH2_CFLAGS) $(CRYPTO_CFLAGS) $(CARES_CFLAGS) $(JANSSON_CFLAGS) \
	$(MHD_CFLAGS) $(CURL_CFLAGS) $(SSL_CFLAGS) $(YAML_CFLAGS)
tests_attack_libroles_a_SOURCES = \
	src/api-worker/sandbox.c \
	src/git-worker/sandbox.c \
	src/key-worker/sandbox.c \
	src/manifest-worker/sandbox.c \
	src/master/sandbox.c \
	src/net-worker/sandbox.c \
	src/sync-worker/sandbox.c \
	src/upstream-worker/sandbox.c \
	tests/attack/roles.c \
	tests/attack/roles.h

ATTACK_LDADD = tests/attack/libroles.a src/master/liblaunch.a \
	src/common/libsandbox.a src/common/libipc.a src/common/libbase.a \
	$(SECCOMP_LIBS)

check_PROGRAMS += tests/attack/test_filters
TESTS += tests/attack/test_filters
tests_attack_test_filters_CPPFLAGS = $(ATTACK_CPPFLAGS)
tests_attack_test_filters_LDADD = $(ATTACK_LDADD)
tests_attack_test_filters_SOURCES = \
	tests/attack/bpf.c \
	tests/attack/bpf.h \
	tests/attack/test_filters.c

TESTS += tests/attack/launcher_imports.sh
EXTRA_DIST += tests/attack/launcher_imports.sh \
	tests/attack/filters/api.txt \
	tests/attack/filters/git-http.txt \
	tests/attack/filters/git-local.txt \
	tests/attack/filters/git-remote.txt \
	tests/attack/filters/key.txt \
	tests/attack/filters/launch-net.txt \
	tests/attack/filters/launcher.txt \
	tests/attack/filters/manifest.txt \
	tests/attack/filters/master.txt \
	tests/attack/filters/net.txt \
	tests/attack/filters/sync.txt \
	tests/attack/filters/upstream.txt

check_PROGRAMS += tests/attack/probe
TESTS += tests/attack/probe
tests_attack_probe_CPPFLAGS = $(ATTACK_CPPFLAGS)
tests_attack_probe_LDADD = $(ATTACK_LDADD)
tests_attack_probe_SOURCES = \
	tests/attack/probe.c \
	tests/attack/probe.h \
	tests/attack/probe_list.c

check_PROGRAMS += tests/attack/test_smoke
TESTS += tests/attack/test_smoke
tests_attack_test_smoke_CPPFLAGS = $(TEST_CPPFLAGS)
tests_attack_test_smoke_LDADD = src/common/libipc.a src/common/libbase.a
tests_attack_test_smoke_SOURCES = tests/attack/test_smoke.c

TESTS += tests/attack/allocators.sh tests/attack/no_memory.sh \
	tests/attack/a77_live.sh tests/attack/a77_trace.sh
EXTRA_DIST += tests/attack/allocators.sh tests/attack/no_memory.sh \
	tests/attack/a77_live.sh tests/attack/a77_trace.sh

# A worker that has fallen, for deputies.sh.
check_PROGRAMS += tests/attack/rogue
tests_attack_rogue_CPPFLAGS = $(ATTACK_CPPFLAGS)
tests_attack_rogue_LDADD = tests/attack/libroles.a src/common/libworker.a \
	src/common/libsandbox.a src/common/libproc.a src/common/libipc.a \
	src/common/libbase.a $(SECCOMP_LIBS)
tests_attack_rogue_SOURCES = tests/attack/rogue.c

# One that has the apply worker apply what it likes, for a85_forged.sh.
check_PROGRAMS += tests/attack/forger
tests_attack_forger_CPPFLAGS = $(tests_attack_rogue_CPPFLAGS)
tests_attack_forger_LDADD = $(tests_attack_rogue_LDADD)
tests_attack_forger_SOURCES = tests/attack/forger.c

# One call that fails, for fault_walk.sh.  A library, built as a program is:
# nothing else here needs libtool.
check_PROGRAMS += tests/attack/faulty tests/attack/faults.so
tests_attack_faulty_SOURCES = tests/attack/faulty.c
tests_attack_faulty_CPPFLAGS = $(TEST_CPPFLAGS)
tests_attack_faults_so_SOURCES = tests/attack/faults.c
tests_attack_faults_so_CPPFLAGS = $(TEST_CPPFLAGS) -U_FORTIFY_SOURCE
tests_attack_faults_so_CFLAGS = $(AM_CFLAGS) -fPIC -fno-builtin
tests_attack_faults_so_LDFLAGS = -shared

# The clock on the wall, for clocks.sh.
check_PROGRAMS += tests/attack/clock.so
tests_attack_clock_so_SOURCES = tests/attack/clock.c
tests_attack_clock_so_CPPFLAGS = $(TEST_CPPFLAGS) -U_FORTIFY_SOURCE
tests_attack_clock_so_CFLAGS = $(AM_CFLAGS) -fPIC -fno-builtin
tests_attack_clock_so_LDFLAGS = -shared
