//! The parts of a release: the Wasm module, the OCI image, the bill of materials, the licences.

mod dependencies;
mod image;
mod wasm_module;
