//! The module imports only proxy-wasm and Envoy's random source, so it loads in every Envoy and is isolated: without the
//! rest of WASI there are no files, clock or environment.

use std::fs;

use support::project;
use wasmparser::{Parser, Payload};

/// The built module.
fn module() -> Vec<u8> {
    fs::read(support::module()).unwrap()
}

/// `(module, name)` of each import, and the name of each export.
fn interface() -> (Vec<(String, String)>, Vec<String>) {
    let bytes = module();
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
fn imports_only_proxy_wasm_and_random_bits() {
    let (imports, _) = interface();
    let foreign: Vec<_> =
        imports.iter().filter(|(module, name)| module != "env" || !name.starts_with("proxy_")).collect();
    assert_eq!(foreign, [&("wasi_snapshot_preview1".to_owned(), "random_get".to_owned())]);
}

#[test]
fn exports_the_abi_version() {
    let (_, exports) = interface();
    let marker = "proxy_abi_version_0_2_1";
    assert!(exports.iter().any(|name| name == marker), "{exports:?}");
}

#[test]
fn the_released_module_has_no_trap() {
    let native = fs::read(support::native_module()).unwrap();
    for module in [module(), native] {
        let word = b"x-transponder-trap";
        assert!(!module.windows(word.len()).any(|window| window == word), "built with the feature `trap`");
    }
}

/// `envoy/envoy.yaml` lists the functions that Envoy allows in both directions. The tests run with that list.
#[test]
fn its_capabilities_are_listed_and_cannot_reach_beyond_the_exchange() {
    let (imports, exports) = interface();
    let example = fs::read_to_string(project().join("envoy/envoy.yaml")).unwrap();
    let (_, list) = example.split_once("allowed_capabilities:").unwrap();
    let listed: Vec<&str> = list.lines().skip(1).map_while(|line| line.trim().strip_suffix(": {}")).collect();
    assert!(listed.len() > 20, "{listed:?}");
    for name in &listed {
        assert!(
            imports.iter().any(|(_, import)| import == name) || exports.iter().any(|export| export == name)
        );
    }
    for word in ["call", "queue", "grpc", "downstream", "upstream", "get_property"] {
        assert!(listed.iter().all(|name| !name.contains(word)), "{word} is allowed");
    }
}
