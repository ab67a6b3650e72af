//! Reads server-sent events from bytes that arrive in pieces of any size.
//!
//! [`Decoder`] is driven by its caller and does no I/O: [`Decoder::push`] takes the next bytes
//! and calls back for each frame that became whole, [`Decoder::finish`] says that no more will
//! come. The frames, and whether the cap was reached, depend only on the bytes, never on how
//! they were cut.
//!
//! # How it works
//!
//! The unit is the line. A line whose end is not yet in sight is kept in `line`, and only the
//! new bytes are searched for its end, so the work is linear however small the pieces are.
//! A complete line is read by [`Line::read`] and changes the event under way: its `name`, its
//! `data`. A blank line hands the event over and clears both.
//!
//! Nearly every event of a model's stream is one `data` line, and nearly always it lies whole in
//! one piece. Such data is never copied: `push` remembers where it lies (`only`) and hands out
//! that slice. It moves to the buffer `data` when a second line joins it, or when the piece ends
//! before the event does.
//!
//! # To mind when changing it
//!
//! * A CR ends its line at once, because the LF that may follow can be a long time coming, and
//!   an event must not wait for it. `after_cr` then swallows that LF, in this piece or the next.
//! * The cap is checked where a line ends and where a piece ends, always on the same sum: the
//!   line so far and all that the event holds. Counting anything that depends on the cut would
//!   make one and the same stream pass or fail by chance.
//!
//! # The specification
//!
//! It is [the HTML Standard, 9.2.6][spec]; its sentences are quoted above the steps that obey
//! them. The differences:
//!
//! * A field named `error` (older llama.cpp writes `error: {...}` instead of `data: {...}`) is
//!   data, and makes the event's name `error`, whatever its `event` field says.
//! * A line that begins with `{` is data: no field is called so, but hosts put an error between the events as it is.
//! * An event that the stream's end leaves without its blank line is handed over: many hosts
//!   leave that line out. The last line may then be cut short; its reader will see that.
//! * Comments are reported, without their text: they prove that the upstream lives.
//! * `id` and `retry` are ignored: a reply is never resumed.
//! * A name that was not given is empty, not `message`.
//! * Bytes stay bytes. Whether they are UTF-8 is for the reader of the data to decide.
//!
//! [spec]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

use memchr::{memchr, memchr2};

/// What an empty buffer may keep allocated, so that one large event does not cost its size
/// for the rest of the stream. Ordinary events stay far below and reuse their buffer.
const KEEP: usize = 64 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What the decoder found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event that has data, be it empty.
    Event {
        /// The `event` field as written, empty if there was none.
        name: &'a [u8],
        /// The `data` fields, joined with line feeds.
        data: &'a [u8],
    },
    /// A comment line (`: keep-alive`).
    Comment,
}

/// One event of the stream is larger than the cap allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct TooLarge {
    /// The cap that was given to [`Decoder::new`].
    pub limit: usize,
}

/// A bounded decoder of server-sent events. See the [module](self) for how it works.
///
/// ```
/// use transponder::sse::decode::{Decoder, Frame};
///
/// let mut decoder = Decoder::new(1024);
/// let mut seen = Vec::new();
/// for piece in ["data: hel", "lo\r", "\n\r\n: ping\n"] {
///     decoder.push(piece.as_bytes(), |frame| match frame {
///         Frame::Event { data, .. } => seen.push(data.to_vec()),
///         Frame::Comment => seen.push(b"(comment)".to_vec()),
///     })?;
/// }
/// assert_eq!(seen, [&b"hello"[..], b"(comment)"]);
/// # Ok::<(), transponder::sse::decode::TooLarge>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// The cap was reached; nothing is read any more.
    over: bool,
    /// No line has ended yet, so a byte order mark may stand before the first.
    at_start: bool,
    /// The last line ended in CR; an LF right after it belongs to it.
    after_cr: bool,
    /// The line under way: what earlier pieces held of it.
    line: Vec<u8>,
    /// The event under way: its name, and its data so far if it has any.
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_error: bool,
}

