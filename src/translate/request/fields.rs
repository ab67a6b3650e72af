//! Fields that some hosts take and others do not: the effort, and what is passed on as it is.

use crate::items::Report;
use crate::responses::{Object, Request};
use crate::upstream::{Fields, Options};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The parts of an answer that `include` can ask for. All others belong to hosted tools or to stored items.
const INCLUDED: &[&str] = &["message.output_text.logprobs", "reasoning.encrypted_content"];

/// Whether the reply should hold this.
pub(super) fn includes(request: &Request<'_>, what: &str) -> bool {
    request.include.iter().flatten().any(|included| included == what)
}

/// What the effort adds to the body of this host.
pub(super) fn effort(request: &Request<'_>, options: &Options, report: &mut Report) -> Fields {
    let Some(effort) = request.reasoning.as_ref().and_then(|reasoning| reasoning.effort.as_deref()) else {
        return Fields::new();
    };
    options.reasoning.fields(effort).unwrap_or_else(|| {
        report.dropped("field", "reasoning.effort");
        Fields::new()
    })
}

/// Fields that this host takes under their own names. What nobody takes is reported.
pub(super) fn passed<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
    options: &'a Options,
    report: &mut Report,
) -> BTreeMap<&'a str, Cow<'a, RawValue>> {
    let mut passed = BTreeMap::new();
    let mut pass = |name: &str, path: &str, value: Cow<'a, RawValue>| match options
        .pass_fields
        .iter()
        .find(|field| *field == name)
    {
        Some(field) => drop(passed.insert(field.as_str(), value)),
        None if asks_for_nothing(name, &value) => {}
        None => report.dropped("field", path),
    };
    if let Some(verbosity) = request.text.as_ref().and_then(|text| text.verbosity.clone()) {
        pass("verbosity", "text.verbosity", verbosity.into_raw());
    }
    for (name, value) in body.fields().filter(|(name, _)| !Request::is_served(name)) {
        pass(&name, &name, Cow::Borrowed(value));
    }
    passed
}

/// Whether a client that sends this misses nothing without it.
fn asks_for_nothing(name: &str, value: &RawValue) -> bool {
    match name {
        // Codex's own notes: ids, the working directory.
        "client_metadata" => true,
        "store" => value.get() == "false",
        "truncation" => value.get() == "\"disabled\"",
        "service_tier" => ["\"auto\"", "\"default\""].contains(&value.get()),
        _ => false,
    }
}

/// Reports what `include` asks for and nobody can give.
pub(super) fn report_includes(request: &Request<'_>, report: &mut Report) {
    for included in request.include.iter().flatten().filter(|included| !INCLUDED.contains(&&***included)) {
        report.dropped("include", included);
    }
}
