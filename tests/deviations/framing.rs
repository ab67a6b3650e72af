//! How the chunks become the bytes of a body.

use super::answer::Ending;
use super::table::{ANYTHING, Aspect, Change, DOCUMENT, Deviation, STREAM};

pub const TABLE: &[Deviation] = &[
    Deviation {
        name: "a key twice",
        row: "A key comes twice in one object",
        aspects: &[Aspect::Keys],
        needs: ANYTHING,
        change: Change::Lines(|_, lines| {
            for line in lines {
                for (key, wrong) in
                    [("content", "\"x\""), ("index", "7"), ("arguments", "\"x\""), ("finish_reason", "\"x\"")]
                {
                    *line = line.replace(&format!("\"{key}\":"), &format!("\"{key}\":{wrong},\"{key}\":"));
                }
            }
        }),
    },
    Deviation {
        name: "a chunk that is no JSON",
        row: "A chunk is not JSON: it has `NaN` or is Python's own form, is cut off, or has a line end in a string",
        aspects: &[Aspect::Keys],
        needs: ANYTHING,
        change: Change::Lines(|case, lines| {
            let at = case.rng.usize(0..lines.len());
            let line = &lines[at];
            let broken = [
                line.replacen('{', "{\"logprob\":NaN,", 1),
                line.replace('"', "'"),
                line[..line.len() - 1].to_owned(),
            ];
            lines[at] = case.rng.choice(broken).unwrap();
            case.answer.ending = Ending::Failed("");
        }),
    },
    Deviation {
        name: "an envelope",
        row: "",
        aspects: &[Aspect::Framing],
        needs: DOCUMENT,
        change: Change::Lines(|_, lines| {
            lines[0] = format!("{{\"result\":{},\"success\":true,\"errors\":[]}}", lines[0])
        }),
    },
    Deviation {
        name: "padding before and after the document",
        row: "",
        aspects: &[Aspect::Framing],
        needs: DOCUMENT,
        change: Change::Lines(|_, lines| lines[0] = format!("\u{FEFF}\n\n {}\n\n", lines[0])),
    },
    Deviation {
        name: "carriage returns",
        row: "",
        aspects: &[Aspect::Framing],
        needs: STREAM,
        change: Change::Lines(|case, _| case.frame = |lines| events(lines).replace('\n', "\r")),
    },
    Deviation {
        name: "CRLF, comments and other fields",
        row: "",
        aspects: &[Aspect::Framing],
        needs: STREAM,
        change: Change::Lines(|case, _| {
            case.frame = |lines| {
                let events = lines
                    .iter()
                    .map(|line| format!(": alive\r\n\r\nid: 1\r\nevent: chunk\r\ndata:{line}\r\n\r\n"));
                events.collect::<String>() + "data:[DONE]\r\n\r\n"
            };
        }),
    },
    Deviation {
        name: "no blank lines between events",
        row: "",
        aspects: &[Aspect::Framing],
        needs: STREAM,
        change: Change::Lines(|case, _| case.frame = |lines| events(lines).replace("\n\n", "\n")),
    },
    Deviation {
        name: "lines of JSON",
        row: "",
        aspects: &[Aspect::Framing],
        needs: STREAM,
        change: Change::Lines(|case, _| {
            case.frame = |lines| lines.iter().map(|line| format!("{line}\n")).collect()
        }),
    },
    Deviation {
        name: "no [DONE]",
        row: "",
        aspects: &[Aspect::Framing],
        needs: STREAM,
        change: Change::Lines(|case, _| case.frame = |lines| events(lines).replace("data: [DONE]\n\n", "")),
    },
];

/// Server-sent events.
pub fn events(lines: &[String]) -> String {
    let events = lines.iter().map(|line| format!("data: {line}\n\n"));
    events.collect::<String>() + "data: [DONE]\n\n"
}
