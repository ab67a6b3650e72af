//! Decodes server-sent events from bytes that arrive in pieces of any size.
//!
//! [`Decoder`] does no I/O. The caller hands it bytes and pulls frames out: [`Decoder::next`] returns the next
//! complete frame, [`Decoder::finish`] those that the end of the stream completes. The frames, and whether the size
//! limit was reached, depend only on the bytes, never on how they were split.
//!
//! # How it works
//!
//! The decoder works line by line. A line whose end has not arrived is kept in `line`, and only new bytes are searched
//! for the end, so the work is linear however small the pieces are. A complete line is parsed by [`Line::parse`] and
//! updates the current event: its `name`, its `data`. A blank line completes the event.
//!
//! Nearly every event of a model's stream is one `data` line, and nearly always it lies in one piece. Such data is not
//! copied: `next` keeps the slice in a local (`only`) and returns it in the frame. It moves to the buffer `data` when
//! a second line joins it, or when `next` returns before the event is complete.
//!
//! A frame may borrow the buffers, so they are cleared when the next frame is pulled ([`Event::Returned`]).
//!
//! # Advice for changes
//!
//! * A CR ends its line at once. The LF that may follow can take long to arrive, and an event must not wait for it.
//!   [`State::AfterCr`] then skips that LF, in this piece or the next.
//! * The limit is checked where a line ends and where a piece ends, always on the same sum: the current line and all
//!   that the event holds. If anything that depends on the split were counted, the same stream could pass or fail.
//!
//! # The specification
//!
//! It is [the HTML Standard, 9.2.6][spec]; its sentences are quoted above the code that implements them. The
//! differences:
//!
//! * A field named `error` (older llama.cpp writes `error: {...}` in place of `data: {...}`) is data, and makes the
//!   event's name `error`, whatever its `event` field says.
//! * A line that begins with `{` is data. No field has such a name, but some providers write an error as bare JSON
//!   between the events.
//! * The end of the stream completes an event that lacks its blank line, because many providers leave that line out.
//!   The last line may then be truncated; the reader of its data will notice.
//! * Comments are reported, without their text: they show that the upstream is alive.
//! * `id` and `retry` are ignored: a reply is never resumed.
//! * An event without a name has an empty name, not `message`.
//! * Names and data are bytes. The reader of the data decides what to do with invalid UTF-8.
//!
//! [spec]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

#[cfg(test)]
mod tests;

use memchr::{memchr, memchr2};

/// Bytes that an empty buffer may keep allocated, so that one large event does not cost its size for the rest of the
/// stream. Ordinary events stay far below and reuse their buffer.
const KEPT_CAPACITY: usize = 64 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One frame of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// An event that has data, possibly empty.
    Event {
        /// The `event` field as written, empty if there was none.
        name: &'a [u8],
        /// The `data` fields, joined with line feeds.
        data: &'a [u8],
    },
    /// A comment line (`: keep-alive`).
    Comment,
}

/// One event of the stream is larger than the limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct TooLarge {
    /// The limit that was given to [`Decoder::new`].
    pub limit: usize,
}

/// A decoder of server-sent events that holds a bounded number of bytes. See the [module](self) for how it works.
///
/// ```
/// use transponder::sse::decode::{Decoder, Frame};
///
/// let mut decoder = Decoder::new(1024);
/// let mut seen = Vec::new();
/// for piece in ["data: hel", "lo\r", "\n\r\n: ping\n"] {
///     let mut input = piece.as_bytes();
///     while let Some(frame) = decoder.next(&mut input)? {
///         match frame {
///             Frame::Event { data, .. } => seen.push(data.to_vec()),
///             Frame::Comment => seen.push(b"(comment)".to_vec()),
///         }
///     }
/// }
/// assert_eq!(seen, [&b"hello"[..], b"(comment)"]);
/// # Ok::<(), transponder::sse::decode::TooLarge>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    state: State,
    event: Event,
    /// The part of the current line that earlier pieces held.
    line: Vec<u8>,
    /// The name of the current event.
    name: Vec<u8>,
    /// The data of the current event, as far as it was buffered.
    data: Vec<u8>,
}

