use super::*;

/// Pulls all frames out of `input`.
fn pull(decoder: &mut Decoder, mut input: &[u8], mut on: impl FnMut(Frame<'_>)) -> Result<(), TooLarge> {
    while let Some(frame) = decoder.next(&mut input)? {
        on(frame);
    }
    Ok(())
}

/// Pulls the frames that the end of the stream completes.
fn finish(decoder: &mut Decoder, mut on: impl FnMut(Frame<'_>)) -> Result<(), TooLarge> {
    while let Some(frame) = decoder.finish()? {
        on(frame);
    }
    Ok(())
}

/// The frames of `pieces`, with the end of the stream, one string each: `name|data` or `:`.
fn frames(limit: usize, pieces: &[&str]) -> Result<Vec<String>, TooLarge> {
    let mut seen = Vec::new();
    let mut on = |frame: Frame<'_>| {
        seen.push(match frame {
            Frame::Event { name, data } => [name, data].map(String::from_utf8_lossy).join("|"),
            Frame::Comment => ":".to_owned(),
        });
    };
    let mut decoder = Decoder::new(limit);
    for piece in pieces {
        pull(&mut decoder, piece.as_bytes(), &mut on)?;
    }
    finish(&mut decoder, &mut on)?;
    Ok(seen)
}

#[test]
fn rules() {
    let table: &[(&str, &str, &[&str])] = &[
        ("LF", "data: a\n\ndata: b\n\n", &["|a", "|b"]),
        ("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", &["|a", "|b"]),
        ("CRLF inside an event", "event: x\r\ndata: a\r\ndata: b\r\n\r\n", &["x|a\nb"]),
        ("CR", "data: a\r\rdata: b\r\r", &["|a", "|b"]),
        ("mixed", "data: a\r\n\ndata: b\n\rdata: c\r\r\n", &["|a", "|b", "|c"]),
        ("no space", "data:a\n\n", &["|a"]),
        ("one space of two", "data:  a \n\n", &["| a "]),
        ("only a space", "data: \n\n", &["|"]),
        ("a tab is no space", "data:\ta\n\n", &["|\ta"]),
        ("colon in value", "data: a: b\n\n", &["|a: b"]),
        ("joined", "data: a\ndata: b\n\n", &["|a\nb"]),
        ("joined with gaps", "data: a\nid: 1\n:c\ndata\ndata: b\n\n", &[":", "|a\n\nb"]),
        ("no colon", "data\n\ndata\ndata\n\ndata:", &["|", "|\n", "|"]),
        ("named", "event: x\ndata: a\n\ndata: b\n\n", &["x|a", "|b"]),
        ("named after", "data: a\nevent: x\n\n", &["x|a"]),
        ("last name wins", "event: x\nevent: y\ndata: a\n\n", &["y|a"]),
        ("name taken back", "event: x\nevent\ndata: a\n\n", &["|a"]),
        ("name without data", "event: x\n\ndata: a\n\n", &["|a"]),
        ("ignored", "id: 1\nretry: 2\nfoo: 3\nfoo\n\ndata: a\n\n", &["|a"]),
        ("literal names", "Data: a\ndata : b\n data: c\ndatas: d\n\n", &[]),
        ("comments", ": ping\n\n:\n\n:x\ndata: a\n:y\n\n", &[":", ":", ":", ":", "|a"]),
        ("BOM", "\u{feff}data: a\n\n", &["|a"]),
        ("BOM of a comment", "\u{feff}: a\n", &[":"]),
        ("one BOM only", "\u{feff}\u{feff}data: a\n\n", &[]),
        ("BOM later", "data: a\n\n\u{feff}data: b\n\n", &["|a"]),
        ("BOM after a line", "\n\u{feff}data: b\n\n", &[]),
        ("BOM in data", "data: \u{feff}\n\n", &["|\u{feff}"]),
        ("nothing", "", &[]),
        ("blank lines", "\n\r\r\n\n", &[]),
        ("error field", "error: {\"code\":500}\n\ndata: a\n\n", &["error|{\"code\":500}", "|a"]),
        ("error beats name", "error: a\nevent: x\n\n", &["error|a"]),
        ("error joins data", "data: a\nerror: b\n\n", &["error|a\nb"]),
        ("a bare object", "data: a\n\n{\"error\": 1}\n", &["|a", "|{\"error\": 1}"]),
        ("error without colon", "error\n\n", &["error|"]),
        ("end before blank line", "event: x\ndata: a\n", &["x|a"]),
        ("end before end of line", "data: a\n\ndata: b", &["|a", "|b"]),
        ("end after two lines", "data: a\ndata: b", &["|a\nb"]),
        ("end in a comment", ": pi", &[":"]),
        ("end in a name", "data: a\neve", &["|a"]),
        ("end without data", "event: x\n", &[]),
    ];
    for (what, stream, expected) in table {
        assert_eq!(frames(100, &[stream]).unwrap(), *expected, "{what}");
        let bytes: Vec<&str> = stream.split("").collect();
        assert_eq!(frames(100, &bytes).unwrap(), *expected, "{what}, one by one");
    }
}

#[test]
fn an_event_is_returned_on_the_byte_that_completes_it() {
    for stream in ["data: a\n\n", "data: a\r\r", "data: a\r\n\r", "data: a\n\r"] {
        let mut decoder = Decoder::new(100);
        let (head, last) = stream.as_bytes().split_at(stream.len() - 1);
        let mut count = 0;
        pull(&mut decoder, head, |_| count += 1).unwrap();
        assert_eq!(count, 0, "{stream:?}");
        pull(&mut decoder, last, |_| count += 1).unwrap();
        assert_eq!(count, 1, "{stream:?}");
        pull(&mut decoder, b"\n\n", |_| count += 1).unwrap();
        finish(&mut decoder, |_| count += 1).unwrap();
        assert_eq!(count, 1, "{stream:?}");
    }
}

#[test]
fn the_input_advances_past_the_frame_that_is_returned() {
    let mut decoder = Decoder::new(100);
    let mut input = b"data: a\r\n\r\n: c\ndata: b".as_slice();
    assert_eq!(decoder.next(&mut input), Ok(Some(Frame::Event { name: b"", data: b"a" })));
    assert_eq!(input, b"\n: c\ndata: b");
    assert_eq!(decoder.next(&mut input), Ok(Some(Frame::Comment)));
    assert_eq!(input, b"data: b");
    assert_eq!(decoder.next(&mut input), Ok(None));
    assert!(input.is_empty());
}

#[test]
fn a_single_data_line_in_one_piece_is_not_copied() {
    let stream = b"event: x\n: c\ndata: abc\n\ndata: def\r\n\r\n";
    let mut decoder = Decoder::new(100);
    let mut seen = 0;
    pull(&mut decoder, stream, |frame| {
        if let Frame::Event { data, .. } = frame {
            assert!(stream.as_ptr_range().contains(&data.as_ptr()));
            seen += 1;
        }
    })
    .unwrap();
    assert_eq!(seen, 2);
    assert_eq!(decoder.data.capacity(), 0);
}

#[test]
fn the_limit_counts_the_event_and_the_current_line() {
    let table = [
        (9, "data: abc\n\n"),
        (9, "data: abc"),
        (9, ":12345678\n"),
        (9, "foo: 5678\n"),
        (12, "\u{feff}data: abc\n\n"),
        // The buffered data (`abc`) and the current line.
        (12, "data: abc\ndata: def\n\n"),
        (12, "data: abc\n: comment"),
        // `abc\ndef` and the current line.
        (16, "data: abc\ndata: def\ndata: ghi\n\n"),
        (12, "event: abc\ndata: def\n\n"),
        // Each event is counted alone.
        (9, "data: abc\n\ndata: def\n\n:12345678\nevent: x\n\n\n"),
    ];
    for (size, stream) in table {
        let bytes: Vec<&str> = stream.split("").collect();
        for pieces in [&[stream][..], &bytes] {
            assert!(frames(size, pieces).is_ok(), "{stream:?}");
            let over = TooLarge { limit: size - 1 };
            assert_eq!(frames(size - 1, pieces), Err(over), "{stream:?}");
        }
    }
}

#[test]
fn nothing_is_read_after_the_limit_was_reached() {
    let over = Err(TooLarge { limit: 9 });
    let mut decoder = Decoder::new(9);
    let mut count = 0;
    let stream = b"data: abc\n\ndata: defg\n\ndata: h\n\n";
    assert_eq!(pull(&mut decoder, stream, |_| count += 1), over);
    assert_eq!(pull(&mut decoder, b"data: a\n\n", |_| count += 1), over);
    assert_eq!(pull(&mut decoder, b"", |_| count += 1), over);
    assert_eq!(finish(&mut decoder, |_| count += 1), over);
    assert_eq!(count, 1);
    assert_eq!(decoder.line.capacity() + decoder.data.capacity(), 0);
}

#[test]
fn a_large_event_does_not_stay_allocated() {
    let line = format!("data: {}\n", "x".repeat(4 * KEPT_CAPACITY));
    let mut decoder = Decoder::new(usize::MAX);
    let mut sizes = Vec::new();
    // Two lines in one piece each, one line in two pieces.
    let (head, tail) = line.as_bytes().split_at(KEPT_CAPACITY);
    for piece in [line.as_bytes(), line.as_bytes(), head, tail, b"\n"] {
        pull(&mut decoder, piece, |frame| {
            if let Frame::Event { data, .. } = frame {
                sizes.push(data.len());
            }
        })
        .unwrap();
    }
    assert_eq!(sizes, [3 * 4 * KEPT_CAPACITY + 2]);
    assert!(decoder.data.capacity() <= KEPT_CAPACITY);
    assert!(decoder.line.capacity() <= KEPT_CAPACITY);
}

#[test]
fn finish_returns_a_comment_and_then_the_event_around_it() {
    let mut decoder = Decoder::new(100);
    pull(&mut decoder, b"data: a\n: c", |frame| panic!("{frame:?}")).unwrap();
    assert_eq!(decoder.finish(), Ok(Some(Frame::Comment)));
    assert_eq!(decoder.finish(), Ok(Some(Frame::Event { name: b"", data: b"a" })));
    assert_eq!(decoder.finish(), Ok(None));
}

#[test]
fn a_megabyte_byte_by_byte() {
    let mut decoder = Decoder::new(2 << 20);
    let mut size = 0;
    let stream = [b"data: ".as_slice(), &vec![b'x'; 1 << 20], b"\n\n"].concat();
    for byte in stream.chunks(1) {
        pull(&mut decoder, byte, |frame| {
            if let Frame::Event { data, .. } = frame {
                size = data.len();
            }
        })
        .unwrap();
    }
    assert_eq!(size, 1 << 20);
}
