integration_tests = \
	tests/integration/road.sh
TESTS += $(integration_tests)
EXTRA_DIST += $(integration_tests)