impl Decoder {
    /// A decoder at the start of a stream.
    ///
    /// `max_event` caps the bytes of one event: the line under way (without its end) together
    /// with the name and the joined data of the lines before it. Comments and ignored fields
    /// count while they are the line under way. On top come the line feed that joins the last
    /// line, and spare room of the buffers, up to about twice the cap.
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            limit: max_event,
            over: false,
            at_start: true,
            after_cr: false,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_error: false,
        }
    }

    /// Takes the next bytes, calls `on` for each frame that became whole.
    ///
    /// # Errors
    ///
    /// When an event outgrows the cap. The frames before it were handed over, its own bytes are
    /// freed, and every later call returns the same error without looking at its bytes: where
    /// the next event would begin can no longer be told.
    pub fn push(&mut self, bytes: &[u8], mut on: impl FnMut(Frame<'_>)) -> Result<(), TooLarge> {
        self.check(0)?;
        let mut rest = bytes;
        // The data of the event under way, while it is a single line of this piece.
        let mut only = None;

        // "The stream must then be parsed by reading everything line by line, with a U+000D
        // CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair, a single U+000A LINE FEED (LF)
        // character not preceded by a U+000D CARRIAGE RETURN (CR) character, and a single U+000D
        // CARRIAGE RETURN (CR) character not followed by a U+000A LINE FEED (LF) character being
        // the ways in which a line can end."
        while let Some((first, tail)) = rest.split_first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                rest = tail;
                continue;
            }
            let Some((line, end, tail)) = split_line(rest) else {
                break;
            };
            rest = tail;
            self.after_cr = end == b'\r';
            self.check(line.len() + only.map_or(0, <[u8]>::len))?;
            if self.line.is_empty() {
                self.take_line(line, &mut only, &mut on);
            } else {
                self.line.extend_from_slice(line);
                self.take_held_line(&mut on);
            }
        }

        self.check(rest.len() + only.map_or(0, <[u8]>::len))?;
        self.line.extend_from_slice(rest);
        self.join(only);
        Ok(())
    }

    /// The stream ended: hands over a last event that lacks its blank line, or even the end of
    /// its last line. The decoder then stands at the start of a new stream.
    ///
    /// # Errors
    ///
    /// When an earlier call found an event that is too large.
    pub fn finish(&mut self, mut on: impl FnMut(Frame<'_>)) -> Result<(), TooLarge> {
        self.check(0)?;
        // "Once the end of the file is reached, any pending data must be discarded."
        // We differ: see the module.
        if !self.line.is_empty() {
            self.take_held_line(&mut on);
        }
        self.dispatch(None, &mut on);
        *self = Self::new(self.limit);
        Ok(())
    }

    /// Whether `more` bytes still fit beside what is held. If not, lets go of everything.
    fn check(&mut self, more: usize) -> Result<(), TooLarge> {
        let held = self.line.len() + self.name.len() + self.data.len();
        if self.over || held + more > self.limit {
            *self = Self { over: true, ..Self::new(self.limit) };
            return Err(TooLarge { limit: self.limit });
        }
        Ok(())
    }

    /// Reads the line in the buffer, which is complete.
    fn take_held_line(&mut self, on: &mut impl FnMut(Frame<'_>)) {
        let mut line = std::mem::take(&mut self.line);
        // A held line is the first to end in its piece, so no data lies in that piece yet.
        let mut only = None;
        self.take_line(&line, &mut only, on);
        self.join(only);
        clear(&mut line);
        self.line = line;
    }

    /// Lets one complete line act on the event under way.
    fn take_line<'a>(
        &mut self,
        mut line: &'a [u8],
        only: &mut Option<&'a [u8]>,
        on: &mut impl FnMut(Frame<'_>),
    ) {
        // "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        match Line::read(line) {
            Line::Blank => self.dispatch(only.take(), on),
            Line::Comment => on(Frame::Comment),
            // "If the field name is "event": Set the event type buffer to field value."
            Line::Field(b"event", value) => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // "If the field name is "data": Append the field value to the data buffer, then
            // append a single U+000A LINE FEED (LF) character to the data buffer."
            Line::Field(field @ (b"data" | b"error"), value) => {
                self.is_error |= field == b"error";
                if self.has_data || only.is_some() {
                    self.join(only.take());
                    self.join(Some(value));
                } else {
                    *only = Some(value);
                }
            }
            // "Otherwise: The field is ignored."
            Line::Field(..) => {}
        }
    }

    /// Copies a data line behind those in the buffer.
    fn join(&mut self, value: Option<&[u8]>) {
        let Some(value) = value else { return };
        // Between lines only, so that the last LF need not be taken off again at the end.
        if self.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        self.has_data = true;
    }

    /// Hands over the event under way, if there is one, and begins the next. Its data is `only`,
    /// or else lies in the buffer.
    fn dispatch(&mut self, only: Option<&[u8]>, on: &mut impl FnMut(Frame<'_>)) {
        // "If the data buffer is an empty string, set the data buffer and the event type buffer
        // to the empty string and return." A data field with an empty value has put an LF there.
        if self.has_data || only.is_some() {
            on(Frame::Event {
                name: if self.is_error { b"error" } else { &self.name },
                // "If the data buffer's last character is a U+000A LINE FEED (LF) character,
                // then remove the last character from the data buffer."
                data: only.unwrap_or(&self.data),
            });
        }
        clear(&mut self.name);
        clear(&mut self.data);
        self.has_data = false;
        self.is_error = false;
    }
}

/// A complete line, without its end.
enum Line<'a> {
    Blank,
    Comment,
    /// A field's name and value.
    Field(&'a [u8], &'a [u8]),
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Self {
        match memchr(b':', line) {
            // We differ: see the module.
            _ if line.starts_with(b"{") => Self::Field(b"data", line),
            // "If the line is empty (a blank line): Dispatch the event, as defined below."
            None if line.is_empty() => Self::Blank,
            // "If the line starts with a U+003A COLON character (:): Ignore the line."
            Some(0) => Self::Comment,
            // "If the line contains a U+003A COLON character (:): Collect the characters on the
            // line before the first U+003A COLON character (:), and let field be that string.
            // Collect the characters on the line after the first U+003A COLON character (:), and
            // let value be that string. If value starts with a U+0020 SPACE character, remove it
            // from value."
            Some(colon) => {
                let (field, value) = line.split_at_checked(colon).unwrap_or((line, b""));
                let value = value.strip_prefix(b":").unwrap_or(value);
                Self::Field(field, value.strip_prefix(b" ").unwrap_or(value))
            }
            // "Otherwise, the string is not empty but does not contain a U+003A COLON character
            // (:): Process the field using [...] the whole line as the field name, and the empty
            // string as the field value."
            None => Self::Field(line, b""),
        }
    }
}

