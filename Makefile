# `make` prints what there is; the sentence beside each target is its help.

.DEFAULT_GOAL := help
.PHONY: help wasm run demo codex-config image sbom test fuzz soak bench baseline check clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

wasm: ## build the filter: target/transponder.wasm
	@envoy/build-wasm.sh

# Its parameters reach the script as environment variables. What else there is: envoy/run.py --help
run: wasm ## run Envoy with it: UPSTREAM=http://host:port/v1 [PRESET=vllm | CONFIG=plugin.json] [LISTEN=127.0.0.1:8080] [ADMIN=127.0.0.1:9901] [CONCURRENCY=n]
	@envoy/run.py

demo: wasm ## show one streamed tool call from both ends
	@envoy/demo.py

codex-config: ## point an installed Codex CLI at it: [BASE_URL=http://127.0.0.1:8080/v1] [MODEL=name] [ENV_KEY=VARIABLE] [CONTEXT=tokens] [PROVIDER=transponder] [DEFAULT=1] [DRY_RUN=1]
	@cargo run --quiet --example codex_config

image: wasm ## pack it as an OCI image, without Docker: target/image (OCI layout), target/transponder-image.tar
	@envoy/image.py

sbom: wasm ## list what it was built from: target/transponder.cdx.json (CycloneDX)
	@envoy/sbom.py

# The tests start the examples; `cargo test --all-targets` compiles them only to test them.
test: export TRANSPONDER_WASM := $(CURDIR)/target/transponder.wasm
test: export TRANSPONDER_TRAP_WASM := $(CURDIR)/target/transponder-trap.wasm
test: wasm ## run all tests, those with a real Envoy and real clients included
	@envoy/build-wasm.sh . trap
	tests/clients/setup
	tests/schemas/setup
	tests/telemetry/setup >/dev/null
	cargo build --examples
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" && export TRANSPONDER_ENVOY && \
	cargo test --workspace --all-targets --features e2e && \
	cargo test --workspace --doc
	$(INSTRUCTIONS) check
	FUZZ_SEED=1 FUZZ_SECONDS=60 fuzz/run.sh

bench: ## measure it beside Envoy alone, a filter that does nothing, and others: docs/benchmarks.md
	@benches/run.sh

# What the core may cost, counted by valgrind: `make test` fails on more than 5 % above it.
INSTRUCTIONS = cargo run --release --manifest-path benches/Cargo.toml --target-dir target/benches --bin instructions --

baseline: ## count the core's instructions anew and accept them as the baseline
	$(INSTRUCTIONS) accept

fuzz: ## hostile input: each fuzz target for FUZZ_SECONDS=45, FUZZ_JOBS=2 of them at a time
	@fuzz/run.sh

soak: export SOAK_SECONDS ?= 1800
soak: wasm ## two thousand streams at once, then load with faults injected for SOAK_SECONDS=1800
	TRANSPONDER_ENVOY="$$(envoy/get-envoy.sh)" TRANSPONDER_WASM=$(CURDIR)/target/transponder.wasm \
	cargo test --features e2e --test soak -- --nocapture

# The adapter is compiled for the wasm target only, so that target is linted for itself.
check: ## check formatting and lints
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path benches/Cargo.toml --all --check
	cargo clippy --manifest-path benches/Cargo.toml --target-dir target/benches --all-targets --all-features -- -D warnings
	cargo fmt --manifest-path benches/passthrough/Cargo.toml --check
	cargo fmt --manifest-path benches/hostcalls/Cargo.toml --check
	cargo clippy --workspace --all-targets --features e2e -- -D warnings
	cargo clippy --lib -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
		set -x; cargo deny check licenses bans sources; \
	else \
		echo "make check: duplicates and bans are not checked, that needs 'cargo install cargo-deny' (licences and sources are: tests/release/dependencies.rs)" >&2; \
	fi
	@if [ -d "$$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then \
		set -x; cargo clippy --lib --target wasm32-unknown-unknown -- -D warnings; \
	else \
		echo "make check: src/filter.rs is not linted, it needs 'rustup target add wasm32-unknown-unknown'" >&2; \
	fi

clean: ## remove what was built (not the Envoy in .tools)
	rm -rf target
