//! How a model may write the name of a tool.
//!
//! Models and servers do not always write the name under which a tool was declared upstream: they write the
//! client's name (`add`), the client's namespace with another separator (`mcp__tiny.add`), gpt-oss's prefix
//! (`functions.add`), Kimi's index (`functions.add:0`), or white space and tokens of the chat template around it
//! (`add<|channel|>commentary`). All of these are understood, in `tool_calls` as in text, if they can mean only
//! one tool.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::ops::Bound;
use std::rc::Rc;

/// The names of one tool. They are shared, because most tools have one name for the client and the upstream.
#[derive(Debug, Clone)]
pub(crate) struct ToolName {
    /// The client's namespace.
    pub(crate) namespace: Option<Rc<str>>,
    /// The client's name.
    pub(crate) name: Rc<str>,
    /// The name of the function upstream.
    pub(crate) upstream: Rc<str>,
}

/// Tools by the names that a model may write.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names {
    tools: Vec<ToolName>,
    by_upstream: BTreeMap<Rc<str>, usize>,
}

/// The separators that models write between a namespace and a name.
const SEPARATORS: &[&str] = &[".", "__", "/", ":"];

/// Codex treats `functions` like no namespace, and gpt-oss and Kimi put it before any name.
const DEFAULT_NAMESPACE: &str = "functions";

/// Namespaces that a model may write before any name.
const WRAPPERS: &[&str] = &[DEFAULT_NAMESPACE, "default_api"];

/// OpenAI's rule for function names: `^[a-zA-Z0-9_-]{1,64}$`.
const NAME_CHARS: usize = 64;

/// The namespace, unless it is the default one.
pub(crate) fn significant(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|namespace| !namespace.is_empty() && *namespace != DEFAULT_NAMESPACE)
}

impl ToolName {
    /// All spellings that mean this tool, each in three parts: prefix, separator, name.
    fn spellings(&self) -> impl Iterator<Item = [&str; 3]> {
        let names = [&*self.name, &*self.upstream];
        let is_default = significant(self.namespace.as_deref()).is_none();
        let prefixes = [Some(DEFAULT_NAMESPACE), self.namespace.as_deref(), is_default.then_some("")];
        let prefixed = prefixes.into_iter().flatten().flat_map(move |prefix| {
            let separated = SEPARATORS.iter().map(move |separator| (prefix, *separator));
            separated
                .flat_map(move |(prefix, separator)| names.map(|name| [prefix, separator, name]).into_iter())
        });
        names.map(|name| ["", "", name]).into_iter().chain(prefixed)
    }

    /// Whether `written` is one of the spellings.
    fn is(&self, written: &str) -> bool {
        // Cheap, and false for nearly all tools.
        (written.ends_with(&*self.name) || written.ends_with(&*self.upstream))
            && self.spellings().any(|parts| after(written, &parts) == Some(""))
    }

    /// Whether `written` is the beginning of one of the spellings, perhaps with an index.
    fn begins_with(&self, written: &str) -> bool {
        self.spellings().any(|parts| {
            let mut rest = written;
            for part in parts {
                match rest.strip_prefix(part) {
                    Some(after) => rest = after,
                    None => return part.starts_with(rest),
                }
            }
            rest.is_empty() || rest.strip_prefix(':').is_some_and(is_number)
        })
    }
}

/// The rest of `written` after these parts, if it begins with them.
fn after<'w>(written: &'w str, parts: &[&str]) -> Option<&'w str> {
    parts.iter().try_fold(written, |rest, part| rest.strip_prefix(part))
}

