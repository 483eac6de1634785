fuzz_manifest_cppflags = $(fuzz_cppflags) -I$(srcdir)/src/manifest-worker

check_PROGRAMS += tests/fuzz/replay_manifest
TESTS += tests/fuzz/replay_manifest
tests_fuzz_replay_manifest_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_manifest.c
tests_fuzz_replay_manifest_CPPFLAGS = $(fuzz_manifest_cppflags) \
	-DFX_CORPUS=\"manifest\"
tests_fuzz_replay_manifest_LDADD = $(MANIFEST_TEST_LIBS)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_manifest
tests_fuzz_fuzz_manifest_SOURCES = tests/fuzz/fuzz_manifest.c
tests_fuzz_fuzz_manifest_CPPFLAGS = $(fuzz_manifest_cppflags)
tests_fuzz_fuzz_manifest_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_manifest_LDADD = $(MANIFEST_TEST_LIBS)
endif
