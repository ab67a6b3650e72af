//! The rules that the types of the configuration cannot express.

use super::error::Errors;
use super::explain;
use super::{Catalog, Config, EngineName, Limits, Price, Rule, Search, Upstream};
use crate::upstream::{self, Fields, Options};
// A configured field must not collide with one that the filter reads or writes. `wire` lists those.
use crate::wire::chat::request::Request;
use crate::wire::responses;

pub(super) fn paths(paths: &[String], errors: &mut Errors) {
    let paths_at = with_paths("paths", paths, errors);
    if paths.is_empty() && !errors.has("paths[0]") {
        errors.add("paths", "expected at least one path, e.g. `/v1/responses`");
    }
    for (at, path) in paths_at {
        self::path(&at, path, errors);
        // The query is not compared, so a path with a query would never match.
        if path.contains('?') {
            errors.add(&at, format!("`{path}` has a query; leave it out, any query matches"));
        }
        // `/v1/responses/` would let `/v1/responses` itself pass untranslated.
        if path.ends_with('/') {
            errors.add(&at, format!("`{path}` ends with `/`; leave that out"));
        }
    }
}

pub(super) fn path(at: &str, path: &str, errors: &mut Errors) {
    if path.starts_with('/') {
        header_value(at, Some(path), errors);
    } else {
        errors.add(at, format!("`{path}` does not begin with `/`"));
    }
    if path.contains('#') {
        errors.add(at, format!("`{path}` has a `#`, which no request has in its path"));
    }
}

pub(super) fn options(at: &str, options: &Options, errors: &mut Errors) {
    let at = |option: &str| join(at, option);
    path(&at("path"), &options.path, errors);
    if let Some(counting) = &options.input_tokens_path {
        path(&at("input_tokens_path"), counting, errors);
    }
    pass_fields(&at("pass_fields"), &options.pass_fields, errors);
    call_id_chars(&at("tool_call_id_chars"), options, errors);
    if let Some(name) = &options.session_header {
        let at = at("session_header");
        header_name(&at, name, errors);
        let is_written = [MESSAGE_HEADERS, BODY_HEADERS].concat().contains(&name.as_str());
        if is_written || name.starts_with("x-transponder-") {
            errors.add(&at, format!("`{name}` is written by Envoy or by the filter"));
        }
        if CREDENTIAL_HEADERS.contains(&name.as_str()) {
            errors.add(&at, format!("`{name}` has the client's key, which the upstream would not get"));
        }
    }
    if options.default_max_tokens == Some(0) {
        errors.add(&at("default_max_tokens"), "expected at least 1");
    }
    added_fields(&at("add_fields"), &options.add_fields, errors);
    for (effort, fields) in &options.reasoning.efforts {
        let at = at(&format!("reasoning.efforts.{effort}"));
        self::effort(&at, effort, errors);
        added_fields(&at, &fields.to_fields(), errors);
    }
    if let Some(fields) = &options.reasoning.unknown {
        added_fields(&at("reasoning.unknown"), &fields.to_fields(), errors);
    }
}

/// A field that the filter writes cannot be added as well: it would be in the body twice.
fn added_fields(at: &str, fields: &Fields, errors: &mut Errors) {
    for name in fields.keys().filter(|name| Request::FIELDS.contains(&name.as_str())) {
        errors.add(&join(at, name), format!("`{name}` cannot be added: the filter writes it itself"));
    }
}

/// A field that the filter reads or writes cannot be passed on as well.
fn pass_fields(at: &str, fields: &[String], errors: &mut Errors) {
    let taken = |name: &str| responses::Request::is_served(name) || Request::FIELDS.contains(&name);
    for (at, name) in with_paths(at, fields, errors) {
        not_empty(&at, Some(name), errors);
        if taken(name) {
            errors.add(&at, format!("`{name}` cannot be passed on: the filter translates it"));
        }
    }
}

/// Shortened ids are hexadecimal digits; fewer could not distinguish the calls of a long conversation.
const MIN_CALL_ID_CHARS: usize = 8;

fn call_id_chars(at: &str, options: &Options, errors: &mut Errors) {
    match options.tool_call_id_chars {
        Some(0..MIN_CALL_ID_CHARS) => {
            errors.add(at, format!("expected at least {MIN_CALL_ID_CHARS}"));
        }
        None if options.tool_call_id_exact => {
            errors.add(at, "expected a number, because `tool_call_id_exact` is set");
        }
        _ => {}
    }
}

