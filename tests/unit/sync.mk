sync_unit_tests = \
	tests/unit/test_sync_api \
	tests/unit/test_sync_apply \
	tests/unit/test_sync_client \
	tests/unit/test_sync_config \
	tests/unit/test_sync_inventory \
	tests/unit/test_sync_reader \
	tests/unit/test_sync_rules \
	tests/unit/test_sync_workload \
	tests/unit/test_sync_yaml
check_PROGRAMS += $(sync_unit_tests)
TESTS += $(sync_unit_tests)
sync_test_cppflags = $(TEST_CPPFLAGS) -I$(srcdir)/src/sync-worker $(SYNC_CFLAGS)
sync_test_ldadd = src/sync-worker/libsync.a src/common/libfetch.a \
	src/common/libmodel.a \
	src/common/libbase.a $(SYNC_LIBS)
tests_unit_test_sync_config_SOURCES = tests/unit/test_sync_config.c
tests_unit_test_sync_config_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_config_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_inventory_SOURCES = tests/unit/test_sync_inventory.c
tests_unit_test_sync_inventory_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_inventory_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_rules_SOURCES = tests/unit/test_sync_rules.c
tests_unit_test_sync_rules_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_rules_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_api_SOURCES = tests/unit/test_sync_api.c
tests_unit_test_sync_api_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_api_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_apply_SOURCES = tests/unit/test_sync_apply.c
tests_unit_test_sync_apply_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_apply_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_client_SOURCES = tests/unit/test_sync_client.c
tests_unit_test_sync_client_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_client_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_reader_SOURCES = tests/unit/test_sync_reader.c
tests_unit_test_sync_reader_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_reader_LDADD = $(sync_test_ldadd)
tests_unit_test_sync_workload_SOURCES = tests/unit/test_sync_workload.c
tests_unit_test_sync_workload_CPPFLAGS = $(sync_test_cppflags)
tests_unit_test_sync_workload_LDADD = $(sync_test_ldadd)
# what is written is read again by the reader that fluxctl has
tests_unit_test_sync_yaml_SOURCES = tests/unit/test_sync_yaml.c
tests_unit_test_sync_yaml_CPPFLAGS = $(sync_test_cppflags) \
	-I$(srcdir)/src/manifest-worker
tests_unit_test_sync_yaml_LDADD = src/sync-worker/libsync.a \
	src/manifest-worker/libmanifest.a $(sync_test_ldadd) -lm

check_PROGRAMS += tests/fuzz/replay_inventory
TESTS += tests/fuzz/replay_inventory
tests_fuzz_replay_inventory_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_inventory.c
tests_fuzz_replay_inventory_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags) \
	-DFX_CORPUS=\"inventory\"
tests_fuzz_replay_inventory_LDADD = $(sync_test_ldadd)
check_PROGRAMS += tests/fuzz/replay_kubeconfig
TESTS += tests/fuzz/replay_kubeconfig
tests_fuzz_replay_kubeconfig_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_kubeconfig.c
tests_fuzz_replay_kubeconfig_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags) \
	-DFX_CORPUS=\"kubeconfig\"
tests_fuzz_replay_kubeconfig_LDADD = $(sync_test_ldadd)
check_PROGRAMS += tests/fuzz/replay_workload
TESTS += tests/fuzz/replay_workload
tests_fuzz_replay_workload_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_workload.c
tests_fuzz_replay_workload_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags) \
	-I$(srcdir)/src/manifest-worker -DFX_CORPUS=\"workload\"
tests_fuzz_replay_workload_LDADD = $(tests_unit_test_sync_yaml_LDADD)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_inventory
tests_fuzz_fuzz_inventory_SOURCES = tests/fuzz/fuzz_inventory.c
tests_fuzz_fuzz_inventory_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags)
tests_fuzz_fuzz_inventory_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_inventory_LDADD = $(sync_test_ldadd)
noinst_PROGRAMS += tests/fuzz/fuzz_kubeconfig
tests_fuzz_fuzz_kubeconfig_SOURCES = tests/fuzz/fuzz_kubeconfig.c
tests_fuzz_fuzz_kubeconfig_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags)
tests_fuzz_fuzz_kubeconfig_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_kubeconfig_LDADD = $(sync_test_ldadd)
noinst_PROGRAMS += tests/fuzz/fuzz_workload
tests_fuzz_fuzz_workload_SOURCES = tests/fuzz/fuzz_workload.c
tests_fuzz_fuzz_workload_CPPFLAGS = $(fuzz_cppflags) $(sync_test_cppflags) \
	-I$(srcdir)/src/manifest-worker
