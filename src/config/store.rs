//! `store`: where responses are kept.

use super::check::{self, join};
use super::error::Errors;
use super::explain;
use super::raw::read_object;
use crate::store::{HttpProtocol, HttpStore, MemoryStore};
use crate::upstream::string_enum;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where responses are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Store {
    /// Nowhere.
    #[default]
    Off,
    /// In the memory of Envoy.
    Memory(Memory),
    /// In a server that is reached over HTTP.
    Http(Box<Http>),
}

/// The bounds of the store in Envoy's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// How many bytes all records may have together, in all workers. One record may have a thirty-second of it. When it is
    /// full, the oldest records are removed.
    pub bytes: usize,
    /// How many seconds a record is kept.
    pub ttl_seconds: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self { bytes: 256 << 20, ttl_seconds: 24 * 60 * 60 }
    }
}

impl Memory {
    /// The store with these bounds.
    pub fn store(self) -> MemoryStore {
        MemoryStore { bytes: self.bytes, ttl: Duration::from_secs(self.ttl_seconds) }
    }
}

/// A store that is reached over HTTP, through a cluster of Envoy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The name of Envoy's cluster.
    pub cluster: String,
    /// The path of a record, with `{owner}` (64 hexadecimal digits) and `{id}` (that of the response). Everything else in it
    /// is letters, digits, `_`, `-` and `/`, because other characters break the signatures of some servers.
    pub path: String,
    /// What the store understands.
    #[serde(default = "objects")]
    pub protocol: Protocol,
    /// The `Host:` header of every request to the store; if absent, the cluster's name.
    pub authority: Option<String>,
    /// Further headers of every request to the store.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How many milliseconds a request to the store may take.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// How many bytes one record may have. A larger one is not stored.
    #[serde(default = "record_bytes")]
    pub record_bytes: usize,
    /// How many bytes of the end of a reply wait until its record is written. They wait in Envoy's buffer, so this must be below
    /// its limit (`per_connection_buffer_limit_bytes`). A longer end goes on at once. The native module has no such limit.
    #[serde(default = "hold_bytes")]
    pub hold_bytes: usize,
    /// How many seconds a record is kept, for `dapr`. Other stores have their own rules for that.
    pub ttl_seconds: Option<u64>,
}

string_enum! {
    /// What a store over HTTP understands.
    Protocol {
        /// `PUT`, `GET` and `DELETE` of one path for each record: S3 and what is compatible with it, WebDAV.
        Objects = "objects",
        /// The state API of a Dapr sidecar. The last part of the path is the key, and the one before it the state store.
        Dapr = "dapr",
    }
}

fn objects() -> Protocol {
    Protocol::Objects
}

fn timeout_ms() -> u64 {
    2000
}

fn record_bytes() -> usize {
    8 << 20
}

/// Half of the lowest limit in the field: Envoy Gateway's 32 KiB.
fn hold_bytes() -> usize {
    16 << 10
}

/// Ten minutes. A client does not wait as long, and Envoy counts the milliseconds of a wasm filter in 32 bits.
const MAX_TIMEOUT_MS: u64 = 600_000;

/// One record may have a thirty-second of a store in memory, which is then a kibibyte.
const MIN_BYTES: usize = 32 << 10;

/// The longest reply to a callout that Envoy's wasm filter takes.
const MAX_RECORD_BYTES: usize = 32 << 20;

impl Http {
    /// The store with these settings.
    pub fn store(&self) -> HttpStore {
        HttpStore {
            protocol: match self.protocol {
                Protocol::Objects => HttpProtocol::Objects,
                Protocol::Dapr => HttpProtocol::Dapr,
            },
            cluster: self.cluster.clone(),
            path: self.path.clone(),
            authority: self.authority.as_ref().unwrap_or(&self.cluster).clone(),
            headers: self.headers.clone().into_iter().collect(),
            timeout: Duration::from_millis(self.timeout_ms),
            ttl: self.ttl_seconds.map(Duration::from_secs),
        }
    }

