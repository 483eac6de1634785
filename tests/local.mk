EXTRA_DIST += tests/lib/memory.h tests/lib/no_seccomp.h tests/lib/test.h

check_PROGRAMS += tests/unit/test_base
TESTS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_base_LDADD = src/common/libbase.a

check_PROGRAMS += tests/unit/test_ipc
TESTS += tests/unit/test_ipc
tests_unit_test_ipc_SOURCES = tests/unit/test_ipc.c tests/unit/ipc_random.h
tests_unit_test_ipc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ipc_LDADD = src/common/libipc.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_ipc_peer
TESTS += tests/unit/test_ipc_peer
tests_unit_test_ipc_peer_SOURCES = tests/unit/test_ipc_peer.c \
	tests/unit/ipc_random.h
tests_unit_test_ipc_peer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ipc_peer_LDADD = src/common/libipc.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_settings
TESTS += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c
tests_unit_test_settings_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_settings_LDADD = src/common/libproc.a src/common/libipc.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_journal
TESTS += tests/unit/test_journal
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c \
	src/master/journal.c src/master/ledger.c
tests_unit_test_journal_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/master
tests_unit_test_journal_LDADD = src/common/libbase.a

check_PROGRAMS += tests/unit/test_listen
TESTS += tests/unit/test_listen
tests_unit_test_listen_SOURCES = tests/unit/test_listen.c \
	src/master/listen.c
tests_unit_test_listen_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/master
tests_unit_test_listen_LDADD = src/common/libproc.a src/common/libipc.a \
	src/common/libbase.a

check_PROGRAMS += tests/unit/test_validate
TESTS += tests/unit/test_validate
tests_unit_test_validate_SOURCES = tests/unit/test_validate.c \
	src/master/validate.c
tests_unit_test_validate_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS) \
	-I$(srcdir)/src/master
tests_unit_test_validate_LDADD = src/common/libproc.a src/common/libipc.a \
	src/common/libmodel.a \
	src/common/libbase.a

# The master without its main.c; every worker is played by the test.
master_test_cppflags = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS) \
	-I$(srcdir)/src/master
master_test_ldadd = src/master/libmaster.a src/common/libproc.a \
	src/common/libipc.a src/common/libmodel.a src/common/libbase.a
check_PROGRAMS += tests/unit/test_children tests/unit/test_clients tests/unit/test_flows \
	tests/unit/test_jobs tests/unit/test_keyring tests/unit/test_metrics tests/unit/test_spool
TESTS += tests/unit/test_children tests/unit/test_clients tests/unit/test_flows tests/unit/test_jobs \
	tests/unit/test_keyring tests/unit/test_metrics tests/unit/test_spool
tests_unit_test_spool_SOURCES = tests/unit/test_spool.c tests/unit/master_bed.h
tests_unit_test_spool_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_spool_LDADD = $(master_test_ldadd)
tests_unit_test_clients_SOURCES = tests/unit/test_clients.c \
	tests/unit/master_bed.h tests/unit/master_steps.h
tests_unit_test_clients_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_clients_LDADD = $(master_test_ldadd)
tests_unit_test_flows_SOURCES = tests/unit/test_flows.c \
	tests/unit/master_bed.h tests/unit/master_steps.h
tests_unit_test_flows_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_flows_LDADD = $(master_test_ldadd)
tests_unit_test_keyring_SOURCES = tests/unit/test_keyring.c \
	tests/unit/master_bed.h
tests_unit_test_keyring_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_keyring_LDADD = $(master_test_ldadd)
tests_unit_test_jobs_SOURCES = tests/unit/test_jobs.c tests/unit/master_bed.h
tests_unit_test_jobs_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_jobs_LDADD = $(master_test_ldadd)
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c
tests_unit_test_metrics_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_metrics_LDADD = $(master_test_ldadd)
tests_unit_test_children_SOURCES = tests/unit/test_children.c \
	tests/unit/master_bed.h
tests_unit_test_children_CPPFLAGS = $(master_test_cppflags)
tests_unit_test_children_LDADD = $(master_test_ldadd)
