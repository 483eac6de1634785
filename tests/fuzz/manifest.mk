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

check_PROGRAMS += tests/fuzz/replay_note
TESTS += tests/fuzz/replay_note
tests_fuzz_replay_note_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_note.c
tests_fuzz_replay_note_CPPFLAGS = $(fuzz_manifest_cppflags) \
	-DFX_CORPUS=\"note\"
tests_fuzz_replay_note_LDADD = $(MANIFEST_TEST_LIBS)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_note
tests_fuzz_fuzz_note_SOURCES = tests/fuzz/fuzz_note.c
tests_fuzz_fuzz_note_CPPFLAGS = $(fuzz_manifest_cppflags)
tests_fuzz_fuzz_note_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_note_LDADD = $(MANIFEST_TEST_LIBS)
endif
