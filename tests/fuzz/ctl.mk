fuzz_ctl_cppflags = $(fuzz_cppflags) -I$(srcdir)/src/fluxctl \
	-I$(srcdir)/src/manifest-worker $(CURL_CFLAGS) $(JANSSON_CFLAGS)

check_PROGRAMS += tests/fuzz/replay_ctl
TESTS += tests/fuzz/replay_ctl
tests_fuzz_replay_ctl_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ctl.c
tests_fuzz_replay_ctl_CPPFLAGS = $(fuzz_ctl_cppflags) -DFX_CORPUS=\"ctl\"
tests_fuzz_replay_ctl_LDADD = $(fluxctl_libs)

check_PROGRAMS += tests/fuzz/replay_frames
TESTS += tests/fuzz/replay_frames
tests_fuzz_replay_frames_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_frames.c
tests_fuzz_replay_frames_CPPFLAGS = $(fuzz_ctl_cppflags) -DFX_CORPUS=\"frames\"
tests_fuzz_replay_frames_LDADD = $(fluxctl_libs)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_ctl tests/fuzz/fuzz_frames
tests_fuzz_fuzz_ctl_SOURCES = tests/fuzz/fuzz_ctl.c
tests_fuzz_fuzz_ctl_CPPFLAGS = $(fuzz_ctl_cppflags)
tests_fuzz_fuzz_ctl_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ctl_LDADD = $(fluxctl_libs)
tests_fuzz_fuzz_frames_SOURCES = tests/fuzz/fuzz_frames.c
tests_fuzz_fuzz_frames_CPPFLAGS = $(fuzz_ctl_cppflags)
tests_fuzz_fuzz_frames_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_frames_LDADD = $(fluxctl_libs)
endif