pub(super) fn limits(limits: &Limits, errors: &mut Errors) {
    for (at, limit) in [
        ("limits.request_bytes", limits.request_bytes),
        ("limits.reply_bytes", limits.reply_bytes),
        ("limits.event_bytes", limits.event_bytes),
        ("limits.held_reply_bytes", limits.held_reply_bytes),
    ] {
        positive(at, limit as u64, errors);
    }
}

pub(super) fn positive(at: &str, number: u64, errors: &mut Errors) {
    if number == 0 {
        errors.add(at, "expected more than 0");
    }
}

/// A path is chosen before the model is known, unless the headers are held. A top-level upstream that translates then decides
/// for all models; `refuse` cannot, so the rules must agree.
pub(super) fn one_path_under_refuse(config: &Config, errors: &mut Errors) {
    if config.hold_request_headers || config.upstream != Upstream::Refuse {
        return;
    }
    let Some(first) = config.path_before_body() else { return };
    for (index, rule) in config.models.iter().enumerate() {
        if let Some(path) = rule.upstream.as_ref().and_then(Upstream::path).filter(|path| *path != first) {
            errors.add(
                &format!("models[{index}].upstream"),
                format!(
                    "`path` is `{path}`, but an earlier rule has `{first}`. With `\"upstream\": \"refuse\"` at the top \
                     level, different paths need `\"hold_request_headers\": true`"
                ),
            );
        }
    }
}

/// Headers that describe a message or a connection, so Envoy writes them.
pub(super) const MESSAGE_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Headers that describe a body, so the filter writes or removes them.
const BODY_HEADERS: &[&str] = &["accept", "accept-encoding", "content-encoding", "content-type"];

/// Headers with a client's credentials.
const CREDENTIAL_HEADERS: &[&str] = &["api-key", "authorization", "cookie", "x-api-key", "x-goog-api-key"];

/// A list with a name twice makes Codex discard all of it.
pub(super) fn described_once(rules: &[Rule], errors: &mut Errors) {
    let is_described = |rule: &&Rule| rule.catalog.is_some();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| is_described(rule)) {
        let mut before = rules.iter().take(index).filter(is_described);
        if before.any(|earlier| earlier.pattern == rule.pattern) {
            let what = format!("an earlier rule describes `{}` already", rule.pattern);
            errors.add(&format!("models[{index}].catalog"), what);
        }
    }
}

/// A list of models with one that is refused would be a promise that is not kept.
pub(super) fn described_is_served(config: &Config, errors: &mut Errors) {
    for (index, rule) in config.models.iter().enumerate().filter(|(_, rule)| rule.catalog.is_some()) {
        if *rule.upstream_in(config) == Upstream::Refuse {
            let what = format!("`{}` is refused, so it cannot be in the list of models", rule.pattern);
            errors.add(&format!("models[{index}].catalog"), what);
        }
    }
}

/// Codex reads the numbers of its catalogue with a sign, and discards all of it if one does not fit.
const MAX_TOKENS: u64 = i64::MAX as u64;

fn tokens(at: &str, number: Option<u64>, errors: &mut Errors) {
    let Some(number) = number else { return };
    positive(at, number, errors);
    if number > MAX_TOKENS {
        errors.add(at, format!("expected at most {MAX_TOKENS}"));
    }
}

pub(super) fn catalog(at: &str, catalog: &Catalog, pattern: &str, errors: &mut Errors) {
    if pattern.contains('*') {
        errors.add(at, "needs a `match` without `*`, because it is the name in the list of models");
    }
    tokens(&join(at, "context_window"), catalog.context_window, errors);
    tokens(&join(at, "auto_compact_token_limit"), catalog.auto_compact_token_limit, errors);
    not_empty(&join(at, "display_name"), catalog.display_name.as_deref(), errors);
    not_empty(&join(at, "instructions"), catalog.instructions.as_deref(), errors);
    if catalog.input_modalities.as_ref().is_some_and(Vec::is_empty) {
        errors.add(&join(at, "input_modalities"), "expected at least one");
    }
    let efforts = catalog.efforts.as_deref().unwrap_or_default();
    for (at, effort) in with_paths(&join(at, "efforts"), efforts, errors) {
        self::effort(&at, effort, errors);
    }
}

