# `make` lists the targets. The text after `##` is a target's help; its other lines begin with `#:`.

.DEFAULT_GOAL := help
# The recipes start no other make, and cargo would try to join this one's jobs.
unexport MAKEFLAGS
.PHONY: help wasm module run demo codex-config image sbom test test-go-java test-istio test-envoy-gateway test-transformers test-ollama test-aarch64 versions fuzz soak bench baseline drift check clean

# A parameter such as NATIVE that is switched on. The scripts read the same values.
on = $(filter-out 0 no false,$(1))

help:
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-18s  %s\n", $$1, $$2 } /^#: / { printf "%25s%s\n", "", substr($$0, 4) }' $(firstword $(MAKEFILE_LIST))

wasm: ## Build the filter: target/transponder.wasm.
	@envoy/build-wasm.sh

module: ## Build the filter as a native module of Envoy 1.38 or newer: target/libtransponder.so.
#: TARGET=aarch64-unknown-linux-gnu builds it for another architecture, in target/TARGET. It needs
#: a linker (Debian, Ubuntu: apt-get install gcc-aarch64-linux-gnu).
	@envoy/build-module.sh

# The parameters reach the script as environment variables.
run: $(if $(call on,$(NATIVE)),module,wasm) ## Run Envoy with the filter in front of an upstream.
#: UPSTREAM=URL is its base URL, such as http://localhost:11434/v1. Without it, a scripted
#: upstream is started. PRESET=NAME is the upstream's preset, otherwise found by asking it.
#: CONFIG=FILE is the plugin configuration, in place of a preset. With it, INSTRUCTIONS=FILE
#: is what Codex gets for each model with a `catalog`.
#: LISTEN=127.0.0.1:8080, ADMIN=127.0.0.1:9901 and CONCURRENCY=2 are defaults.
#: NATIVE=1 runs the native module in place of the wasm filter. envoy/run.py --help has more.
	@envoy/run.py

demo: wasm ## Show one streamed tool call as the client and as the upstream see it.
	@envoy/demo.py

codex-config: ## Add the filter to the configuration of an installed Codex CLI.
#: MODEL=NAME and CONTEXT=TOKENS are otherwise what the upstream reports. ENV_KEY=VARIABLE
#: names the variable with its key.
#: BASE_URL=http://127.0.0.1:8080/v1 and PROVIDER=transponder are defaults.
#: SEARCH=1 adds web search through the filter. DEFAULT=1 uses the filter without --profile too.
#: DRY_RUN=1 only shows the changes.
	@cargo run --example codex_config

image: wasm $(if $(call on,$(NATIVE)),module) ## Pack the filter as an OCI image, without Docker.
#: It is in target/image and target/transponder-image.tar.
#: NATIVE=1 also packs the native module: target/native-image.
	@envoy/image.py

sbom: wasm ## List the crates in the module: target/transponder.cdx.json (CycloneDX).
	@envoy/sbom.py

# The tests run the examples as programs, which `cargo test` alone does not build. Like the fuzz targets, the tests of
# invariants try the same inputs each time here, and others each time under `cargo test`.
test: export PROPTEST_RNG_SEED := 1
test: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test: export TRANSPONDER_TRAP_WASM := $(CURDIR)/target/transponder-trap.wasm
test: for-tests counted fuzzed ## Run all tests, including those with a real Envoy and real clients.
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	features="$$(tests/clients/setup-go-java)" && \
	cargo test --workspace --all-targets --no-fail-fast --features "$$features" && \
	cargo test --workspace --doc
	envoy/test-versions.sh 1.37.0
	@tests/left-out

# What the tests need, and the checks that no other program disturbs: `make --jobs=2 test` does two at a time, which saves
# minutes, because downloads and linking leave a core idle.
.PHONY: for-tests modules installed examples counted fuzzed
for-tests: modules installed examples

modules: wasm module
	@envoy/build-wasm.sh . trap
	@envoy/build-module.sh trap

# After the filter, which may need Debian's packages too.
installed: wasm
	tests/clients/setup
	tests/schemas/setup
	tests/telemetry/setup >/dev/null
	tests/stores/setup >/dev/null
	cargo build --quiet --locked --manifest-path tests/clients/rust/Cargo.toml --target-dir target/rust-clients

examples:
	cargo build --workspace --examples

counted:
	$(COUNT_INSTRUCTIONS) check

fuzzed:
	FUZZ_RUNS=20000 FUZZ_PAIRS=0 fuzz/run.sh
	fuzz/native/run.sh 5000

test-go-java: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-go-java: wasm ## Run the tests with the clients in Go and Java.
#: `make test` runs them too, where Go and Maven are.
	tests/clients/setup-go-java >/dev/null
	cargo build --workspace --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	cargo test --package transponder-e2e --test clients --features go,java -- sdk::openai_go sdk::openai_java sdk::langchain4j

test-istio: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-istio: wasm ## Serve the manifests through Istio's own discovery server.
#: It is built from source with Go.
	cargo build --quiet --package transponder-chat-upstream --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && tests/control_planes/run istio

