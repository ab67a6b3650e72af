//! The search engines, as data.

use super::pages::Pages;
use crate::config::EngineName;

/// How an engine is asked, and how its answer is read. All places in the answer are JSON pointers.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) path: &'static str,
    pub(super) form: Form,
    /// The field with the query.
    pub(super) query: &'static str,
    /// Fields that every request has.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// The field for the age of results, and its words for a day, a week, a month and a year.
    pub(super) recency: (&'static str, [&'static str; 4]),
    /// The field with the domains; without one they go into the query.
    pub(super) domains: Option<&'static str>,
    /// Where the results are, the best first.
    pub(super) results: &'static [Results],
    /// The list of its own answers to a question, and the field with the text.
    pub(super) answers: Option<(&'static str, &'static str)>,
    /// The list of the sources that did not answer, if the engine has sources.
    pub(super) silent: Option<&'static str>,
    /// How it is asked for pages, if it reads them.
    pub(super) pages: Option<Pages>,
}

/// One kind of results: where their list is, and the fields of each.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) pointer: &'static str,
    pub(super) title: &'static str,
    pub(super) url: &'static str,
    /// Some of its text.
    pub(super) snippet: &'static str,
}

/// How the fields of a request are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `GET`, in the path's query.
    Query,
    /// `POST`, as an HTML form does.
    Urlencoded,
    /// `POST`, as a JSON object.
    Json,
}

const DAY_WEEK_MONTH_YEAR: [&str; 4] = ["day", "week", "month", "year"];

impl Engine {
    pub(super) fn of(name: EngineName) -> &'static Self {
        match name {
            EngineName::Searxng => &SEARXNG,
            EngineName::Brave => &BRAVE,
            EngineName::Tavily => &TAVILY,
        }
    }
}

/// docs.searxng.org/dev/search_api.html
static SEARXNG: Engine = Engine {
    path: "/search",
    form: Form::Urlencoded,
    query: "q",
    fixed: &[("format", "json")],
    recency: ("time_range", DAY_WEEK_MONTH_YEAR),
    domains: None,
    results: &[
        Results { pointer: "/infoboxes", title: "infobox", url: "id", snippet: "content" },
        Results { pointer: "/results", title: "title", url: "url", snippet: "content" },
    ],
    answers: Some(("/answers", "answer")),
    silent: Some("/unresponsive_engines"),
    pages: None,
};

/// api-dashboard.search.brave.com/documentation
static BRAVE: Engine = Engine {
    path: "/res/v1/web/search",
    form: Form::Query,
    query: "q",
    fixed: &[("count", "10"), ("text_decorations", "false")],
    recency: ("freshness", ["pd", "pw", "pm", "py"]),
    domains: None,
    results: &[Results { pointer: "/web/results", title: "title", url: "url", snippet: "description" }],
    answers: None,
    silent: None,
    pages: None,
};

/// docs.tavily.com/documentation/api-reference/endpoint/search and .../extract
static TAVILY: Engine = Engine {
    path: "/search",
    form: Form::Json,
    query: "query",
    fixed: &[],
    recency: ("time_range", DAY_WEEK_MONTH_YEAR),
    domains: Some("include_domains"),
    results: &[Results { pointer: "/results", title: "title", url: "url", snippet: "content" }],
    answers: None,
    silent: None,
    pages: Some(Pages { segment: "extract", addresses: "urls", pages: "/results", text: "raw_content" }),
};
