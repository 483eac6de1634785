check_PROGRAMS += tests/unit/test_sandbox
TESTS += tests/unit/test_sandbox
tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c
tests_unit_test_sandbox_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_sandbox_LDADD = src/common/libsandbox.a \
	src/common/libbase.a $(SECCOMP_LIBS)

check_PROGRAMS += tests/unit/test_launch
TESTS += tests/unit/test_launch
tests_unit_test_launch_SOURCES = tests/unit/test_launch.c
tests_unit_test_launch_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS) \
	-I$(srcdir)/src/master
tests_unit_test_launch_LDADD = src/master/liblaunch.a \
	src/common/libsandbox.a src/common/libipc.a src/common/libbase.a \
	$(SECCOMP_LIBS)
