check_PROGRAMS += tests/integration/git_drive
tests_integration_git_drive_SOURCES = tests/integration/git_drive.c
tests_integration_git_drive_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(srcdir)/src/key-worker $(CRYPTO_CFLAGS)
tests_integration_git_drive_LDADD = src/key-worker/libkey.a \
	src/common/libproc.a src/common/libipc.a src/common/libmodel.a \
	src/common/libbase.a $(MSGPACK_LIBS) $(CRYPTO_LIBS)

git_scripts = \
	tests/attack/a01_git_server.sh \
	tests/attack/a01_silence.sh \
	tests/attack/a11_ssh_server.sh \
	tests/attack/a03_daemon.sh \
	tests/attack/a20_repository.sh \
	tests/integration/git_notes.sh \
	tests/integration/git_remote.sh \
	tests/integration/git_states.sh \
	tests/integration/mirror_faults.sh \
	tests/integration/road_git.sh
TESTS += $(git_scripts)
EXTRA_DIST += $(git_scripts) tests/attack/git_server.py tests/attack/ssh_server.py
