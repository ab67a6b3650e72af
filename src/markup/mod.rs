//! Finds reasoning and tool calls that a model wrote into its text.
//!
//! Most servers parse these out of the text and send them in fields of their own. For those that do not, the
//! [`Scanner`] does it, if the options ask for it. It reads the text as it arrives. Text that cannot be markup is
//! passed on at once; text that may be is held until that is decided, and passed on as text if it was not. So no text
//! is lost, and a call counts only if the request offers a tool of that name.
//!
//! Reasoning of OpenAI's harmony format may occur anywhere, all other reasoning only before the text. A model that
//! mentions a tag in its answer does not begin reasoning.

mod after_name;
mod call_block;
mod call_reader;
mod call_start;
mod code_quotes;
mod dialects;
mod held_text;
mod json_call;
mod keyword_arguments;
mod matching;
mod object_reader;
mod offered_tools;
mod placeholder;
mod quoted_object;
mod reply_start;
mod scanner;
mod signs;
mod step;
mod tagged_arguments;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use offered_tools::OfferedTools;
pub(crate) use reply_start::ReplyStart;
pub(crate) use scanner::Scanner;

/// A piece of a reply's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Text(String),
    /// Reasoning, or a part of it.
    Reasoning(String),
    /// The beginning of the text up to a closing tag of reasoning, and the tag with the white space after it. There is no
    /// opening tag, so it is reasoning only if that does not come in a field.
    Unopened {
        text: String,
        tag: String,
    },
    /// A call: `name` is the upstream name of an offered tool, `arguments` is a JSON object.
    ToolCall {
        name: String,
        arguments: String,
    },
    /// A call of an offered tool whose arguments cannot be read. The text of the call follows.
    LostCall {
        name: String,
    },
    /// The text up to here was reasoning: its opening tag is missing.
    Retract,
}
