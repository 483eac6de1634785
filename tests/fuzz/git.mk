check_PROGRAMS += tests/fuzz/replay_known_hosts tests/fuzz/replay_pktline \
	tests/fuzz/replay_git_url
TESTS += tests/fuzz/replay_known_hosts tests/fuzz/replay_pktline \
	tests/fuzz/replay_git_url
fuzz_git_cppflags = $(fuzz_cppflags) -I$(srcdir)/src/git-worker
fuzz_git_ldadd = src/git-worker/libgw.a src/common/libmodel.a \
	src/common/libbase.a $(CRYPTO_LIBS)

tests_fuzz_replay_known_hosts_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_known_hosts.c
tests_fuzz_replay_known_hosts_CPPFLAGS = $(fuzz_git_cppflags) \
	-DFX_CORPUS=\"known_hosts\"
tests_fuzz_replay_known_hosts_LDADD = $(fuzz_git_ldadd)

tests_fuzz_replay_pktline_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_pktline.c
tests_fuzz_replay_pktline_CPPFLAGS = $(fuzz_git_cppflags) \
	-DFX_CORPUS=\"pktline\"
tests_fuzz_replay_pktline_LDADD = $(fuzz_git_ldadd)

tests_fuzz_replay_git_url_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_git_url.c
tests_fuzz_replay_git_url_CPPFLAGS = $(fuzz_git_cppflags) \
	-DFX_CORPUS=\"git_url\"
tests_fuzz_replay_git_url_LDADD = $(fuzz_git_ldadd)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_known_hosts tests/fuzz/fuzz_pktline \
	tests/fuzz/fuzz_git_url
tests_fuzz_fuzz_known_hosts_SOURCES = tests/fuzz/fuzz_known_hosts.c
tests_fuzz_fuzz_known_hosts_CPPFLAGS = $(fuzz_git_cppflags)
tests_fuzz_fuzz_known_hosts_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_known_hosts_LDADD = $(fuzz_git_ldadd)

tests_fuzz_fuzz_pktline_SOURCES = tests/fuzz/fuzz_pktline.c
tests_fuzz_fuzz_pktline_CPPFLAGS = $(fuzz_git_cppflags)
tests_fuzz_fuzz_pktline_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_pktline_LDADD = $(fuzz_git_ldadd)

tests_fuzz_fuzz_git_url_SOURCES = tests/fuzz/fuzz_git_url.c
tests_fuzz_fuzz_git_url_CPPFLAGS = $(fuzz_git_cppflags)
tests_fuzz_fuzz_git_url_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_git_url_LDADD = $(fuzz_git_ldadd)
endif
