ctl_test_cppflags = $(TEST_CPPFLAGS) -I$(srcdir)/src/fluxctl $(CURL_CFLAGS) \
	$(JANSSON_CFLAGS)
ctl_test_libs = $(fluxctl_libs)

check_PROGRAMS += tests/unit/test_ctl_answer
TESTS += tests/unit/test_ctl_answer
tests_unit_test_ctl_answer_SOURCES = tests/unit/test_ctl_answer.c
tests_unit_test_ctl_answer_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_answer_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_confine
TESTS += tests/unit/test_ctl_confine
tests_unit_test_ctl_confine_SOURCES = tests/unit/test_ctl_confine.c
tests_unit_test_ctl_confine_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_confine_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_data
TESTS += tests/unit/test_ctl_data
tests_unit_test_ctl_data_SOURCES = tests/unit/test_ctl_data.c
tests_unit_test_ctl_data_CPPFLAGS = $(ctl_test_cppflags) -I$(srcdir)/src/manifest-worker
tests_unit_test_ctl_data_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_frames
TESTS += tests/unit/test_ctl_frames
tests_unit_test_ctl_frames_SOURCES = tests/unit/test_ctl_frames.c
tests_unit_test_ctl_frames_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_frames_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_options
TESTS += tests/unit/test_ctl_options
tests_unit_test_ctl_options_SOURCES = tests/unit/test_ctl_options.c
tests_unit_test_ctl_options_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_options_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_pods
TESTS += tests/unit/test_ctl_pods
tests_unit_test_ctl_pods_SOURCES = tests/unit/test_ctl_pods.c
tests_unit_test_ctl_pods_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_pods_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_table
TESTS += tests/unit/test_ctl_table
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c
tests_unit_test_ctl_table_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_table_LDADD = $(ctl_test_libs)

check_PROGRAMS += tests/unit/test_ctl_url
TESTS += tests/unit/test_ctl_url
tests_unit_test_ctl_url_SOURCES = tests/unit/test_ctl_url.c
tests_unit_test_ctl_url_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_url_LDADD = $(ctl_test_libs)

TESTS += tests/compat/ctl/exchanges.sh tests/compat/ctl/documents.sh
EXTRA_DIST += \
	tests/compat/ctl/cases.py \
	tests/compat/ctl/cases_commands.py \
	tests/compat/ctl/cases_odd.py \
	tests/compat/ctl/cases_release.py \
	tests/compat/ctl/cases_values.py \
	tests/compat/ctl/documents.sh \
	tests/compat/ctl/exchanges.py \
	tests/compat/ctl/exchanges.sh \
	tests/compat/ctl/expected.py \
	tests/compat/ctl/expected.txt \
	tests/compat/ctl/proposals.zsh \
	tests/compat/ctl/recorded.py \
	tests/compat/ctl/sidebyside.py
