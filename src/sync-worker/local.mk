noinst_LIBRARIES += src/sync-worker/libsync.a
src_sync_worker_libsync_a_SOURCES = \
	src/sync-worker/apply.c \
	src/sync-worker/body.c \
	src/sync-worker/body.h \
	src/sync-worker/client.c \
	src/sync-worker/client.h \
	src/sync-worker/cluster.c \
	src/sync-worker/cluster.h \
	src/sync-worker/crd.c \
	src/sync-worker/delivery.c \
	src/sync-worker/deploy_key.c \
	src/sync-worker/deploy_key.h \
	src/sync-worker/delivery.h \
	src/sync-worker/discovery.c \
	src/sync-worker/discovery.h \
	src/sync-worker/fields.c \
	src/sync-worker/fields.h \
	src/sync-worker/gc.c \
	src/sync-worker/gc.h \
	src/sync-worker/images.c \
	src/sync-worker/inventory.c \
	src/sync-worker/inventory.h \
	src/sync-worker/inventory_text.c \
	src/sync-worker/inventory_text.h \
	src/sync-worker/json.c \
	src/sync-worker/json.h \
	src/sync-worker/judge.c \
	src/sync-worker/kinds.c \
	src/sync-worker/lane.h \
	src/sync-worker/last_errors.c \
	src/sync-worker/last_errors.h \
	src/sync-worker/list.c \
	src/sync-worker/lane.c \
	src/sync-worker/look.c \
	src/sync-worker/marker.c \
	src/sync-worker/marker.h \
	src/sync-worker/merge.c \
	src/sync-worker/objects.c \
	src/sync-worker/objects.h \
	src/sync-worker/page.c \
	src/sync-worker/page.h \
	src/sync-worker/pass.h \
	src/sync-worker/reader.c \
	src/sync-worker/reader.h \
	src/sync-worker/recreate.c \
	src/sync-worker/refresh.c \
	src/sync-worker/release.c \
	src/sync-worker/rollout.c \
	src/sync-worker/set.c \
	src/sync-worker/silence.c \
	src/sync-worker/spare.c \
	src/sync-worker/status.c \
	src/sync-worker/status.h \
	src/sync-worker/strays.c \
	src/sync-worker/sweep.c \
	src/sync-worker/takeover.c \
	src/sync-worker/takeover.h \
	src/sync-worker/threeway.c \
	src/sync-worker/threeway.h \
	src/sync-worker/transfer.c \
	src/sync-worker/unlisted.c \
	src/sync-worker/versions.c \
	src/sync-worker/watch.c \
	src/sync-worker/work.c \
	src/sync-worker/workload.c \
	src/sync-worker/workload.h \
	src/sync-worker/write.c \
	src/sync-worker/write.h \
	src/sync-worker/yaml_write.c \
	src/sync-worker/yaml_write.h
SYNC_CFLAGS = $(CURL_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS) \
	$(YAML_CFLAGS)
SYNC_LIBS = $(CURL_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) \
	$(LIBMD_LIBS)
src_sync_worker_libsync_a_CPPFLAGS = $(AM_CPPFLAGS) $(SYNC_CFLAGS)

pkglibexec_PROGRAMS += fluxd-sync
fluxd_sync_SOURCES = \
	src/sync-worker/feed.c \
	src/sync-worker/handlers.c \
	src/sync-worker/login.c \
	src/sync-worker/main.c \
	src/sync-worker/on_export.c \
	src/sync-worker/on_key_store.c \
	src/sync-worker/on_workloads.c \
	src/sync-worker/reads.c \
	src/sync-worker/reads.h \
	src/sync-worker/sandbox.c \
	src/sync-worker/sw.h
fluxd_sync_CPPFLAGS = $(AM_CPPFLAGS) $(SYNC_CFLAGS) $(SECCOMP_CFLAGS)
fluxd_sync_LDADD = src/sync-worker/libsync.a src/common/libfetch.a \
	src/common/libworker.a \
	src/common/libproc.a src/common/libsandbox.a src/common/libipc.a \
	src/common/libmodel.a src/common/libbase.a $(SYNC_LIBS) $(SECCOMP_LIBS)
