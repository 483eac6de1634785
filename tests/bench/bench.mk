# What tests/bench/run compares fluxd with: a client that sends the same
# requests and does nothing else, and processes with fluxd's libraries and
# nothing else ("make bench-programs").
EXTRA_DIST += tests/bench/run
EXTRA_PROGRAMS = tests/bench/patchgen tests/bench/floor-master tests/bench/floor-net \
	tests/bench/floor-key tests/bench/floor-git \
	tests/bench/floor-manifest tests/bench/floor-sync tests/bench/floor-api

tests_bench_patchgen_SOURCES = tests/bench/patchgen.c
tests_bench_patchgen_CPPFLAGS = $(CURL_CFLAGS)
tests_bench_patchgen_LDADD = $(CURL_LIBS)

tests_bench_floor_master_SOURCES = tests/bench/floor.c
tests_bench_floor_master_CPPFLAGS = -DFLOOR_SECCOMP $(SECCOMP_CFLAGS)
tests_bench_floor_master_LDADD = $(SECCOMP_LIBS)

tests_bench_floor_net_SOURCES = tests/bench/floor.c
tests_bench_floor_net_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_CARES \
	$(SECCOMP_CFLAGS) $(CARES_CFLAGS)
tests_bench_floor_net_LDADD = $(SECCOMP_LIBS) $(CARES_LIBS)

tests_bench_floor_key_SOURCES = tests/bench/floor.c
tests_bench_floor_key_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_CRYPTO \
	$(SECCOMP_CFLAGS) $(CRYPTO_CFLAGS)
tests_bench_floor_key_LDADD = $(SECCOMP_LIBS) $(CRYPTO_LIBS)

tests_bench_floor_git_SOURCES = tests/bench/floor.c
tests_bench_floor_git_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_CRYPTO -DFLOOR_GIT2 \
	$(SECCOMP_CFLAGS) $(CRYPTO_CFLAGS) $(GIT2_CFLAGS) $(SSH2_CFLAGS)
tests_bench_floor_git_LDADD = $(SECCOMP_LIBS) $(CRYPTO_LIBS) $(GIT2_LIBS) \
	$(SSH2_LIBS)

tests_bench_floor_manifest_SOURCES = tests/bench/floor.c
tests_bench_floor_manifest_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_JANSSON \
	-DFLOOR_YAML $(SECCOMP_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS)
tests_bench_floor_manifest_LDADD = $(SECCOMP_LIBS) $(JANSSON_LIBS) $(YAML_LIBS)

tests_bench_floor_sync_SOURCES = tests/bench/floor.c
tests_bench_floor_sync_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_CRYPTO -DFLOOR_CURL \
	-DFLOOR_JANSSON -DFLOOR_YAML $(SECCOMP_CFLAGS) $(SYNC_CFLAGS)
tests_bench_floor_sync_LDADD = $(SECCOMP_LIBS) $(SYNC_LIBS)

tests_bench_floor_api_SOURCES = tests/bench/floor.c
tests_bench_floor_api_CPPFLAGS = -DFLOOR_SECCOMP -DFLOOR_JANSSON -DFLOOR_MHD \
	$(SECCOMP_CFLAGS) $(JANSSON_CFLAGS) $(MHD_CFLAGS)
tests_bench_floor_api_LDADD = $(SECCOMP_LIBS) $(JANSSON_LIBS) $(MHD_LIBS)

bench-programs: $(EXTRA_PROGRAMS)
.PHONY: bench-programs
