noinst_PROGRAMS += doc/print_tables
doc_print_tables_SOURCES = doc/print_tables.c
# the same text wherever it was configured
doc_print_tables_LDADD = src/common/libproc.a src/common/libipc.a \
	src/common/libbase.a

printed_docs = doc/ipc.md doc/flags.md doc/metrics.md
EXTRA_DIST += $(printed_docs)

# Print the documents anew; needs a writable source tree.
doc: doc/print_tables
	for d in ipc flags metrics; do \
		doc/print_tables $$d >$(srcdir)/doc/$$d.md || exit 1; \
	done
.PHONY: doc

TESTS += tests/unit/test_doc.sh
EXTRA_DIST += tests/unit/test_doc.sh
