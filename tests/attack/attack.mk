# End-to-end attacks, against the daemon on a bed: each script prints TAP.
attack_tests = \
	tests/attack/a85_forged.sh \
	tests/attack/a86_mirror.sh \
	tests/attack/clients.sh \
	tests/attack/clocks.sh \
	tests/attack/content.sh \
	tests/attack/crash_loop.sh \
	tests/attack/deputies.sh \
	tests/attack/fault_walk.sh \
	tests/attack/faults.sh \
	tests/attack/kills.sh \
	tests/attack/log.sh \
	tests/attack/requests.sh \
	tests/attack/secrets.sh \
	tests/attack/strangers.sh \
	tests/attack/supervision.sh
TESTS += $(attack_tests)
EXTRA_DIST += $(attack_tests) tests/attack/clients.py \
	tests/attack/content.py \
	tests/attack/fakes.py tests/attack/lag.py tests/attack/lib.sh \
	tests/attack/logcheck.py tests/attack/memscan.py \
	tests/attack/requests.py tests/attack/restarts.py
