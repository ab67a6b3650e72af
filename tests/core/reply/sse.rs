//! The SSE decoder: streams as providers send them, and any bytes in any pieces.

use proptest::{prelude::*, sample::Index};
use transponder::sse::{
    decode::{Decoder, Frame, TooLarge},
    encode,
};

#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Event(Vec<u8>, Vec<u8>),
    Comment,
    TooLarge,
}

/// The frames of a stream that comes in these pieces.
fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let mut seen = Vec::new();
    if pull(limit, pieces, &mut seen) == Err(TooLarge { limit }) {
        seen.push(Seen::TooLarge);
    }
    seen
}

fn pull<'a>(
    limit: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    seen: &mut Vec<Seen>,
) -> Result<(), TooLarge> {
    let owned = |frame: Frame<'_>| match frame {
        Frame::Event { name, data } => Seen::Event(name.to_vec(), data.to_vec()),
        Frame::Comment => Seen::Comment,
    };
    let mut decoder = Decoder::new(limit);
    for mut piece in pieces {
        while let Some(frame) = decoder.next(&mut piece)? {
            seen.push(owned(frame));
        }
    }
    while let Some(frame) = decoder.finish()? {
        seen.push(owned(frame));
    }
    Ok(())
}

/// The specification's rules, implemented without regard to speed or memory.
fn by_the_rules(stream: &[u8]) -> Vec<Seen> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let mut lines = vec![Vec::new()];
    let mut bytes = stream.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if(|next| **next == b'\n');
                lines.push(Vec::new());
            }
            b'\n' => lines.push(Vec::new()),
            _ => lines.last_mut().unwrap().push(byte),
        }
    }
    lines.push(Vec::new()); // the blank line that the end may lack

    let mut seen = Vec::new();
    let (mut name, mut data, mut error) = (Vec::new(), Vec::<Vec<u8>>::new(), false);
    for line in lines {
        if line.is_empty() {
            let name = std::mem::take(&mut name);
            let data = std::mem::take(&mut data);
            let error = std::mem::take(&mut error);
            if !data.is_empty() {
                let name = if error { b"error".to_vec() } else { name };
                seen.push(Seen::Event(name, data.join(&b'\n')));
            }
            continue;
        }
        if line.starts_with(b"{") {
            data.push(line);
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let field = parts.next().unwrap();
        let value = parts.next();
        let text = value.unwrap_or_default();
        let text = text.strip_prefix(b" ").unwrap_or(text).to_vec();
        match field {
            b"" if value.is_some() => seen.push(Seen::Comment),
            b"event" => name = text,
            b"data" => data.push(text),
            b"error" => {
                error = true;
                data.push(text);
            }
            _ => {}
        }
    }
    seen
}

/// Streams that consist mostly of bytes with a meaning for the decoder.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(b"data: ".to_vec()),
        1 => Just(b"data".to_vec()),
        2 => Just(b"event: ".to_vec()),
        1 => Just(b"error: ".to_vec()),
        1 => Just(b"id: 1".to_vec()),
        4 => Just(b"\n".to_vec()),
        3 => Just(b"\n\n".to_vec()),
        3 => Just(b"\r".to_vec()),
        3 => Just(b"\r\n".to_vec()),
        2 => Just(b":".to_vec()),
        2 => Just(b" ".to_vec()),
        2 => Just(b"\xEF\xBB\xBF".to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        3 => "[a-z{}]{1,6}".prop_map(String::into_bytes),
    ];
    let start = prop_oneof![4 => Just(vec![]), 1 => Just(b"\xEF\xBB\xBF".to_vec())];
    (start, prop::collection::vec(part, 0..40)).prop_map(|(start, parts)| [start, parts.concat()].concat())
}

/// The same stream in pieces, some of them empty.
fn cut<'a>(stream: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(stream.len());
    let mut from = 0;
    cuts.into_iter().map(|to| &stream[std::mem::replace(&mut from, to)..to]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn decodes_as_the_specification_says(stream in streams()) {
        prop_assert_eq!(decode(usize::MAX, [&stream[..]]), by_the_rules(&stream));
    }

    #[test]
    fn any_split_gives_the_same_frames(
        stream in streams(),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
        limit in prop_oneof![Just(usize::MAX), 0_usize..40],
    ) {
        let whole = decode(limit, [&stream[..]]);
        prop_assert_eq!(&decode(limit, cut(&stream, &cuts)), &whole);
        prop_assert_eq!(&decode(limit, stream.chunks(1)), &whole);
    }

    #[test]
    fn what_is_encoded_is_decoded(
        events in prop::collection::vec(("[a-z._]{1,12}", any::<String>()), 0..8),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for (name, text) in &events {
            encode::frame(&mut out, name, text);
            let json = serde_json::to_vec(text).unwrap();
            expected.push(Seen::Event(name.clone().into_bytes(), json));
        }
        encode::done(&mut out);
        expected.push(Seen::Event(Vec::new(), b"[DONE]".to_vec()));
        prop_assert_eq!(decode(usize::MAX, cut(&out, &cuts)), expected);
    }
}

