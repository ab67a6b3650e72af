//! Chunks of providers, and the resulting deltas. A new deviation is a new row.

use super::*;
use crate::markup::{OfferedTools, ReplyStart, Scanner};
use crate::response::delta::{CallDelta, CallFormat, Delta};

/// Writes each delta as one line.
#[derive(Default)]
pub(super) struct Recorder(pub(super) Vec<String>);

impl DeltaSink for Recorder {
    fn delta(&mut self, delta: Delta<'_>) -> Result<(), Failure> {
        self.0.push(match delta {
            Delta::Reasoning(text) => format!("reasoning {}", text.as_json()),
            Delta::ReasoningDetails { raw, visible } => {
                format!("{} details {}", if visible { "visible" } else { "hidden" }, raw.get())
            }
            Delta::Content { kind: ContentKind::Text, text, logprobs } => {
                let logprobs: String = logprobs.iter().map(|raw| format!(" {}", raw.get())).collect();
                format!("text {}{logprobs}", text.as_json())
            }
            Delta::Content { kind: ContentKind::Refusal, text, .. } => format!("refusal {}", text.as_json()),
            Delta::Call(CallDelta { call, id, name, arguments, format, extra, .. }) => {
                let end = match format {
                    CallFormat::Json { complete: true } => " complete",
                    CallFormat::Json { complete: false } => "",
                    CallFormat::Placeholder => " or more",
                    CallFormat::Text => " text",
                };
                let extra = extra.map(|raw| format!(" extra {}", raw.get())).unwrap_or_default();
                format!("call {call} {id}:{name}({}){end}{extra}", arguments.decode())
            }
            Delta::Citation(citation) => format!("citation {}", citation.get()),
            Delta::EndOfMessage => "end of message".to_owned(),
            Delta::Unsupported { kind, name } => format!("unsupported {kind:?} {name}"),
        });
        Ok(())
    }

    fn is_blank(&self) -> bool {
        self.0.is_empty()
    }
}

pub(super) fn normalizer(reasoning_tags: Option<ReplyStart>) -> ChunkNormalizer {
    let scanner = Scanner::new(reasoning_tags, OfferedTools::default(), 1024);
    let text = TextRules { scanner, unread: None, in_reasoning: None, logprobs: true };
    ChunkNormalizer::new(text, ContentKind::Refusal, Rc::default())
}

/// The deltas of a reply, and a last line for its end: the finish reason and the total tokens, or the failure.
fn deltas(reasoning_tags: Option<ReplyStart>, chunks: &[&str]) -> Vec<String> {
    let mut normalizer = normalizer(reasoning_tags);
    let mut sink = Recorder::default();
    let read = chunks
        .iter()
        .try_for_each(|chunk| normalizer.read(&serde_json::from_str(chunk).unwrap(), &mut sink))
        .and_then(|()| normalizer.finish(&mut sink));
    let Ending { finish, usage, .. } = normalizer.ending();
    sink.0.push(match read {
        Ok(()) => match (finish, usage) {
            (None, None) => "open".to_owned(),
            (None, Some(usage)) => format!("open, {} tokens", usage.total_tokens),
            (Some(finish), None) => format!("{finish:?}"),
            (Some(finish), Some(usage)) => format!("{finish:?}, {} tokens", usage.total_tokens),
        },
        Err(Failure::Failed(error)) => format!("failed: {}", error.message),
        Err(Failure::Incomplete(reason)) => format!("incomplete: {reason}"),
    });
    sink.0
}

