//! Generates `docs/configuration.schema.json` from the types that parse the configuration, and the tables of
//! `docs/configuration.md` from that schema.

use super::raw::RawConfig;
use super::{Http, Memory, NATIVE, REFUSE};
use crate::upstream::{Options, preset, preset_names};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// An upstream is written as a name or as an object that overrides a preset.
pub(super) fn upstream(generator: &mut SchemaGenerator) -> Schema {
    let presets: Vec<&str> = preset_names().collect();
    let names: Vec<&str> = presets.iter().copied().chain([NATIVE, REFUSE]).collect();
    let mut options = <Options as JsonSchema>::json_schema(generator);
    let properties = options.ensure_object().get_mut("properties").and_then(Value::as_object_mut);
    let preset = json!({"description": "The preset that the options override.", "enum": presets, "default": "generic"});
    properties.unwrap().insert("preset".into(), preset);
    generator.definitions_mut().insert("Options".into(), options.into());
    schemars::json_schema!({
        "anyOf": [
            {"description": "A preset, `native` for an upstream that implements the Responses API itself, or `refuse` to reject every request.", "enum": names},
            {"$ref": "#/$defs/Options"},
            {
                "description": "An upstream that implements the Responses API itself. Only the model's name and the path of a request change.",
                "type": "object",
                "properties": {"preset": {"const": NATIVE}, "path": {"type": "string"}},
                "required": ["preset"],
                "additionalProperties": false
            }
        ]
    })
}

/// A store is written as a name or as an object with the settings of one.
pub(super) fn store(generator: &mut SchemaGenerator) -> Schema {
    let memory = generator.subschema_for::<Memory>();
    let http = generator.subschema_for::<Http>();
    schemars::json_schema!({
        "anyOf": [
            {"enum": super::store::NAMES},
            {
                "type": "object",
                "properties": {"memory": memory, "http": http},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false
            }
        ],
        "default": "off"
    })
}

fn generated() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawConfig>();
    let mut schema = serde_json::to_value(schema).unwrap();
    schema["title"] = json!("Transponder's plugin configuration");
    schema
}

/// The tables of the configuration reference.
fn tables() -> String {
    let schema = generated();
    let definitions = &schema["$defs"];
    let mut page = String::new();
    for (heading, place) in [
        ("The configuration", &schema),
        ("A rule of `models`", &definitions["Rule"]),
        ("`catalog` of a rule", &definitions["Catalog"]),
        ("`price` of a rule", &definitions["Price"]),
        ("`search`", &definitions["Search"]),
        ("`limits`", &definitions["Limits"]),
        ("`memory` of `store`", &definitions["Memory"]),
        ("`http` of `store`", &definitions["Http"]),
        ("Options of an upstream", &definitions["Options"]),
        ("`reasoning`", &definitions["Reasoning"]),
        ("`reasoning_replay`", &definitions["ReasoningReplay"]),
    ] {
        let is_options = heading.starts_with("Options");
        page += &format!(
            "\n## {heading}\n\n| Key | Default | Meaning |{}\n",
            if is_options { " Presets |" } else { "" }
        );
        page += if is_options { "|---|---|---|---|\n" } else { "|---|---|---|\n" };
        for (name, property) in place["properties"].as_object().unwrap() {
            let default = match &property["default"] {
                Value::Null => String::new(),
                other => format!("`{other}`"),
            };
            let meaning = meaning(property, definitions);
            let presets = if is_options { format!(" {} |", presets_with(name)) } else { String::new() };
            page += &format!("| `{name}` | {default} | {meaning} |{presets}\n");
        }
    }
    page
}

/// The meaning of a key and of each word that it can have.
fn meaning(property: &Value, definitions: &Value) -> String {
    let mut meaning = property["description"].as_str().unwrap_or_default().replace('\n', " ");
    let references = [&property["$ref"], &property["items"]["$ref"], &property["anyOf"][0]["$ref"]];
    let reference = references.iter().find_map(|reference| reference.as_str()?.strip_prefix("#/$defs/"));
    let words = reference.and_then(|name| definitions[name]["oneOf"].as_array());
    for word in words.into_iter().flatten() {
        let explained = word["description"].as_str().unwrap_or_default().replace('\n', " ");
        meaning += &format!("<br>`{}`: {explained}", word["const"].as_str().unwrap_or_default());
    }
    meaning.replace('|', "\\|")
}

/// The presets that set an option.
fn presets_with(option: &str) -> String {
    let sets = |name: &&str| {
        let (_, options) = preset(name).unwrap();
        serde_json::from_str::<Value>(options).unwrap().get(option).is_some()
    };
    preset_names().filter(sets).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Compares a file with the expected text. With `INSTA_UPDATE=always`, writes the file first.
fn keep_current(file: &str, expected: &str) {
    let path = format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, expected).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text == expected, "docs/{file} is not up to date: run the test with INSTA_UPDATE=always");
}

#[test]
fn the_schema_matches_the_types() {
    keep_current("configuration.schema.json", &format!("{:#}\n", generated()));
}

#[test]
fn the_reference_matches_the_types() {
    let page = include_str!("../../docs/configuration.md");
    let marker = "<!-- Generated from the types by the tests of src/config/schema.rs. -->\n";
    let (written, _) = page.split_once(marker).unwrap();
    keep_current("configuration.md", &format!("{written}{marker}{}", tables()));
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let page = include_str!("../../docs/configuration.md");
    let examples: Vec<&str> =
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 2);
    for example in examples {
        let config =
            super::Config::parse(example.as_bytes()).unwrap_or_else(|error| panic!("{error}: {example}"));
        assert!(config.warnings().is_empty(), "{:?}: {example}", config.warnings());
    }
}
