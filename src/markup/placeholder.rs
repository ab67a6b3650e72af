//! What a model writes in the place of arguments when it explains how a call looks: `{...}`, `{json}`, `<arguments>`.

use serde::de::IgnoredAny;

/// The brackets around a placeholder.
const BRACKETS: &[(char, char)] = &[('{', '}'), ('<', '>'), ('[', ']')];

/// Whether arguments in another form than JSON are a placeholder: no word, or one in brackets.
pub(super) fn is_text(text: &str) -> bool {
    let text = text.trim();
    let is_bracketed = |(open, close): &(char, char)| {
        let inside = text.strip_prefix(*open).and_then(|rest| rest.strip_suffix(*close));
        inside.is_some_and(|inside| !inside.contains([*open, *close]))
    };
    !text.chars().any(char::is_alphanumeric) || BRACKETS.iter().any(is_bracketed)
}

/// Whether a placeholder begins here, where a value is expected.
pub(super) fn begins(text: &str) -> bool {
    text.starts_with(['.', '…', '<', '{'])
}

/// Whether the first thing in an object that is no JSON is a placeholder.
pub(super) fn is_in_json(object: &str) -> bool {
    let Err(error) = serde_json::from_str::<IgnoredAny>(object) else { return false };
    let lines: usize = object.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = lines + error.column().saturating_sub(1);
    let (Some(before), Some(rest)) = (object.get(..at), object.get(at..)) else { return false };
    let is_word = || {
        rest.starts_with(char::is_alphanumeric) && !rest.split('}').next().unwrap_or_default().contains(':')
    };
    begins(rest) || before.trim_end().ends_with('{') && is_word()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_arguments_with_a_mistake() {
        for (object, expected) in [
            ("{...}", true),
            ("{ … }", true),
            ("{json}", true),
            ("{{ args }}", true),
            ("{{ call | tojson }}", true),
            (r#"{"name": "f", "arguments": {...}}"#, true),
            ("{\n  \"name\": \"f\",\n  \"arguments\": <args>\n}", true),
            (r#"{"name": "f", "arguments": {"a": "é", …}}"#, true),
            (r#"{"a": ...}"#, true),
            (r#"{"a": <city>}"#, true),
            (r#"{"a": {{ a }}}"#, true),
            (r#"{"a": 1,}"#, false),
            ("{]}", false),
            (r#"{"a": "\d"}"#, false),
            ("{\"a\": \"x\ny\"}", false),
            (r#"{a: "x"}"#, false),
            (r#"{"a": True}"#, false),
            (r#"{"a": "..."}"#, false),
        ] {
            assert_eq!(is_in_json(object), expected, "{object}");
        }
        for (text, expected) in [
            ("...", true),
            (" <args>\n", true),
            ("{json}", true),
            ("(none)", false),
            ("<a>x</a>", false),
            ("a=x", false),
        ] {
            assert_eq!(is_text(text), expected, "{text}");
        }
    }
}
