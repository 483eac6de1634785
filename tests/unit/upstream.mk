# The way to the service of --connect.
check_PROGRAMS += tests/unit/test_service
TESTS += tests/unit/test_service
tests_unit_test_service_SOURCES = tests/unit/test_service.c
tests_unit_test_service_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/upstream-worker
tests_unit_test_service_LDADD = src/upstream-worker/libupstream.a \
	src/common/libmodel.a src/common/libbase.a
