# parts.sh: the parts of a bed, read by "bed", which knows about processes and
# ports.  Each part P has setup_P (its files, made at first use), spawn_P and
# P_answers; start_part and stop_part at the end say what belongs together.
# shellcheck shell=bash

# ------------------------------------------------------------ certificates

secret() { # FILE: a random token, made at first use
	if [ ! -f "$1" ]; then
		(umask 077 && openssl rand -hex 20 >"$1")
	fi
	cat "$1"
}

private() { # run with files that only we can read
	(umask 077 && "$@")
}

make_ca() {
	[ ! -f "$DIR/pki/ca.crt" ] || return 0
	private openssl ecparam -genkey -name prime256v1 -noout -out "$DIR/pki/ca.key"
	openssl req -x509 -new -key "$DIR/pki/ca.key" -days 30 -subj /CN=test-bed-ca \
		-addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$DIR/pki/ca.crt"
}

make_cert() { # NAME SUBJECT USAGE
	local name=$1
	[ ! -f "$DIR/pki/$name.crt" ] || return 0
	private openssl ecparam -genkey -name prime256v1 -noout -out "$DIR/pki/$name.key"
	openssl req -new -key "$DIR/pki/$name.key" -subj "$2" -out "$DIR/pki/$name.csr"
	cat >"$DIR/pki/$name.ext" <<-TXT
	basicConstraints=critical,CA:FALSE
	keyUsage=critical,digitalSignature
	extendedKeyUsage=$3
	subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
	TXT
	openssl x509 -req -in "$DIR/pki/$name.csr" -CA "$DIR/pki/ca.crt" -CAkey "$DIR/pki/ca.key" \
		-CAcreateserial -days 30 -extfile "$DIR/pki/$name.ext" -out "$DIR/pki/$name.crt" 2>/dev/null
}

# --------------------------------------------------------------- part: api

api_url() {
	echo "https://127.0.0.1:$(port api)"
}

kubeconfig() { # FILE CREDENTIAL-LINE...
	local file=$1
	shift
	private tee "$file" >/dev/null <<-TXT
	apiVersion: v1
	kind: Config
	clusters:
	- name: bed
	  cluster:
	    server: $(api_url)
	    certificate-authority: $DIR/pki/ca.crt
	users:
	- name: bed
	  user:
	$(printf '    %s\n' "$@")
	contexts:
	- name: bed
	  context: {cluster: bed, user: bed, namespace: default}
	current-context: bed
	TXT
}

setup_api() {
	mkdir -p "$DIR/api" "$DIR/etcd" "$DIR/bin"
	chmod 700 "$DIR/etcd"
	make_ca
	make_cert server /CN=127.0.0.1 serverAuth
	if [ ! -f "$DIR/pki/sa.key" ]; then
		private openssl ecparam -genkey -name prime256v1 -noout -out "$DIR/pki/sa.key"
		openssl ec -in "$DIR/pki/sa.key" -pubout -out "$DIR/pki/sa.pub" 2>/dev/null
	fi
	# The name is not an administrator's by itself, the group is.
	private tee "$DIR/api/tokens.csv" >/dev/null <<-TXT
	$(secret "$DIR/api/token"),fluxd-test,fluxd-test,"system:masters"
	TXT
	kubeconfig "$DIR/api/kubeconfig" "token: $(secret "$DIR/api/token")"
	# One line for each request, when it is answered.  The server's own
	# requests to itself tell a test nothing.
	cat >"$DIR/api/audit.yaml" <<-TXT
	apiVersion: audit.k8s.io/v1
	kind: Policy
	omitStages: [RequestReceived, ResponseStarted, Panic]
	rules:
	- level: None
	  users: [system:apiserver]
	- level: Metadata
	TXT
	cat >"$DIR/bin/kubectl" <<-TXT
	#!/bin/sh
	KUBECONFIG='$DIR/api/kubeconfig' KUBECACHEDIR='$DIR/api/cache'
	export KUBECONFIG KUBECACHEDIR
	exec '$(binary kubebed)' kubectl "\$@"
	TXT
	chmod 755 "$DIR/bin/kubectl"
}

