//! The rules for `src/` that the compiler does not check: which module may use which, the length of files and structs,
//! where a type's methods are, and the use of the word "host".

mod source;

use source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Each module directly below the crate's root, and the modules that it may use. Each uses only modules above it.
const ROOMS: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("sse", &[]),
    ("report", &[]),
    ("error", &["json"]),
    ("bounds", &["error", "json"]),
    ("store", &["json"]),
    ("upstream", &["json"]),
    ("wire", &["error", "json"]),
    ("config", &["json", "store", "upstream"]),
    ("catalog", &["config"]),
    ("search", &["config", "error", "json"]),
    ("tools", &["error", "json", "report", "upstream", "wire"]),
    ("markup", &["json", "tools"]),
    ("items", &["error", "json", "report", "tools", "wire"]),
    ("metrics", &["error", "items", "report"]),
    (
        "response",
        &[
            "bounds", "config", "error", "items", "json", "markup", "report", "sse", "store", "tools",
            "upstream", "wire",
        ],
    ),
    (
        "request",
        &[
            "bounds", "config", "error", "items", "json", "markup", "report", "response", "store", "tools",
            "upstream", "wire",
        ],
    ),
    (
        "exchange",
        &[
            "catalog", "config", "error", "json", "metrics", "report", "request", "response", "search",
            "store",
        ],
    ),
    ("adapter", &["config", "exchange", "metrics", "store"]),
    ("filter", &["adapter", "config", "exchange", "metrics", "store"]),
    ("dynamic_module", &["adapter", "config", "error", "exchange", "metrics", "store"]),
    ("lib", &["filter"]),
];

/// Dependencies that the table does not allow, with reasons. A test fails when one is no longer needed.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("config", "wire", "a field that the filter translates cannot be in `pass_fields`"),
    ("items", "sse", "the event writer frames its events"),
    ("wire", "sse", "the template of a delta event frames it"),
];

/// Types with an `impl` outside the file that defines them, with reasons. A test fails when one is no longer needed.
const SCATTERED: &[(&str, &str, &str)] =
    &[("upstream/schema_dialect.rs", "SchemaDialect", "a macro defines it together with its written names")];

/// The maximum length of a file, without its tests.
const LINES: usize = 400;

/// The maximum number of fields of a struct in `response`.
const FIELDS: usize = 8;

#[test]
fn the_table_has_no_circle() {
    for (at, (room, uses)) in ROOMS.iter().enumerate() {
        for used in *uses {
            let place = ROOMS.iter().position(|(name, _)| name == used);
            assert!(place.is_some_and(|place| place < at), "{used} comes before {room}");
        }
    }
}

#[test]
fn modules_use_what_the_table_allows() {
    let table: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut arrows = BTreeSet::new();
    for source in Source::all() {
        let room = source.room();
        let allowed = table.get(room).unwrap_or_else(|| panic!("`{room}` is not in the table"));
        let others =
            source.uses().into_iter().filter(|used| table.contains_key(used) && !allowed.contains(used));
        arrows.extend(others.map(|used| (room.to_owned(), used.to_owned())));
    }
    assert_excepted(&arrows, EXCEPTIONS);
}

/// Checks that each exception is still needed and that there are no others.
fn assert_excepted(found: &BTreeSet<(String, String)>, exceptions: &[(&str, &str, &str)]) {
    let exceptions: BTreeSet<_> =
        exceptions.iter().map(|(from, to, _)| ((*from).to_owned(), (*to).to_owned())).collect();
    let (new, past): (Vec<_>, Vec<_>) =
        (found.difference(&exceptions).collect(), exceptions.difference(found).collect());
    assert!(new.is_empty() && past.is_empty(), "not allowed: {new:#?}, not needed any more: {past:#?}");
}

/// serde_json's reader is generic over its input: each other kind of input is a copy of the reader in the module.
#[test]
fn json_is_read_from_text_only() {
    let reads_other = |source: &Source| {
        source.tokens.iter().any(|token| ["from_slice", "from_reader"].contains(&token.text.as_str()))
    };
    let paths: Vec<_> = Source::all().into_iter().filter(reads_other).map(|source| source.path).collect();
    assert!(paths.is_empty(), "these need `json::from_bytes`: {paths:?}");
}