/// A chunk whose only choice has this delta.
macro_rules! delta {
    ($delta:literal) => {
        concat!(r#"{"choices":[{"index":0,"delta":"#, $delta, "}]}")
    };
}

/// A chunk whose delta is one fragment of a call.
macro_rules! call {
    ($call:literal) => {
        concat!(r#"{"choices":[{"index":0,"delta":{"tool_calls":["#, $call, "]}}]}")
    };
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

#[test]
fn what_providers_send_becomes_deltas() {
    // The upstream's behaviour, its chunks, the deltas and the end.
    let table: &[(&str, &[&str], &[&str])] = &[
        // Text.
        (
            "text as OpenAI sends it",
            &[delta!(r#"{"role":"assistant","content":""}"#), delta!(r#"{"content":"a\n"}"#), STOP],
            &[r#"text """#, r#"text "a\n""#, "Stop"],
        ),
        (
            "a surrogate pair split over two deltas",
            &[delta!(r#"{"content":"a\ud83e"}"#), delta!(r#"{"content":"\udd80"}"#)],
            &[r#"text "a""#, r#"text "\ud83e\udd80""#, "open"],
        ),
        (
            "half a surrogate pair at the end",
            &[delta!(r#"{"content":"a\ud83e"}"#)],
            &[r#"text "a""#, r#"text "�""#, "open"],
        ),
        (
            "half a surrogate pair where the text is not a plain string",
            &[
                delta!(r#"{"reasoning":{"text":"t\ud83e"}}"#),
                delta!(r#"{"content":[{"type":"text","text":"a\ud83e"}]}"#),
                delta!(r#"{"annotations":[{"type":"url_citation","url":"u","title":"b\ud83e"}]}"#),
                delta!(r#"{"error":{"message":"c\ud83e"}}"#),
            ],
            &[
                r#"reasoning "t�""#,
                r#"text "a�""#,
                r#"citation {"type":"url_citation","start_index":0,"end_index":0,"url":"u","title":"b�"}"#,
                "failed: c�",
            ],
        ),
        (
            "content in plain strings",
            &[delta!(r#"{"content":["a",{"type":"text","text":"b"},""]}"#)],
            &[r#"text "a""#, r#"text "b""#, r#"text """#, "open"],
        ),
        (
            "citations of a part",
            &[delta!(
                r#"{"content":[{"type":"text","text":"a","annotations":[{"type":"url_citation","url":"u"},{"type":"file"}]}]}"#
            )],
            &[
                r#"text "a""#,
                r#"citation {"type":"url_citation","start_index":0,"end_index":0,"url":"u","title":""}"#,
                "unsupported Annotation file",
                "open",
            ],
        ),
        (
            "all of the text so far in each piece",
            &[
                delta!(r#"{"role":"assistant","content":""}"#),
                delta!(r#"{"content":"I"}"#),
                delta!(r#"{"content":"I am"}"#),
                delta!(r#"{"content":"I am \"a\""}"#),
                delta!(r#"{"content":"I am \"a\""}"#),
                STOP,
            ],
            &[r#"text """#, r#"text "I""#, r#"text """#, r#"text " am \"a\"""#, r#"text """#, "Stop"],
        ),
        (
            "all of the text so far in two pieces",
            &[delta!(r#"{"content":"Yes,"}"#), delta!(r#"{"content":"Yes, I am."}"#), STOP],
            &[r#"text "Yes,""#, r#"text """#, r#"text " I am.""#, "Stop"],
        ),
        (
            "all of the reasoning so far, then all of the text so far",
            &[
                delta!(r#"{"reasoning_content":"Who"}"#),
                delta!(r#"{"reasoning_content":"Who am I"}"#),
                delta!(r#"{"reasoning_content":"Who am I?"}"#),
                delta!(r#"{"content":"A"}"#),
                delta!(r#"{"content":"A m"}"#),
                delta!(r#"{"content":"A mo"}"#),
                delta!(r#"{"content":"A model"}"#),
            ],
            &[
                r#"reasoning "Who""#,
                r#"reasoning """#,
                r#"reasoning " am I?""#,
                r#"text "A""#,
                r#"text """#,
                r#"text " mo""#,
                r#"text "del""#,
                "open",
            ],
        ),
        (
            "all of the text so far, and a call",
            &[
                delta!(r#"{"content":"Look"}"#),
                delta!(r#"{"content":"Look:"}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}"#),
            ],
            &[r#"text "Look""#, r#"text """#, r#"text ":""#, r#"call 0 x:f({"q":1}) complete"#, "open"],
        ),
        (
            "text whose second piece begins with the first by chance",
            &[delta!(r#"{"content":"ha"}"#), delta!(r#"{"content":"haha"}"#), delta!(r#"{"content":"!"}"#)],
            &[r#"text "ha""#, r#"text """#, r#"text "haha!""#, "open"],
        ),
        (
            "text whose two pieces are short and begin with the same",
            &[delta!(r#"{"content":"ha"}"#), delta!(r#"{"content":"haha"}"#), STOP],
            &[r#"text "ha""#, r#"text """#, r#"text "haha""#, "Stop"],
        ),
        (
            "all of the text so far, the second piece twice",
            &[
                delta!(r#"{"content":"Yes"}"#),
                delta!(r#"{"content":"Yes."}"#),
                delta!(r#"{"content":"Yes."}"#),
                delta!(r#"{"content":"Yes. It"}"#),
            ],
            &[r#"text "Yes""#, r#"text """#, r#"text ".""#, r#"text " It""#, "open"],
        ),
        (
            "text whose second piece begins with the first by chance, and the third is the same",
            &[
                delta!(r#"{"content":"ha"}"#),
                delta!(r#"{"content":"haha"}"#),
                delta!(r#"{"content":"haha"}"#),
            ],
            &[r#"text "ha""#, r#"text """#, r#"text "hahahaha""#, "open"],
        ),
        (
            "a line of dashes in growing pieces",
            &[delta!(r#"{"content":"-"}"#), delta!(r#"{"content":"--"}"#), delta!(r#"{"content":"---"}"#)],
            &[r#"text "-""#, r#"text "--""#, r#"text "---""#, "open"],
        ),
        (
            "a piece that begins with the first one, later",
            &[delta!(r#"{"content":"a"}"#), delta!(r#"{"content":"b"}"#), delta!(r#"{"content":"abc"}"#)],
            &[r#"text "a""#, r#"text "b""#, r#"text "abc""#, "open"],
        ),
        (
            "text before and after a call that begins with the same",
            &[
                delta!(r#"{"content":"Next"}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}"#),
                delta!(r#"{"content":"Next, b"}"#),
            ],
            &[r#"text "Next""#, r#"call 0 x:f({"q":1}) complete"#, r#"text "Next, b""#, "open"],
        ),
        (
            "reasoning before and after a text that begins with the same",
            &[
                delta!(r#"{"reasoning":"Next"}"#),
                delta!(r#"{"content":"a"}"#),
                delta!(r#"{"reasoning":"Next, b"}"#),
            ],
            &[r#"reasoning "Next""#, r#"text "a""#, r#"reasoning "Next, b""#, "open"],
        ),
        (
            "a refusal after all of the text so far in two pieces",
            &[
                delta!(r#"{"content":"Next"}"#),
                delta!(r#"{"content":"Next, b"}"#),
                delta!(r#"{"refusal":""}"#),
                delta!(r#"{"refusal":"no"}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"refusal """#, r#"text ", b""#, r#"refusal "no""#, "open"],
        ),
        (
            "text before and after a part of reasoning that begins with the same",
            &[
                delta!(r#"{"content":"Next"}"#),
                delta!(r#"{"content":[]}"#),
                delta!(r#"{"content":[{"type":"thinking","thinking":"t"}]}"#),
                delta!(r#"{"content":"Next, b"}"#),
            ],
            &[r#"text "Next""#, r#"reasoning "t""#, r#"text "Next, b""#, "open"],
        ),
        (
            "all of the reasoning so far in two pieces, then text in a part",
            &[
                delta!(r#"{"reasoning":"Next"}"#),
                delta!(r#"{"reasoning":"Next, b"}"#),
                delta!(r#"{"content":[{"type":"text","text":"a"}]}"#),
            ],
            &[r#"reasoning "Next""#, r#"reasoning """#, r#"reasoning ", b""#, r#"text "a""#, "open"],
        ),
        (
            "all of the text so far in two pieces, then reasoning that is no string",
            &[
                delta!(r#"{"content":"Next"}"#),
                delta!(r#"{"content":"Next, b"}"#),
                delta!(r#"{"reasoning":{"text":"t"}}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"text ", b""#, r#"reasoning "t""#, "open"],
        ),
        (
            "all of the text so far in two pieces, then reasoning in details",
            &[
                delta!(r#"{"content":"Next"}"#),
                delta!(r#"{"content":"Next, b"}"#),
                delta!(r#"{"reasoning_details":[{"type":"reasoning.text","text":"t"}]}"#),
            ],
            &[
                r#"text "Next""#,
                r#"text """#,
                r#"text ", b""#,
                r#"visible details [{"type":"reasoning.text","text":"t"}]"#,
                "open",
            ],
        ),
        (
            "all of the text so far, and no details of reasoning with each piece",
            &[
                delta!(r#"{"content":"Next","reasoning_details":[]}"#),
                delta!(r#"{"content":"Next, b","reasoning_details":[]}"#),
                delta!(r#"{"content":"Next, b, c","reasoning_details":[]}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"text ", b, c""#, "open"],
        ),
        (
            "all of the text so far in two pieces, then a number",
            &[
                delta!(r#"{"content":"Next"}"#),
                delta!(r#"{"content":"Next, b"}"#),
                delta!(r#"{"content":5}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"text ", b""#, r#"text "5""#, "open"],
        ),
        ("content as a number", &[delta!(r#"{"content":42}"#)], &[r#"text "42""#, "open"]),
        ("content as an object", &[delta!(r#"{"content":{"a":1}}"#)], &[r#"text "{\"a\":1}""#, "open"]),
        (
            "content in parts, reasoning among them",
            &[delta!(
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"},{"type":"refusal","refusal":"r"},{"type":"image_url"}]}"#
            )],
            &[r#"reasoning "t""#, r#"text "a""#, r#"refusal "r""#, "unsupported Part image_url", "open"],
        ),
        (
            "reasoning in parts with a summary",
            &[
                delta!(
                    r#"{"content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"t","signature":"s"}]}]}"#
                ),
                delta!(
                    r#"{"content":[{"type":"reasoning","content":[{"text":"u"}]},{"type":"text","text":"a"}]}"#
                ),
            ],
            &[r#"reasoning "t""#, r#"reasoning "u""#, r#"text "a""#, "open"],
        ),
        (
            "a reasoning field that is a list or an object",
            &[
                delta!(r#"{"reasoning_content":[{"type":"text","text":"t"},"u"]}"#),
                delta!(r#"{"reasoning":{"summary":"v"}}"#),
                delta!(r#"{"thinking":[],"reasoning":{}}"#),
            ],
            &[r#"reasoning "t""#, r#"reasoning "u""#, r#"reasoning "v""#, "open"],
        ),
        (
            "reasoning without any text",
            &[
                delta!(r#"{"content":[{"type":"reasoning","signature":"s"}]}"#),
                delta!(r#"{"reasoning":{"signature":"s"}}"#),
            ],
            &["unsupported Part reasoning", "unsupported Part reasoning", "open"],
        ),
        (
            "images beside the text, empty once",
            &[
                delta!(r#"{"content":"a","images":[]}"#),
                delta!(r#"{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}"#),
            ],
            &[r#"text "a""#, "unsupported Part image", "open"],
        ),
        (
            "sources beside the choices, empty once",
            &[
                r#"{"choices":[{"delta":{"content":"a"}}],"citations":["https://a.example"],"search_results":[]}"#,
                r#"{"choices":[{"delta":{"content":"b"}}],"search_results":[{"url":"https://a.example"}]}"#,
            ],
            &[
                r#"text "a""#,
                "unsupported Annotation citations",
                r#"text "b""#,
                "unsupported Annotation search_results",
                "open",
            ],
        ),
        ("a refusal", &[delta!(r#"{"refusal":"no"}"#)], &[r#"refusal "no""#, "open"]),
        (
            "log probabilities",
            &[
                r#"{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.5}]}}]}"#,
            ],
            &[r#"text "a" {"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[]}"#, "open"],
        ),
        (
            "log probabilities of a piece that begins with the one before",
            &[
                r#"{"choices":[{"delta":{"content":"the"},"logprobs":{"content":[{"token":"the","logprob":-0.5}]}}]}"#,
                r#"{"choices":[{"delta":{"content":"then"},"logprobs":{"content":[{"token":"then","logprob":-1.5}]}}]}"#,
            ],
            &[
                r#"text "the" {"token":"the","logprob":-0.5,"bytes":[116,104,101],"top_logprobs":[]}"#,
                r#"text "then" {"token":"then","logprob":-1.5,"bytes":[116,104,101,110],"top_logprobs":[]}"#,
                "open",
            ],
        ),
        (
            "citations, nested, and another annotation",
            &[delta!(
                r#"{"content":"a","annotations":[{"type":"url_citation","url_citation":{"url":"u"}},{"type":"file"}]}"#
            )],
            &[
                r#"text "a""#,
                r#"citation {"type":"url_citation","start_index":0,"end_index":0,"url":"u","title":""}"#,
                "unsupported Annotation file",
                "open",
            ],
        ),
        // Messages and choices.
        (
            "a complete message",
            &[
                r#"{"choices":[{"index":0,"message":{"content":"a","reasoning":"t"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            ],
            &[r#"reasoning "t""#, r#"text "a""#, "Stop, 3 tokens"],
        ),
        (
            "a complete message that repeats the deltas and adds a call",
            &[
                delta!(r#"{"content":"a"}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
                r#"{"choices":[{"message":{"content":"a","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}},{"id":"y","function":{"name":"g","arguments":"{}"}}]}}]}"#,
            ],
            &[r#"text "a""#, "call 0 x:f() or more", "call 1 y:g() or more", "open"],
        ),
        (
            "a complete message that repeats images and citations, and adds a citation",
            &[
                delta!(
                    r#"{"content":"a","annotations":[{"type":"url_citation","url":"u"},{"type":"file"}],"images":[{"type":"image_url"}]}"#
                ),
                r#"{"choices":[{"message":{"content":"a","annotations":[{"type":"url_citation","url":"u"},{"type":"file"},{"type":"url_citation","url":"v"}],"images":[{"type":"image_url"}]}}]}"#,
            ],
            &[
                r#"text "a""#,
                r#"citation {"type":"url_citation","start_index":0,"end_index":0,"url":"u","title":""}"#,
                "unsupported Annotation file",
                "unsupported Part image",
                r#"citation {"type":"url_citation","start_index":0,"end_index":0,"url":"v","title":""}"#,
                "open",
            ],
        ),
        (
            "a complete message that repeats reasoning that came as a part",
            &[
                delta!(r#"{"content":[{"type":"thinking","thinking":"t"}]}"#),
                r#"{"choices":[{"message":{"reasoning_content":"t","content":"a"},"finish_reason":"stop"}]}"#,
            ],
            &[r#"reasoning "t""#, r#"text "a""#, "Stop"],
        ),
        (
            "several calls without an index that come once more",
            &[
                call!(r#"{"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}"#),
                call!(r#"{"id":"y","function":{"name":"f","arguments":"{\"q\":2}"}}"#),
                delta!(
                    r#"{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}},{"id":"y","function":{"name":"f","arguments":"{\"q\":2}"}}]}"#
                ),
            ],
            &[r#"call 0 x:f({"q":1}) complete"#, r#"call 1 y:f({"q":2}) complete"#, "open"],
        ),
        (
            "a complete message that repeats the reasoning of the deltas",
            &[
                delta!(r#"{"thinking":"t"}"#),
                r#"{"choices":[{"message":{"thinking":"t","content":"a"},"finish_reason":"stop"}]}"#,
            ],
            &[r#"reasoning "t""#, r#"text "a""#, "Stop"],
        ),
        (
            "a second choice",
            &[
                r#"{"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"content":"b"}}]}"#,
            ],
            &[r#"text "a""#, "unsupported Part choice", "open"],
        ),
        (
            "the text in one choice and calls in others, all with the index 0",
            &[
                r#"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":0,"message":{"content":null,"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}]},"finish_reason":"tool_calls"},{"index":0,"message":{"tool_calls":[{"id":"y","function":{"name":"f","arguments":"{\"q\":1}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            &[
                r#"text "a""#,
                r#"call 0 x:f({"q":1}) complete"#,
                r#"call 1 y:f({"q":1}) complete"#,
                "ToolCalls",
            ],
        ),
        (
            "a call in the second choice, streamed, and the text in the first",
            &[
                r#"{"choices":[{"index":1,"delta":{"content":null,"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":"}}]}}]}"#,
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            &[r#"call 0 x:f({"q":)"#, r#"text "a""#, "call 0 x:f(1}) complete", "ToolCalls"],
        ),
        (
            "calls in two choices, streamed, both with the index 0 in their choice",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\""}}]}},{"index":1,"delta":{"tool_calls":[{"index":0,"id":"y","function":{"name":"f","arguments":"{\"q\""}}]}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}},{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":2}"}}]}}]}"#,
            ],
            &[
                r#"call 0 x:f({"q")"#,
                r#"call 1 y:f({"q")"#,
                "call 0 x:f(:2}) complete",
                "call 1 y:f(:1}) complete",
                "open",
            ],
        ),
        (
            "calls in two choices, streamed, and an index in the second that only comes with the arguments",
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}]}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"id":"y","function":{"name":"f","arguments":"{}"}}]}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"id":"z","function":{"name":"f"}}]}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"q\":2}"}}]}}]}"#,
            ],
            &[
                r#"call 0 x:f({"q":1}) complete"#,
                "call 1 y:f() or more",
                "call 2 z:f()",
                r#"call 2 z:f({"q":2}) complete"#,
                "open",
            ],
        ),
        (
            "the text in one choice, reasoning and a call in another",
            &[
                r#"{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"reasoning_text":"t","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            &[r#"text "a""#, r#"reasoning "t""#, r#"call 0 x:f({"q":1}) complete"#, "ToolCalls"],
        ),
        (
            "the same in a stream",
            &[
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[{"index":1,"delta":{"reasoning_text":"t"}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"reasoning_text":"u","tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            &[
                r#"text "a""#,
                r#"reasoning "t""#,
                r#"reasoning "u""#,
                r#"call 0 x:f({"q":1}) complete"#,
                "ToolCalls",
            ],
        ),
        (
            "reasoning in the second choice, and later in the first",
            &[
                r#"{"choices":[{"index":1,"delta":{"reasoning":"t"}}]}"#,
                delta!(r#"{"reasoning":"u"}"#),
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}]}}]}"#,
            ],
            &[
                r#"reasoning "t""#,
                r#"reasoning "u""#,
                r#"text "a""#,
                r#"call 0 x:f({"q":1}) complete"#,
                "open",
            ],
        ),
        (
            "reasoning in the first choice, reasoning and the text in the second",
            &[
                r#"{"choices":[{"index":0,"message":{"reasoning":"t"}},{"index":1,"message":{"reasoning":"u","content":"a"},"finish_reason":"stop"}]}"#,
            ],
            &[r#"reasoning "t""#, r#"reasoning "u""#, r#"text "a""#, "Stop"],
        ),
        (
            "reasoning in the first choice, the text in the second",
            &[
                r#"{"choices":[{"index":0,"message":{"reasoning":"t"}},{"index":1,"message":{"content":"a"},"finish_reason":"stop"}]}"#,
            ],
            &[r#"reasoning "t""#, r#"text "a""#, "Stop"],
        ),
        (
            "one choice, whose index is 1",
            &[r#"{"choices":[{"index":1,"message":{"content":"a"},"finish_reason":"stop"}]}"#],
            &[r#"text "a""#, "Stop"],
        ),
        (
            "another answer in the second choice, with its reasoning, call and end",
            &[
                delta!(r#"{"reasoning":"t"}"#),
                r#"{"choices":[{"index":1,"delta":{"reasoning":"u"}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"length"}]}"#,
            ],
            &[
                r#"reasoning "t""#,
                "unsupported Part choice",
                r#"text "a""#,
                "failed: The upstream's call of tool 'f' (id '') cannot be delivered: it came with another answer than the first.",
            ],
        ),
        (
            "two answers, both with a call",
            &[
                r#"{"choices":[{"index":0,"message":{"content":"a","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"},{"index":1,"message":{"content":"b","tool_calls":[{"id":"y","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
            ],
            &[r#"text "a""#, "call 0 x:f() or more", "unsupported Part choice", "Stop"],
        ),
        (
            "the text in the first choice, text and a call in the second",
            &[
                r#"{"choices":[{"index":0,"message":{"content":"a"}},{"index":1,"message":{"content":"b","tool_calls":[{"id":"y","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            &[
                r#"text "a""#,
                "unsupported Part choice",
                "failed: The upstream's call of tool 'f' (id '') cannot be delivered: it came with another answer than the first.",
            ],
        ),
        // Reasoning.
        (
            "reasoning in two fields at once, and again in details",
            &[delta!(
                r#"{"reasoning":"t","reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t"}]}"#
            )],
            &[r#"hidden details [{"type":"reasoning.text","text":"t"}]"#, r#"reasoning "t""#, "open"],
        ),
        (
            "reasoning in details only",
            &[delta!(r#"{"reasoning":"","reasoning_details":[{"type":"reasoning.text","text":"t"}]}"#)],
            &[r#"visible details [{"type":"reasoning.text","text":"t"}]"#, "open"],
        ),
        (
            "the fields of other providers",
            &[delta!(r#"{"reasoning_text":"t"}"#), delta!(r#"{"thinking":"u"}"#)],
            &[r#"reasoning "t""#, r#"reasoning "u""#, "open"],
        ),
        // Calls. The call assembler has its own table for fragments that are hard to assign.
        (
            "a call as OpenAI sends it",
            &[
                call!(r#"{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}"#),
                call!(r#"{"index":0,"function":{"arguments":"{\"a\":"}}"#),
                call!(r#"{"index":0,"function":{"arguments":"1}"}}"#),
            ],
            &["call 0 x:f()", r#"call 0 x:f({"a":)"#, "call 0 x:f(1}) complete", "open"],
        ),
        (
            "several calls in one delta without an index",
            &[delta!(
                r#"{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}},{"id":"y","function":{"name":"f","arguments":"{}"}}]}"#
            )],
            &["call 0 x:f() or more", "call 1 y:f() or more", "open"],
        ),
        (
            "arguments as an object, and something to send back",
            &[call!(r#"{"id":"x","extra_content":{"s":1},"function":{"name":"f","arguments":{"a":1}}}"#)],
            &[r#"call 0 x:f({"a":1}) complete extra {"s":1}"#, "open"],
        ),
        (
            "a custom tool",
            &[call!(r#"{"index":0,"id":"x","type":"custom","custom":{"name":"f","input":"{}"}}"#)],
            &["call 0 x:f({}) text", "open"],
        ),
        (
            "the deprecated function_call",
            &[
                delta!(r#"{"function_call":{"name":"f","arguments":"{"}}"#),
                delta!(r#"{"function_call":{"arguments":" "}}"#),
                delta!(r#"{"function_call":{"arguments":"}"}}"#),
            ],
            &["call 0 :f({)", "call 0 :f( )", "call 0 :f(}) complete", "open"],
        ),
        (
            "function_call beside tool_calls, the same piece in both",
            &[
                delta!(
                    r#"{"function_call":{"name":"f","arguments":"{\"q\""},"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\""}}]}"#
                ),
                delta!(
                    r#"{"function_call":{"name":"f","arguments":":1}"},"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":":1}"}}]}"#
                ),
                delta!(r#"{"function_call":{"name":"f","arguments":"{}"}}"#),
            ],
            &[r#"call 0 x:f({"q")"#, "call 0 x:f(:1}) complete", "open"],
        ),
        (
            "an empty function_call with each piece of the text so far",
            &[
                delta!(r#"{"content":"Next","function_call":{"name":"","arguments":""}}"#),
                delta!(r#"{"content":"Next, b","function_call":{"name":null,"arguments":null}}"#),
                delta!(r#"{"content":"Next, b, c","function_call":{}}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"text ", b, c""#, "open"],
        ),
        (
            "an empty call with each piece of the text so far",
            &[
                delta!(
                    r#"{"content":"Next","tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":""}}]}"#
                ),
                delta!(r#"{"content":"Next, b","tool_calls":[{"function":{}}]}"#),
                delta!(
                    r#"{"content":"Next, b, c","tool_calls":[{"id":null,"function":{"name":null,"arguments":null}}]}"#
                ),
                delta!(r#"{"function_call":{"name":"f","arguments":"{\"q\":1}"}}"#),
            ],
            &[r#"text "Next""#, r#"text """#, r#"text ", b, c""#, r#"call 0 :f({"q":1}) complete"#, "open"],
        ),
        (
            "a function_call that tool_calls repeat",
            &[
                delta!(r#"{"function_call":{"name":"f","arguments":"{\"q\":1}"}}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{\"q\":1}"}}"#),
            ],
            &[r#"call 0 :f({"q":1}) complete"#, "open"],
        ),
        (
            "another call as function_call beside tool_calls",
            &[delta!(
                r#"{"function_call":{"name":"g","arguments":"{}"},"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]}"#
            )],
            &[
                "call 0 x:f() or more",
                "failed: The upstream's call of tool 'g' (id '') cannot be delivered: it came as function_call beside other tool calls.",
            ],
        ),
        (
            "arguments as parameters",
            &[call!(r#"{"id":"x","function":{"name":"f","parameters":{"a":1}}}"#)],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "arguments as input, after empty ones",
            &[call!(r#"{"id":"x","function":{"name":"f","arguments":"{}","input":{"a":1}}}"#)],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "arguments as args, in pieces",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f","args":"{\"a\""}}"#),
                call!(r#"{"index":0,"function":{"args":":1}"}}"#),
            ],
            &[r#"call 0 x:f({"a")"#, "call 0 x:f(:1}) complete", "open"],
        ),
        (
            "a call in Anthropic's form",
            &[call!(r#"{"type":"tool_use","id":"x","name":"f","input":{"a":1}}"#)],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "something under an unknown key, and no arguments",
            &[call!(r#"{"id":"x","function":{"name":"f","kwargs":{"a":1}}}"#)],
            &[
                "call 0 x:f()",
                "failed: The upstream's call of tool 'f' (id 'x') cannot be delivered: its arguments are under a key that is not read.",
            ],
        ),
        (
            "something under an unknown key in a later piece, and no arguments",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f"}}"#),
                call!(r#"{"index":0,"function":{"kwargs":{"a":1}}}"#),
            ],
            &[
                "call 0 x:f()",
                "call 0 x:f()",
                "failed: The upstream's call of tool 'f' (id 'x') cannot be delivered: its arguments are under a key that is not read.",
            ],
        ),
        (
            "something under an unknown key, and arguments that follow",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f","state":{"a":1}}}"#),
                call!(r#"{"index":0,"function":{"arguments":"{\"a\":1}"}}"#),
            ],
            &["call 0 x:f()", r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "state and words beside a call that has no arguments",
            &[call!(
                r#"{"id":"x","extra_content":{"s":1},"function":{"name":"f","arguments":null,"description":"d","state":{}}}"#
            )],
            &[r#"call 0 x:f() extra {"s":1}"#, "open"],
        ),
        (
            "nothing under the other names of the arguments",
            &[call!(
                r#"{"id":"x","function":{"name":"f","arguments":"{\"a\":1}","args":null,"parameters":null},"input":null,"parameters":null}"#
            )],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "arguments under two names",
            &[call!(r#"{"id":"x","name":"f","args":{},"input":{"a":1}}"#)],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "nothing under the other names of the calls",
            &[
                delta!(r#"{"content":"a","tool_call":null,"function_calls":[],"toolCalls":null}"#),
                delta!(r#"{"content":"b","tool_call":false,"function_calls":"none","toolCalls":0}"#),
            ],
            &[r#"text "a""#, r#"text "b""#, "open"],
        ),
        (
            "facts about a call that has no arguments",
            &[
                call!(r#"{"id":"x","name":"f","caller":{"type":"direct"},"_meta":{"a":1}}"#),
                call!(
                    r#"{"id":"y","function":{"name":"f","metadata":{"a":1}},"cache_control":{"type":"ephemeral"}}"#
                ),
            ],
            &["call 0 x:f()", "call 1 y:f()", "open"],
        ),
        (
            "calls in wrappers",
            &[
                call!(r#"{"index":0,"id":"x","type":"tool_call","tool_call":{"name":"f","args":{"a":1}}}"#),
                delta!(
                    r#"{"content":[{"type":"tool_use","tool_use":{"id":"y","name":"g","input":{"a":2}}}]}"#
                ),
            ],
            &[r#"call 0 x:f({"a":1}) complete"#, r#"call 1 y:g({"a":2}) complete"#, "open"],
        ),
        (
            "a part that must be a call, and has no name",
            &[delta!(r#"{"content":[{"type":"tool_use","what":{"input":{"a":2}}}]}"#)],
            &["failed: The upstream sent a tool call that cannot be read."],
        ),
        (
            "calls by their ids",
            &[delta!(
                r#"{"tool_calls":{"call_a":{"id":"x","name":"f","arguments":{"a":1}},"call_b":{"id":"y","name":"g","arguments":{"b":1}}}}"#
            )],
            &[r#"call 0 x:f({"a":1}) complete"#, r#"call 1 y:g({"b":1}) complete"#, "open"],
        ),
        (
            "calls by their position, in pieces",
            &[
                delta!(r#"{"tool_calls":{"0":{"id":"x","function":{"name":"f","arguments":"{"}}}}"#),
                delta!(r#"{"tool_calls":{"1":{"id":"y","function":{"name":"g","arguments":"{"}}}}"#),
                delta!(r#"{"tool_calls":{"0":{"function":{"arguments":"}"}}}}"#),
                delta!(r#"{"tool_calls":{"1":{"function":{"arguments":"}"}}}}"#),
            ],
            &["call 0 x:f({)", "call 1 y:g({)", "call 0 x:f(}) complete", "call 1 y:g(}) complete", "open"],
        ),
        (
            "calls by their position, and how many there are",
            &[delta!(r#"{"tool_calls":{"length":1,"0":{"id":"x","name":"f","arguments":{"a":1}}}}"#)],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "an object that holds no call",
            &[delta!(r#"{"tool_calls":{"f":"a"}}"#)],
            &["failed: The upstream sent a tool call that cannot be read."],
        ),
        (
            "a usage before a call that is beside the choices",
            &[
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
                r#"{"choices":[],"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{"}}]}"#,
            ],
            &[r#"text "a""#, "call 0 x:f({)", "open, 2 tokens"],
        ),
        (
            "calls by their position",
            &[
                delta!(
                    r#"{"tool_calls":{"10":{"id":"y","function":{"name":"g","arguments":"{"}},"9":{"id":"x","function":{"name":"f","arguments":"{"}}}}"#
                ),
                delta!(
                    r#"{"tool_calls":{"9":{"function":{"arguments":"}"}},"10":{"function":{"arguments":"}"}}}}"#
                ),
            ],
            &["call 0 x:f({)", "call 1 y:g({)", "call 0 x:f(}) complete", "call 1 y:g(}) complete", "open"],
        ),
        (
            "calls beside the delta, beside the choices, and under other names",
            &[
                r#"{"choices":[{"delta":{},"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}]}"#,
                r#"{"choices":[{"delta":{}}],"tool_calls":[{"id":"b","function":{"name":"f","arguments":"{}"}}]}"#,
                delta!(r#"{"tool_call":{"id":"c","function":{"name":"f","arguments":"{}"}}}"#),
                delta!(r#"{"toolCalls":[{"id":"d","function":{"name":"f","arguments":"{}"}}]}"#),
                delta!(r#"{"function_calls":[{"id":"e","name":"f","arguments":"{}"}]}"#),
                delta!(r#"{"tool_calls":[],"tool_call":null}"#),
            ],
            &[
                "call 0 a:f() or more",
                "call 1 b:f() or more",
                "call 2 c:f() or more",
                "call 3 d:f() or more",
                "call 4 e:f() or more",
                "open",
            ],
        ),
        (
            "the same call in several places",
            &[
                r#"{"choices":[{"message":{"content":[{"type":"tool_use","id":"x","name":"f","input":{"a":1}}],"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"a\":1}"}}]},"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"a\":1}"}}]}],"tool_calls":[{"name":"f","arguments":{"a":1}}]}"#,
            ],
            &[r#"call 0 x:f({"a":1}) complete"#, "open"],
        ),
        (
            "calls among the parts of the content",
            &[delta!(
                r#"{"content":[{"type":"text","text":"a"},{"type":"tool_use","id":"x","name":"f","input":{"a":1}},{"type":"tool_use","id":"y","name":"f","input":{"a":2}}]}"#
            )],
            &[r#"text "a""#, r#"call 0 x:f({"a":1}) complete"#, r#"call 1 y:f({"a":2}) complete"#, "open"],
        ),
        (
            "a call that is repeated at the end",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
            ],
            &["call 0 x:f() or more", "open"],
        ),
        (
            "a call that is repeated after other text",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
                delta!(r#"{"content":"a"}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
            ],
            &["call 0 x:f() or more", r#"text "a""#, "open"],
        ),
        (
            "an equal call with an id of its own",
            &[
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
                call!(r#"{"index":0,"id":"y","function":{"name":"f","arguments":"{}"}}"#),
            ],
            &["call 0 x:f() or more", "call 1 y:f() or more", "open"],
        ),
        (
            "calls without an index in one delta, all with the same id",
            &[delta!(
                r#"{"tool_calls":[{"id":"null","function":{"name":"f","arguments":"{}"}},{"id":"null","function":{"name":"f","arguments":"{\"q\":1}"}}]}"#
            )],
            &["call 0 null:f() or more", r#"call 1 null:f({"q":1}) complete"#, "open"],
        ),
        (
            "calls without an index, all with the same id, in pieces",
            &[
                delta!(
                    r#"{"tool_calls":[{"id":"0","function":{"name":"f","arguments":"{"}},{"id":"0","function":{"name":"g","arguments":"{"}}]}"#
                ),
                delta!(
                    r#"{"tool_calls":[{"id":"0","function":{"arguments":"}"}},{"id":"0","function":{"arguments":"}"}}]}"#
                ),
            ],
            &["call 0 0:f({)", "call 1 0:g({)", "call 0 0:f(}) complete", "call 1 0:g(}) complete", "open"],
        ),
        (
            "tool_calls that cannot be read",
            &[delta!(r#"{"tool_calls":"f()"}"#)],
            &["failed: The upstream sent a tool call that cannot be read."],
        ),
        // Other APIs.
        (
            "Ollama's own form",
            &[
                r#"{"message":{"thinking":"t","content":"a"},"done":false}"#,
                r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}"#,
            ],
            &[r#"reasoning "t""#, r#"text "a""#, r#"text """#, "call 0 :f() or more", "Stop, 3 tokens"],
        ),
        (
            "Cloudflare's own form",
            &[r#"{"response":"a","tool_calls":[{"name":"f","arguments":{}}]}"#],
            &[r#"text "a""#, "call 0 :f() or more", "open"],
        ),
        // The end.
        (
            "finish reasons in other words",
            &[r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"MAX_TOKENS"}]}"#],
            &[r#"text "a""#, "Length"],
        ),
        (
            "an ordinary finish reason after another",
            &[
                r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"length"}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            ],
            &[r#"text "a""#, "Length"],
        ),
        (
            "an unknown finish reason, and an empty one after it",
            &[
                r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"eos"}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":""}]}"#,
            ],
            &[r#"text "a""#, "Stop"],
        ),
        (
            "usage in a last chunk without choices, and no finish reason",
            &[delta!(r#"{"content":"a"}"#), r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#],
            &[r#"text "a""#, "Stop, 3 tokens"],
        ),
        (
            "usage in a chunk without choices, and more of the answer after it",
            &[
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#,
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":""}}"#),
            ],
            &[r#"text "a""#, "call 0 x:f()", "open, 3 tokens"],
        ),
        (
            "the same with a second usage at the end",
            &[
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[],"usage":{"total_tokens":2,"prompt_tokens":1}}"#,
                delta!(r#"{"content":"b"}"#),
                r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#,
            ],
            &[r#"text "a""#, r#"text "b""#, "Stop, 3 tokens"],
        ),
        (
            "an empty delta after the usage",
            &[
                delta!(r#"{"content":"a"}"#),
                r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#,
                delta!(r#"{"role":"assistant","content":""}"#),
            ],
            &[r#"text "a""#, r#"text """#, "Stop, 3 tokens"],
        ),
        (
            "text after a finish reason and the usage",
            &[
                r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#,
                delta!(r#"{"content":"b"}"#),
            ],
            &[r#"text "a""#, r#"text "b""#, "Stop, 3 tokens"],
        ),
        (
            "usage in a first chunk without choices",
            &[r#"{"choices":[],"usage":{"total_tokens":3,"prompt_tokens":1}}"#],
            &["open, 3 tokens"],
        ),
        (
            "a usage of zero after the real one",
            &[
                r#"{"choices":[],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#,
                r#"{"choices":[{"delta":{},"usage":{"prompt_tokens":0,"completion_tokens":0}}]}"#,
            ],
            &["open, 3 tokens"],
        ),
        (
            "an error in the delta, and empty ones",
            &[
                delta!(r#"{"content":"a","error":{}}"#),
                delta!(r#"{"error":{ }}"#),
                delta!(r#"{"error":0.0}"#),
                delta!(r#"{"content":"b","error":null}"#),
                delta!(r#"{"error":{"message":"overloaded"}}"#),
            ],
            &[r#"text "a""#, r#"text "b""#, "failed: overloaded"],
        ),
        (
            "an error beside the text, and an empty one",
            &[
                r#"{"choices":[{"delta":{"content":"a"}}],"error":[]}"#,
                r#"{"choices":[{"delta":{"content":"b"},"error":{"message":"overloaded"}}]}"#,
            ],
            &[r#"text "a""#, r#"text "b""#, "failed: overloaded"],
        ),
    ];
    for (what, chunks, expected) in table {
        assert_eq!(deltas(None, chunks), *expected, "{what}");
    }
}

#[test]
fn markup_in_the_text_becomes_deltas() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "reasoning in tags",
            &[delta!(r#"{"content":"<think>t</th"}"#), delta!(r#"{"content":"ink>a"}"#)],
            &[r#"reasoning "t""#, r#"text "a""#, "open"],
        ),
        (
            "an empty function_call between the pieces of a tag",
            &[
                delta!(r#"{"content":"<thi","function_call":{"name":"","arguments":""}}"#),
                delta!(r#"{"content":"nk>t</think>a"}"#),
            ],
            &[r#"reasoning "t""#, r#"text "a""#, "open"],
        ),
        (
            "reasoning in tags that a field repeats",
            &[delta!(r#"{"content":"<think>t</think>a","reasoning":"t"}"#)],
            &[r#"reasoning "t""#, r#"text "a""#, "open"],
        ),
        (
            "other reasoning in tags than in a field",
            &[delta!(r#"{"content":"<think>u</think>a","reasoning":"t"}"#)],
            &[r#"reasoning "t""#, r#"reasoning "u""#, r#"text "a""#, "open"],
        ),
        (
            "reasoning in a field, and in tags in other pieces",
            &[
                delta!(r#"{"reasoning":"t \n"}"#),
                delta!(r#"{"reasoning":"u","content":"<think>t"}"#),
                delta!(r#"{"content":" u</TH"}"#),
                delta!(r#"{"content":"INK>a"}"#),
            ],
            &[r#"reasoning "t \n""#, r#"reasoning "u""#, r#"text "a""#, "open"],
        ),
        (
            "reasoning in a field, and an opening tag that is never closed",
            &[
                delta!(r#"{"reasoning":"t"}"#),
                delta!(r#"{"content":"<think>a"}"#),
                delta!(r#"{"content":"b"}"#),
            ],
            &[r#"reasoning "t""#, r#"text "<think>ab""#, "open"],
        ),
        (
            "reasoning whose opening tag is missing",
            &[delta!(r#"{"content":"t"}"#), delta!(r#"{"content":"</think>a"}"#)],
            &[r#"text "t""#, "end of message", r#"text "a""#, "open"],
        ),
        (
            "what looks like a tag until a call comes",
            &[
                delta!(r#"{"content":"<thi"}"#),
                call!(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}"#),
            ],
            &[r#"text "<thi""#, "call 0 x:f() or more", "open"],
        ),
    ];
    for (what, chunks, expected) in table {
        assert_eq!(deltas(Some(ReplyStart::Text), chunks), *expected, "{what}");
    }
}

/// The reply would begin within reasoning, but the upstream has taken it out.
#[test]
fn implied_reasoning_is_not_expected_after_a_field_with_reasoning() {
    for (chunks, expected) in [
        (
            &[delta!(r#"{"reasoning_content":"t"}"#), delta!(r#"{"content":"The answer"}"#), STOP][..],
            &[r#"reasoning "t""#, r#"text "The answer""#, "Stop"][..],
        ),
        (
            &[delta!(r#"{"reasoning_content":"t","content":"t</think>a"}"#)],
            &[r#"reasoning "t""#, r#"text "a""#, "open"],
        ),
        (
            &[delta!(r#"{"content":"t"}"#), delta!(r#"{"content":"</think>a"}"#)],
            &[r#"reasoning "t""#, r#"text "a""#, "open"],
        ),
        // The answer is about the tag.
        (
            &[delta!(r#"{"reasoning_content":"t","content":"Use the </think> tag."}"#)],
            &[r#"reasoning "t""#, r#"text "Use the </think> ""#, r#"text "tag.""#, "open"],
        ),
        (
            &[
                delta!(r#"{"reasoning_content":"t"}"#),
                delta!(r#"{"content":"Use the "}"#),
                delta!(r#"{"content":"</think> tag."}"#),
            ],
            &[r#"reasoning "t""#, r#"text "Use the ""#, r#"text "</think> tag.""#, "open"],
        ),
    ] {
        assert_eq!(deltas(Some(ReplyStart::Reasoning), chunks), expected);
    }
}
