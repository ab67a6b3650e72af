//! What types cannot say of a configuration, and the words of its errors.

use super::{ConfigError, Limits};
use crate::upstream::{Fields, Options};
use crate::wire::chat::request::Request;
use crate::wire::responses;

pub(super) fn paths(paths: &[String]) -> Result<(), ConfigError> {
    if paths.is_empty() {
        return Err(wrong("paths", "expected at least one path, e.g. `/v1/responses`"));
    }
    paths.iter().enumerate().try_for_each(|(index, path)| {
        let at = format!("paths[{index}]");
        self::path(&at, path)?;
        // A query is never compared, so a path that has one would never match.
        if path.contains('?') {
            return Err(wrong(&at, format!("`{path}` has a query; leave it out, any query matches")));
        }
        // `/v1/responses/` would make `/v1/responses` itself pass untouched.
        if path.ends_with('/') {
            return Err(wrong(&at, format!("`{path}` ends with `/`; leave that out")));
        }
        Ok(())
    })
}

pub(super) fn path(at: &str, path: &str) -> Result<(), ConfigError> {
    if !path.starts_with('/') {
        return Err(wrong(at, format!("`{path}` does not begin with `/`")));
    }
    header_value(at, Some(path))
}

/// What the types of the options cannot say.
pub(super) fn options(at: &str, options: &Options) -> Result<(), ConfigError> {
    let at = |option: &str| join(at, option);
    path(&at("path"), &options.path)?;
    pass_fields(&at("pass_fields"), &options.pass_fields)?;
    call_id_chars(&at("tool_call_id_chars"), options.tool_call_id_chars)?;
    added_fields(&at("add_fields"), &options.add_fields)?;
    let efforts =
        options.reasoning.efforts.iter().map(|(effort, fields)| (format!("efforts.{effort}"), fields));
    let unknown = options.reasoning.unknown.iter().map(|fields| ("unknown".to_owned(), fields));
    efforts.chain(unknown).try_for_each(|(effort, fields)| {
        added_fields(&at(&format!("reasoning.{effort}")), &fields.to_fields())
    })
}

/// A field that is written here cannot be added besides: it would stand in the body twice.
fn added_fields(at: &str, fields: &Fields) -> Result<(), ConfigError> {
    match fields.keys().find(|name| Request::FIELDS.contains(&name.as_str())) {
        Some(name) => Err(wrong(&join(at, name), format!("`{name}` is not for adding: it is translated"))),
        None => Ok(()),
    }
}

/// A field that is served here, or that is written here, cannot be passed on besides.
fn pass_fields(at: &str, fields: &[String]) -> Result<(), ConfigError> {
    let taken = |name: &str| responses::Request::is_served(name) || Request::FIELDS.contains(&name);
    fields.iter().enumerate().try_for_each(|(index, name)| match name.as_str() {
        name if name.is_empty() || taken(name) => {
            Err(wrong(&format!("{at}[{index}]"), format!("`{name}` is not for passing on: it is translated")))
        }
        _ => Ok(()),
    })
}

/// Shortened ids are hexadecimal digits; fewer could not tell the calls of a long conversation apart.
const FEWEST_CALL_ID_CHARS: usize = 8;

fn call_id_chars(at: &str, chars: usize) -> Result<(), ConfigError> {
    match chars {
        FEWEST_CALL_ID_CHARS.. => Ok(()),
        _ => Err(wrong(at, format!("expected at least {FEWEST_CALL_ID_CHARS}"))),
    }
}

pub(super) fn limits(limits: &Limits) -> Result<(), ConfigError> {
    let all = [
        ("limits.request_bytes", limits.request_bytes),
        ("limits.reply_bytes", limits.reply_bytes),
        ("limits.event_bytes", limits.event_bytes),
        ("limits.held_reply_bytes", limits.held_reply_bytes),
    ];
    match all.iter().find(|(_, limit)| *limit == 0) {
        Some((at, _)) => Err(wrong(at, "expected more than 0")),
        None => Ok(()),
    }
}

pub(super) fn given(at: &str, text: Option<&str>) -> Result<(), ConfigError> {
    match text {
        Some("") => Err(wrong(at, "expected a text that is not empty")),
        _ => Ok(()),
    }
}

/// Envoy does not check the header values that a filter sets, so they are checked before.
pub(super) fn header_value(at: &str, text: Option<&str>) -> Result<(), ConfigError> {
    given(at, text)?;
    match text {
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(wrong(at, "expected visible ASCII characters only, as it becomes a header's value"))
        }
        _ => Ok(()),
    }
}

/// A path and what stands below it.
pub(super) fn join(at: &str, below: &str) -> String {
    match (at, below) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{at}.{below}"),
    }
}

/// An error at a path; the empty one is the whole.
pub(super) fn wrong(at: &str, message: impl Into<String>) -> ConfigError {
    let path = if at.is_empty() { "configuration" } else { at };
    ConfigError { path: path.to_owned(), message: message.into() }
}
