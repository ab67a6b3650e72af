//! Tool outputs. A tool message holds only text, so other parts follow in a user message.

use crate::json::JsonStr;
use crate::report::{Dropped, Report};
use crate::upstream::ToolOutputImages;
use crate::wire::chat::request::{Content, Part};

/// Text in a tool message if the rest of the output is elsewhere.
const ATTACHED: &str = "(attached: see the next user message)";

/// Text in a tool message if the upstream cannot read the rest of the output.
const LEFT_OUT: &str = "(what was attached was left out)";

/// Splits the output of the call `id` into the text of its tool message and the parts for the user message.
pub(super) fn split<'a>(
    id: &str,
    output: Content<'a>,
    images: ToolOutputImages,
    report: &mut Report,
) -> (JsonStr<'a>, Content<'a>) {
    let parts = match output {
        Content::Text(text) => return (text, Content::default()),
        Content::Parts(parts) => parts,
    };
    let (mut texts, mut attached) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Text { text } => texts.push(text),
            other => attached.push(other),
        }
    }
    if !attached.is_empty() {
        match images {
            ToolOutputImages::UserMessage => {
                texts.push(JsonStr::new(ATTACHED));
                let text = JsonStr::new(&format!("Attached to the output of tool call {id}:"));
                attached.insert(0, Part::Text { text });
            }
            ToolOutputImages::Drop => {
                texts.push(JsonStr::new(LEFT_OUT));
                for part in attached.drain(..) {
                    report.dropped(Dropped::Part, part.input_type());
                }
            }
        }
    }
    (JsonStr::joined(texts, "\n"), Content::Parts(attached))
}