/// Where in the stream the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the first line, before which a byte order mark may come.
    Start,
    /// In any other line.
    Line,
    /// At the start of a line, after a CR: an LF here belongs to that CR.
    AfterCr,
    /// The limit was reached. Nothing is read any more.
    Overflowed,
}

/// The state of the current event after the lines so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// It has no data yet.
    Empty,
    /// It has data.
    Data,
    /// It has data, at least part of it from an `error` field.
    Error,
    /// It was returned. The buffers must be cleared before anything else is read.
    Returned,
}

impl Decoder {
    /// A decoder at the start of a stream.
    ///
    /// `max_event` limits the bytes of one event: the current line (without its end) together with the name and the
    /// joined data of the lines before it. Comments and ignored fields count while they are the current line. The line
    /// feed that joins the last line and spare capacity, up to about twice the limit, are not counted.
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            limit: max_event,
            state: State::Start,
            event: Event::Empty,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Returns the next complete frame and advances `input` past it. Returns `None` when all of `input` was read and
    /// more is needed.
    ///
    /// # Errors
    ///
    /// An event is larger than the limit. The frames before it were returned and its own bytes are freed. Every later
    /// call returns the same error and reads nothing, because it is unknown where the next event begins.
    pub fn next<'a, 'b: 'a>(&'a mut self, input: &mut &'b [u8]) -> Result<Option<Frame<'a>>, TooLarge> {
        self.clear_returned();
        if self.state == State::Overflowed {
            return Err(TooLarge { limit: self.limit });
        }
        if input.is_empty() {
            return Ok(None);
        }
        // The data of the current event, while it is a single line of this input.
        let mut only: Option<&'b [u8]> = None;

        // "The stream must then be parsed by reading everything line by line, with a U+000D
        // CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair, a single U+000A LINE FEED (LF)
        // character not preceded by a U+000D CARRIAGE RETURN (CR) character, and a single U+000D
        // CARRIAGE RETURN (CR) character not followed by a U+000A LINE FEED (LF) character being
        // the ways in which a line can end."
        while let Some((first, after_first)) = input.split_first() {
            if self.state == State::AfterCr {
                self.state = State::Line;
                if *first == b'\n' {
                    *input = after_first;
                    continue;
                }
            }
            let Some((line, end, rest)) = split_line(input) else { break };
            *input = rest;
            self.check(line.len() + only.map_or(0, <[u8]>::len))?;
            let line = if self.line.is_empty() {
                let line = self.without_bom(line);
                self.read_line(line, &mut only)
            } else {
                self.line.extend_from_slice(line);
                self.read_buffered_line()
            };
            self.state = if end == b'\r' { State::AfterCr } else { State::Line };
            match line {
                Read::Field => {}
                Read::Comment => {
                    self.buffer(only);
                    return Ok(Some(Frame::Comment));
                }
                // "If the data buffer is an empty string, set the data buffer and the event type buffer
                // to the empty string and return." A data field with an empty value has put an LF there.
                Read::Blank if self.event == Event::Empty => clear(&mut self.name),
                Read::Blank => return Ok(Some(self.complete_event(only))),
            }
        }

        let rest = std::mem::take(input);
        self.check(rest.len() + only.map_or(0, <[u8]>::len))?;
        self.line.extend_from_slice(rest);
        self.buffer(only);
        Ok(None)
    }