// The chunks of one reply, and the shapes in which providers send it.

const A: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hé"}}]}"#;
const B: &str = r#"{"choices":[{"index":0,"delta":{"content":"llo 🦀 \ud83e"}}]}"#;
const C: &str = r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#;

#[test]
fn recorded_stream_shapes() {
    // In a stream, $A, $B and $C stand for the chunks.
    let table: &[(&str, &str, &[&str])] = &[
        ("plain", "data: $A\n\ndata: $B\n\ndata: $C\n\ndata: [DONE]\n\n", &[A, B, C, "[DONE]"]),
        ("no space after the colon", "data:$A\n\ndata:$B\n\ndata:[DONE]\n\n", &[A, B, "[DONE]"]),
        ("CRLF", "data: $A\r\n\r\ndata: $B\r\n\r\ndata: [DONE]\r\n\r\n", &[A, B, "[DONE]"]),
        ("mixed line ends", "data: $A\r\n\ndata: $B\n\r\ndata: $C\n\ndata: [DONE]\r\r", &[A, B, C, "[DONE]"]),
        ("byte order mark", "\u{feff}data: $A\n\ndata: [DONE]\n\n", &[A, "[DONE]"]),
        (
            "comments between and inside events",
            ": ping\n\n:\n\n: OPENROUTER PROCESSING\n\ndata: $A\n\n: keep-alive\ndata: $B\n\n:x\n\ndata: $C\n\n",
            &[":", ":", ":", A, ":", B, ":", C],
        ),
        (
            "empty payloads",
            "data: \n\ndata:\n\ndata: $A\n\ndata: {}\n\ndata: null\n\ndata: []\n\n",
            &["", "", A, "{}", "null", "[]"],
        ),
        ("[DONE] as a JSON string", "data: $A\n\ndata: \"[DONE]\"\n\n", &[A, "\"[DONE]\""]),
        ("a broken event among good ones", "data: $A\n\ndata: {bad\n\ndata: $B\n\n", &[A, "{bad", B]),
        ("cut between events", "data: $A\n\ndata: $B\n\n", &[A, B]),
        ("cut inside an event", "data: $A\n\ndata: {\"cho", &[A, "{\"cho"]),
        ("no final line end", "data: $A\n\ndata: $B\n\ndata: $C", &[A, B, C]),
        (
            "ids, retries, names",
            "id: 1\nretry: 3000\nevent: message\ndata: $A\n\nid: 2\ndata: $B\n\n",
            &[A, B],
        ),
        ("an HTML page", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n", &[]),
        ("a JSON body", "{\"id\":\"c\",\"choices\":[]}", &["{\"id\":\"c\",\"choices\":[]}"]),
    ];
    for (what, stream, expected) in table {
        let stream = stream.replace("$A", A).replace("$B", B).replace("$C", C);
        for size in 1..=stream.len() {
            let data: Vec<_> = decode(1000, stream.as_bytes().chunks(size))
                .into_iter()
                .map(|seen| match seen {
                    Seen::Event(_, data) => String::from_utf8(data).unwrap(),
                    Seen::Comment => ":".to_owned(),
                    Seen::TooLarge => "too large".to_owned(),
                })
                .collect();
            assert_eq!(data, *expected, "{what}, in pieces of {size}");
        }
    }
}

#[test]
fn without_blank_lines_the_data_lines_make_one_event() {
    // JSON on one line has no line feed, so the reader can separate the lines again.
    let stream = format!("data: {A}\ndata: {B}\ndata: {C}\ndata: [DONE]\n");
    let joined = [A, B, C, "[DONE]"].join("\n").into_bytes();
    let seen = decode(1000, [stream.as_bytes()]);
    assert_eq!(seen, [Seen::Event(Vec::new(), joined)]);
}

#[test]
fn errors_in_the_stream_are_known_by_their_name() {
    let expected = [Seen::Event(b"error".to_vec(), br#"{"code":500}"#.to_vec())];
    for stream in
        ["error: {\"code\":500}\n\n", "event: error\ndata: {\"code\":500}\n\n", "error:{\"code\":500}"]
    {
        assert_eq!(decode(100, [stream.as_bytes()]), expected, "{stream:?}");
    }
}
