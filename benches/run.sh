#!/usr/bin/env bash
# `make bench`: builds what is measured, fetches what it is compared with, and runs the load.
#
# codex-relay and LiteLLM are installed into .tools/ once, which takes some minutes; if that is not possible, they are
# omitted. BENCH_PEERS=none leaves them out anyway, ROUNDS=n sets how often each case is measured, BENCH_BEFORE=commit
# names the earlier commit to compare with.
#
# QUICK=1 measures six cases in three rounds without the peers, and prints the tables only. PAGE=1 measures nothing, and
# draws docs/benchmarks.md and its plots from docs/benchmarks/measured.json, which holds the last run. STORE=1 measures the store in
# Envoy's memory instead, and prints what docs/state.md has.
set -euo pipefail
cd "$(dirname "$0")/.."

# Whether a parameter is switched on, by the rule of the Makefile.
on() {
  [[ ! ${1:-} =~ ^(0|no|false)?$ ]]
}

load() {
  cargo run --release --manifest-path benches/Cargo.toml --target-dir target/benches --features load --bin load -- "$@"
}

if on "${PAGE:-}"; then
  load page
  exit
fi

if on "${STORE:-}"; then
  envoy/build-wasm.sh
  TRANSPONDER_ENVOY=$(envoy/get-envoy.sh)
  export TRANSPONDER_ENVOY TRANSPONDER_WASM=$PWD/target/transponder.wasm
  load store
  exit
fi

# The last commit of 0.1.0.
export BENCH_BEFORE=${BENCH_BEFORE:-50bd4e5}
if on "${QUICK:-}"; then
  export BENCH_PEERS=none ROUNDS=${ROUNDS:-3}
fi
relay_version=0.6.0
litellm_version=1.109.0

envoy/build-wasm.sh
envoy/build-module.sh
envoy/build-wasm.sh benches/passthrough
envoy/build-wasm.sh benches/hostcalls
TRANSPONDER_ENVOY=$(envoy/get-envoy.sh)
export TRANSPONDER_ENVOY
export TRANSPONDER_WASM=$PWD/target/transponder.wasm
export TRANSPONDER_MODULE=$PWD/target/libtransponder.so
export BENCH_PASSTHROUGH=$PWD/target/passthrough.wasm
export BENCH_HOST_CALLS=$PWD/target/hostcalls.wasm

# The earlier module, built once by its own script.
export BENCH_BEFORE_WASM=$PWD/.tools/before-$BENCH_BEFORE/target/transponder.wasm
if [[ ! -f $BENCH_BEFORE_WASM ]]; then
  mkdir -p "$PWD/.tools/before-$BENCH_BEFORE"
  git archive "$BENCH_BEFORE" | tar -x -C "$PWD/.tools/before-$BENCH_BEFORE"
  "$PWD/.tools/before-$BENCH_BEFORE/envoy/build-wasm.sh"
fi

if [[ ${BENCH_PEERS:-all} != none ]]; then
  relay=$PWD/.tools/codex-relay-$relay_version
  [[ -x $relay/bin/codex-relay ]] ||
    cargo install --quiet codex-relay --version $relay_version --root "$relay" --target-dir target/benches ||
    echo "bench: codex-relay $relay_version cannot be installed here" >&2
  export BENCH_CODEX_RELAY=$relay/bin/codex-relay

  # The newest version whose parts are all published. They are released one by one.
  litellm=$PWD/.tools/litellm-$litellm_version
  [[ -x $litellm/bin/litellm ]] ||
    { python3 -m venv "$litellm" && "$litellm/bin/pip" install --quiet "litellm[proxy]<=$litellm_version"; } ||
    echo "bench: LiteLLM $litellm_version cannot be installed here" >&2
  export BENCH_LITELLM=$litellm/bin/litellm
  export BENCH_CODEX_RELAY_VERSION=$relay_version
  BENCH_LITELLM_VERSION=$([[ ! -x $BENCH_LITELLM ]] || "$litellm/bin/pip" show litellm | sed -n 's/^Version: //p')
  export BENCH_LITELLM_VERSION
fi

# Ten thousand open streams need this many sockets.
ulimit -n "$(ulimit -Hn)"
load

# How the time of an exchange is distributed within the module.
if ! on "${QUICK:-}" && command -v node >/dev/null; then
  node benches/v8.mjs
fi