spawn_etcd() {
	local client peer
	client=http://127.0.0.1:$(port etcd-client)
	peer=http://127.0.0.1:$(port etcd-peer)
	spawn etcd "$(binary kubebed)" etcd --name bed --data-dir "$DIR/etcd/data" \
		--listen-client-urls "$client" --advertise-client-urls "$client" \
		--listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
		--initial-cluster "bed=$peer" --unsafe-no-fsync --log-level warn \
		--quota-backend-bytes $((4 << 30))
}

# ServiceAccount admission is off: a Pod needs no account then, which nobody
# makes while the controllers are not there.  Endpoints of the server itself
# are off too: they may not be on loopback.  The audit log is never rotated:
# a test remembers places in it.
spawn_apiserver() {
	spawn apiserver "$(binary kubebed)" apiserver \
		--etcd-servers "http://127.0.0.1:$(port etcd-client)" \
		--bind-address 127.0.0.1 --advertise-address 127.0.0.1 \
		--secure-port "$(port api)" --endpoint-reconciler-type none \
		--tls-cert-file "$DIR/pki/server.crt" --tls-private-key-file "$DIR/pki/server.key" \
		--client-ca-file "$DIR/pki/ca.crt" \
		--service-account-issuer https://kubernetes.default.svc \
		--service-account-key-file "$DIR/pki/sa.pub" \
		--service-account-signing-key-file "$DIR/pki/sa.key" \
		--token-auth-file "$DIR/api/tokens.csv" --authorization-mode RBAC \
		--service-cluster-ip-range 10.0.0.0/16 \
		--disable-admission-plugins ServiceAccount --allow-privileged \
		--audit-policy-file "$DIR/api/audit.yaml" \
		--audit-log-path "$DIR/api/audit.log" --audit-log-maxsize 100000
}

api_get() {
	curl -sf --max-time 5 --noproxy '*' --cacert "$DIR/pki/ca.crt" -A bed \
		-H "Authorization: Bearer $(cat "$DIR/api/token")" "$(api_url)$1"
}

# The namespace "default" is made only after the server calls itself ready.
api_answers() {
	api_get /readyz && api_get /api/v1/namespaces/default
}

# ------------------------------------------------------- part: controllers

setup_controllers() {
	make_cert controllers /CN=system:kube-controller-manager clientAuth
	kubeconfig "$DIR/api/controllers.kubeconfig" \
		"client-certificate: $DIR/pki/controllers.crt" "client-key: $DIR/pki/controllers.key"
}

# Each controller acts as its own account: the roles that the server sets up
# are for those.  The node does not die of a machine that is slow: nobody would
# make its pods ready again.  The controller that puts a ConfigMap of its own
# into each namespace, with the authority's certificate for pods, is left out:
# tests count theirs.
spawn_controllers() {
	spawn controllers "$(binary kubebed)" controller-manager \
		--kubeconfig "$DIR/api/controllers.kubeconfig" --leader-elect=false \
		--use-service-account-credentials \
		--controllers '*,-root-ca-certificate-publisher-controller' \
		--node-monitor-grace-period 1h \
		--bind-address 127.0.0.1 --secure-port "$(port controllers)" \
		--tls-cert-file "$DIR/pki/server.crt" --tls-private-key-file "$DIR/pki/server.key" \
		--service-account-private-key-file "$DIR/pki/sa.key" --root-ca-file "$DIR/pki/ca.crt"
}

# An account is made by one of the controllers: it is there once they work.
controllers_answer() {
	api_get /api/v1/namespaces/default/serviceaccounts/default
}

# -------------------------------------------------------------- part: kwok

# Simulated nodes and pods, and the scheduler that brings the two together.
setup_kwok() {
	make_cert scheduler /CN=system:kube-scheduler clientAuth
	kubeconfig "$DIR/api/scheduler.kubeconfig" \
		"client-certificate: $DIR/pki/scheduler.crt" "client-key: $DIR/pki/scheduler.key"
	make_cert kwok /O=system:masters/CN=kwok clientAuth
	kubeconfig "$DIR/api/kwok.kubeconfig" \
		"client-certificate: $DIR/pki/kwok.crt" "client-key: $DIR/pki/kwok.key"
	# Whoever forwards to fluxd's port in any pod reaches a port of ours.
	cat >"$DIR/api/kwok.yaml" <<-TXT
	apiVersion: kwok.x-k8s.io/v1alpha1
	kind: ClusterPortForward
	metadata: {name: fluxd}
	spec:
	  forwards: [{ports: [3030], target: {address: 127.0.0.1, port: $(port pod)}}]
	TXT
}

