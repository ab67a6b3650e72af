#!/usr/bin/env bash
# Builds the filter: target/transponder.wasm. With the directory of another crate, builds that crate: target/<name>.wasm.
# `build-wasm.sh . trap` builds a filter that a request can crash, for tests: target/transponder-trap.wasm.
#
# The current Rust toolchain is used if it has the standard library for wasm32-unknown-unknown or rustup can add it.
# Otherwise, as on a machine without access to rust-lang.org, Debian's Rust packages build that library from source.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
crate=${1:-.}
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$crate/Cargo.toml" | head -1)
what=(--release --package "$name" --lib --manifest-path "$crate/Cargo.toml" --target $target)
variant=
if [[ ${2:-} == trap ]]; then
  what+=(--features trap)
  variant=-trap
  # Its speed does not matter.
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

# Panic messages contain the paths of source files: make them equal on every machine.
separator=$'\x1f'
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo${separator}--remap-path-prefix=$PWD=/transponder"
# Envoy's V8 supports SIMD, which saves an eighth of the CPU time of a large request.
CARGO_ENCODED_RUSTFLAGS+="${separator}-Ctarget-feature=+simd128"

if ! command -v cargo >/dev/null; then
  echo "build-wasm: cargo is missing: install Rust (https://rustup.rs) and try again" >&2
  exit 1
fi

has_target() {
  [[ -d $(rustc --print target-libdir --target $target 2>/dev/null) ]]
}

rustup_add() {
  command -v rustup >/dev/null || return 1
  echo "build-wasm: adding the Rust target $target (at most 90 seconds)" >&2
  # The limit is for machines without a network. macOS has no `timeout`.
  local limited=(env)
  ! command -v timeout >/dev/null || limited=(timeout 90)
  RUSTUP_MAX_RETRIES=1 "${limited[@]}" rustup --quiet target add $target >/dev/null 2>&1 && has_target
}

has_debian() {
  [[ -x /usr/bin/cargo && -x /usr/bin/rustc && -d /usr/lib/rustlib/src/rust/library ]] &&
    command -v wasm-ld >/dev/null
}

debian_install() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  echo "build-wasm: installing Debian's Rust packages, to build the standard library for $target" >&2
  {
    apt-get update &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src lld
  } >&2 && has_debian
}

[[ -f target/$name$variant.wasm ]] || echo "build-wasm: building $name$variant.wasm; the first time takes a minute or two" >&2

# One target directory for each toolchain: each would rebuild everything that the other has built.
if has_target || rustup_add; then
  built=target/wasm$variant
  cargo build "${what[@]}" --target-dir $built
elif has_debian || debian_install; then
  built=target/wasm-debian$variant
  # RUSTC_BOOTSTRAP lets a stable compiler take -Z; `env` keeps it to this one command.
  env -u RUSTUP_TOOLCHAIN RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld \
    /usr/bin/cargo build "${what[@]}" --target-dir $built -Zbuild-std=std,panic_abort
else
  echo "build-wasm: the Rust standard library for $target is missing: run 'rustup target add $target', or on Debian install rustc-web cargo-web rust-web-src lld" >&2
  exit 1
fi

# Replaced by a rename and only if it has changed, because an Envoy may be reading the old file.
module=target/$name$variant.wasm
if ! cmp -s "$built/$target/release/$name.wasm" "$module"; then
  cp "$built/$target/release/$name.wasm" "$module.$$"
  mv -f "$module.$$" "$module"
fi
