//! The ids of tool calls as the upstream accepts them.

use crate::tools::names::short_hash;
use crate::upstream::Options;
use std::borrow::Cow;

/// The id itself, if the upstream accepts it. Otherwise one that is derived from all of it.
pub(super) fn upstream_call_id<'a>(id: &'a str, options: &Options) -> Cow<'a, str> {
    let chars = options.tool_call_id_chars.unwrap_or(usize::MAX);
    let fits = if options.tool_call_id_exact {
        id.len() == chars && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    } else {
        !id.is_empty() && id.len() <= chars
    };
    if fits {
        return Cow::Borrowed(id);
    }
    let hex = format!("{:08x}{:08x}", short_hash(id, 1), short_hash(id, 2));
    match format!("call_{hex}") {
        usual if usual.len() <= chars && !options.tool_call_id_exact => Cow::Owned(usual),
        _ => Cow::Owned(hex.chars().cycle().take(chars).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn long_ids_become_short_ones_by_a_stable_rule() {
        let long = "x".repeat(80);
        let usual = Options { tool_call_id_chars: Some(40), ..Options::default() };
        assert_eq!(upstream_call_id("call_1", &usual), "call_1");
        assert_eq!(upstream_call_id(&long, &usual), upstream_call_id(&long, &usual));
        assert_eq!(upstream_call_id(&long, &usual).len(), 21);
        assert!(!upstream_call_id("", &usual).is_empty());
        let short = Options { tool_call_id_chars: Some(9), ..Options::default() };
        assert_eq!(upstream_call_id("call_123456", &short).len(), 9);
        assert_eq!(upstream_call_id("call_1", &short), "call_1");
    }

    #[test]
    fn ids_of_any_length_are_kept_without_a_limit() {
        let unlimited = Options::default();
        for id in ["functions.mcp__filesystem__read_multiple_files:0", &"x".repeat(2000)] {
            assert_eq!(upstream_call_id(id, &unlimited), id);
        }
        assert_eq!(upstream_call_id("", &unlimited).len(), 21);
    }

    #[test]
    fn ids_of_exactly_one_length_are_alphanumeric() {
        let mistral = Options { tool_call_id_chars: Some(9), tool_call_id_exact: true, ..Options::default() };
        assert_eq!(upstream_call_id("aB3456789", &mistral), "aB3456789");
        let others = ["call_1", "call_1234", "", "call_1234567890", "0"];
        let ids: BTreeSet<_> = others.iter().map(|id| upstream_call_id(id, &mistral)).collect();
        assert_eq!(ids.len(), others.len());
        assert!(ids.iter().all(|id| id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric())));
    }
}