spawn_kwok() {
	alive scheduler || spawn scheduler "$(binary kubebed)" scheduler \
		--kubeconfig "$DIR/api/scheduler.kubeconfig" --leader-elect=false \
		--bind-address 127.0.0.1 --secure-port "$(port scheduler)" \
		--tls-cert-file "$DIR/pki/server.crt" --tls-private-key-file "$DIR/pki/server.key"
	spawn kwok "$(binary kwok)" --config "$DIR/api/kwok.yaml" --kubeconfig "$DIR/api/kwok.kubeconfig" \
		--manage-all-nodes --server-address "127.0.0.1:$(port kwok)" \
		--node-ip 127.0.0.1 --node-port "$(port kwok)" \
		--tls-cert-file "$DIR/pki/server.crt" --tls-private-key-file "$DIR/pki/server.key"
}

kwok_answers() {
	"$DIR/bin/kubectl" get node bed -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' |
		grep -q True || make_node
}

make_node() { # and fail, so that its readiness is waited for
	"$DIR/bin/kubectl" apply -f - <<-TXT
	apiVersion: v1
	kind: Node
	metadata:
	  name: bed
	  labels: {kubernetes.io/hostname: bed, kubernetes.io/os: linux, kubernetes.io/arch: amd64}
	status:
	  allocatable: {cpu: "64", memory: 256Gi, pods: "10000"}
	  capacity: {cpu: "64", memory: 256Gi, pods: "10000"}
	TXT
	return 1
}

# --------------------------------------------------------------- part: ssh

make_repo() { # PATH: an empty bare repository
	[ ! -d "$1" ] || return 0
	git init -q --bare -b master "$1"
	git -C "$1" config http.receivepack true
	# A repack in the background would outlive the bed.
	git -C "$1" config gc.auto 0
	git -C "$1" config receive.autogc false
}

setup_git() {
	mkdir -p "$DIR/git"
	make_repo "$DIR/git/config.git"
}

setup_ssh() {
	local type sshd
	sshd=$(sbin sshd)
	setup_git
	# secret/ holds what a mounted Secret would: the deploy key alone.
	mkdir -p "$DIR/ssh/secret" "$DIR/ssh/keys" "$DIR/ssh/host"
	chmod 700 "$DIR/ssh/keys" "$DIR/ssh/host"
	new_key() { [ -f "$2" ] || ssh-keygen -q -t "$1" -N '' -C bed -f "$2" ${3+-b "$3"}; }
	new_key ed25519 "$DIR/ssh/secret/identity"
	new_key ecdsa "$DIR/ssh/keys/ecdsa" 256
	new_key rsa "$DIR/ssh/keys/rsa" 2048
	new_key ed25519 "$DIR/ssh/host/ed25519"
	new_key ecdsa "$DIR/ssh/host/ecdsa" 256
	new_key rsa "$DIR/ssh/host/rsa" 2048
	cat "$DIR/ssh/secret/identity.pub" "$DIR/ssh/keys/ecdsa.pub" "$DIR/ssh/keys/rsa.pub" \
		>"$DIR/ssh/authorized_keys"
	for type in ed25519 ecdsa rsa; do
		printf '[127.0.0.1]:%s %s\n' "$(port ssh)" \
			"$(cut -d' ' -f1,2 "$DIR/ssh/host/$type.pub")"
	done >"$DIR/ssh/known_hosts"
	# StrictModes off: the folder of a bed may stand below one that others
	# write to.  Without PAM: an ordinary user's sshd cannot ask it.  SHLVL: a
	# bash that sshd starts takes itself for a login otherwise and runs the
	# user's start-up files, half a second a command on some machines.
	cat >"$DIR/ssh/sshd_config" <<-TXT
	ListenAddress 127.0.0.1
	Port $(port ssh)
	HostKey $DIR/ssh/host/ed25519
	HostKey $DIR/ssh/host/ecdsa
	HostKey $DIR/ssh/host/rsa
	PidFile none
	AuthorizedKeysFile $DIR/ssh/authorized_keys
	StrictModes no
	UsePAM no
	UseDNS no
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitRootLogin prohibit-password
	AllowTcpForwarding no
	AllowAgentForwarding no
	X11Forwarding no
	PermitUserRC no
	PrintMotd no
	PrintLastLog no
	SetEnv SHLVL=2
	MaxStartups 1000
	MaxSessions 1000
	LogLevel VERBOSE
	TXT
	# From OpenSSH 9.8 on it shuts out an address that fails too often, and
	# all of ours come from one; an older one refuses the word.
	if "$sshd" -T -f "$DIR/ssh/sshd_config" -o PerSourcePenalties=no >/dev/null 2>&1; then
		echo 'PerSourcePenalties no' >>"$DIR/ssh/sshd_config"
	fi
	if [ "$(id -u)" = 0 ]; then
		mkdir -p /run/sshd # its privilege separation's empty folder
	fi
}

