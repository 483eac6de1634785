#!/usr/bin/env bash
# The inventory of garbage collection against a real API server: what it costs,
# what is collected on its word, and what never is.
set -euo pipefail
. "$(dirname "$0")/../testbed/lib.sh"
unset FLUXD_BED # it counts requests: nobody else may make any
bed_require api

place=$(bed_namespace inventory)
elsewhere=$(bed_namespace elsewhere)
bed_kubeconfig "$T_DIR/admin" "$BED_API_TOKEN" "$place"

# Accounts that may not list, one with an inventory and one without.
account() { # NAME VERBS
	local token
	token=$(bed_service_account "$place" "$1")
	kubectl create -f - >/dev/null <<-YAML
		apiVersion: rbac.authorization.k8s.io/v1
		kind: Role
		metadata: {name: $1, namespace: $place}
		rules:
		- {apiGroups: ['*'], resources: ['*'], verbs: [$2]}
		---
		apiVersion: rbac.authorization.k8s.io/v1
		kind: RoleBinding
		metadata: {name: $1, namespace: $place}
		roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: $1}
		subjects: [{kind: ServiceAccount, name: $1, namespace: $place}]
	YAML
	bed_kubeconfig "$T_DIR/$1" "$token" "${3-$place}"
}
account blind "get, create, patch, delete"
account homeless "get, list, watch, create, patch, delete" "$elsewhere"

export INV_NAMESPACE=$place INV_ELSEWHERE=$elsewhere INV_ADMIN=$T_DIR/admin INV_BLIND=$T_DIR/blind \
	INV_HOMELESS=$T_DIR/homeless
"$FX_BUILDDIR"/tests/integration/test_sync_inventory
