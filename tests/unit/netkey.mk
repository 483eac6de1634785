EXTRA_DIST += tests/unit/key_util.h tests/unit/name_server.h \
	tests/unit/worker_util.h

KEY_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/key-worker $(CRYPTO_CFLAGS)
KEY_TEST_LDADD = src/key-worker/libkey.a src/common/libmodel.a \
	src/common/libbase.a $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_key_file
TESTS += tests/unit/test_key_file
tests_unit_test_key_file_SOURCES = tests/unit/test_key_file.c
tests_unit_test_key_file_CPPFLAGS = $(KEY_TEST_CPPFLAGS)
tests_unit_test_key_file_LDADD = $(KEY_TEST_LDADD)

check_PROGRAMS += tests/unit/test_key_make
TESTS += tests/unit/test_key_make
tests_unit_test_key_make_SOURCES = tests/unit/test_key_make.c
tests_unit_test_key_make_CPPFLAGS = $(KEY_TEST_CPPFLAGS)
tests_unit_test_key_make_LDADD = $(KEY_TEST_LDADD)

check_PROGRAMS += tests/unit/test_key_sign
TESTS += tests/unit/test_key_sign
tests_unit_test_key_sign_SOURCES = tests/unit/test_key_sign.c
tests_unit_test_key_sign_CPPFLAGS = $(KEY_TEST_CPPFLAGS)
tests_unit_test_key_sign_LDADD = $(KEY_TEST_LDADD)

# An instrumented program has memory that nobody may look at.
if !FX_TEST_BUILD
check_PROGRAMS += tests/unit/test_key_memory
TESTS += tests/unit/test_key_memory
endif
tests_unit_test_key_memory_SOURCES = tests/unit/test_key_memory.c
tests_unit_test_key_memory_CPPFLAGS = $(KEY_TEST_CPPFLAGS)
tests_unit_test_key_memory_LDADD = $(KEY_TEST_LDADD)

check_PROGRAMS += tests/unit/test_net_dial
TESTS += tests/unit/test_net_dial
tests_unit_test_net_dial_SOURCES = tests/unit/test_net_dial.c
tests_unit_test_net_dial_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/net-worker
tests_unit_test_net_dial_LDADD = src/net-worker/libnet.a src/common/libbase.a \
	$(CARES_LIBS)

check_PROGRAMS += tests/unit/test_key_worker
TESTS += tests/unit/test_key_worker
tests_unit_test_key_worker_SOURCES = tests/unit/test_key_worker.c
tests_unit_test_key_worker_CPPFLAGS = $(KEY_TEST_CPPFLAGS)
tests_unit_test_key_worker_LDADD = src/common/libipc.a $(KEY_TEST_LDADD)
EXTRA_tests_unit_test_key_worker_DEPENDENCIES = fluxd-key$(EXEEXT)

check_PROGRAMS += tests/unit/test_net_worker
TESTS += tests/unit/test_net_worker
tests_unit_test_net_worker_SOURCES = tests/unit/test_net_worker.c
tests_unit_test_net_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_net_worker_LDADD = src/common/libipc.a src/common/libbase.a
EXTRA_tests_unit_test_net_worker_DEPENDENCIES = fluxd-net$(EXEEXT)

check_PROGRAMS += tests/unit/test_worker_start
TESTS += tests/unit/test_worker_start
tests_unit_test_worker_start_SOURCES = tests/unit/test_worker_start.c
tests_unit_test_worker_start_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_worker_start_LDADD = src/common/libipc.a src/common/libbase.a \
	$(SECCOMP_LIBS)
EXTRA_tests_unit_test_worker_start_DEPENDENCIES = fluxd-api$(EXEEXT) \
	fluxd-key$(EXEEXT) fluxd-net$(EXEEXT)

check_PROGRAMS += tests/unit/test_net_sandbox
TESTS += tests/unit/test_net_sandbox
tests_unit_test_net_sandbox_SOURCES = tests/unit/test_net_sandbox.c \
	src/net-worker/handlers.c \
	src/net-worker/sandbox.c
tests_unit_test_net_sandbox_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/net-worker $(SECCOMP_CFLAGS)
tests_unit_test_net_sandbox_LDADD = src/net-worker/libnet.a \
	src/common/libworker.a src/common/libsandbox.a src/common/libproc.a \
	src/common/libipc.a src/common/libbase.a $(SECCOMP_LIBS) $(CARES_LIBS)

check_PROGRAMS += tests/fuzz/replay_openssh_key
TESTS += tests/fuzz/replay_openssh_key
tests_fuzz_replay_openssh_key_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_openssh_key.c
tests_fuzz_replay_openssh_key_CPPFLAGS = $(KEY_TEST_CPPFLAGS) \
	-I$(srcdir)/tests/fuzz -DFX_CORPUS=\"openssh_key\"
tests_fuzz_replay_openssh_key_LDADD = $(KEY_TEST_LDADD)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_openssh_key
tests_fuzz_fuzz_openssh_key_SOURCES = tests/fuzz/fuzz_openssh_key.c
tests_fuzz_fuzz_openssh_key_CPPFLAGS = $(KEY_TEST_CPPFLAGS) \
	-I$(srcdir)/tests/fuzz
tests_fuzz_fuzz_openssh_key_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_openssh_key_LDADD = $(KEY_TEST_LDADD)
endif