spawn_ssh() {
	spawn sshd "$(sbin sshd)" -D -e -f "$DIR/ssh/sshd_config"
}

# A whole login, not just a greeting.
ssh_answers() {
	ssh -F /dev/null -n -p "$(port ssh)" -i "$DIR/ssh/secret/identity" -o IdentitiesOnly=yes \
		-o IdentityAgent=none -o BatchMode=yes -o ConnectTimeout=5 \
		-o StrictHostKeyChecking=yes -o UserKnownHostsFile="$DIR/ssh/known_hosts" \
		-o GlobalKnownHostsFile=/dev/null "$(id -un)@127.0.0.1" true
}

# ------------------------------------------------------------- part: https

https_user=fluxd-test

https_url() { # NAME of a repository
	echo "https://$https_user:$(secret "$DIR/https/password")@127.0.0.1:$(port https)/git/$1"
}

setup_https() {
	local backend
	setup_git
	make_ca
	make_cert server /CN=127.0.0.1 serverAuth
	mkdir -p "$DIR/https/tmp"
	# Who can reach the socket of fcgiwrap can run a program as us.
	chmod 700 "$DIR/https"
	[ ${#DIR} -lt 80 ] || die "$DIR: too long for a socket's name"
	backend=$(git --exec-path)/git-http-backend
	[ -x "$backend" ] || die "no git-http-backend beside git"
	printf '%s:%s\n' "$https_user" \
		"$(secret "$DIR/https/password" | openssl passwd -apr1 -stdin)" >"$DIR/https/htpasswd"
	{
		# Root's nginx would hand its work to a user who cannot come here.
		[ "$(id -u)" != 0 ] || echo 'user root;'
		cat <<-TXT
		daemon off;
		worker_processes 1;
		pid $DIR/https/nginx.pid;
		error_log stderr warn;
		events { worker_connections 1000; }
		http {
		    access_log $DIR/log/https-access.log;
		    client_max_body_size 0;
		    client_body_temp_path $DIR/https/tmp/body;
		    fastcgi_temp_path $DIR/https/tmp/fastcgi;
		    proxy_temp_path $DIR/https/tmp/proxy;
		    scgi_temp_path $DIR/https/tmp/scgi;
		    uwsgi_temp_path $DIR/https/tmp/uwsgi;
		    server {
		        listen 127.0.0.1:$(port https) ssl;
		        ssl_certificate $DIR/pki/server.crt;
		        ssl_certificate_key $DIR/pki/server.key;
		        auth_basic git;
		        auth_basic_user_file $DIR/https/htpasswd;
		        location ~ ^/git(/.*)\$ {
		            fastcgi_pass unix:$DIR/https/fcgi.sock;
		            fastcgi_read_timeout 600;
		            fastcgi_param SCRIPT_FILENAME $backend;
		            fastcgi_param GIT_PROJECT_ROOT $DIR/git;
		            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
		            fastcgi_param PATH_INFO \$1;
		            fastcgi_param QUERY_STRING \$query_string;
		            fastcgi_param REQUEST_METHOD \$request_method;
		            fastcgi_param CONTENT_TYPE \$content_type;
		            fastcgi_param CONTENT_LENGTH \$content_length;
		            fastcgi_param REMOTE_USER \$remote_user;
		            fastcgi_param REMOTE_ADDR \$remote_addr;
		        }
		    }
		}
		TXT
	} >"$DIR/https/nginx.conf"
}

spawn_https() {
	if ! alive fcgiwrap; then
		rm -f "$DIR/https/fcgi.sock"
		spawn fcgiwrap "$(sbin fcgiwrap)" -f -c 8 -s "unix:$DIR/https/fcgi.sock"
	fi
	spawn nginx "$(sbin nginx)" -p "$DIR/https" -c "$DIR/https/nginx.conf" -e stderr
}

https_answers() {
	curl -sf --max-time 10 --noproxy '*' --cacert "$DIR/pki/ca.crt" \
		"$(https_url config.git)/info/refs?service=git-upload-pack"
}

# ---------------------------------------------------------- part: registry

setup_registry() {
	make_ca
	make_cert server /CN=127.0.0.1 serverAuth
	mkdir -p "$DIR/registry/data"
	chmod 700 "$DIR/registry"
	# Cost 4: the server checks the password at every request.
	secret "$DIR/registry/password" |
		htpasswd -i -n -B -C 4 fluxd-test | grep . >"$DIR/registry/htpasswd"
	cat >"$DIR/registry/config.yml" <<-TXT
	version: 0.1
	log: {level: warn, accesslog: {disabled: false}}
	storage:
	  filesystem: {rootdirectory: $DIR/registry/data}
	  delete: {enabled: true}
	http:
	  addr: 127.0.0.1:$(port registry)
	  secret: $(secret "$DIR/registry/secret")
	  tls: {certificate: $DIR/pki/server.crt, key: $DIR/pki/server.key}
	auth:
	  htpasswd: {realm: bed, path: $DIR/registry/htpasswd}
	TXT
}

spawn_registry() {
	spawn registry "$(sbin docker-registry)" serve "$DIR/registry/config.yml"
}

registry_answers() {
	curl -sf --max-time 5 --noproxy '*' --cacert "$DIR/pki/ca.crt" \
		-u "fluxd-test:$(cat "$DIR/registry/password")" "https://127.0.0.1:$(port registry)/v2/"
}

# ------------------------------------------------------- a part as a whole

is_api_client() {
	case $1 in controllers | kwok) ;; *) return 1 ;; esac
}

