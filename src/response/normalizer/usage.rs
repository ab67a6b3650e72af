//! Reads `usage` from the fields that providers write.

use crate::bounds;
use crate::json::TapeValue;
use crate::wire::responses::{InputTokensDetails, OutputTokensDetails, Usage};
use serde_json::value::RawValue;

/// The usage in `raw`, or `None` if it has no token counts.
pub(super) fn from_json(raw: &RawValue) -> Option<Usage> {
    let document = bounds::document(raw.get()).ok()?;
    let value = |path: &str| path.split('.').try_fold(document.root(), |value, name| value.field(name));
    let count = |paths: &[&str]| paths.iter().find_map(|path| count_of(value(path)?));
    let input = count(&["prompt_tokens", "input_tokens"]);
    let output = count(&["completion_tokens", "output_tokens"]);
    if input.is_none() && output.is_none() {
        return None;
    }
    let (prompt, written) = (input.unwrap_or(0), output.unwrap_or(0));
    let total = count(&["total_tokens"]);
    let cached_tokens = count(&[
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cached_tokens",
        "prompt_cache_hit_tokens",
        "cache_read_input_tokens",
    ])
    .unwrap_or(0);
    let cache_write_tokens = count(&[
        "prompt_tokens_details.cache_write_tokens",
        "prompt_tokens_details.created_cache_tokens",
        "prompt_tokens_details.cache_creation_tokens",
        "cache_creation_input_tokens",
    ])
    .unwrap_or(0);
    // Some gateways in front of Claude do not include the cache in the prompt.
    let beside = cached_tokens.saturating_add(cache_write_tokens);
    let with_cache = prompt.saturating_add(beside);
    let is_beside = total == Some(with_cache.saturating_add(written)) || cached_tokens > prompt;
    let input_tokens = if is_beside { with_cache } else { prompt };
    // xAI includes reasoning in `total_tokens`, but not in `completion_tokens`.
    let output_tokens = match total {
        Some(total) => written.max(total.saturating_sub(input_tokens)),
        None => written,
    };
    Some(Usage {
        input_tokens,
        input_tokens_details: InputTokensDetails { cached_tokens, cache_write_tokens },
        output_tokens,
        output_tokens_details: OutputTokensDetails {
            reasoning_tokens: count(&[
                "completion_tokens_details.reasoning_tokens",
                "output_tokens_details.reasoning_tokens",
                "reasoning_tokens",
            ])
            .unwrap_or(0),
        },
        total_tokens: input_tokens.saturating_add(output_tokens),
    })
}

/// A count. Some providers write it as `3.0` or `"3"`.
fn count_of(value: TapeValue<'_>) -> Option<u64> {
    let written = value.get().trim_matches('"');
    written.parse().ok().or_else(|| format!("{:.0}", written.parse::<f64>().ok()?).parse().ok())
}

/// The usage in the two counts of Ollama's own API, or `None` if both are absent.
pub(super) fn from_ollama(prompt: Option<&RawValue>, answer: Option<&RawValue>) -> Option<Usage> {
    let count = |raw: Option<&RawValue>| raw?.get().parse::<u64>().ok();
    let (input_tokens, output_tokens) = (count(prompt), count(answer));
    (input_tokens.is_some() || output_tokens.is_some()).then(|| {
        let (input_tokens, output_tokens) = (input_tokens.unwrap_or(0), output_tokens.unwrap_or(0));
        let total_tokens = input_tokens.saturating_add(output_tokens);
        Usage { input_tokens, output_tokens, total_tokens, ..Usage::default() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_from_every_form() {
        let of = |json: &str| {
            from_json(serde_json::from_str(json).unwrap()).map(|usage| {
                (
                    usage.input_tokens,
                    usage.output_tokens,
                    usage.input_tokens_details.cached_tokens,
                    usage.output_tokens_details.reasoning_tokens,
                    usage.total_tokens,
                )
            })
        };
        for (json, expected) in [
            (r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#, Some((3, 2, 0, 0, 5))),
            (r#"{"prompt_tokens":3,"completion_tokens":2,"cached_tokens":1}"#, Some((3, 2, 1, 0, 5))),
            (
                r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_tokens_details":null}"#,
                Some((9, 1, 8, 0, 10)),
            ),
            (
                r#"{"prompt_tokens":9,"completion_tokens":26,"total_tokens":262,"completion_tokens_details":{"reasoning_tokens":227}}"#,
                Some((9, 253, 0, 227, 262)),
            ),
            (
                r#"{"input_tokens":1,"output_tokens":2,"total_tokens":3,"reasoning_tokens":1}"#,
                Some((1, 2, 0, 1, 3)),
            ),
            (r#"{"prompt_tokens":"3","completion_tokens":"2","total_tokens":"5"}"#, Some((3, 2, 0, 0, 5))),
            (r#"{"prompt_tokens":3.0,"completion_tokens":2.0,"total_tokens":5.0}"#, Some((3, 2, 0, 0, 5))),
            (
                r#"{"prompt_tokens":368,"completion_tokens":19,"total_tokens":10923,"cache_read_input_tokens":10536,"cache_creation_input_tokens":0}"#,
                Some((10904, 19, 10536, 0, 10923)),
            ),
            (
                r#"{"prompt_tokens":3,"completion_tokens":2,"cache_read_input_tokens":7,"cache_creation_input_tokens":1}"#,
                Some((11, 2, 7, 0, 13)),
            ),
            (
                r#"{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"cache_read_input_tokens":7}"#,
                Some((9, 2, 7, 0, 11)),
            ),
            ("{}", None),
            ("[]", None),
            (r#"{"prompt_tokens":"x"}"#, None),
        ] {
            assert_eq!(of(json), expected, "{json}");
        }
    }
}
