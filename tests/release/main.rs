//! The parts of a release: the Wasm module, the OCI image, the bill of materials, the licences, and what `make` builds.

mod dependencies;
mod image;
mod makefile;
mod wasm_module;
