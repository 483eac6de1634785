API_UNIT_TESTS = tests/unit/test_api_answer tests/unit/test_api_http \
	tests/unit/test_api_json \
	tests/unit/test_api_metrics tests/unit/test_api_peers \
	tests/unit/test_api_places \
	tests/unit/test_api_routes tests/unit/test_api_spec \
	tests/unit/test_api_token
API_UNIT_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/api-worker \
	$(JANSSON_CFLAGS)
API_UNIT_LIBS = src/api-worker/libapi.a src/common/libproc.a \
	src/common/libmodel.a src/common/libbase.a $(JANSSON_LIBS)

check_PROGRAMS += $(API_UNIT_TESTS)
TESTS += $(API_UNIT_TESTS)
tests_unit_test_api_answer_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_answer_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_http_CPPFLAGS = $(API_UNIT_CPPFLAGS) $(MHD_CFLAGS)
tests_unit_test_api_http_LDADD = src/api-worker/libhttp.a $(API_UNIT_LIBS) \
	$(MHD_LIBS)
tests_unit_test_api_json_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_json_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_metrics_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_metrics_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_peers_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_peers_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_places_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_places_LDADD = src/api-worker/libhttp.a $(API_UNIT_LIBS)
tests_unit_test_api_routes_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_routes_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_spec_CPPFLAGS = $(API_UNIT_CPPFLAGS)
tests_unit_test_api_spec_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_token_CPPFLAGS = $(API_UNIT_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_api_token_LDADD = $(API_LIBS)

# The whole program against a scripted master.
API_COMPAT_TESTS = tests/compat/test_http_api tests/compat/test_http_attack \
	tests/compat/test_http_lists
API_COMPAT_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/compat \
	$(SECCOMP_CFLAGS)
API_COMPAT_LIBS = tests/compat/libapibed.a src/common/libipc.a \
	src/common/libbase.a

check_LIBRARIES += tests/compat/libapibed.a
tests_compat_libapibed_a_SOURCES = tests/compat/api_bed.c \
	tests/compat/api_bed.h \
	tests/compat/api_lists.c \
	tests/compat/api_lists.h \
	tests/compat/exchange.c \
	tests/compat/exchange.h
tests_compat_libapibed_a_CPPFLAGS = $(API_COMPAT_CPPFLAGS)

check_PROGRAMS += $(API_COMPAT_TESTS)
TESTS += $(API_COMPAT_TESTS)
tests_compat_test_http_api_CPPFLAGS = $(API_COMPAT_CPPFLAGS)
tests_compat_test_http_api_LDADD = $(API_COMPAT_LIBS)
tests_compat_test_http_attack_CPPFLAGS = $(API_COMPAT_CPPFLAGS)
tests_compat_test_http_attack_LDADD = $(API_COMPAT_LIBS)
tests_compat_test_http_lists_CPPFLAGS = $(API_COMPAT_CPPFLAGS)
tests_compat_test_http_lists_LDADD = $(API_COMPAT_LIBS)

# What clients send, fuzzed and replayed.
API_FUZZ_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/tests/fuzz \
	-I$(srcdir)/src/api-worker $(MHD_CFLAGS) $(JANSSON_CFLAGS)
API_FUZZ_LIBS = src/api-worker/libhttp.a src/api-worker/libapi.a \
	src/common/libproc.a src/common/libmodel.a src/common/libbase.a \
	$(MHD_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += tests/fuzz/replay_http
TESTS += tests/fuzz/replay_http
tests_fuzz_replay_http_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_http.c
tests_fuzz_replay_http_CPPFLAGS = $(API_FUZZ_CPPFLAGS) -DFX_CORPUS=\"http\"
tests_fuzz_replay_http_LDADD = $(API_FUZZ_LIBS)

if FX_FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c
tests_fuzz_fuzz_http_CPPFLAGS = $(API_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http_LDADD = $(API_FUZZ_LIBS)
endif
