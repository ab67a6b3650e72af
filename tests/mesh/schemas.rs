//! Checks every manifest against the schemas that Istio, Envoy Gateway, the Gateway API and Kubernetes publish, and
//! every plugin configuration with the filter's own parser.

use crate::manifest::{self, kind, name};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{project, schemas};
use transponder::config::Config;

/// The manifests below envoy/, as `istio/gateway.yaml`.
fn files() -> Vec<String> {
    let mut files: Vec<String> = ["istio", "gateway"]
        .iter()
        .flat_map(|directory| {
            let entries = std::fs::read_dir(project().join("envoy").join(directory)).unwrap();
            entries.map(move |entry| format!("{directory}/{}", entry.unwrap().file_name().to_string_lossy()))
        })
        .collect();
    files.sort();
    files
}

fn objects() -> Vec<Value> {
    files().iter().flat_map(|file| manifest::read(file)).collect()
}

/// No package has the schema of this kind yet. Its `wasm` has the fields of a WasmPlugin, so it is checked as one.
fn as_wasm_plugin(extension: &Value) -> Value {
    let mut plugin = extension.clone();
    plugin["kind"] = json!("WasmPlugin");
    let spec = plugin["spec"].as_object_mut().unwrap();
    let Some(Value::Object(wasm)) = spec.remove("wasm") else { panic!("no `wasm` in {extension}") };
    spec.extend(wasm);
    plugin
}

/// The package has no native modules yet. `make test-envoy-gateway` checks these fields with Envoy Gateway's own CRDs.
fn without_modules(mut object: Value) -> Value {
    let spec = object["spec"].as_object_mut().unwrap();
    spec.retain(|field, _| !["dynamicModule", "dynamicModules"].contains(&field.as_str()));
    object
}

#[test]
fn the_published_schemas_accept_every_manifest() {
    let objects = objects().into_iter().map(|object| match kind(&object) {
        "TrafficExtension" => as_wasm_plugin(&object),
        "EnvoyExtensionPolicy" | "EnvoyProxy" => without_modules(object),
        _ => object,
    });
    schemas::check("kubernetes", &objects.collect());
}

#[test]
fn the_schemas_notice_a_wrong_value_and_an_unknown_field() {
    let plugin = |spec: Value| json!([{"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"name": "p"}, "spec": spec}]);
    schemas::check("kubernetes", &plugin(json!({"url": "oci://x", "failStrategy": "FAIL_RELOAD"})));
    for (wrong, said) in [
        (json!({"url": "oci://x", "failStrategy": "FAIL_RELOADED"}), "/spec/failStrategy"),
        (json!({"url": "oci://x", "fail_strategy": "FAIL_RELOAD"}), "'\"fail_strategy\"' does not exist"),
        (json!({"failStrategy": "FAIL_RELOAD"}), "url"),
    ] {
        let findings = schemas::findings("kubernetes", &plugin(wrong));
        assert!(findings.contains(said), "{findings}");
    }
}

/// The plugin configurations in a manifest. Each kind has them in a different place.
fn plugin_configs(object: &Value) -> Vec<String> {
    let spec = &object["spec"];
    match kind(object) {
        "WasmPlugin" => vec![spec["pluginConfig"].to_string()],
        "TrafficExtension" => vec![spec["wasm"]["pluginConfig"].to_string()],
        "EnvoyExtensionPolicy" => {
            let filters = [&spec["wasm"], &spec["dynamicModule"]].into_iter().flat_map(manifest::array);
            filters.map(|filter| filter["config"].to_string()).collect()
        }
        "EnvoyFilter" => manifest::array(&spec["configPatches"])
            .iter()
            .filter_map(|patch| patch.pointer("/patch/value/typed_config/config/configuration/value"))
            .map(|config| config.as_str().unwrap().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_filter_accepts_every_plugin_configuration() {
    let mut kinds = BTreeSet::new();
    for object in objects() {
        for config in plugin_configs(&object) {
            Config::parse(config.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", name(&object)));
            kinds.insert(kind(&object).to_owned());
        }
    }
    assert!(
        kinds.iter().eq(&["EnvoyExtensionPolicy", "EnvoyFilter", "TrafficExtension", "WasmPlugin"]),
        "{kinds:?}"
    );
}

/// The pages apply one file after the other.
#[test]
fn no_manifest_overwrites_an_object_of_another() {
    for directory in ["istio", "gateway"] {
        let mut seen = BTreeSet::new();
        for file in files().iter().filter(|file| file.starts_with(directory)) {
            for object in manifest::read(file) {
                let object = (kind(&object).to_owned(), name(&object).to_owned());
                assert!(!seen.contains(&object), "{object:?} of {file} is in another file too");
                seen.insert(object);
            }
        }
    }
}

/// All manifests must name the version of the release.
#[test]
fn the_images_are_those_of_this_version() {
    for file in files() {
        let text = std::fs::read_to_string(project().join("envoy").join(&file)).unwrap();
        for line in text.lines().filter(|line| line.contains("registry.example.com/")) {
            let image = concat!("registry.example.com/transponder:", env!("CARGO_PKG_VERSION"));
            assert!(line.trim_end().trim_end_matches("-native").ends_with(image), "{file}: {line}");
        }
    }
}
