# The way to the service of --connect.
check_PROGRAMS += tests/unit/test_service
TESTS += tests/unit/test_service
tests_unit_test_service_SOURCES = tests/unit/test_service.c
tests_unit_test_service_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/upstream-worker
tests_unit_test_service_LDADD = src/upstream-worker/libupstream.a \
	src/common/libmodel.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_rpc
TESTS += tests/unit/test_rpc
tests_unit_test_rpc_SOURCES = tests/unit/test_rpc.c
tests_unit_test_rpc_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/upstream-worker
tests_unit_test_rpc_LDADD = src/upstream-worker/libupstream.a \
	src/common/libmodel.a src/common/libbase.a $(JANSSON_LIBS)

check_PROGRAMS += tests/unit/test_wire
TESTS += tests/unit/test_wire
tests_unit_test_wire_SOURCES = tests/unit/test_wire.c
tests_unit_test_wire_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/upstream-worker $(UPSTREAM_CFLAGS)
tests_unit_test_wire_LDADD = src/upstream-worker/libupstream.a \
	src/common/libfetch.a src/common/libmodel.a src/common/libbase.a \
	$(UPSTREAM_LIBS)
