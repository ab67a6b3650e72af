#!/usr/bin/env bash
# Drives the native module's edge with Envoy: fuzz/native/run.sh [CASES=20000] [FIRST=0]
# With a nightly compiler, AddressSanitizer watches each access to memory.
set -euo pipefail
cd "$(dirname "$0")/../.."

toolchain=()
if cargo +nightly --version >/dev/null 2>&1; then
  toolchain=(+nightly)
  export RUSTFLAGS="-Zsanitizer=address" ASAN_OPTIONS=detect_leaks=1
else
  echo "fuzz/native: no nightly compiler, so AddressSanitizer does not watch" >&2
fi
target=$(rustc -vV | sed -n 's/^host: //p')
cargo "${toolchain[@]}" run --quiet --release --manifest-path fuzz/native/Cargo.toml --target "$target" \
  --target-dir target/fuzz-native -- "${@:-20000}"
