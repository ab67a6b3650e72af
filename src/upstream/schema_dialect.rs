//! What a host takes of JSON Schema, as data. How a schema is put into those words stands in `translate::schema`.

use super::string_enum::string_enum;

string_enum! {
    /// A named part of JSON Schema.
    SchemaDialect {
        /// All of it. Only a root that is no object schema at all is made one.
        JsonSchema = "json_schema",
        /// All of it, below a root that is a plain object: no `anyOf` and the like there (OpenAI).
        Openai = "openai",
        /// What nearly everybody takes: besides, no `$ref`, no tuples, and `type` within the branches of `anyOf`.
        Common = "common",
        /// "Moonshot Flavored JSON Schema": besides, one type at a time, and enumerations of one type.
        Moonshot = "moonshot",
        /// The schema object of Gemini: besides, only the keywords that it knows, and enumerations of strings.
        Gemini = "gemini",
    }
}

/// What a dialect takes.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The root may have `anyOf`, `oneOf`, `allOf`, `enum` and `not`.
    pub composed_root: bool,
    /// `$ref` may stand anywhere, and `$defs`.
    pub refs: bool,
    /// `type` may stand beside `anyOf` instead of within its branches.
    pub type_beside_any_of: bool,
    /// `items` may be a list.
    pub tuples: bool,
    /// `type` may be a list; else this is how a type that may be null is said.
    pub nulls: Nulls,
    /// The values that `enum` may list.
    pub enums: Enums,
    /// The keywords that are taken; all, if absent.
    pub keywords: Option<&'static [&'static str]>,
}

/// How a type that may be null is said.
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
    nulls: Nulls::TypeList,
    enums: Enums::Any,
    keywords: None,
};

const OPENAI: Rules = Rules { composed_root: false, ..JSON_SCHEMA };

const COMMON: Rules = Rules { refs: false, type_beside_any_of: false, tuples: false, ..OPENAI };

/// MoonshotAI/walle, docs/mfjs-spec.md. What it does not list is not refused, so it may stay.
const MOONSHOT: Rules = Rules { nulls: Nulls::AnyOf, enums: Enums::OneType, ..COMMON };

/// ai.google.dev/api/caching#Schema. Whatever is not listed there is "Unknown name ...: Cannot find field".
const GEMINI: Rules = Rules {
    nulls: Nulls::Nullable,
    enums: Enums::Strings,
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
    /// Whether values are said otherwise than in JSON Schema.
    pub fn differs_in_values(&self) -> bool {
        self.nulls != Nulls::TypeList || self.enums != Enums::Any
    }
}

impl SchemaDialect {
    /// What it takes.
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