/// The table of `ARCHITECTURE.md` is the one above.
#[test]
fn the_architecture_page_has_this_table() {
    let page = include_str!("../../../ARCHITECTURE.md");
    for (room, uses) in ROOMS.iter().filter(|(room, _)| *room != "lib") {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{room}` | ")));
        let uses: Vec<String> = uses.iter().map(|used| format!("`{used}`")).collect();
        let uses = if uses.is_empty() { "-".to_owned() } else { uses.join(", ") };
        let agrees = row.is_some_and(|row| row.ends_with(&format!(" | {uses} |")));
        assert!(agrees, "the row of `{room}` in ARCHITECTURE.md should end with: | {uses} |");
    }
}

/// The core takes bytes and time as arguments: the same input gives the same output.
#[test]
fn only_the_adapters_know_envoy_and_the_clock() {
    for source in
        Source::all().iter().filter(|source| !["dynamic_module", "filter", "lib"].contains(&source.room()))
    {
        for word in ["proxy_wasm", "SystemTime", "Instant", "HashMap", "HashSet"] {
            assert!(source.tokens.iter().all(|token| token.text != word), "{}: {word}", source.path);
        }
    }
}

/// In the files that call Envoy without the SDK, where each block has its reason.
#[test]
fn unsafe_code_is_where_envoy_is_called() {
    for source in Source::all() {
        let pairs = source.tokens.windows(2);
        let blocks = pairs.filter(|pair| pair[0].text == "unsafe" && pair[1].text == "{").count();
        let reasons = source.text.matches("// SAFETY: ").count();
        let has_some = ["dynamic_module/abi.rs", "dynamic_module/abi/callouts.rs", "filter/random.rs"]
            .contains(&source.path.as_str());
        assert_eq!(blocks > 0, has_some, "{}", source.path);
        assert_eq!(blocks, reasons, "{}: each block has its reason", source.path);
    }
}

#[test]
fn files_are_short() {
    let long = |source: &Source| (source.path.clone(), source.lines());
    let long: Vec<_> = Source::all().iter().map(long).filter(|(_, lines)| *lines > LINES).collect();
    assert!(long.is_empty(), "more than {LINES} lines without tests: split the file: {long:?}");
}

/// A state with more fields has too many combinations.
#[test]
fn the_state_of_a_reply_is_in_small_structs() {
    let sources = Source::all();
    let large: Vec<_> = sources
        .iter()
        .filter(|source| source.room() == "response")
        .flat_map(Source::fields)
        .filter(|(_, fields)| *fields > FIELDS)
        .collect();
    assert!(large.is_empty(), "more than {FIELDS} fields: group those that change together: {large:?}");
}

#[test]
fn a_type_has_its_methods_where_it_is_defined() {
    let mut scattered = BTreeSet::new();
    for source in &Source::all() {
        let types = source.types();
        let others = source.inherent_impls().into_iter().filter(|name| !types.contains(name));
        scattered.extend(others.map(|name| (source.path.clone(), name.to_owned())));
    }
    assert_excepted(&scattered, SCATTERED);
}

/// Both Envoy and an upstream could be called a host, so neither is.
#[test]
fn host_means_the_header_and_nothing_else() {
    let mut faults = Vec::new();
    for source in &Source::all() {
        let lines = source.text.lines().filter(|line| names_a_host(line));
        faults.extend(lines.map(|line| format!("{}: {}", source.path, line.trim())));
    }
    assert!(faults.is_empty(), "write Envoy or upstream: {faults:#?}");
}

fn names_a_host(line: &str) -> bool {
    // The header, also as a literal, and proxy-wasm's term for a call from the module to Envoy.
    let line = line.replace("`Host:`", "").replace("\"host\"", "").replace("host call", "");
    let mut words = line.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| ["host", "hosts"].contains(&word.to_ascii_lowercase().as_str()))
}
