//! What each tool was called and what kind it was.
//!
//! One request builds one [`Toolbox`]; its reply is translated with it. Names are restored by looking
//! them up, never by parsing them: `mcp__tiny__add` may be a tool of a namespace or just a name.

use super::schema;
use crate::items::{CallHead, Declaration, FUNCTION, ToolKind};
use crate::upstream::{CustomTools, Options};
use crate::wire::chat::request::{Custom, Function, Tool};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::Hasher;

/// OpenAI's rule for function names: `^[a-zA-Z0-9_-]{1,64}$`.
const NAME_CHARS: usize = 64;

/// The tools of one request.
#[derive(Debug, Default)]
pub(crate) struct Toolbox {
    entries: Vec<Known>,
    by_upstream_name: BTreeMap<String, usize>,
    /// By name, then by namespace; the default one is `""`.
    by_name: BTreeMap<String, BTreeMap<String, usize>>,
}

#[derive(Debug)]
struct Known {
    upstream_name: String,
    namespace: Option<String>,
    name: String,
    form: &'static ToolKind,
}

impl Toolbox {
    /// Adds a tool that the client declared. Of two with the same name, the first counts: nothing comes back then.
    pub(crate) fn declare<'a>(&mut self, tool: Declaration<'a>, options: &Options) -> Option<Tool<'a>> {
        if self.position(tool.namespace.as_deref(), &tool.name).is_some() {
            return None;
        }
        let namespace = tool.namespace.map(Cow::into_owned);
        let at = self.add(namespace, tool.name.into_owned(), tool.form);
        let name = Cow::Owned(self.name_of(at).to_owned());
        Some(match tool.custom {
            Some(custom) if options.custom_tools == CustomTools::Native => {
                Tool::Custom { custom: Custom { name, ..custom } }
            }
            _ => Tool::Function {
                function: Function {
                    name,
                    description: tool.description,
                    parameters: schema::of_arguments(tool.parameters, options.schema_dialect),
                    strict: tool.strict.filter(|&strict| strict && options.strict_tools),
                },
            },
        })
    }

    /// The upstream's name of a tool. One that the history calls, but nobody declared, gets its name now:
    /// the model may well call it again.
    pub(crate) fn upstream_name(
        &mut self,
        namespace: Option<&str>,
        name: &str,
        form: &'static ToolKind,
    ) -> &str {
        let at = match self.position(namespace, name) {
            Some(at) => at,
            None => self.add(namespace.map(str::to_owned), name.to_owned(), form),
        };
        self.name_of(at)
    }

    fn name_of(&self, at: usize) -> &str {
        self.entries.get(at).map_or("", |known| &known.upstream_name)
    }

    /// The upstream's name of a declared tool.
    pub(crate) fn declared(&self, namespace: Option<&str>, name: &str) -> Option<&str> {
        let known = self.entries.get(self.position(namespace, name)?)?;
        Some(&known.upstream_name)
    }

    /// Whether a tool has this name.
    pub(crate) fn knows(&self, upstream_name: &str) -> bool {
        self.by_upstream_name.contains_key(upstream_name)
    }

    /// Whether this is the whole name of one tool, and not the beginning of another's.
    pub(crate) fn is_settled(&self, upstream_name: &str) -> bool {
        let mut from = self.by_upstream_name.range(upstream_name.to_owned()..);
        from.next().is_some_and(|(first, _)| first == upstream_name)
            && !from.next().is_some_and(|(next, _)| next.starts_with(upstream_name))
    }

    /// How the client declared the tool that the model calls. A name that nobody declared goes to the
    /// client as a function's: it answers better than anybody else what there is.
    pub(crate) fn restore(&self, upstream_name: &str, call_id: String) -> (CallHead, &'static ToolKind) {
        let known = match self.by_upstream_name.get(upstream_name) {
            Some(&at) => self.entries.get(at),
            None => self.by_another_spelling(upstream_name),
        };
        match known {
            Some(known) => (
                CallHead { call_id, name: known.name.clone(), namespace: known.namespace.clone() },
                known.form,
            ),
            None => (CallHead { call_id, name: upstream_name.to_owned(), namespace: None }, &FUNCTION),
        }
    }

    /// Models also write `add`, `mcp__tiny.add` or `functions.add`. Taken only if it can mean but one tool.
    fn by_another_spelling(&self, written: &str) -> Option<&Known> {
        let bare = self.by_name.get(written).into_iter().flat_map(BTreeMap::values).copied();
        let prefixed = SEPARATORS.iter().flat_map(|separator| {
            let cuts = written.match_indices(separator);
            cuts.filter_map(|(at, separator)| {
                Some((written.get(..at)?, written.get(at + separator.len()..)?))
            })
        });
        let mut meant = bare.chain(prefixed.flat_map(|(prefix, rest)| self.prefixed(prefix, rest)));
        let only = meant.next()?;
        meant.all(|other| other == only).then(|| self.entries.get(only))?
    }

    /// The tools that may be meant by a name with something before it: the namespace, or the default one.
    fn prefixed(&self, prefix: &str, rest: &str) -> impl Iterator<Item = usize> {
        let named = self.by_name.get(rest);
        let of_namespace = named.and_then(|named| named.get(significant(Some(prefix)).unwrap_or_default()));
        let is_default = prefix == DEFAULT_NAMESPACE;
        let of_any = named.filter(|_| is_default).into_iter().flat_map(BTreeMap::values);
        let whole = self.by_upstream_name.get(rest).filter(|&&at| {
            is_default || self.entries.get(at).is_some_and(|known| known.namespace.as_deref() == Some(prefix))
        });
        of_namespace.into_iter().chain(of_any).chain(whole).copied()
    }

    fn position(&self, namespace: Option<&str>, name: &str) -> Option<usize> {
        self.by_name.get(name)?.get(significant(namespace).unwrap_or_default()).copied()
    }

    fn add(&mut self, namespace: Option<String>, name: String, form: &'static ToolKind) -> usize {
        let upstream_name = self.unused(&flat(namespace.as_deref(), &name));
        let place = self.entries.len();
        let key = significant(namespace.as_deref()).unwrap_or_default().to_owned();
        self.by_upstream_name.insert(upstream_name.clone(), place);
        self.by_name.entry(name.clone()).or_default().insert(key, place);
        self.entries.push(Known { upstream_name, namespace, name, form });
        place
    }

    /// The name itself, if it is allowed and free; else its beginning and a number that depends on all of it.
    fn unused(&self, name: &str) -> String {
        let allowed: String = name.chars().map(|c| if is_name_char(c) { c } else { '_' }).collect();
        let fits = !allowed.is_empty() && allowed.len() <= NAME_CHARS;
        if fits && allowed == name && !self.by_upstream_name.contains_key(&allowed) {
            return allowed;
        }
        let mut salt = 0u64;
        loop {
            let suffix = format!("_{:08x}", short_hash(name, salt));
            let begin: String = allowed.chars().take(NAME_CHARS - suffix.len()).collect();
            let candidate = begin + &suffix;
            if !self.by_upstream_name.contains_key(&candidate) {
                return candidate;
            }
            salt += 1;
        }
    }
}

