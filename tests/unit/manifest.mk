EXTRA_DIST += tests/fixtures/manifest
MANIFEST_TEST_LIBS = src/manifest-worker/libmanifest.a \
	src/common/libmodel.a src/common/libbase.a $(YAML_LIBS) $(LIBMD_LIBS) -lm

check_PROGRAMS += tests/unit/test_manifest_canon
TESTS += tests/unit/test_manifest_canon
tests_unit_test_manifest_canon_SOURCES = tests/unit/test_manifest_canon.c
tests_unit_test_manifest_canon_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_canon_LDADD = $(MANIFEST_TEST_LIBS)
