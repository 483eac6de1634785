fuzz_ctl_cppflags = $(fuzz_cppflags) -I$(srcdir)/src/fluxctl \
	-I$(srcdir)/src/manifest-worker $(CURL_CFLAGS) $(JANSSON_CFLAGS)

check_PROGRAMS += tests/fuzz/replay_ctl
TESTS += tests/fuzz/replay_ctl
tests_fuzz_replay_ctl_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ctl.c
tests_fuzz_replay_ctl_CPPFLAGS = $(fuzz_ctl_cppflags) -DFX_CORPUS=\"ctl\"
tests_fuzz_replay_ctl_LDADD = $(fluxctl_libs)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_ctl
tests_fuzz_fuzz_ctl_SOURCES = tests/fuzz/fuzz_ctl.c
tests_fuzz_fuzz_ctl_CPPFLAGS = $(fuzz_ctl_cppflags)
tests_fuzz_fuzz_ctl_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ctl_LDADD = $(fluxctl_libs)
endif
