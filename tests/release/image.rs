//! The OCI image, unpacked as Istio and Envoy Gateway unpack it, and the bill of materials.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use crate::dependencies::packages;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{module, native_module, project};
use tempfile::TempDir;

fn module_bytes() -> Vec<u8> {
    fs::read(module()).unwrap()
}

/// Runs a script of envoy/ and returns what it prints.
fn script(name: &str, output: &Path) -> String {
    let script = project().join("envoy").join(name);
    let mut command = Command::new(script);
    command.arg("--output").arg(output).env("TRANSPONDER_WASM", module());
    command.env("TRANSPONDER_MODULE", native_module()).env_remove("NATIVE");
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

/// The package whose module is released.
fn package() -> Value {
    packages().into_iter().find(|package| package["name"] == "transponder").unwrap()
}

fn image() -> TempDir {
    let directory = TempDir::new().unwrap();
    script("image.py", directory.path());
    directory
}

fn read_json(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The bytes that a descriptor names. Checks their size and digest.
fn blob(layout: &Path, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap();
    let bytes = fs::read(layout.join("blobs").join(digest.replace(':', "/"))).unwrap();
    assert_eq!(digest, format!("sha256:{}", hex(&Sha256::digest(&bytes))));
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest(layout: &Path) -> Value {
    assert_eq!(read_json(&layout.join("oci-layout"))["imageLayoutVersion"], "1.0.0");
    let index = read_json(&layout.join("index.json"));
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    let [descriptor] = index["manifests"].as_array().unwrap().as_slice() else {
        panic!("one manifest, for tools that are not told which: {index}");
    };
    let manifest: Value = serde_json::from_slice(&blob(layout, descriptor)).unwrap();
    assert_eq!(manifest["mediaType"], descriptor["mediaType"]);
    assert_eq!(manifest["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    manifest
}

/// The files of a gzip tar.
fn files(layer: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(layer));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().to_string_lossy().into_owned(), bytes)
    });
    entries.collect()
}

#[test]
fn the_last_layer_of_the_image_holds_the_module() {
    let directory = image();
    let layout = directory.path().join("image");
    let manifest = manifest(&layout);
    // The requirements of the "compat" variant of the Wasm image specification.
    let layer = manifest["layers"].as_array().unwrap().last().unwrap();
    assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let layer = blob(&layout, layer);
    assert_eq!(files(&layer), [("plugin.wasm".to_owned(), module_bytes())]);

    // The requirements of a container engine.
    let config: Value = serde_json::from_slice(&blob(&layout, &manifest["config"])).unwrap();
    let mut uncompressed = Vec::new();
    flate2::read::GzDecoder::new(layer.as_slice()).read_to_end(&mut uncompressed).unwrap();
    assert_eq!(
        config["rootfs"]["diff_ids"],
        json!([format!("sha256:{}", hex(&Sha256::digest(&uncompressed)))])
    );
}

/// `image.py` with native modules.
fn native_image(output: &Path, more: &[&Path]) -> Output {
    let mut command = Command::new(project().join("envoy/image.py"));
    command.arg("--native").arg("--output").arg(output);
    for module in more {
        command.arg("--native-module").arg(module);
    }
    command.env("TRANSPONDER_WASM", module()).env("TRANSPONDER_MODULE", native_module());
    command.output().unwrap()
}

/// The position of the machine in the header of an ELF file.
const MACHINE: usize = 18;
/// The name and the number of a machine.
const X86_64: (&str, u8) = ("amd64", 62);
const AARCH64: (&str, u8) = ("arm64", 183);

/// A node takes the image of its architecture.
#[test]
fn the_native_image_has_a_module_for_each_architecture() {
    let directory = TempDir::new().unwrap();
    let ours = fs::read(native_module()).unwrap();
    let mut machines = [X86_64, AARCH64];
    machines.sort_by_key(|(_, machine)| *machine != ours[MACHINE]);
    let [our_machine, other_machine] = machines;
    let mut foreign = ours.clone();
    foreign[MACHINE] = other_machine.1;
    let file = directory.path().join("foreign.so");
    fs::write(&file, &foreign).unwrap();
    let output = native_image(directory.path(), &[&file]);
    assert!(output.status.success(), "{output:?}");

    let layout = directory.path().join("native-image");
    let named = read_json(&layout.join("index.json"));
    let [descriptor] = &named["manifests"].as_array().unwrap()[..] else {
        panic!("one index, under one name: {named}");
    };
    let tag = concat!(env!("CARGO_PKG_VERSION"), "-native");
    assert_eq!(descriptor["annotations"]["org.opencontainers.image.ref.name"], tag);
    let index: Value = serde_json::from_slice(&blob(&layout, descriptor)).unwrap();
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    let images = index["manifests"].as_array().unwrap().iter().map(|image| {
        let manifest: Value = serde_json::from_slice(&blob(&layout, image)).unwrap();
        let config: Value = serde_json::from_slice(&blob(&layout, &manifest["config"])).unwrap();
        assert_eq!(image["platform"], json!({"architecture": config["architecture"], "os": "linux"}));
        (config["architecture"].clone(), files(&blob(&layout, &manifest["layers"][0])))
    });
    let mut expected = [(our_machine.0, ours), (other_machine.0, foreign)];
    expected.sort();
    let expected =
        expected.map(|(name, module)| (json!(name), vec![("libtransponder.so".to_owned(), module)]));
    assert!(images.collect::<Vec<_>>() == expected, "an image with its module for each architecture");
}

#[test]
fn the_module_tells_its_version() {
    let version = concat!("transponder ", env!("CARGO_PKG_VERSION"));
    assert!(memchr::memmem::find(&fs::read(native_module()).unwrap(), version.as_bytes()).is_some());
}

#[test]
fn a_file_that_is_no_module_of_another_architecture_is_not_packed() {
    let directory = TempDir::new().unwrap();
    for (file, said) in
        [(module(), "is no native module of Envoy"), (native_module(), "is a second module for")]
    {
        let output = native_image(directory.path(), &[&file]);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}

#[test]
fn the_artifact_holds_the_bare_module() {
    let directory = image();
    let layout = directory.path().join("artifact");
    let manifest = manifest(&layout);
    // The requirements of the "oci" variant: two layers, one of this type.
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    let wasm = |layer: &&Value| layer["mediaType"] == "application/vnd.module.wasm.content.layer.v1+wasm";
    assert_eq!(blob(&layout, layers.iter().find(wasm).unwrap()), module_bytes());
}

#[test]
fn the_archive_is_the_layout_and_what_docker_load_reads() {
    let directory = image();
    let unpacked = directory.path().join("unpacked");
    let archive = fs::File::open(directory.path().join("transponder-image.tar")).unwrap();
    tar::Archive::new(archive).unpack(&unpacked).unwrap();
    assert_eq!(manifest(&unpacked), manifest(&directory.path().join("image")));

    let images = read_json(&unpacked.join("manifest.json"));
    assert_eq!(images[0]["RepoTags"], json!([format!("transponder:{}", env!("CARGO_PKG_VERSION"))]));
    let config = read_json(&unpacked.join(images[0]["Config"].as_str().unwrap()));
    let layer = fs::read(unpacked.join(images[0]["Layers"][0].as_str().unwrap())).unwrap();
    assert_eq!(files(&layer)[0].1, module_bytes());
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 1);
}

#[test]
fn the_image_has_its_annotations() {
    let directory = image();
    let manifest = manifest(&directory.path().join("image"));
    let annotation = |key: &str| manifest["annotations"][format!("org.opencontainers.image.{key}")].clone();
    let package = package();
    for (key, field) in
        [("title", "name"), ("description", "description"), ("version", "version"), ("licenses", "license")]
    {
        assert_eq!(annotation(key), package[field], "{key}");
    }
    let head = Command::new("git").current_dir(project()).args(["rev-parse", "HEAD"]).output();
    let head = head.ok().filter(|git| git.status.success()).map(|git| String::from_utf8(git.stdout).unwrap());
    assert_eq!(annotation("revision").as_str(), head.as_deref().map(str::trim));
}

#[test]
fn two_builds_have_one_digest() {
    let (one, two) = (image(), image());
    for name in ["image/index.json", "artifact/index.json", "transponder-image.tar"] {
        assert_eq!(
            fs::read(one.path().join(name)).unwrap(),
            fs::read(two.path().join(name)).unwrap(),
            "{name}"
        );
    }
}

/// The image built with Docker: its last layer must be the one that fetchers look for.
#[test]
fn the_dockerfile_puts_the_module_where_fetchers_look() {
    let dockerfile = fs::read_to_string(project().join("envoy/Dockerfile")).unwrap();
    let steps: Vec<&str> = dockerfile.lines().filter(|line| !line.starts_with(['#', ' '])).collect();
    assert!(
        matches!(steps[..], ["FROM scratch", _, "COPY target/transponder.wasm /plugin.wasm"]),
        "{steps:?}"
    );
    let package = package();
    for value in [&package["name"], &package["license"]] {
        assert!(dockerfile.contains(&format!("={value}")), "{value}");
    }
}

#[test]
fn the_workflows_are_valid_and_release_what_is_built() {
    let check = Command::new(project().join("tests/schemas/.venv/bin/check-jsonschema"))
        .current_dir(project())
        .args(["--builtin-schema", "vendor.github-workflows"])
        .args([".github/workflows/release.yml", ".github/workflows/test.yml"])
        .output()
        .expect("run `tests/schemas/setup`");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));

    let directory = image();
    script("sbom.py", &directory.path().join("transponder.cdx.json"));
    let release = fs::read_to_string(project().join(".github/workflows/release.yml")).unwrap();
    for file in ["transponder-image.tar", "transponder.cdx.json", "image", "artifact"] {
        assert!(directory.path().join(file).exists(), "{file}");
    }
    let (_, attached) = release.split_once("--generate-notes").unwrap();
    for file in [
        "transponder.wasm",
        "libtransponder-x86_64.so",
        "libtransponder-aarch64.so",
        "transponder-image.tar",
        "transponder.cdx.json",
        "SHA256SUMS",
    ] {
        assert!(attached.contains(file), "{file}");
    }
}

