EXTRA_DIST += tests/fixtures/manifest
MANIFEST_TEST_LIBS = src/manifest-worker/libmanifest.a \
	src/common/libmodel.a src/common/libbase.a $(YAML_LIBS) \
	$(JANSSON_LIBS) $(LIBMD_LIBS) -lm

check_PROGRAMS += tests/unit/test_manifest_canon
TESTS += tests/unit/test_manifest_canon
tests_unit_test_manifest_canon_SOURCES = tests/unit/test_manifest_canon.c
tests_unit_test_manifest_canon_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_canon_LDADD = $(MANIFEST_TEST_LIBS)

check_PROGRAMS += tests/unit/test_resource_id
TESTS += tests/unit/test_resource_id
tests_unit_test_resource_id_SOURCES = tests/unit/test_resource_id.c
tests_unit_test_resource_id_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_resource_id_LDADD = src/common/libmodel.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_image_ref
TESTS += tests/unit/test_image_ref
tests_unit_test_image_ref_SOURCES = tests/unit/test_image_ref.c
tests_unit_test_image_ref_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_image_ref_LDADD = src/common/libmodel.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_event
TESTS += tests/unit/test_event
tests_unit_test_event_SOURCES = tests/unit/test_event.c
tests_unit_test_event_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_event_LDADD = src/common/libmodel.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_policy
TESTS += tests/unit/test_policy
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_policy_LDADD = src/common/libmodel.a src/common/libbase.a

check_PROGRAMS += tests/unit/test_manifest_resource
TESTS += tests/unit/test_manifest_resource
tests_unit_test_manifest_resource_SOURCES = tests/unit/test_manifest_resource.c
tests_unit_test_manifest_resource_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_resource_LDADD = $(MANIFEST_TEST_LIBS)

check_PROGRAMS += tests/unit/test_manifest_mark
TESTS += tests/unit/test_manifest_mark
tests_unit_test_manifest_mark_SOURCES = tests/unit/test_manifest_mark.c
tests_unit_test_manifest_mark_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_mark_LDADD = $(MANIFEST_TEST_LIBS)

check_PROGRAMS += tests/unit/test_manifest_tree
TESTS += tests/unit/test_manifest_tree
tests_unit_test_manifest_tree_SOURCES = tests/unit/test_manifest_tree.c
tests_unit_test_manifest_tree_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_tree_LDADD = $(MANIFEST_TEST_LIBS)

check_PROGRAMS += tests/unit/test_manifest_set
TESTS += tests/unit/test_manifest_set
tests_unit_test_manifest_set_SOURCES = tests/unit/test_manifest_set.c
tests_unit_test_manifest_set_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_set_LDADD = $(MANIFEST_TEST_LIBS)

check_PROGRAMS += tests/unit/test_manifest_note
TESTS += tests/unit/test_manifest_note
tests_unit_test_manifest_note_SOURCES = tests/unit/test_manifest_note.c
tests_unit_test_manifest_note_CPPFLAGS = $(TEST_CPPFLAGS) -I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_note_LDADD = $(MANIFEST_TEST_LIBS)

# The handlers over a real channel, in their sandbox.
check_PROGRAMS += tests/unit/test_manifest_worker
TESTS += tests/unit/test_manifest_worker
tests_unit_test_manifest_worker_SOURCES = $(MANIFEST_WORKER_SOURCES) \
	tests/unit/test_manifest_worker.c
tests_unit_test_manifest_worker_CPPFLAGS = $(TEST_CPPFLAGS) $(SECCOMP_CFLAGS) \
	-I$(srcdir)/src/manifest-worker
tests_unit_test_manifest_worker_LDADD = src/manifest-worker/libmanifest.a \
	src/common/libworker.a src/common/libsandbox.a src/common/libproc.a \
	src/common/libipc.a $(MANIFEST_TEST_LIBS) $(MSGPACK_LIBS) \
	$(SECCOMP_LIBS)
