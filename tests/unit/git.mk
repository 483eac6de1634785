check_PROGRAMS += tests/unit/test_git_url
TESTS += tests/unit/test_git_url
tests_unit_test_git_url_SOURCES = tests/unit/test_git_url.c
tests_unit_test_git_url_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_git_url_LDADD = src/common/libmodel.a src/common/libbase.a

GW_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/git-worker $(GIT2_CFLAGS)
GW_TEST_LIBS = src/git-worker/libgw.a src/common/libmodel.a \
	src/common/libbase.a $(GIT2_LIBS) $(SSH2_LIBS) $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_git_known_hosts
TESTS += tests/unit/test_git_known_hosts
tests_unit_test_git_known_hosts_SOURCES = tests/unit/test_git_known_hosts.c
tests_unit_test_git_known_hosts_CPPFLAGS = $(GW_TEST_CPPFLAGS)
tests_unit_test_git_known_hosts_LDADD = $(GW_TEST_LIBS)

check_PROGRAMS += tests/unit/test_git_pkt
TESTS += tests/unit/test_git_pkt
tests_unit_test_git_pkt_SOURCES = tests/unit/test_git_pkt.c
tests_unit_test_git_pkt_CPPFLAGS = $(GW_TEST_CPPFLAGS)
tests_unit_test_git_pkt_LDADD = $(GW_TEST_LIBS)

check_PROGRAMS += tests/unit/test_git_objects
TESTS += tests/unit/test_git_objects
tests_unit_test_git_objects_SOURCES = tests/unit/test_git_objects.c
tests_unit_test_git_objects_CPPFLAGS = $(GW_TEST_CPPFLAGS)
tests_unit_test_git_objects_LDADD = $(GW_TEST_LIBS)