/// What models write between a namespace and a name.
const SEPARATORS: &[&str] = &[".", "__", "/", ":"];

/// To Codex, `functions` and no namespace are the same.
const DEFAULT_NAMESPACE: &str = "functions";

fn significant(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|namespace| !namespace.is_empty() && *namespace != DEFAULT_NAMESPACE)
}

fn flat(namespace: Option<&str>, name: &str) -> String {
    match significant(namespace) {
        Some(namespace) => format!("{namespace}__{name}"),
        None => name.to_owned(),
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '-'
}

fn short_hash(text: &str, salt: u64) -> u32 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write_u64(salt);
    hasher.write(text.as_bytes());
    let hash = hasher.finish();
    ((hash >> 32) ^ (hash & 0xFFFF_FFFF)) as u32
}

/// A tool call id that the host takes: itself, or another that depends on all of it.
pub(crate) fn host_call_id<'a>(id: &'a str, options: &Options) -> Cow<'a, str> {
    let chars = options.tool_call_id_chars;
    let fits = match options.tool_call_id_exact {
        true => id.len() == chars && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        false => !id.is_empty() && id.len() <= chars,
    };
    if fits {
        return Cow::Borrowed(id);
    }
    let hex = format!("{:08x}{:08x}", short_hash(id, 1), short_hash(id, 2));
    match format!("call_{hex}") {
        whole if whole.len() <= chars && !options.tool_call_id_exact => Cow::Owned(whole),
        _ => Cow::Owned(hex.chars().cycle().take(chars).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::RawJson;

    fn toolbox(tools: &[(Option<&str>, &str)]) -> (Toolbox, Vec<String>) {
        let mut toolbox = Toolbox::default();
        let names = tools.iter().filter_map(|(namespace, name)| {
            let declaration = Declaration {
                namespace: namespace.map(Cow::Borrowed),
                name: Cow::Borrowed(name),
                form: &FUNCTION,
                description: None,
                parameters: RawJson::new(&serde_json::json!({})),
                strict: None,
                custom: None,
            };
            toolbox.declare(declaration, &Options::default()).map(|tool| tool.name().to_owned())
        });
        let names = names.collect();
        (toolbox, names)
    }

    fn restored(toolbox: &Toolbox, name: &str) -> (Option<String>, String) {
        let (head, _) = toolbox.restore(name, "c".into());
        (head.namespace, head.name)
    }

    #[test]
    fn every_tool_comes_back_as_it_was_declared() {
        let long = "n".repeat(60);
        let tools: &[(Option<&str>, &str)] = &[
            (None, "shell"),
            (None, "mcp__tiny__add"),
            (Some("mcp__tiny"), "add"),
            (Some("mcp"), "tiny__add"),
            (Some("exec"), "exec"),
            (Some("functions"), "wait"),
            (Some(&long), "first_of_a_long_namespace"),
            (Some(&long), "second_of_a_long_namespace"),
            (None, "dotted.name/ü"),
            (None, "dotted_name__"),
            (None, ""),
        ];
        let (toolbox, names) = toolbox(tools);
        assert_eq!(names.len(), tools.len());
        for ((namespace, name), upstream) in tools.iter().zip(&names) {
            assert!((1..=64).contains(&upstream.len()) && upstream.chars().all(is_name_char), "{upstream}");
            assert_eq!(restored(&toolbox, upstream), (namespace.map(str::to_owned), (*name).to_owned()));
        }
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn the_first_of_two_equal_names_counts() {
        let (_, names) = toolbox(&[(None, "a"), (Some("functions"), "a"), (Some(""), "a"), (Some("x"), "a")]);
        assert_eq!(names, ["a", "x__a"]);
    }

    #[test]
    fn other_spellings_are_understood_if_they_mean_one_tool() {
        let (toolbox, _) =
            toolbox(&[(Some("mcp__tiny"), "add"), (None, "shell"), (Some("a"), "same"), (Some("b"), "same")]);
        let tiny = (Some("mcp__tiny".to_owned()), "add".to_owned());
        for spelling in
            ["add", "mcp__tiny.add", "mcp__tiny/add", "functions.mcp__tiny__add", "functions__add"]
        {
            assert_eq!(restored(&toolbox, spelling), tiny, "{spelling}");
        }
        assert_eq!(restored(&toolbox, "functions.shell"), (None, "shell".to_owned()));
        for unknown in ["same", "other", "shell.x", ""] {
            assert_eq!(restored(&toolbox, unknown), (None, unknown.to_owned()), "{unknown}");
        }
    }

    #[test]
    fn a_name_is_settled_when_no_other_begins_with_it() {
        let (toolbox, _) = toolbox(&[(None, "get"), (None, "get_weather")]);
        assert!(toolbox.is_settled("get_weather"));
        assert!(!toolbox.is_settled("get"));
        assert!(!toolbox.is_settled("get_wea"));
    }

    #[test]
    fn long_ids_become_short_ones_by_a_stable_rule() {
        let long = "x".repeat(80);
        let usual = Options::default();
        assert_eq!(host_call_id("call_1", &usual), "call_1");
        assert_eq!(host_call_id(&long, &usual), host_call_id(&long, &usual));
        assert_eq!(host_call_id(&long, &usual).len(), 21);
        assert!(!host_call_id("", &usual).is_empty());
        let short = Options { tool_call_id_chars: 9, ..Options::default() };
        assert_eq!(host_call_id("call_123456", &short).len(), 9);
        assert_eq!(host_call_id("call_1", &short), "call_1");
    }

    #[test]
    fn where_ids_have_one_length_only_such_ids_go_up() {
        let mistral = Options { tool_call_id_chars: 9, tool_call_id_exact: true, ..Options::default() };
        assert_eq!(host_call_id("aB3456789", &mistral), "aB3456789");
        let others = ["call_1", "call_1234", "", "call_1234567890", "0"];
        let ids: std::collections::BTreeSet<_> = others.iter().map(|id| host_call_id(id, &mistral)).collect();
        assert_eq!(ids.len(), others.len());
        assert!(ids.iter().all(|id| id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric())));
    }
}
