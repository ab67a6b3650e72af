//! What a release consists of: the wasm module, the OCI image, the bill of materials, the licences.

mod dependencies;
mod image;
mod wasm_module;