part_runs() {
	case $1 in
	api) alive etcd && alive apiserver ;;
	ssh) alive sshd ;;
	https) alive nginx ;;
	*) alive "$1" ;;
	esac
}

start_part() { # only starts; await_part waits
	case $1 in
	api)
		alive etcd || spawn_etcd
		alive apiserver || spawn_apiserver
		;;
	etcd) alive etcd || spawn_etcd ;;
	controllers) alive controllers || spawn_controllers ;;
	kwok) alive kwok || spawn_kwok ;;
	ssh) alive sshd || spawn_ssh ;;
	https) alive nginx || spawn_https ;;
	registry) alive registry || spawn_registry ;;
	*) die "no part $1" ;;
	esac
}

await_part() {
	case $1 in
	api) await apiserver api_answers ;;
	etcd) await etcd curl -sf --max-time 5 --noproxy '*' "http://127.0.0.1:$(port etcd-client)/health" ;;
	controllers) await controllers controllers_answer ;;
	kwok) await kwok kwok_answers ;;
	ssh) await sshd ssh_answers ;;
	https) await nginx https_answers ;;
	registry) await registry registry_answers ;;
	esac
}

# The API server drains for up to a minute when it is asked to end, and still
# calls itself ready: it is not asked.
stop_part() {
	case $1 in
	api) end_process apiserver KILL ;;
	etcd) end_process etcd KILL ;;
	controllers) end_process controllers KILL ;;
	kwok)
		end_process kwok KILL
		end_process scheduler KILL
		;;
	ssh) end_process sshd ;;
	https)
		end_process nginx
		end_process fcgiwrap
		;;
	registry) end_process registry ;;
	*) die "no part $1" ;;
	esac
}
