//! JSON schemas: what each dialect sends for the schema that a client declared.

use crate::support::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const DIALECTS: [&str; 5] = ["json_schema", "openai", "common", "moonshot", "gemini"];

/// The body that the upstream receives.
fn up(dialect: &str, fields: &str) -> String {
    let asked = ask_text(format!(r#"{{"model":"m","input":"hi",{fields}}}"#));
    let asked = asked.upstream(&json!({"schema_dialect": dialect}));
    String::from_utf8(asked.translate().unwrap().body).unwrap()
}

fn with_tool(dialect: &str, schema: &str) -> String {
    up(dialect, &format!(r#""tools":[{{"type":"function","name":"f","parameters":{schema}}}]"#))
}

fn arguments(dialect: &str, schema: &str) -> Value {
    let body: Value = serde_json::from_str(&with_tool(dialect, schema)).unwrap();
    body["tools"][0]["function"]["parameters"].clone()
}

fn answer(dialect: &str, schema: &Value) -> Value {
    let format = json!({"format": {"type": "json_schema", "name": "n", "schema": schema}});
    let body: Value = serde_json::from_str(&up(dialect, &format!(r#""text":{format}"#))).unwrap();
    body["response_format"]["json_schema"]["schema"].clone()
}

/// An object with one property `p`.
fn with(schema: Value) -> Value {
    json!({"type": "object", "properties": {"p": schema}, "required": ["p"], "additionalProperties": false})
}

/// The property as it is sent. It must be the same in the schema of a tool and of an answer.
fn property(dialect: &str, schema: &Value) -> Value {
    let whole = with(schema.clone());
    let up = arguments(dialect, &whole.to_string());
    assert_eq!(answer(dialect, &whole)["properties"], up["properties"], "{dialect}: {schema}");
    up["properties"]["p"].clone()
}

#[test]
fn a_supported_schema_is_sent_byte_for_byte() {
    let text = r#"{"type":"object","properties":{"z":{"type": "string", "enum":["\u00e9"]},"a":{"type":["integer","null"],"minimum":1.0}},"required":["z"],"additionalProperties":false}"#;
    for dialect in ["json_schema", "openai", "common"] {
        assert!(with_tool(dialect, text).contains(text), "{dialect}");
    }
}

#[test]
fn properties_keep_their_order() {
    let text = r##"{"type":"object","properties":{"zebra":{"$ref":"#/$defs/a"},"apple":{"type":"string"}},"$defs":{"a":{"type":"integer"}}}"##;
    let expected = r#"{"type":"object","properties":{"zebra":{"type":"integer"},"apple":{"type":"string"}}}"#;
    let body = with_tool("common", text);
    assert!(body.contains(expected), "{body}");
}

#[test]
fn arguments_are_an_object_in_every_dialect() {
    let empty = json!({"type": "object", "properties": {}});
    for dialect in DIALECTS {
        for schema in ["null", "{}", r#"{"type":null}"#, r#"{"properties":null}"#, r#"{"properties":{}}"#] {
            assert_eq!(arguments(dialect, schema), empty, "{dialect}: {schema}");
        }
        let described = arguments(dialect, r#"{"description":"d","properties":{"p":{"type":"string"}}}"#);
        assert_eq!(described["type"], "object", "{dialect}");
        assert_eq!(described["properties"]["p"]["type"], "string", "{dialect}");
    }
}

#[test]
fn each_dialect_rewrites_properties() {
    let table = [
        // Types that may be null.
        (
            json!({"type": ["string", "null"], "minLength": 1}),
            "common",
            json!({"type": ["string", "null"], "minLength": 1}),
        ),
        (
            json!({"type": ["string", "null"], "minLength": 1, "description": "d"}),
            "moonshot",
            json!({"description": "d", "anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]}),
        ),
        (
            json!({"type": ["string", "null"], "minLength": 1}),
            "gemini",
            json!({"type": "string", "minLength": 1, "nullable": true}),
        ),
        (
            json!({"type": ["string", "integer"], "minimum": 1}),
            "gemini",
            json!({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]}),
        ),
        // `type` next to `anyOf`.
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {}]}),
            "common",
            json!({"anyOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"type": "object", "properties": {"a": {"type": "string"}}},
            ]}),
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "null"}], "description": "d"}),
            "moonshot",
            json!({"description": "d", "anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "integer"}}, "required": ["b"]}]}),
            "common",
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a", "b"]}),
        ),
        (
            json!({"type": "integer", "minimum": 1, "allOf": [{"minimum": 5}]}),
            "common",
            json!({"type": "integer", "minimum": 1, "description": "(minimum: 5)"}),
        ),
        // Tuples.
        (
            json!({"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}),
            "common",
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "description": "(the items in their order: [{\"type\":\"string\"},{\"type\":\"integer\"}])"}),
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}], "items": false}),
            "moonshot",
            json!({"type": "array", "items": {"type": "number"},
                "description": "(the items in their order: [{\"type\":\"number\"},{\"type\":\"number\"}])"}),
        ),
        // Boolean schemas.
        (
            json!({"type": "object", "properties": {"a": true, "b": false}, "additionalProperties": true}),
            "common",
            json!({"type": "object", "properties": {"a": {}, "b": {"not": {}}}, "additionalProperties": true}),
        ),
        (json!({"type": "array", "items": true}), "moonshot", json!({"type": "array", "items": {}})),
        (json!({"type": "array", "items": true}), "json_schema", json!({"type": "array", "items": true})),
        // Enumerations.
        (json!({"const": "a"}), "gemini", json!({"type": "string", "enum": ["a"]})),
        (json!({"enum": ["a", null]}), "gemini", json!({"type": "string", "enum": ["a"], "nullable": true})),
        (
            json!({"enum": ["a", null]}),
            "moonshot",
            json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}),
        ),
        (json!({"enum": [1, 2]}), "moonshot", json!({"type": "integer", "enum": [1, 2]})),
        (json!({"enum": [1, 2]}), "gemini", json!({"type": "integer", "description": "(enum: [1,2])"})),
        (json!({"enum": ["a", 1]}), "moonshot", json!({"description": "(enum: [\"a\",1])"})),
        (json!({"enum": ["a", 1]}), "common", json!({"enum": ["a", 1]})),
        // Unsupported keywords are moved into the description.
        (
            json!({"type": "string", "format": "uri", "description": "A link."}),
            "gemini",
            json!({"type": "string", "description": "A link.\n(format: \"uri\")"}),
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "gemini",
            json!({"type": "object", "description": "(additionalProperties: {\"type\":\"string\"})"}),
        ),
        (json!({"type": "object", "additionalProperties": false}), "gemini", json!({"type": "object"})),
        // Property names and data that look like keywords.
        (
            json!({"type": "object", "properties": {"$ref": {"type": "string"}, "anyOf": {"type": "string"}},
                "default": {"$ref": "#/x"}}),
            "common",
            json!({"type": "object", "properties": {"$ref": {"type": "string"}, "anyOf": {"type": "string"}},
                "default": {"$ref": "#/x"}}),
        ),
    ];
    for (schema, dialect, expected) in table {
        assert_eq!(property(dialect, &schema), expected, "{dialect}: {schema}");
    }
}