fn effort(at: &str, effort: &str, errors: &mut Errors) {
    let known: Vec<&str> = upstream::effort_names().collect();
    explain::check_word(at, "effort", effort, &known, errors);
}

pub(super) fn not_empty(at: &str, text: Option<&str>, errors: &mut Errors) {
    if text == Some("") {
        errors.add(at, "expected a non-empty string");
    }
}

/// Envoy does not validate header values that a filter sets, so they are validated here.
pub(super) fn header_value(at: &str, text: Option<&str>, errors: &mut Errors) {
    not_empty(at, text, errors);
    if text.is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_graphic())) {
        errors.add(at, "expected only visible ASCII characters, because it is sent as a header's value");
    }
}

pub(super) fn search(search: &Search, held: bool, errors: &mut Errors) {
    if let Some(path) = &search.path {
        self::path("search.path", path, errors);
    }
    header_value("search.route", search.route.as_deref(), errors);
    if search.engine == EngineName::Brave && !held {
        errors.add(
            "search.engine",
            "`brave` needs `\"hold_request_headers\": true`, because it takes the query in the path",
        );
    }
}

pub(super) fn price(at: &str, price: Price, pattern: &str, errors: &mut Errors) {
    for (key, price) in price.parts() {
        if price < 0.0 {
            errors.add(&join(at, key), "expected at least 0");
        } else if price > MAX_PRICE {
            errors.add(&join(at, key), format!("expected at most {MAX_PRICE}, for a million tokens"));
        }
    }
    if !is_label(pattern) {
        errors.add(at, LABEL);
    }
}

/// A thousand of any currency for one token.
const MAX_PRICE: f64 = 1e9;

/// What Envoy can read out of the name of a metric.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';' && byte != b'=')
}

const LABEL: &str = "expected visible ASCII characters without `;` and `=`, because it is a label of metrics";

pub(super) fn teams(header: Option<&str>, teams: &[String], errors: &mut Errors) {
    if let Some(name) = header {
        read_header("team_header", name, errors);
    }
    // A wrong value has been removed, and has an error of its own.
    if header.is_some() && teams.is_empty() && !errors.has("teams") && !errors.has("teams[0]") {
        errors.add("team_header", "needs at least one team in `teams`");
    }
    if header.is_none() && !teams.is_empty() && !errors.has("team_header") {
        errors.add("teams", "needs `team_header`, the request header with the client's team");
    }
    let teams_at = with_paths("teams", teams, errors);
    for (index, (at, team)) in teams_at.iter().enumerate() {
        if !is_label(team) {
            errors.add(at, LABEL);
        }
        if teams_at.iter().take(index).any(|(_, earlier)| earlier == team) {
            errors.add(at, format!("`{team}` is there twice"));
        }
    }
}

pub(super) fn header_names(list: &str, names: &[String], errors: &mut Errors) {
    for (at, name) in with_paths(list, names, errors) {
        read_header(&at, name, errors);
    }
}

/// The name of a request header that says something about the client.
pub(super) fn read_header(at: &str, name: &str, errors: &mut Errors) {
    header_name(at, name, errors);
    if MESSAGE_HEADERS.contains(&name) {
        errors.add(at, format!("`{name}` is about the message, not about the client"));
    }
}

/// Envoy has the names of headers in lower case.
pub(super) fn header_name(at: &str, name: &str, errors: &mut Errors) {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        errors.add(at, format!("`{name}` is not the name of a header in lower case"));
    }
}

/// The values of a list with their paths.
fn with_paths<'v>(list: &str, values: &'v [String], errors: &Errors) -> Vec<(String, &'v String)> {
    elements(list, errors).zip(values).collect()
}

/// The paths of the elements of a list. Those with an error have been removed from the list.
pub(super) fn elements(list: &str, errors: &Errors) -> impl Iterator<Item = String> {
    (0..).map(move |index| format!("{list}[{index}]")).filter(|path| !errors.has(path))
}

/// The path of a key in the object at a path.
pub(super) fn join(at: &str, below: &str) -> String {
    match (at, below) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{at}.{below}"),
    }
}
