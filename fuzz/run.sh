#!/usr/bin/env bash
# Builds the fuzz targets and runs each of them: fuzz/run.sh [TARGET...]
#
#   FUZZ_SECONDS=45   for each target
#   FUZZ_JOBS=2       targets at a time
#   FUZZ_PAIRS=200000 cases of pairs of known deviations; none if TARGETs are named
#   FUZZ_RUNS=        the number of inputs for each target instead: the same ones each time, as `make test` wants them
#
# Seeds are made of the test fixtures at each start; what is found beyond them stays in fuzz/corpus.
# An input that breaks a rule is left in fuzz/artifacts, and is shown again by
#   target/fuzz/HOST/release/TARGET fuzz/artifacts/TARGET/FILE
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-45}
jobs=${FUZZ_JOBS:-2}
runs=${FUZZ_RUNS:-}
pairs=${FUZZ_PAIRS:-200000}
targets=("$@")
if ((${#targets[@]})); then pairs=0; else targets=(sse request stream exchange); fi

command -v c++ >/dev/null || {
  echo "fuzz: libFuzzer is built from source, for which a C++ compiler is needed: apt-get install g++" >&2
  exit 1
}

# The flags for LLVM's coverage counters, as cargo-fuzz sets them. With --target they are for the targets alone, not for
# the build scripts of their dependencies.
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="--cfg fuzzing -Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  coverage+=" -Cllvm-args=-sanitizer-coverage-$option"
done
RUSTFLAGS="$coverage" cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir target/fuzz

# An input begins with four bytes that choose the circumstances.
seed() { # TARGET HEAD NAME < BODY
  mkdir -p "fuzz/corpus/$1"
  { printf "$2" && cat; } >"fuzz/corpus/$1/seed-$3"
}

number=0
for file in tests/fixtures/codex/*.json; do
  seed request "\\0\\$(printf %o $((number++)))\\0\\0" "$(basename "$file")" <"$file"
done
for file in tests/fixtures/chat/*/*; do
  [[ $file != *.expect.json ]] || continue
  name=$(basename "$(dirname "$file")")-$(basename "$file")
  seed sse '\0\3\1\1' "$name" <"$file"
  seed stream '\1\0\1\1' "$name" <"$file"
  seed stream '\0\0\2\1' "document-$name" <"$file"
  for stream in true false; do
    request='{"model":"m","input":"hi","stream":'$stream',"tools":[{"type":"function","name":"get_weather"}]}'
    { printf '%s\n\0\n' "$request" && cat "$file"; } | seed exchange '\2\0\1\1' "$stream-$name"
    { printf '%s\n\0\n' "$request" && cat "$file"; } | seed exchange '\23\1\1\1' "held-$stream-$name"
  done
done

for case in tests/core/reports/cases/*/upstream.*; do
  name=$(basename "$(dirname "$case")")
  # The first configuration reads reasoning and calls in the text.
  seed stream '\1\0\1\1' "report-$name" <"$case"
  seed stream '\1\1\1\1' "report-plain-$name" <"$case"
  seed stream '\0\0\2\1' "report-document-$name" <"$case"
done

fuzz() {
  mkdir -p "fuzz/artifacts/$1"
  local log=target/fuzz/$1.log inputs
  if [[ $runs ]]; then
    # Neither what earlier runs found nor the order of a directory changes the inputs, nor the time that one takes.
    printf '%s\n' "fuzz/corpus/$1"/seed-* | LC_ALL=C sort | paste -sd, >"target/fuzz/$1.seeds"
    inputs=(-seed_inputs=@"target/fuzz/$1.seeds" -seed=1 -runs="$runs" -reload=0)
  else
    inputs=("fuzz/corpus/$1" -max_total_time="$seconds")
  fi
  if "target/fuzz/$host/release/$1" "${inputs[@]}" -timeout=20 -max_len=65536 \
    -dict=fuzz/dictionary -artifact_prefix="fuzz/artifacts/$1/" -print_final_stats=1 >"$log" 2>&1; then
    echo "fuzz: $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
  else
    tail -n 60 "$log" >&2
    echo "fuzz: $1: found something, see above and $log" >&2
    return 1
  fi
}
export -f fuzz
export host seconds runs
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}'

if ((pairs)); then
  echo "fuzz: pairs: $("target/fuzz/$host/release/pairs" "$pairs")"
fi
