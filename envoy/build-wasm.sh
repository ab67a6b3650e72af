#!/usr/bin/env bash
# Builds the filter and leaves it at target/transponder.wasm; given the directory of another crate,
# builds that and leaves it at target/<its name>.wasm.
#
# `build-wasm.sh . trap` builds the filter that a request can end, for the test of what that costs, and
# leaves it at target/transponder-trap.wasm.
#
# The Rust toolchain in use does it if it has the standard library for wasm32-unknown-unknown,
# or rustup can add it. Where it cannot be had (a machine without access to rust-lang.org),
# Debian's Rust packages build that library from source.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
crate=${1:-.}
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$crate/Cargo.toml" | head -1)
what=(--release --lib --manifest-path "$crate/Cargo.toml" --target $target)
variant=
if [[ ${2:-} == trap ]]; then
  what+=(--features trap)
  variant=-trap
  # Nobody measures this one.
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

# Messages of panics name source files: by the same names on every machine.
separator=$'\x1f'
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo${separator}--remap-path-prefix=$PWD=/transponder"
# Envoy's V8 has SIMD: an eighth less CPU for a large request.
CARGO_ENCODED_RUSTFLAGS+="${separator}-Ctarget-feature=+simd128"

if ! command -v cargo >/dev/null; then
  echo "build-wasm: no cargo: install Rust (https://rustup.rs), then try again" >&2
  exit 1
fi

has_target() {
  [[ -d $(rustc --print target-libdir --target $target 2>/dev/null) ]]
}

rustup_add() {
  command -v rustup >/dev/null || return 1
  # Without a network this must not keep anyone waiting. macOS has no `timeout`.
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

# Each toolchain has a target directory of its own: sharing one, each would rebuild everything
# that the other left.
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
  echo "build-wasm: no Rust standard library for $target: run 'rustup target add $target', or on Debian install rustc-web cargo-web rust-web-src lld" >&2
  exit 1
fi

# Put in place by a rename, and only when it has changed: an Envoy may be reading the old one.
module=target/$name$variant.wasm
if ! cmp -s "$built/$target/release/$name.wasm" "$module"; then
  cp "$built/$target/release/$name.wasm" "$module.$$"
  mv -f "$module.$$" "$module"
fi
