//! Real clients and real upstream servers with a real Envoy between them: Codex CLI, the SDKs, llama.cpp,
//! llama-cpp-python, LiteLLM and mlx-lm.

mod agents;
mod codex;
mod codex_config;
mod compliance;
mod drift;
mod litellm;
mod llama_cpp_python;
mod llamacpp;
mod mlx;
mod model_lists;
mod probe;
mod sdk;
mod stored;
mod table;
mod translate;
