//! Real clients and real upstream servers with a real Envoy between them: Codex CLI, the SDKs, llama.cpp and mlx-lm.

mod codex;
mod codex_config;
mod drift;
mod llamacpp;
mod mlx;
mod probe;
mod sdk;
