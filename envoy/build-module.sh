#!/usr/bin/env bash
# Builds the filter as a native module of Envoy: target/libtransponder.so, for Linux on this machine's architecture.
# `build-module.sh trap` builds one that a request can let panic, for tests: target/trap/libtransponder.so.
# With TARGET=aarch64-unknown-linux-gnu it builds for another architecture, if its target and linker are installed.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
  echo "build-module: cargo is missing: install Rust (https://rustup.rs) and try again" >&2
  exit 1
fi

features=dynamic-module
directory=target
if [[ ${1:-} == trap ]]; then
  features+=,trap
  directory=target/trap
  # Its speed does not matter.
  export CARGO_PROFILE_MODULE_LTO=off CARGO_PROFILE_MODULE_OPT_LEVEL=1 CARGO_PROFILE_MODULE_CODEGEN_UNITS=16
fi
what=(--profile module --package transponder --lib --features "$features" --target-dir "$directory/native")
built=$directory/native/module
if [[ -n ${TARGET:-} ]]; then
  what+=(--target "$TARGET")
  directory=target/$TARGET
  built=target/native/$TARGET/module
fi

# A panic logs the path of a source file: make it equal on every machine.
separator=$'\x1f'
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo${separator}--remap-path-prefix=$PWD=/transponder"

module=$directory/libtransponder.so
[[ -f $module ]] || echo "build-module: building $module; the first time takes a minute or two" >&2
cargo build "${what[@]}"

# Replaced by a rename and only if it has changed: Envoy may have loaded the old file.
mkdir -p "$directory"
if ! cmp -s "$built/libtransponder.so" "$module"; then
  cp "$built/libtransponder.so" "$module.$$"
  mv -f "$module.$$" "$module"
fi
