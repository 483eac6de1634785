# The calls of the service of --connect.
fuzz_rpc_cppflags = $(fuzz_cppflags) -I$(srcdir)/src/upstream-worker \
	$(UPSTREAM_CFLAGS)
fuzz_rpc_libs = src/upstream-worker/libupstream.a src/common/libmodel.a \
	src/common/libbase.a $(JANSSON_LIBS)

check_PROGRAMS += tests/fuzz/replay_rpc
TESTS += tests/fuzz/replay_rpc
tests_fuzz_replay_rpc_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_rpc.c
tests_fuzz_replay_rpc_CPPFLAGS = $(fuzz_rpc_cppflags) -DFX_CORPUS=\"rpc\"
tests_fuzz_replay_rpc_LDADD = $(fuzz_rpc_libs)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_rpc
tests_fuzz_fuzz_rpc_SOURCES = tests/fuzz/fuzz_rpc.c
tests_fuzz_fuzz_rpc_CPPFLAGS = $(fuzz_rpc_cppflags)
tests_fuzz_fuzz_rpc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_rpc_LDADD = $(fuzz_rpc_libs)
endif