fn is_number(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// `written` without the special tokens before the name, and without a token or a line end after it and all that
/// follows: `f` for `<|tool_call_begin|>f<|channel|>commentary`.
fn without_tokens(written: &str) -> &str {
    let mut name = written;
    while let Some((_, after)) = name.strip_prefix('<').and_then(|tag| tag.split_once('>')) {
        name = after.trim_start();
    }
    name.split(['<', '\n', '\r']).next().unwrap_or_default().trim_end()
}

/// `written` without a namespace that models put before any name: `f` for Gemini's `default_api.f`, and `mcp__x.run` for
/// `functions.mcp__x.run`.
fn without_wrapper(written: &str) -> Option<&str> {
    let name = WRAPPERS.iter().find_map(|wrapper| written.strip_prefix(wrapper))?;
    SEPARATORS.iter().find_map(|separator| name.strip_prefix(separator))
}

/// `written` without the index that Kimi puts after a name: `f` for `f:0`.
fn without_index(written: &str) -> Option<&str> {
    let (name, digits) = written.rsplit_once(':')?;
    (!digits.is_empty() && is_number(digits)).then_some(name)
}

impl Names {
    /// Adds a tool, and returns its number. Its upstream name must be new.
    pub(crate) fn push(&mut self, tool: ToolName) -> usize {
        let number = self.tools.len();
        self.by_upstream.insert(Rc::clone(&tool.upstream), number);
        self.tools.push(tool);
        number
    }

    /// A tool by its number.
    pub(crate) fn get(&self, number: usize) -> Option<&ToolName> {
        self.tools.get(number)
    }

    /// Whether there are no tools.
    pub(crate) fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The number of the tool that `written` means. A spelling that may mean two tools means neither.
    pub(crate) fn resolve(&self, written: &str) -> Option<usize> {
        let written = written.trim();
        self.spelled(written).or_else(|| {
            let name = without_tokens(written);
            if name == written { self.spelled(without_wrapper(written)?) } else { self.spelled(name) }
        })
    }

    fn spelled(&self, written: &str) -> Option<usize> {
        if let Some(exact) = self.of_upstream(written) {
            return Some(exact);
        }
        let unindexed = without_index(written);
        let mut meant =
            self.tools.iter().enumerate().filter(|(_, tool)| {
                tool.is(written) || unindexed.is_some_and(|unindexed| tool.is(unindexed))
            });
        let (number, _) = meant.next()?;
        meant.next().is_none().then_some(number)
    }

    /// Whether more text can make `written` a spelling of some tool.
    pub(crate) fn may_become_one(&self, written: &str) -> bool {
        let written = written.trim_start();
        let begins_one = |written| self.tools.iter().any(|tool| tool.begins_with(written));
        begins_one(written) || without_wrapper(written).is_some_and(begins_one)
    }

    /// The number of the tool with this upstream name.
    pub(crate) fn of_upstream(&self, upstream: &str) -> Option<usize> {
        self.by_upstream.get(upstream).copied()
    }

    /// Whether this is the upstream name of a tool.
    pub(crate) fn has(&self, upstream: &str) -> bool {
        self.by_upstream.contains_key(upstream)
    }

    /// Whether the upstream name of a tool begins with this, or is this.
    pub(crate) fn has_beginning(&self, beginning: &str) -> bool {
        let mut from = self.by_upstream.range::<str, _>((Bound::Included(beginning), Bound::Unbounded));
        from.next().is_some_and(|(first, _)| first.starts_with(beginning))
    }

    /// Whether this is the upstream name of a tool, and not also the beginning of another one's.
    pub(crate) fn is_settled(&self, upstream: &str) -> bool {
        let mut from = self.by_upstream.range::<str, _>((Bound::Included(upstream), Bound::Unbounded));
        from.next().is_some_and(|(first, _)| **first == *upstream)
            && !from.next().is_some_and(|(next, _)| next.starts_with(upstream))
    }

    /// The upstream name for a new tool: namespace and name, if that is valid and not in use. Otherwise
    /// its beginning, and a hash of all of it.
    pub(crate) fn unused(&self, namespace: Option<&str>, name: &Rc<str>) -> Rc<str> {
        let full: Rc<str> = match significant(namespace) {
            Some(namespace) => format!("{namespace}__{name}").into(),
            None => Rc::clone(name),
        };
        let is_valid = (1..=NAME_CHARS).contains(&full.len()) && full.chars().all(is_name_char);
        if is_valid && !self.has(&full) {
            return full;
        }
        let valid: String = full.chars().map(|char| if is_name_char(char) { char } else { '_' }).collect();
        let mut salt = 0u64;
        loop {
            let suffix = format!("_{:08x}", short_hash(&full, salt));
            let beginning: String = valid.chars().take(NAME_CHARS - suffix.len()).collect();
            let candidate = beginning + &suffix;
            if !self.has(&candidate) {
                return candidate.into();
            }
            salt += 1;
        }
    }
}

/// Whether OpenAI's rule for function names allows this character.
pub(crate) fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '-'
}