#[test]
fn references_are_inlined() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x",
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/point", "description": "Where."},
            "b": {"anyOf": [{"$ref": "#/definitions/a~1b"}, {"type": "null"}]},
            "c": {"$ref": "#/$defs/nowhere"},
            "d": {"$ref": "https://example.com/schema.json"},
        },
        "$defs": {"point": {"type": "object", "description": "A point.", "properties": {"x": {"$ref": "#/$defs/n"}}},
            "n": {"type": "number"}},
        "definitions": {"a/b": {"type": "string"}},
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "a": {"type": "object", "description": "Where.", "properties": {"x": {"type": "number"}}},
            "b": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "c": {"description": "(a nowhere)"},
            "d": {"description": "(a schema.json)"},
        },
    });
    assert_eq!(arguments("common", &schema.to_string()), expected);
    assert_eq!(arguments("json_schema", &schema.to_string()), schema, "where they are taken they stay");
}

#[test]
fn recursive_references_end() {
    let list = json!({
        "type": "object", "properties": {"list": {"$ref": "#/$defs/node"}},
        "$defs": {"node": {"type": "object", "properties": {
            "value": {"type": "number"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}},
    });
    let again = json!({"type": "object", "description": "(again a node, as described above)"});
    let expected = json!({"type": "object", "properties": {"value": {"type": "number"},
        "next": {"anyOf": [again, {"type": "null"}]}}});
    assert_eq!(arguments("common", &list.to_string())["properties"]["list"], expected);

    for circle in [
        json!({"$ref": "#"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
        json!({"type": "object", "properties": {"self": {"$ref": "#"}}}),
        json!({"allOf": [{"$ref": "#"}]}),
    ] {
        for dialect in DIALECTS {
            assert_eq!(arguments(dialect, &circle.to_string())["type"], "object", "{dialect}: {circle}");
        }
    }
}

/// Ten definitions that each refer to the next one ten times would expand to ten thousand million values.
#[test]
fn the_expansion_of_references_is_bounded() {
    let definitions: Map<String, Value> = (0..10)
        .map(|n| {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            let properties: Map<String, Value> = (0..10).map(|p| (format!("p{p}"), next.clone())).collect();
            (format!("d{n}"), json!({"type": "object", "properties": properties}))
        })
        .collect();
    let bomb = json!({"type": "object", "properties": {"p": {"$ref": "#/$defs/d0"}}, "$defs": definitions});
    for dialect in ["common", "moonshot", "gemini"] {
        let text = arguments(dialect, &bomb.to_string()).to_string();
        assert!(text.len() < 2_000_000, "{dialect}: {} bytes", text.len());
        assert!(text.contains("again a d"), "{dialect}: it says where it stopped");
    }
    let branches = vec![json!({}); 3000];
    let wide: Map<String, Value> = (0..3000).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    let product = json!({"type": "object", "properties": {"p": {"type": "object", "properties": wide, "anyOf": branches}}});
    assert!(arguments("moonshot", &product.to_string()).to_string().len() < 2_000_000);
}

#[test]
fn schemas_nested_too_deep_are_left_open() {
    let deep = |levels: usize| {
        let schema = (0..levels).fold(
            json!({"type": ["string", "null"]}),
            |inner, _| json!({"type": "object", "properties": {"p": inner}}),
        );
        with_tool("gemini", &schema.to_string())
    };
    assert!(deep(20).contains("\"nullable\":true"));
    assert!(!deep(60).contains("null"));
}

#[test]
fn alternatives_at_the_root_become_one_object() {
    let schema = json!({
        "type": "object", "description": "Attach.",
        "properties": {"name": {"type": "string"}}, "required": ["name"],
        "oneOf": [
            {"properties": {"kind": {"const": "text"}, "text": {"type": "string"}}, "required": ["kind", "text"]},
            {"properties": {"kind": {"const": "url"}, "url": {"type": "string"}}, "required": ["kind", "url"]},
        ],
    });
    for (dialect, kind) in [
        ("openai", json!({"anyOf": [{"const": "text"}, {"const": "url"}]})),
        ("common", json!({"anyOf": [{"const": "text"}, {"const": "url"}]})),
        (
            "gemini",
            json!({"anyOf": [{"type": "string", "enum": ["text"]}, {"type": "string", "enum": ["url"]}]}),
        ),
    ] {
        let up = arguments(dialect, &schema.to_string());
        assert_eq!(up["type"], "object", "{dialect}");
        assert!(up.get("oneOf").is_none() && up.get("anyOf").is_none(), "{dialect}: {up}");
        assert_eq!(up["properties"]["kind"], kind, "{dialect}");
        assert_eq!(up["required"], json!(["name", "kind"]), "{dialect}");
        for property in ["name", "text", "url"] {
            assert_eq!(up["properties"][property]["type"], "string", "{dialect}: {property}");
        }
        let words = up["description"].as_str().unwrap();
        assert!(
            words.starts_with("Attach.\n(") && words.contains("\"text\"]") && words.contains("\"url\"]"),
            "{words}"
        );
    }
    assert_eq!(arguments("json_schema", &schema.to_string()), schema);
}

/// Any JSON object, valid as a schema or not.
fn any_schema() -> impl Strategy<Value = Value> {
    anything().prop_filter("an object", Value::is_object)
}

fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "string",
        "integer",
        "object",
        "array",
        "null",
        "#/properties/a",
        "#",
        "a",
    ]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i8>().prop_map(Value::from),
        Just(Value::Null),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 5, |inner| {
        let key = prop::sample::select(vec![
            "type",
            "properties",
            "items",
            "prefixItems",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "$defs",
            "enum",
            "const",
            "required",
            "description",
            "additionalProperties",
            "a",
            "not",
            "minimum",
            "default",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|all| Value::Object(
                all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

fn each_schema(schema: &Value, check: &mut dyn FnMut(&Map<String, Value>)) {
    let Some(keywords) = schema.as_object() else { return };
    check(keywords);
    for (key, value) in keywords {
        match (key.as_str(), value) {
            ("properties", Value::Object(named)) => {
                named.values().for_each(|value| each_schema(value, check))
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(list)) => {
                list.iter().for_each(|value| each_schema(value, check))
            }
            ("items" | "additionalProperties" | "not", value) => each_schema(value, check),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn every_schema_fits_its_dialect(schema in any_schema()) {
        for dialect in DIALECTS {
            let up = arguments(dialect, &schema.to_string());
            prop_assert!(up.get("type").is_some(), "{dialect}: {up}");
            prop_assert!(up["properties"].is_object() || dialect == "json_schema", "{dialect}: {up}");
        }
        let moonshot = arguments("moonshot", &schema.to_string());
        each_schema(&moonshot, &mut |keywords| {
            let has = |key: &str| keywords.contains_key(key);
            assert!(!(has("$ref") || has("oneOf") || has("anyOf") && has("type")), "{keywords:?}");
            assert!(!keywords.get("items").is_some_and(Value::is_array), "{keywords:?}");
            assert!(!keywords.get("type").is_some_and(Value::is_array), "{keywords:?}");
        });
        each_schema(&arguments("gemini", &schema.to_string()), &mut |keywords| {
            for unknown in ["$ref", "$defs", "const", "oneOf", "allOf", "not", "additionalProperties", "prefixItems"] {
                assert!(!keywords.contains_key(unknown), "{keywords:?}");
            }
        });
    }
}
