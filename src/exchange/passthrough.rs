//! Requests to native upstreams, which implement the Responses API themselves. Such a request and its reply pass
//! unmodified, except for the model's name, the path, and what this filter put into the conversation. It is
//! recognized by its model. By then its headers were held and edited like those of every request, so here they get
//! their original values again.

use super::headers::{Edit, FROM_CLIENT, Headers, MODEL, SESSION, UPSTREAM};
use super::read_fields::ReadFields;
use super::sanitize::{MODEL_CAP, visible};
use super::session::Session;
use super::translating::Translating;
use crate::config::{Config, Upstream};
use crate::json::{self, JsonStr};
use crate::report::Report;
use crate::request;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The edits that restore the headers which are changed before the body is known.
pub(super) fn restoring(config: &Config, headers: &Headers) -> Vec<Edit> {
    if !config.has_native() {
        return Vec::new();
    }
    let own = |name: &str| [UPSTREAM, MODEL, SESSION, "content-length"].contains(&name);
    let edited =
        |name: &str| [":path", "accept", "content-type"].contains(&name) || FROM_CLIENT.contains(name);
    let mut names = BTreeSet::new();
    names.extend(headers.names().filter(|name| edited(name) && !own(name)));
    names.into_iter().map(|name| restored(name, headers)).collect()
}

/// Several headers of a name become one, whose value is their list: they mean the same. What is no text is left out.
fn restored(name: &str, headers: &Headers) -> Edit {
    let values: Vec<&[u8]> = headers.values(name).collect();
    match String::from_utf8(values.join(&b", "[..])) {
        Ok(list) => Edit::set(name.to_owned(), list),
        Err(_) => Edit::Remove(name.to_owned()),
    }
}

/// A request to a native upstream.
pub(super) struct Passed {
    pub(super) edits: Vec<Edit>,
    pub(super) body: Vec<u8>,
    /// The model in the client's request.
    pub(super) asked_model: String,
    /// The model in the upstream's request.
    pub(super) model: String,
    /// What was removed, because the upstream could not read it.
    pub(super) report: Report,
}

/// The request to a native upstream; `None` if the request is to be translated.
pub(super) fn pass(config: &Config, request: &Translating, body: &[u8]) -> Option<Passed> {
    let fields = config.has_native().then(|| ReadFields::of(body)).flatten()?;
    let model = fields.model_name()?;
    let model = model.decode();
    let route = config.route(&model);
    let Upstream::Native(path) = route.upstream else { return None };

    let key = fields.prompt_cache_key.and_then(JsonStr::of);
    let in_body = || Session::of_body(config, key.as_ref().map(JsonStr::decode).as_deref());
    let session = request.session.clone().or_else(in_body);

    let native = request::without_own_items(body);
    let body = native.as_ref().map_or(body, |native| &native.body);
    let body = if route.model == model {
        body.to_vec()
    } else {
        renamed(body, ReadFields::of(body)?.model?, route.model)?
    };
    let mut edits = request.restoring.clone();
    let suffix = request.endpoint.suffix();
    edits.extend(path.as_ref().map(|path| Edit::set(":path", format!("{path}{suffix}"))));
    edits.extend(session.into_iter().flat_map(|session| session.edits(None).collect::<Vec<_>>()));
    edits.push(Edit::set("content-length", body.len().to_string()));
    edits.push(Edit::set(MODEL, visible(route.model, MODEL_CAP)));
    edits.extend(route.route.map(|route| Edit::set(UPSTREAM, route)));
    let report = native.map(|native| native.report).unwrap_or_default();
    let (asked_model, model) = (model.clone().into_owned(), route.model.to_owned());
    Some(Passed { edits, body, asked_model, model, report })
}

/// The same bytes except for the value of `model`.
fn renamed(body: &[u8], asked: &RawValue, model: &str) -> Option<Vec<u8>> {
    let begin = json::offset_in(body, asked.get().as_bytes())?;
    let (before, after) = (body.get(..begin)?, body.get(begin + asked.get().len()..)?);
    Some([before, JsonStr::new(model).as_json().as_bytes(), after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_of_the_model_changes() {
        let body = r#"{ "input": "the \"model\": x", "model" : "a\u0062" , "n": 1.0, "n": 2}"#.as_bytes();
        let asked = ReadFields::of(body).unwrap().model.unwrap();
        assert_eq!(JsonStr::of(asked).unwrap().decode(), "ab");
        let renamed = renamed(body, asked, "c\"d").unwrap();
        let expected = r#"{ "input": "the \"model\": x", "model" : "c\"d" , "n": 1.0, "n": 2}"#;
        assert_eq!(String::from_utf8(renamed).unwrap(), expected);
    }

    #[test]
    fn what_has_no_model_is_left_to_the_translation() {
        for body in ["", "[]", "{}", r#"{"model": null}"#, "{\"model\": \"\u{1}\"}"] {
            assert!(ReadFields::of(body.as_bytes()).and_then(|fields| fields.model).is_none(), "{body}");
        }
    }
}
