API_UNIT_TESTS = tests/unit/test_api_answer tests/unit/test_api_json \
	tests/unit/test_api_metrics tests/unit/test_api_peers \
	tests/unit/test_api_routes tests/unit/test_api_spec
API_UNIT_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/api-worker \
	$(JANSSON_CFLAGS)
API_UNIT_LIBS = src/api-worker/libapi.a src/common/libbase.a $(JANSSON_LIBS)

check_PROGRAMS += $(API_UNIT_TESTS)
TESTS += $(API_UNIT_TESTS)
tests_unit_test_api_answer_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_answer_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_json_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_json_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_metrics_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_metrics_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_peers_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_peers_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_routes_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_routes_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_spec_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_spec_LDADD = $(API_UNIT_LIBS)