tests_fuzz_fuzz_workload_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_workload_LDADD = $(tests_unit_test_sync_yaml_LDADD)
endif

# fluxd-sync against the real API server of a test bed.
sync_bed_ldadd = src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(LIBMD_LIBS)
check_PROGRAMS += tests/integration/test_sync_gc
tests_integration_test_sync_gc_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_gc.c
tests_integration_test_sync_gc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_gc_LDADD = $(sync_bed_ldadd)
check_PROGRAMS += tests/integration/test_sync_inventory
tests_integration_test_sync_inventory_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_inventory.c
tests_integration_test_sync_inventory_CPPFLAGS = $(TEST_CPPFLAGS) \
	$(JANSSON_CFLAGS)
tests_integration_test_sync_inventory_LDADD = $(sync_bed_ldadd) $(JANSSON_LIBS)
check_PROGRAMS += tests/integration/test_sync_worker
tests_integration_test_sync_worker_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_worker.c
tests_integration_test_sync_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_worker_LDADD = $(sync_bed_ldadd)
check_PROGRAMS += tests/integration/test_sync_apply
tests_integration_test_sync_apply_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_apply.c
tests_integration_test_sync_apply_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_apply_LDADD = $(sync_bed_ldadd)
check_PROGRAMS += tests/integration/test_sync_login
tests_integration_test_sync_login_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_login.c
tests_integration_test_sync_login_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_login_LDADD = $(sync_bed_ldadd)
check_PROGRAMS += tests/integration/test_sync_read
tests_integration_test_sync_read_SOURCES = \
	tests/integration/read_bed.c \
	tests/integration/read_bed.h \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_read.c
tests_integration_test_sync_read_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_read_LDADD = $(sync_bed_ldadd)
sync_scripts = \
	tests/integration/api_faults.sh \
	tests/integration/apply.sh \
	tests/integration/gc.sh \
	tests/integration/gc_daemon.sh \
	tests/integration/inventory.sh \
	tests/integration/inventory_daemon.sh \
	tests/integration/read.sh \
	tests/integration/sync.sh \
	tests/integration/sync_login.sh \
	tests/integration/takeover.sh
TESTS += $(sync_scripts)
EXTRA_DIST += $(sync_scripts) tests/integration/no_apply.py \
	tests/integration/relay.py

# … and against a server of the test's own that means ill.
check_PROGRAMS += tests/attack/test_sync_server tests/attack/test_sync_gc \
	tests/attack/test_sync_read
TESTS += tests/attack/test_sync_server tests/attack/test_sync_gc \
	tests/attack/test_sync_read
tests_attack_test_sync_read_SOURCES = \
	tests/attack/fake_http.c \
	tests/attack/fake_http.h \
	tests/attack/test_sync_read.c \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h
tests_attack_test_sync_read_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/tests/integration
tests_attack_test_sync_read_LDADD = $(sync_bed_ldadd)
tests_attack_test_sync_gc_SOURCES = \
	tests/attack/fake_http.c \
	tests/attack/fake_http.h \
	tests/attack/test_sync_gc.c \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h
tests_attack_test_sync_gc_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/tests/integration
tests_attack_test_sync_gc_LDADD = $(sync_bed_ldadd)
tests_attack_test_sync_server_SOURCES = \
	tests/attack/fake_http.c \
	tests/attack/fake_http.h \
	tests/attack/test_sync_server.c \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h
tests_attack_test_sync_server_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/tests/integration
tests_attack_test_sync_server_LDADD = $(sync_bed_ldadd)
