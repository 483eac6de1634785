# fish completion for fluxctl                    -*- shell-script -*-

function __fluxctl_needs_command
	not __fish_seen_subcommand_from completion help identity sandbox sync version
end

complete -c fluxctl -f
complete -c fluxctl -n __fluxctl_needs_command -a completion -d 'Print the completion script for a shell: bash, fish or zsh'
complete -c fluxctl -n __fluxctl_needs_command -a help -d 'Help about any command'
complete -c fluxctl -n __fluxctl_needs_command -a identity -d 'Show fluxd\'s public SSH key'
complete -c fluxctl -n __fluxctl_needs_command -a sandbox -d 'Show fluxd\'s processes and what confines each of them'
complete -c fluxctl -n __fluxctl_needs_command -a sync -d 'Bring the cluster up to date with the git repository, now'
complete -c fluxctl -n __fluxctl_needs_command -a version -d 'Print the version of fluxctl'
complete -c fluxctl -l context -x -d 'kubeconfig context, for the port-forward hint (default: the current one)'
complete -c fluxctl -l k8s-fwd-labels -x -d 'labels of fluxd\'s pod, for the port-forward hint; also FLUX_FORWARD_LABELS'
complete -c fluxctl -l k8s-fwd-ns -x -d 'namespace of fluxd\'s pod, for the port-forward hint; also FLUX_FORWARD_NAMESPACE'
complete -c fluxctl -l timeout -x -d 'limit of each wait and of each request; also FLUX_TIMEOUT'
complete -c fluxctl -s t -l token -x -d 'service token sent with each request; also FLUX_SERVICE_TOKEN or WEAVE_CLOUD_TOKEN'
complete -c fluxctl -s u -l url -x -d 'base URL of fluxd\'s API: http://HOST:3030/api/flux or unix:///PATH; also FLUX_URL'
complete -c fluxctl -n '__fish_seen_subcommand_from identity' -s l -l fingerprint -d 'show the key\'s fingerprint instead of the key'
complete -c fluxctl -n '__fish_seen_subcommand_from identity' -s r -l regenerate -d 'have fluxd make a new key first'
complete -c fluxctl -n '__fish_seen_subcommand_from identity' -s v -l visual -d 'show the fingerprint and its picture (implies -l)'
complete -c fluxctl -n '__fish_seen_subcommand_from sandbox' -l no-headers -d 'leave out the heading of the table'
complete -c fluxctl -n '__fish_seen_subcommand_from sandbox' -s o -l output-format -x -d 'table, json or yaml'
complete -c fluxctl -s h -l help -d 'show help'
complete -c fluxctl -n '__fish_seen_subcommand_from completion' -a 'bash fish zsh'
complete -c fluxctl -n '__fish_seen_subcommand_from help' -a 'completion help identity sandbox sync version'
