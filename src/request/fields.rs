//! Fields of the upstream's request that each follow from one field of the client's: the token limit, sampling,
//! reasoning effort, and fields that are passed on unchanged.

use crate::json::RawJson;
use crate::report::{Dropped, Report};
use crate::upstream::{Fields, MaxTokensField, Options, Sampling};
use crate::wire::chat::request as chat;
use crate::wire::responses::Request;
use crate::wire::typed::Object;
use std::collections::BTreeMap;

/// The values of `include` that are supported. All others belong to hosted tools or to stored items.
const INCLUDED: &[&str] = &["message.output_text.logprobs", "reasoning.encrypted_content"];

/// Whether `include` asks for this.
pub(super) fn includes(request: &Request<'_>, what: &str) -> bool {
    request.include.iter().flatten().any(|included| included == what)
}

/// The upstream's request without model, messages, tools and format.
pub(super) fn plain<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
    options: &'a Options,
    report: &mut Report,
) -> chat::Request<'a> {
    let sampling = sampling(request, options, report);
    let mut added = added(request, options, report);
    let passed = passed(body, request, options, report);
    added.retain(|name, _| !passed.contains_key(name.as_str()));
    report_includes(request, report);
    let stream = request.stream == Some(true);
    let max_tokens = request.max_output_tokens.or(options.default_max_tokens);
    let limit = |field| max_tokens.filter(|_| options.max_tokens_field == field);
    chat::Request {
        max_tokens: limit(MaxTokensField::MaxTokens),
        max_completion_tokens: limit(MaxTokensField::MaxCompletionTokens),
        stream: stream.then_some(true),
        stream_options: (stream && options.stream_usage)
            .then_some(chat::StreamOptions { include_usage: true }),
        added,
        passed,
        ..sampling
    }
}

/// The sampling parameters that the upstream accepts.
fn sampling<'a>(request: &Request<'_>, options: &Options, report: &mut Report) -> chat::Request<'a> {
    let taken = options.sampling(thinks(request, options));
    let mut takes = |parameter, asked: bool, name| {
        let takes = taken.contains(&parameter);
        if asked && !takes {
            report.dropped(Dropped::Field, name);
        }
        takes
    };
    let top_logprobs = request.top_logprobs.filter(|&n| n > 0);
    let asked = top_logprobs.is_some() || includes(request, "message.output_text.logprobs");
    let logprobs = takes(Sampling::Logprobs, asked, "top_logprobs");
    chat::Request {
        temperature: request.temperature.filter(|_| takes(Sampling::Temperature, true, "temperature")),
        top_p: request.top_p.filter(|_| takes(Sampling::TopP, true, "top_p")),
        logprobs: (asked && logprobs).then_some(true),
        top_logprobs: top_logprobs.filter(|_| logprobs),
        ..chat::Request::default()
    }
}

/// Whether the model will reason.
pub(super) fn thinks(request: &Request<'_>, options: &Options) -> bool {
    options.reasoning.thinks(effort(request))
}

/// `reasoning.effort`.
fn effort<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    request.reasoning.as_ref()?.effort.as_deref()
}

/// The fields that the options add to every request, and those for the effort.
fn added(request: &Request<'_>, options: &Options, report: &mut Report) -> Fields {
    let mut added = options.add_fields.clone();
    if let Some(effort) = effort(request) {
        match options.reasoning.fields(effort) {
            Some(fields) => added.extend(fields),
            None => report.dropped(Dropped::Field, "reasoning.effort"),
        }
    }
    added
}

/// The fields that the upstream accepts under their own names. All others are reported.
fn passed<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
    options: &'a Options,
    report: &mut Report,
) -> BTreeMap<&'a str, RawJson<'a>> {
    let mut passed = BTreeMap::new();
    let mut pass = |name: &str, path: &str, value: RawJson<'a>| {
        if let Some(field) = options.pass_fields.iter().find(|field| *field == name) {
            passed.insert(field.as_str(), value);
        } else if !asks_for_nothing(name, &value) {
            report.dropped(Dropped::Field, path);
        }
    };
    if let Some(verbosity) = request.text.as_ref().and_then(|text| text.verbosity.clone()) {
        pass("verbosity", "text.verbosity", verbosity.into_raw());
    }
    for (name, value) in body.fields().filter(|(name, _)| !Request::is_served(name)) {
        pass(&name, &name, value.raw());
    }
    passed
}

/// Whether dropping the field changes nothing for the client.
fn asks_for_nothing(name: &str, value: &RawJson<'_>) -> bool {
    match name {
        // Codex's telemetry: ids, the working directory.
        "client_metadata" => true,
        "store" => value.get() == "false",
        "truncation" => value.get() == "\"disabled\"",
        "service_tier" => ["\"auto\"", "\"default\""].contains(&value.get()),
        _ => false,
    }
}

/// Reports the values of `include` that are not supported.
fn report_includes(request: &Request<'_>, report: &mut Report) {
    for included in request.include.iter().flatten().filter(|included| !INCLUDED.contains(&&***included)) {
        report.dropped(Dropped::Field, &format!("include.{included}"));
    }
}
