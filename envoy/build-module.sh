#!/usr/bin/env bash
# Builds the filter as a native module of Envoy: target/libtransponder.so, for Linux on this machine's architecture.
# `build-module.sh trap` builds one that a request can let panic, for tests: target/trap/libtransponder.so.
# With TARGET=aarch64-unknown-linux-gnu it builds for another architecture: target/aarch64-unknown-linux-gnu/libtransponder.so,
# or target/trap/aarch64-unknown-linux-gnu/libtransponder.so.
# That needs a linker: Debian's cross compiler, or the one that CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER names.
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
  built=$directory/native/$TARGET/module
  directory+=/$TARGET
  if [[ ! -d $(rustc --print target-libdir --target "$TARGET") ]]; then
    echo "build-module: adding the Rust target $TARGET" >&2
    rustup --quiet target add "$TARGET"
  fi
  linker=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$TARGET")_LINKER
  if [[ -z ${!linker:-} && $TARGET != "$(rustc -vV | sed -n 's/^host: //p')" ]]; then
    debian=${TARGET/-unknown/}-gcc
    command -v "$debian" >/dev/null || {
      echo "build-module: no linker for $TARGET: install one (Debian, Ubuntu: apt-get install gcc-${TARGET%%-*}-linux-gnu), or name one in $linker" >&2
      exit 1
    }
    export "$linker=$debian"
  fi
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
