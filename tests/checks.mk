# Checks of the source itself; each prints nothing when all is well.
EXTRA_DIST += tests/coverage tests/cppcheck.h tests/tidy.h
EXTRA_DIST += tests/testbed/README.md tests/testbed/bed \
	tests/testbed/go.mod tests/testbed/go.sum tests/testbed/main.go \
	tests/testbed/kwok/go.mod tests/testbed/kwok/go.sum \
	tests/testbed/lib.sh tests/testbed/packages tests/testbed/parts.sh \
	tests/testbed/selftest.sh tests/testbed/service/go.mod \
	tests/testbed/service/go.sum tests/testbed/service/main.go \
	tests/testbed/upstream/go.mod \
	tests/testbed/upstream/go.sum

sources = `cd $(abs_srcdir) && git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'doc/*.c'`

# clang-format 14, as Debian 12 has it: other versions format differently.
check-format:
	cd $(srcdir) && $${CLANG_FORMAT:-clang-format} --version | grep -q 'version 14' && \
		$${CLANG_FORMAT:-clang-format} --dry-run -Werror $(sources)

# internalAstError: version 2.10 does not follow a statement expression inside a
# call.  funcArgOrderDifferent takes a prototype without parameter names for another order.
cppcheck:
	cd $(srcdir) && cppcheck --quiet --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability --std=c11 \
		--suppress=missingIncludeSystem \
		--include=tests/cppcheck.h \
		--suppress=internalAstError --suppress=funcArgOrderDifferent -D_GNU_SOURCE \
		-Isrc/common/base -Isrc/common/ipc -Isrc/common/proc \
		-Isrc/common/model -Isrc/common/fetch src

tidy:
	cd $(srcdir) && for f in `git ls-files 'src/*.c'`; do \
		case $$f in */err.c | */error.c) known= ;; *) known="-include tests/tidy.h" ;; esac; \
		clang-tidy --quiet $$f -- $$known -std=gnu11 -D_GNU_SOURCE \
			-DHAVE_CONFIG_H -I$(abs_builddir) $(GIT2_CFLAGS) \
			-DFX_LOCALSTATEDIR='""' -DFX_LIBEXECDIR='""' \
			-Isrc/common/base -Isrc/common/ipc -Isrc/common/proc \
			-Isrc/common/model -Isrc/common/fetch -I`dirname $$f` \
			-Isrc/manifest-worker || exit 1; \
	done

# Each header compiles alone.
check-headers:
	cd $(srcdir) && for h in `git ls-files 'src/*.h'`; do \
		case $$h in *ipc_undef.h) continue ;; esac; \
		echo "#include \"`basename $$h`\"" | \
		$(CC) -std=gnu11 -D_GNU_SOURCE -DHAVE_CONFIG_H -I$(abs_builddir) \
			-Isrc/common/base -Isrc/common/ipc -Isrc/common/proc \
			-Isrc/common/model -Isrc/common/fetch -I`dirname $$h` $(GIT2_CFLAGS) \
			-fsyntax-only -x c - || exit 1; \
	done

coverage:
	FLUXD_BUILD=$(abs_builddir) $(srcdir)/tests/coverage

# Every call of the sync path fails in its turn; takes long.
fault-walk: all tests/attack/faulty tests/attack/faults.so
	FX_SRCDIR=$(abs_srcdir) FX_BUILDDIR=$(abs_builddir) FLUXD_FAULTS=all \
		$(srcdir)/tests/attack/fault_walk.sh

.PHONY: fault-walk check-format cppcheck tidy check-headers coverage