/// A hash that is the same in every release: names and ids derived from it are part of prompts that
/// providers cache.
pub(crate) fn short_hash(text: &str, salt: u64) -> u32 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write_u64(salt);
    hasher.write(text.as_bytes());
    let hash = hasher.finish();
    ((hash >> 32) ^ (hash & 0xFFFF_FFFF)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tools with the upstream names that they get.
    fn names(tools: &[(Option<&str>, &str)]) -> Names {
        let mut names = Names::default();
        for (namespace, name) in tools {
            let name = Rc::from(*name);
            let upstream = names.unused(*namespace, &name);
            names.push(ToolName { namespace: namespace.map(Rc::from), name, upstream });
        }
        names
    }

    #[test]
    fn spellings_are_understood_if_they_mean_one_tool() {
        let names =
            names(&[(Some("mcp__tiny"), "add"), (None, "shell"), (Some("a"), "same"), (Some("b"), "same")]);
        for (written, expected) in [
            ("mcp__tiny__add", Some(0)),
            ("add", Some(0)),
            ("mcp__tiny.add", Some(0)),
            ("mcp__tiny/add", Some(0)),
            ("mcp__tiny:add", Some(0)),
            ("functions.mcp__tiny__add", Some(0)),
            ("functions__add", Some(0)),
            ("functions.mcp__tiny.add", Some(0)),
            ("default_api.add", Some(0)),
            ("default_api:shell", Some(1)),
            ("default_api.mcp__tiny.add:1", Some(0)),
            ("default_api.same", None),
            ("default_api", None),
            ("functions.add:0", Some(0)),
            ("mcp__tiny.add:12", Some(0)),
            ("shell", Some(1)),
            (" shell\n", Some(1)),
            ("shell<|channel|>commentary", Some(1)),
            ("shell <|constrain|>json", Some(1)),
            ("shell\n{", Some(1)),
            ("<|tool_call_begin|>functions.shell:0<|tool_call_argument_begin|>", Some(1)),
            ("<tool_call>\nmcp__tiny.add</tool_call>", Some(0)),
            ("shell<｜tool▁sep｜>", Some(1)),
            ("shell commentary", None),
            ("<|channel|>commentary", None),
            ("<shell>", None),
            ("shell:0", Some(1)),
            ("functions.shell", Some(1)),
            ("functions.shell:12", Some(1)),
            ("a.same", Some(2)),
            ("b__same:3", Some(3)),
            ("same", None),
            ("functions.same", None),
            ("same:0", None),
            ("other", None),
            ("functions.other", None),
            ("functions.", None),
            ("shell.x", None),
            ("shell:", None),
            ("shell2", None),
            ("sh", None),
            ("Shell", None),
            ("", None),
        ] {
            assert_eq!(names.resolve(written), expected, "{written}");
        }
    }

    #[test]
    fn an_index_and_a_name_that_ends_like_one_are_not_confused() {
        let names = names(&[(None, "run"), (None, "run:1")]);
        assert_eq!(names.resolve("run"), Some(0));
        assert_eq!(names.resolve("run:0"), Some(0));
        assert_eq!(names.resolve("run:1"), None);
        assert_eq!(names.resolve("run:1:0"), Some(1));
    }

    #[test]
    fn every_beginning_of_a_spelling_may_become_one() {
        let names = names(&[(Some("mcp__tiny"), "add"), (None, "shell"), (Some("ns"), "dotted.name")]);
        for tool in &names.tools {
            for spelling in tool.spellings().map(|parts| parts.concat()) {
                assert!(tool.is(&spelling), "{spelling}");
                for (at, _) in spelling.char_indices() {
                    assert!(names.may_become_one(spelling.get(..at).unwrap()), "{spelling} up to {at}");
                }
            }
        }
        for written in [" sh", "shell:", "shell:1", "functions.add:"] {
            assert!(names.may_become_one(written), "{written}");
        }
        for written in ["x", "shells", "shell2", "functions.x", "shell:x", "Shell", "mcp__tiny-"] {
            assert!(!names.may_become_one(written), "{written}");
        }
    }

    #[test]
    fn a_name_is_settled_when_no_other_begins_with_it() {
        let names = names(&[(None, "get"), (None, "get_weather")]);
        assert!(names.is_settled("get_weather"));
        assert!(!names.is_settled("get"));
        assert!(!names.is_settled("get_wea"));
    }
}
