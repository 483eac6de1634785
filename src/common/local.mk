noinst_LIBRARIES += src/common/libbase.a
src_common_libbase_a_SOURCES = \
	src/common/base/alloc.c \
	src/common/base/base.h \
	src/common/base/buf.c \
	src/common/base/buf.h \
	src/common/base/clock.c \
	src/common/base/clock.h \
	src/common/base/err.c \
	src/common/base/err.h \
	src/common/base/fd.c \
	src/common/base/fd.h \
	src/common/base/log.c \
	src/common/base/log.h \
	src/common/base/logfmt.c \
	src/common/base/logfmt.h \
	src/common/base/loop.c \
	src/common/base/loop.h \
	src/common/base/str.c \
	src/common/base/str.h