    fn check(&self, at: &str, errors: &mut Errors) {
        let at = |key: &str| join(at, key);
        check::not_empty(&at("cluster"), Some(&self.cluster), errors);
        self.check_path(&at("path"), errors);
        check::header_value(&at("authority"), self.authority.as_deref(), errors);
        for (name, value) in &self.headers {
            let at = join(&at("headers"), name);
            check::header_name(&at, name, errors);
            if check::MESSAGE_HEADERS.contains(&name.as_str()) {
                errors.add(&at, format!("`{name}` is written by Envoy or by `authority`"));
            }
            if value.is_empty() || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                errors.add(&at, "expected visible ASCII characters and spaces");
            }
        }
        check::positive(&at("timeout_ms"), self.timeout_ms, errors);
        if self.timeout_ms > MAX_TIMEOUT_MS {
            errors.add(&at("timeout_ms"), format!("expected at most {MAX_TIMEOUT_MS}"));
        }
        check::positive(&at("record_bytes"), self.record_bytes as u64, errors);
        if self.record_bytes > MAX_RECORD_BYTES {
            errors.add(&at("record_bytes"), format!("expected at most {MAX_RECORD_BYTES}"));
        }
        match self.ttl_seconds {
            Some(seconds) if self.protocol == Protocol::Dapr => {
                check::positive(&at("ttl_seconds"), seconds, errors);
            }
            Some(_) => {
                errors.add(&at("ttl_seconds"), "only `dapr` has it; give the bucket or directory a rule")
            }
            None => {}
        }
    }

    fn check_path(&self, at: &str, errors: &mut Errors) {
        check::path(at, &self.path, errors);
        for name in ["{owner}", "{id}"] {
            if !self.path.contains(name) {
                errors.add(at, format!("`{name}` is missing, so records would overwrite each other"));
            }
        }
        let rest = self.path.replace("{owner}", "").replace("{id}", "");
        let (wanted, more): (_, &[u8]) = match self.protocol {
            Protocol::Objects => ("letters, digits, `_`, `-` and `/`", b"_-/"),
            Protocol::Dapr => ("letters, digits, `_`, `-`, `.` and `/`", b"_-./"),
        };
        if !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte)) {
            errors.add(at, format!("expected only {wanted} beside `{{owner}}` and `{{id}}`"));
        }
        let key = self.path.rsplit('/').next().unwrap_or_default();
        if self.protocol == Protocol::Dapr && !(key.contains("{owner}") && key.contains("{id}")) {
            errors.add(at, "its last part is the key, which needs both, e.g. `{owner}-{id}`");
        }
    }
}

impl Store {
    /// Whether responses are kept.
    pub fn is_on(&self) -> bool {
        *self != Self::Off
    }

    /// How many bytes one record may have.
    pub fn record_bytes(&self) -> usize {
        match self {
            Self::Off => 0,
            Self::Memory(memory) => memory.store().record_bytes(),
            Self::Http(http) => http.record_bytes,
        }
    }

    /// How many bytes of the end of a reply may wait until its record is written.
    pub fn hold_bytes(&self) -> usize {
        match self {
            Self::Off | Self::Memory(_) => usize::MAX,
            Self::Http(http) => http.hold_bytes,
        }
    }

    /// The same store for an adapter without a limit for what waits.
    pub(super) fn holding_any(self) -> Self {
        match self {
            Self::Http(http) => Self::Http(Box::new(Http { hold_bytes: usize::MAX, ..*http })),
            other => other,
        }
    }
}

/// The stores that a name is enough for.
pub(super) const NAMES: &[&str] = &["off", "memory"];
/// How the store that a name is not enough for is written.
const HTTP_FORM: &str = r#"{"http": {...}}"#;
/// The stores that can have settings.
const KINDS: &[&str] = &["memory", "http"];

/// Reads the name of a store, or an object with its settings.
pub(super) fn read(at: &str, value: Value, errors: &mut Errors) -> Option<Store> {
    match value {
        Value::String(name) => {
            if !NAMES.contains(&name.as_str()) {
                errors.add(at, explain::unknown("store", &name, &[NAMES, &[HTTP_FORM]].concat()));
            }
            let in_memory = name == "memory";
            Some(if in_memory { Store::Memory(Memory::default()) } else { Store::Off })
        }
        Value::Object(kinds) if kinds.len() == 1 => {
            let (kind, settings) = kinds.into_iter().next()?;
            explain::check_word(at, "store", &kind, KINDS, errors);
            let at = join(at, &kind);
            let Value::Object(settings) = settings else {
                errors.add(&at, "expected an object");
                return None;
            };
            self::settings(&at, &kind, settings, errors)
        }
        _ => {
            errors.add(at, "expected the name of a store, or an object with one store and its settings");
            None
        }
    }
}

fn settings(at: &str, kind: &str, settings: Map<String, Value>, errors: &mut Errors) -> Option<Store> {
    match kind {
        "memory" => {
            let memory: Memory = read_object(at, settings, errors)?;
            if memory.bytes < MIN_BYTES {
                errors.add(&join(at, "bytes"), format!("expected at least {MIN_BYTES}, or no response fits"));
            }
            check::positive(&join(at, "ttl_seconds"), memory.ttl_seconds, errors);
            Some(Store::Memory(memory))
        }
        "http" => {
            let http: Http = read_object(at, settings, errors)?;
            http.check(at, errors);
            Some(Store::Http(Box::new(http)))
        }
        _ => Some(Store::Off),
    }
}
