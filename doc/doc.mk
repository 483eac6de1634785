noinst_PROGRAMS += doc/print_tables
doc_print_tables_SOURCES = doc/print_tables.c
# the same text wherever it was configured
doc_print_tables_LDADD = src/common/libproc.a src/common/libipc.a \
	src/common/libbase.a

noinst_PROGRAMS += doc/print_man
doc_print_man_SOURCES = doc/print_man.c
doc_print_man_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/src/fluxctl
doc_print_man_LDADD = src/common/libbase.a

printed_docs = doc/ipc.md doc/flags.md doc/metrics.md
EXTRA_DIST += $(printed_docs) doc/fluxctl.1.in doc/fluxd.8.in

# Print the documents anew; needs a writable source tree.
doc: doc/print_tables doc/print_man src/fluxctl/fluxctl
	for d in ipc flags metrics; do \
		doc/print_tables $$d >$(srcdir)/doc/$$d.md || exit 1; \
	done
	for page in fluxctl.1 fluxd.8; do \
		doc/print_man $${page%.*} <$(srcdir)/doc/$$page.in \
			>$(srcdir)/doc/$$page || exit 1; \
	done
	for f in bash/fluxctl fish/fluxctl.fish zsh/_fluxctl; do \
		src/fluxctl/fluxctl completion $${f%/*} \
			>$(srcdir)/contrib/completion/$$f || exit 1; \
	done
.PHONY: doc

TESTS += tests/unit/test_doc.sh
EXTRA_DIST += tests/unit/test_doc.sh