/// The release workflow looks for this line.
#[test]
fn the_changelog_knows_this_version() {
    let changelog = fs::read_to_string(project().join("CHANGELOG.md")).unwrap();
    let heading = concat!("## [", env!("CARGO_PKG_VERSION"), "]");
    assert!(changelog.lines().any(|line| line.starts_with(heading)), "{heading}");
}

/// Compilers put source paths into panic messages. Paths differ between machines and are private.
#[test]
fn the_module_names_no_path_of_the_machine_that_built_it() {
    let modules = [module_bytes(), fs::read(native_module()).unwrap()];
    let home = std::env::var("HOME").unwrap_or_default();
    let cargo = std::env::var("CARGO_HOME").unwrap_or(format!("{home}/.cargo"));
    for path in [cargo.as_str(), project().to_str().unwrap()] {
        let named = modules.iter().any(|module| memchr::memmem::find(module, path.as_bytes()).is_some());
        assert!(!named, "{path}");
    }
}

#[test]
fn the_bill_of_materials_lists_the_crates_of_the_module() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("bom.json");
    script("sbom.py", &file);
    let bill = read_json(&file);
    support::schemas::check("cyclonedx", &bill);

    let root = &bill["metadata"]["component"];
    assert_eq!(root["purl"], concat!("pkg:cargo/transponder@", env!("CARGO_PKG_VERSION")));
    assert_eq!(root["hashes"][0]["content"], hex(&Sha256::digest(module_bytes())));

    let names: BTreeSet<&str> =
        bill["components"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    let in_module = ["proxy-wasm", "serde_json", "memchr", "hashbrown"];
    assert!(in_module.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(["tokio", "insta", "transponder"].iter().all(|name| !names.contains(name)), "{names:?}");

    script("sbom.py", &directory.path().join("again.json"));
    assert_eq!(bill, read_json(&directory.path().join("again.json")));
}
