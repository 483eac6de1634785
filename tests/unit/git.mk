check_PROGRAMS += tests/unit/test_git_url
TESTS += tests/unit/test_git_url
tests_unit_test_git_url_SOURCES = tests/unit/test_git_url.c
tests_unit_test_git_url_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_git_url_LDADD = src/common/libmodel.a src/common/libbase.a
