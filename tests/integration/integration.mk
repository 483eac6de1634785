integration_tests = \
	tests/integration/api.sh \
	tests/integration/cuts.sh \
	tests/integration/disk.sh \
	tests/integration/events.sh \
	tests/integration/events_faults.sh \
	tests/integration/events_ways.sh \
	tests/integration/forward.sh \
	tests/integration/git_config.sh \
	tests/integration/jobs.sh \
	tests/integration/keyring.sh \
	tests/integration/kubeconfig.sh \
	tests/integration/loading.sh \
	tests/integration/logs.sh \
	tests/integration/marker.sh \
	tests/integration/metrics.sh \
	tests/integration/quiet.sh \
	tests/integration/refusals.sh \
	tests/integration/retry.sh \
	tests/integration/road.sh \
	tests/integration/rpc.sh \
	tests/integration/rpc_faults.sh \
	tests/integration/status.sh \
	tests/integration/token.sh
TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests) tests/integration/gateway.py tests/integration/service.py tests/integration/ws_service.py tests/integration/metrics.txt
