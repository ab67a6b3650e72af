//! Fields that some hosts take and others do not: the effort, and what is passed on as it is.

use crate::items::Report;
use crate::responses::{Object, Request};
use crate::upstream::{Fields, Options};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Fields that are known here, but mean something to the host only.
const FOR_THE_HOST: &[&str] = &["metadata", "user", "service_tier", "safety_identifier", "prompt_cache_key"];

/// Fields that ask for nothing: a client that sends them misses nothing without them.
const IDLE: &[&str] = &["client_metadata"];

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
    let mut pass = |name: &str, path: &str, value: Cow<'a, RawValue>, report: &mut Report| match options
        .pass_fields
        .iter()
        .find(|field| *field == name)
    {
        Some(field) => drop(passed.insert(field.as_str(), value)),
        None => report.dropped("field", path),
    };
    if let Some(verbosity) = request.text.as_ref().and_then(|text| text.verbosity.clone()) {
        pass("verbosity", "text.verbosity", verbosity.into_raw(), report);
    }
    for (name, value) in body.fields() {
        let is_read = Request::FIELDS.contains(&&*name) && !FOR_THE_HOST.contains(&&*name);
        if !is_read && !IDLE.contains(&&*name) {
            pass(&name, &name, Cow::Borrowed(value), report);
        }
    }
    passed
}

/// What was asked for and nobody can give.
pub(super) fn unmet(request: &Request<'_>, report: &mut Report) {
    if request.store == Some(true) {
        report.dropped("field", "store");
    }
    if request.truncation.as_deref() == Some("auto") {
        report.dropped("field", "truncation");
    }
    for included in request.include.iter().flatten().filter(|included| !INCLUDED.contains(&&***included)) {
        report.dropped("include", included);
    }
}
