//! Fields that some hosts take and others do not: the effort, and what is passed on as it is.

use crate::items::Report;
use crate::responses::Request;
use crate::upstream::{Fields, Options};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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

/// Fields that mean the same in both APIs, and that few hosts know.
pub(super) fn passed<'a>(
    request: &Request<'a>,
    options: &'a Options,
    report: &mut Report,
) -> BTreeMap<&'a str, &'a RawValue> {
    let verbosity = request.text.as_ref().and_then(|text| text.verbosity);
    let fields = [
        ("verbosity", "text.verbosity", verbosity),
        ("metadata", "metadata", request.metadata),
        ("user", "user", request.user),
        ("service_tier", "service_tier", request.service_tier),
        ("safety_identifier", "safety_identifier", request.safety_identifier),
        ("prompt_cache_key", "prompt_cache_key", request.prompt_cache_key),
        ("prompt_cache_retention", "prompt_cache_retention", request.prompt_cache_retention),
    ];
    let mut passed = BTreeMap::new();
    for (name, path, value) in fields {
        let Some(value) = value else { continue };
        match options.pass_fields.iter().any(|field| field == name) {
            true => {
                passed.insert(name, value);
            }
            false => report.dropped("field", path),
        }
    }
    passed
}
