#!/usr/bin/env bash
# Runs the tests of the filter in Envoy with other versions of Envoy: envoy/test-versions.sh 1.37.0 1.38.2
#
# 1.36 is tested without the configurations that it rejects.
set -euo pipefail
cd "$(dirname "$0")/.."

for version; do
  echo "test-versions: Envoy $version" >&2
  TRANSPONDER_ENVOY=$(envoy/get-envoy.sh "$version")
  export TRANSPONDER_ENVOY
  cargo test --package transponder-e2e --test envoy -- \
    versions:: adapters:: life:: trust:: two_upstreams:: requests:: crossings:: filter_order:: endpoint_picker::
  [[ $version == 1.36.* ]] || cargo test --package transponder-e2e --test mesh -- --skip schemas:: --skip compose::
done
