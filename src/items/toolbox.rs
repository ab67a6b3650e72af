//! The tools of one request: the name under which each was declared, and its kind.
//!
//! One request builds one [`Toolbox`], and its reply is translated with it. Names are restored by looking
//! them up and never by parsing them: `mcp__tiny__add` may be a tool of a namespace or only a name.

use super::{CallHead, Declaration, FUNCTION, ToolKind};
use crate::tools::names::{Names, ToolName, significant};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The tools of one request.
#[derive(Debug, Default)]
pub(crate) struct Toolbox {
    /// Shared with the scanner that finds calls in the reply's text.
    names: Rc<Names>,
    /// The kind of each tool. The index is the number of the tool in `names`.
    kinds: Vec<&'static ToolKind>,
    /// By the client's namespace, then by its name; the default namespace is `""`.
    numbers: BTreeMap<Rc<str>, BTreeMap<Rc<str>, usize>>,
}

impl Toolbox {
    /// Adds a tool that the client declared, and returns its upstream name. If two have the same namespace and
    /// name, the first is kept and the second has no upstream name.
    pub(crate) fn register(&mut self, tool: &Declaration<'_>) -> Option<&str> {
        let namespace = tool.namespace.as_deref();
        if self.number(namespace, &tool.name).is_some() {
            return None;
        }
        let number = self.add(namespace, &tool.name, tool.kind);
        Some(self.upstream_name(number))
    }

    /// The upstream name of a tool that the history calls. If it was not declared, it is added now, because the model
    /// may call it again. Earlier releases of clients wrote a tool of a namespace as one name, `mcp__tiny__add`.
    pub(crate) fn name_for_call(
        &mut self,
        namespace: Option<&str>,
        name: &str,
        kind: &'static ToolKind,
    ) -> &str {
        let number = self.number(namespace, name).or_else(|| match significant(namespace) {
            Some(_) => None,
            None => self.names.of_upstream(name),
        });
        let number = number.unwrap_or_else(|| self.add(namespace, name, kind));
        self.upstream_name(number)
    }

    /// The upstream name of a declared tool.
    pub(crate) fn declared(&self, namespace: Option<&str>, name: &str) -> Option<&str> {
        self.number(namespace, name).map(|number| self.upstream_name(number))
    }

    /// The names of all tools so far.
    pub(crate) fn names(&self) -> Rc<Names> {
        Rc::clone(&self.names)
    }

    /// The names of the tool that the model means by `written`.
    pub(crate) fn resolve(&self, written: &str) -> Option<&ToolName> {
        self.names.get(self.names.resolve(written)?)
    }

    /// Whether this is the complete upstream name of a tool, and not also the beginning of another one's.
    pub(crate) fn is_settled(&self, upstream_name: &str) -> bool {
        self.names.is_settled(upstream_name)
    }

    /// The kind of the tool that the model calls. An undeclared name is treated as a function. The client then reports
    /// to the model that there is no such tool.
    pub(crate) fn kind_of(&self, written: &str) -> &'static ToolKind {
        let number = self.names.resolve(written);
        number.and_then(|number| self.kinds.get(number).copied()).unwrap_or(&FUNCTION)
    }

    /// The head of a call's item, with the names that the client declared.
    pub(crate) fn head_of(&self, written: &str, call_id: String) -> CallHead {
        match self.resolve(written) {
            Some(ToolName { name, namespace, .. }) => CallHead {
                call_id,
                name: name.as_ref().to_owned(),
                namespace: namespace.as_deref().map(str::to_owned),
            },
            None => CallHead { call_id, name: written.to_owned(), namespace: None },
        }
    }

    fn number(&self, namespace: Option<&str>, name: &str) -> Option<usize> {
        self.numbers.get(significant(namespace).unwrap_or_default())?.get(name).copied()
    }

    fn upstream_name(&self, number: usize) -> &str {
        self.names.get(number).map_or("", |tool| &tool.upstream)
    }

    fn add(&mut self, namespace: Option<&str>, name: &str, kind: &'static ToolKind) -> usize {
        let name = Rc::from(name);
        let tool = ToolName {
            upstream: self.names.unused(namespace, &name),
            name: Rc::clone(&name),
            namespace: namespace.map(Rc::from),
        };
        let number = Rc::make_mut(&mut self.names).push(tool);
        self.kinds.push(kind);
        let namespace = significant(namespace).unwrap_or_default();
        if !self.numbers.contains_key(namespace) {
            self.numbers.insert(namespace.into(), BTreeMap::new());
        }
        self.numbers.get_mut(namespace).map(|numbers| numbers.insert(name, number));
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::RawJson;
    use crate::tools::names::is_name_char;
    use crate::wire::responses::Schema;
    use std::borrow::Cow;

    fn toolbox(tools: &[(Option<&str>, &str)]) -> (Toolbox, Vec<String>) {
        let mut toolbox = Toolbox::default();
        let names = tools.iter().filter_map(|(namespace, name)| {
            let declaration = Declaration {
                namespace: namespace.map(Cow::Borrowed),
                name: Cow::Borrowed(name),
                kind: &FUNCTION,
                description: None,
                parameters: Schema::Own(RawJson::new(&serde_json::json!({}))),
                strict: None,
                custom: None,
                is_async: false,
            };
            toolbox.register(&declaration).map(str::to_owned)
        });
        let names = names.collect();
        (toolbox, names)
    }

    fn restored(toolbox: &Toolbox, name: &str) -> (Option<String>, String) {
        let head = toolbox.head_of(name, "c".into());
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
    fn the_history_may_call_a_tool_of_a_namespace_by_one_name() {
        let (mut toolbox, _) = toolbox(&[(Some("mcp__tiny"), "add"), (None, "shell")]);
        for (namespace, name, upstream) in [
            (None, "mcp__tiny__add", "mcp__tiny__add"),
            (Some("functions"), "mcp__tiny__add", "mcp__tiny__add"),
            (Some("mcp__tiny"), "add", "mcp__tiny__add"),
            (None, "shell", "shell"),
            (None, "add", "add"),
            (Some("mcp"), "tiny__add", "mcp__tiny__add_a4c674e3"),
        ] {
            assert_eq!(toolbox.name_for_call(namespace, name, &FUNCTION), upstream, "{namespace:?} {name}");
        }
    }

    #[test]
    fn a_name_that_nobody_declared_is_a_function_of_that_name() {
        let (toolbox, _) = toolbox(&[(Some("mcp__tiny"), "add"), (Some("a"), "same"), (Some("b"), "same")]);
        assert_eq!(restored(&toolbox, "functions.add"), (Some("mcp__tiny".to_owned()), "add".to_owned()));
        for unknown in ["same", "other", " other", ""] {
            assert_eq!(restored(&toolbox, unknown), (None, unknown.to_owned()), "{unknown}");
            assert_eq!(toolbox.kind_of(unknown).tool_type, "function");
        }
    }
}
