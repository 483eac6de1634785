noinst_LIBRARIES += src/common/libmodel.a
src_common_libmodel_a_SOURCES = \
	src/common/model/event.c \
	src/common/model/event.h \
	src/common/model/git_url.c \
	src/common/model/git_url.h \
	src/common/model/git_url_names.c \
	src/common/model/git_url_parts.c \
	src/common/model/git_url_parts.h \
	src/common/model/glob.c \
	src/common/model/glob.h \
	src/common/model/image_ref.c \
	src/common/model/image_ref.h \
	src/common/model/jsonload.c \
	src/common/model/jsonload.h \
	src/common/model/jsonr.c \
	src/common/model/jsonr.h \
	src/common/model/jsonw.c \
	src/common/model/jsonw.h \
	src/common/model/keygen.c \
	src/common/model/keygen.h \
	src/common/model/kubeconfig.c \
	src/common/model/kubeconfig.h \
	src/common/model/kubeconfig_url.c \
	src/common/model/kubeconfig_url.h \
	src/common/model/mark.c \
	src/common/model/mark.h \
	src/common/model/policy.c \
	src/common/model/policy.h \
	src/common/model/resource_id.c \
	src/common/model/resource_id.h \
	src/common/model/service_url.c \
	src/common/model/service_url.h \
	src/common/model/share.c \
	src/common/model/share.h \
	src/common/model/ydoc.c \
	src/common/model/ydoc.h
src_common_libmodel_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) \
	$(LIBMD_CFLAGS) $(YAML_CFLAGS)
