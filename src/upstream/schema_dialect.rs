//! The subsets of JSON Schema that upstreams accept, as data. `tools::schema` rewrites a schema to fit one.

use super::string_enum::string_enum;

string_enum! {
    /// A subset of JSON Schema.
    SchemaDialect {
        /// All of JSON Schema. Only a root that is not an object schema is turned into one.
        JsonSchema = "json_schema",
        /// All of JSON Schema below the root. The root is a plain object without `anyOf` and similar keywords (OpenAI).
        Openai = "openai",
        /// What nearly every upstream accepts: like `openai`, and also no `$ref`, no tuples, no `true` as a schema, and `type` inside the branches of `anyOf`.
        Common = "common",
        /// Moonshot Flavored JSON Schema: like `common`, and also a single type per schema and enumerations of a single type.
        Moonshot = "moonshot",
        /// Gemini's `Schema` object: like `common`, and also only the keywords that Gemini knows and enumerations of strings.
        Gemini = "gemini",
    }
}

/// What a dialect accepts.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The root may have `anyOf`, `oneOf`, `allOf`, `enum` and `not`.
    pub composed_root: bool,
    /// `$ref` and `$defs` may be used.
    pub refs: bool,
    /// `type` may be beside `anyOf` instead of inside its branches.
    pub type_beside_any_of: bool,
    /// `items` may be an array (a tuple).
    pub tuples: bool,
    /// The schemas of properties and items may be `true` or `false`.
    pub booleans: bool,
    /// How a type that may be null is written.
    pub nulls: Nulls,
    /// The values that `enum` may list.
    pub enums: Enums,
    /// Every schema is an object, an array has `items`, and `required` names only properties.
    pub closed: bool,
    /// The accepted keywords; `None` accepts all.
    pub keywords: Option<&'static [&'static str]>,
}

/// How a type that may be null is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// `"type": ["string", "null"]`.
    TypeList,
    /// `"anyOf": [{"type": "string"}, {"type": "null"}]`.
    AnyOf,
    /// `"type": "string", "nullable": true`.
    Nullable,
}

/// The values that `enum` may list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enums {
    /// Any.
    Any,
    /// Strings, or numbers, but not both.
    OneType,
    /// Strings.
    Strings,
}

const JSON_SCHEMA: Rules = Rules {
    composed_root: true,
    refs: true,
    type_beside_any_of: true,
    tuples: true,
    booleans: true,
    nulls: Nulls::TypeList,
    enums: Enums::Any,
    closed: false,
    keywords: None,
};

const OPENAI: Rules = Rules { composed_root: false, ..JSON_SCHEMA };

const COMMON: Rules =
    Rules { refs: false, type_beside_any_of: false, tuples: false, booleans: false, ..OPENAI };

/// MoonshotAI/walle, docs/mfjs-spec.md. Keywords that it does not list are not rejected, so they are kept.
const MOONSHOT: Rules = Rules { nulls: Nulls::AnyOf, enums: Enums::OneType, ..COMMON };

/// ai.google.dev/api/caching#Schema. Gemini rejects any other keyword with "Unknown name ...: Cannot find field".
const GEMINI: Rules = Rules {
    nulls: Nulls::Nullable,
    enums: Enums::Strings,
    closed: true,
    keywords: Some(&[
        "type",
        "title",
        "description",
        "nullable",
        "enum",
        "default",
        "anyOf",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "items",
        "minItems",
        "maxItems",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
    ]),
    ..COMMON
};

impl Rules {
    /// Whether null types or enumerations are written differently from JSON Schema.
    pub fn differs_in_values(&self) -> bool {
        self.nulls != Nulls::TypeList || self.enums != Enums::Any
    }
}

impl SchemaDialect {
    /// The rules of this dialect.
    pub fn rules(self) -> &'static Rules {
        match self {
            Self::JsonSchema => &JSON_SCHEMA,
            Self::Openai => &OPENAI,
            Self::Common => &COMMON,
            Self::Moonshot => &MOONSHOT,
            Self::Gemini => &GEMINI,
        }
    }
}