/// Splits off the first line: what it holds, the byte that ends it, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (line, rest) = bytes.split_at_checked(memchr2(b'\n', b'\r', bytes)?)?;
    let (end, rest) = rest.split_first()?;
    Some((line, *end, rest))
}

/// Empties a buffer, and gives back its memory if one event made it large.
fn clear(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEEP);
}

#[cfg(test)]
mod tests {
    use super::*;

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
            decoder.push(piece.as_bytes(), &mut on)?;
        }
        decoder.finish(&mut on)?;
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
    fn an_event_goes_out_on_the_byte_that_ends_it() {
        for stream in ["data: a\n\n", "data: a\r\r", "data: a\r\n\r", "data: a\n\r"] {
            let mut decoder = Decoder::new(100);
            let (head, last) = stream.as_bytes().split_at(stream.len() - 1);
            let mut count = 0;
            decoder.push(head, |_| count += 1).unwrap();
            assert_eq!(count, 0, "{stream:?}");
            decoder.push(last, |_| count += 1).unwrap();
            assert_eq!(count, 1, "{stream:?}");
            decoder.push(b"\n\n", |_| count += 1).unwrap();
            decoder.finish(|_| count += 1).unwrap();
            assert_eq!(count, 1, "{stream:?}");
        }
    }

    #[test]
    fn a_single_data_line_of_one_piece_is_not_copied() {
        let stream = b"event: x\n: c\ndata: abc\n\ndata: def\r\n\r\n";
        let mut decoder = Decoder::new(100);
        let mut seen = 0;
        decoder
            .push(stream, |frame| {
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
    fn the_cap() {
        let table = [
            (9, "data: abc\n\n"),
            (9, "data: abc"),
            (9, ":12345678\n"),
            (9, "foo: 5678\n"),
            (12, "\u{feff}data: abc\n\n"),
            // What earlier lines left (`abc`) and the line under way.
            (12, "data: abc\ndata: def\n\n"),
            (12, "data: abc\n: comment"),
            // `abc\ndef` and the line under way.
            (16, "data: abc\ndata: def\ndata: ghi\n\n"),
            (12, "event: abc\ndata: def\n\n"),
            // Each event begins anew.
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
    fn after_the_cap_nothing_is_read() {
        let over = Err(TooLarge { limit: 9 });
        let mut decoder = Decoder::new(9);
        let mut count = 0;
        let stream = b"data: abc\n\ndata: defg\n\ndata: h\n\n";
        assert_eq!(decoder.push(stream, |_| count += 1), over);
        assert_eq!(decoder.push(b"data: a\n\n", |_| count += 1), over);
        assert_eq!(decoder.push(b"", |_| count += 1), over);
        assert_eq!(decoder.finish(|_| count += 1), over);
        assert_eq!(count, 1);
        assert_eq!(decoder.line.capacity() + decoder.data.capacity(), 0);
    }

    #[test]
    fn a_large_event_does_not_stay_allocated() {
        let line = format!("data: {}\n", "x".repeat(4 * KEEP));
        let mut decoder = Decoder::new(usize::MAX);
        let mut sizes = Vec::new();
        // Twice whole, once in two pieces.
        let (head, tail) = line.as_bytes().split_at(KEEP);
        for piece in [line.as_bytes(), line.as_bytes(), head, tail, b"\n"] {
            decoder
                .push(piece, |frame| {
                    if let Frame::Event { data, .. } = frame {
                        sizes.push(data.len());
                    }
                })
                .unwrap();
        }
        assert_eq!(sizes, [3 * 4 * KEEP + 2]);
        assert!(decoder.data.capacity() <= KEEP);
        assert!(decoder.line.capacity() <= KEEP);
    }

    #[test]
    fn finish_begins_a_new_stream() {
        let mut decoder = Decoder::new(100);
        let mut count = 0;
        decoder.push(b"data: a\r", |_| count += 1).unwrap();
        decoder.finish(|_| count += 1).unwrap();
        decoder.finish(|_| count += 1).unwrap();
        assert_eq!(count, 1);
        // Neither the CR nor the first line of the old stream is remembered.
        decoder.push(b"\xEF\xBB\xBFdata: b\n\n", |_| count += 1).unwrap();
        assert_eq!(count, 2);
    }

    #[test]
    fn a_megabyte_byte_by_byte() {
        let mut decoder = Decoder::new(2 << 20);
        let mut size = 0;
        let stream = [b"data: ".as_slice(), &vec![b'x'; 1 << 20], b"\n\n"].concat();
        for byte in stream.chunks(1) {
            decoder
                .push(byte, |frame| {
                    if let Frame::Event { data, .. } = frame {
                        size = data.len();
                    }
                })
                .unwrap();
        }
        assert_eq!(size, 1 << 20);
    }
}
