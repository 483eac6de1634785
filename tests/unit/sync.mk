# fluxd-sync against the real API server of a test bed; skipped without one.
check_PROGRAMS += tests/integration/test_sync_worker
tests_integration_test_sync_worker_SOURCES = \
	tests/integration/sync_bed.c \
	tests/integration/sync_bed.h \
	tests/integration/test_sync_worker.c
tests_integration_test_sync_worker_CPPFLAGS = $(TEST_CPPFLAGS)
tests_integration_test_sync_worker_LDADD = src/common/libproc.a \
	src/common/libipc.a src/common/libbase.a