    /// The stream ended: returns the frames of a last event that lacks its blank line, or even the end of its last
    /// line. Call it until it returns `None`.
    ///
    /// # Errors
    ///
    /// An earlier call found an event that is too large.
    pub fn finish(&mut self) -> Result<Option<Frame<'_>>, TooLarge> {
        // "Once the end of the file is reached, any pending data must be discarded."
        // We differ: the end of the stream acts as the end of a line and a blank line.
        let mut line_ends: &[u8] = b"\n\n";
        self.next(&mut line_ends)
    }

    /// Clears the event that the last call returned.
    fn clear_returned(&mut self) {
        if self.event == Event::Returned {
            clear(&mut self.name);
            clear(&mut self.data);
            self.event = Event::Empty;
        }
    }

    /// Fails if `more` bytes exceed the limit together with those that are held, and frees the held ones.
    #[inline]
    fn check(&mut self, more: usize) -> Result<(), TooLarge> {
        let held = self.line.len() + self.name.len() + self.data.len();
        if held + more <= self.limit {
            return Ok(());
        }
        *self = Self { state: State::Overflowed, ..Self::new(self.limit) };
        Err(TooLarge { limit: self.limit })
    }

    /// "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
    fn without_bom<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        match self.state {
            State::Start => line.strip_prefix(BOM).unwrap_or(line),
            _ => line,
        }
    }

    /// Reads the complete line in the buffer. It was the first to end in this input, so the event has no data that is
    /// not buffered.
    fn read_buffered_line(&mut self) -> Read {
        let mut line = std::mem::take(&mut self.line);
        let mut only = None;
        let read = self.read_line(self.without_bom(&line), &mut only);
        self.buffer(only);
        clear(&mut line);
        self.line = line;
        read
    }

    /// Applies a complete line to the current event.
    fn read_line<'l>(&mut self, line: &'l [u8], only: &mut Option<&'l [u8]>) -> Read {
        match Line::parse(line) {
            Line::Blank => return Read::Blank,
            Line::Comment => return Read::Comment,
            // "If the field name is "event": Set the event type buffer to field value."
            Line::Field(b"event", value) => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            // "If the field name is "data": Append the field value to the data buffer, then
            // append a single U+000A LINE FEED (LF) character to the data buffer."
            Line::Field(field @ (b"data" | b"error"), value) => {
                if self.event == Event::Empty {
                    *only = Some(value);
                } else {
                    self.buffer(only.take());
                    // Between lines only, so that the last LF need not be removed at the end.
                    self.data.push(b'\n');
                    self.data.extend_from_slice(value);
                }
                if field == b"error" || self.event == Event::Error {
                    self.event = Event::Error;
                } else {
                    self.event = Event::Data;
                }
            }
            // "Otherwise: The field is ignored."
            Line::Field(..) => {}
        }
        Read::Field
    }

    /// Copies the event's only data line to the buffer.
    fn buffer(&mut self, only: Option<&[u8]>) {
        self.data.extend_from_slice(only.unwrap_or_default());
    }

    /// The current event, which has data: `only`, or else what is buffered.
    fn complete_event<'a>(&'a mut self, only: Option<&'a [u8]>) -> Frame<'a> {
        let is_error = self.event == Event::Error;
        self.event = Event::Returned;
        Frame::Event {
            name: if is_error { b"error" } else { &self.name },
            // "If the data buffer's last character is a U+000A LINE FEED (LF) character,
            // then remove the last character from the data buffer."
            data: only.unwrap_or(&self.data),
        }
    }
}

/// The meaning of a line.
enum Read {
    /// A field; the event holds its value if it matters.
    Field,
    Comment,
    Blank,
}

/// A complete line, without its end.
enum Line<'a> {
    Blank,
    Comment,
    /// A field's name and value.
    Field(&'a [u8], &'a [u8]),
}

impl<'a> Line<'a> {
    fn parse(line: &'a [u8]) -> Self {
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

/// Splits off the first line: its content, the byte that ends it, and the bytes after it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (line, rest) = bytes.split_at_checked(memchr2(b'\n', b'\r', bytes)?)?;
    let (end, rest) = rest.split_first()?;
    Some((line, *end, rest))
}

/// Empties a buffer, and frees its memory if one event made it large.
fn clear(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_CAPACITY);
}
