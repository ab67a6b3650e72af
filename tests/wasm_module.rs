//! The built module asks the host for proxy-wasm and nothing else, so that it loads in every
//! Envoy and has no way out of it: no WASI, hence no files, clock, environment or random source.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy.toml lets only functions marked #[test] do so")]

use std::{env, fs};

use wasmparser::{Parser, Payload};

/// `(module, name)` of each import, and the name of each export.
fn interface() -> (Vec<(String, String)>, Vec<String>) {
    let path = env::var("TRANSPONDER_WASM").unwrap_or_else(|_| "target/transponder.wasm".into());
    let Ok(bytes) = fs::read(&path) else {
        panic!("{path} cannot be read: run make wasm");
    };
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.unwrap();
                    imports.push((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    exports.push(export.unwrap().name.to_owned());
                }
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[test]
fn imports_only_proxy_wasm() {
    let (imports, _) = interface();
    let foreign: Vec<_> =
        imports.iter().filter(|(module, name)| module != "env" || !name.starts_with("proxy_")).collect();
    assert!(foreign.is_empty(), "imports beyond proxy-wasm: {foreign:?}");
}

#[test]
fn exports_the_abi_version() {
    let (_, exports) = interface();
    let marker = "proxy_abi_version_0_2_1";
    assert!(exports.iter().any(|name| name == marker), "{exports:?}");
}
