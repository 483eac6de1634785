# Each target twice: fuzz_NAME with libFuzzer (--enable-fuzzers, clang), and
# replay_NAME, which runs over the committed corpus in every make check.
EXTRA_DIST += tests/fuzz/fuzz.h tests/fuzz/corpus
fuzz_cppflags = $(TEST_CPPFLAGS) -I$(srcdir)/tests/fuzz

check_PROGRAMS += tests/fuzz/replay_ipc
TESTS += tests/fuzz/replay_ipc
tests_fuzz_replay_ipc_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ipc.c
tests_fuzz_replay_ipc_CPPFLAGS = $(fuzz_cppflags) -DFX_CORPUS=\"ipc\"
tests_fuzz_replay_ipc_LDADD = src/common/libipc.a src/common/libbase.a

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_ipc
tests_fuzz_fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c
tests_fuzz_fuzz_ipc_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_ipc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ipc_LDADD = src/common/libipc.a src/common/libbase.a
endif