test-envoy-gateway: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-envoy-gateway: export TRANSPONDER_MODULE := $(CURDIR)/target/libtransponder.so
test-envoy-gateway: wasm module ## Serve the manifests through Envoy Gateway itself.
#: It is built from source with Go.
	cargo build --quiet --package transponder-chat-upstream --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && tests/control_planes/run envoy_gateway

test-transformers: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-transformers: wasm ## Run the tests with a real `transformers serve`.
#: `make test` leaves them out, because they install about 6 GB.
	tests/clients/setup
	cargo build --workspace --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	cargo test --package transponder-e2e --test transformers

test-ollama: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-ollama: wasm ## Run the tests with a real Ollama, which is built from source with Go.
	tests/clients/setup
	tests/upstreams/ollama/run.sh prepare
	cargo build --workspace --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	cargo test --package transponder-e2e --test ollama

test-aarch64: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test-aarch64: wasm ## Run the native module for AArch64 in an Envoy for AArch64, which QEMU emulates.
	tests/envoy/aarch64.sh

versions: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
versions: export TRANSPONDER_TRAP_WASM := $(CURDIR)/target/transponder-trap.wasm
versions: VERSIONS ?= 1.36.4 1.37.0 1.38.2 1.39.3 1.40.0
versions: wasm module ## Run the tests of the filter in Envoy with each version of docs/quick-start/envoy.md.
#: VERSIONS=1.38.2 runs them with that version.
	@envoy/build-wasm.sh . trap
	@envoy/build-module.sh trap
	tests/clients/setup
	cargo build --workspace --examples
	envoy/test-versions.sh $(VERSIONS)

bench: ## Compare the filter with Envoy alone, an empty filter and other gateways: docs/benchmarks.md.
#: QUICK=1 measures less, and prints the result without writing the page.
#: PAGE=1 draws the page anew from the last run's figures.
#: STORE=1 measures the store in Envoy's memory instead, and prints the result.
	@benches/run.sh

# The instructions that the core may use, counted by valgrind: `make test` fails when it uses 5 % more.
COUNT_INSTRUCTIONS = cargo run --release --manifest-path benches/Cargo.toml --target-dir target/benches --bin instructions --

baseline: ## Count the core's instructions and accept the result as the new baseline.
	$(COUNT_INSTRUCTIONS) accept

# The pinned version is checked by `make test`.
drift: ## List what the newest openai package has and docs/responses.md has no row for.
	python3 -m venv .tools/drift
	.tools/drift/bin/pip install --quiet --disable-pip-version-check --upgrade openai
	.tools/drift/bin/python tests/clients/drift.py

fuzz: ## Run each fuzz target for FUZZ_SECONDS=45, FUZZ_JOBS=2 at a time.
#: Then FUZZ_PAIRS=200000 cases of pairs of deviations follow.
	@fuzz/run.sh

soak: export SOAK_SECONDS ?= 1800
soak: wasm module ## Run bodies of every size around every buffer limit, and two thousand streams at once.
#: Then load with injected faults follows, for SOAK_SECONDS=1800. At the same time, and for a
#: third of it, the native module gets load in which one of ten requests panics.
	@envoy/build-module.sh trap
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	export TRANSPONDER_WASM=$(CURDIR)/target/transponder.wasm && \
	cargo test --package transponder-e2e --test envoy buffer_limits -- --nocapture && \
	cargo test --package transponder-e2e --test soak -- --nocapture

# src/filter.rs is compiled for the wasm target only, and src/dynamic_module.rs with its feature only: each is linted separately.
check: ## Check formatting and lints.
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path fuzz/native/Cargo.toml --check
	cargo clippy --manifest-path fuzz/native/Cargo.toml --target-dir target/fuzz-native --all-targets -- -D warnings
	cargo fmt --manifest-path benches/Cargo.toml --all --check
	cargo clippy --manifest-path benches/Cargo.toml --target-dir target/benches --all-targets --all-features -- -D warnings
	cargo fmt --manifest-path tests/clients/rust/Cargo.toml --check
	cargo fmt --manifest-path benches/passthrough/Cargo.toml --check
	cargo fmt --manifest-path benches/hostcalls/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package transponder-e2e --test transformers --test ollama -- -D warnings
	cargo clippy --lib -- -D warnings
	cargo clippy --lib --features dynamic-module,trap -- -D warnings
	cargo clippy --lib --features dynamic-module -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
		set -x; cargo deny check licenses bans sources; \
	else \
		echo "make check: duplicates and bans are not checked without cargo-deny: cargo install cargo-deny (licences and sources are checked by tests/release/dependencies.rs)" >&2; \
	fi
	@if [ -d "$$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then \
		set -x; cargo clippy --lib --target wasm32-unknown-unknown -- -D warnings; \
	else \
		echo "make check: src/filter.rs is not linted without the wasm target: rustup target add wasm32-unknown-unknown" >&2; \
	fi

clean: ## Remove target/, but not the Envoy in .tools/.
	rm -rf target
