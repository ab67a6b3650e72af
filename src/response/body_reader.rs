//! Reads the body of a successful reply: server-sent events, one JSON document, or JSON lines.

use super::chunk_reader::ChunkReader;
use super::context::ReplyContext;
use super::finished::Finished;
use super::outcome::{End, Failure};
use super::stats::ReplyStats;
use crate::bounds;
use crate::config::Limits;
use crate::error::ApiError;
use crate::json::DepthScanner;
use crate::report::Report;
use crate::sse::decode::Decoder;

/// Reads the upstream's body. The first byte decides which form it has. Times are Unix seconds.
#[derive(Debug)]
pub(super) struct BodyReader {
    source: Source,
    chunks: ChunkReader,
    limits: Limits,
    wants_stream: bool,
}

/// The form of the body.
#[derive(Debug)]
enum Source {
    /// Only white space so far; or a line of JSON ended and the next has not begun.
    Unknown,
    Events(Decoder),
    /// The complete reply, or one line of a stream of JSON lines.
    Document {
        body: Vec<u8>,
        depth: DepthScanner,
    },
}

impl BodyReader {
    pub(super) fn new(context: ReplyContext, seed: u128, now: u64) -> Self {
        let (limits, wants_stream) = (context.limits, context.stream);
        let chunks = ChunkReader::new(context, seed, now);
        Self { source: Source::Unknown, chunks, limits, wants_stream }
    }

    /// Takes the next bytes and appends what the client gets now. Returns the result if the reply ends with them.
    pub(super) fn push(&mut self, bytes: &[u8], now: u64, out: &mut Vec<u8>) -> Option<Finished> {
        match self.read(bytes, now) {
            Ok(()) => {
                self.chunks.stream.take_frames(out);
                None
            }
            Err(end) => Some(self.finish(end, now, out)),
        }
    }

    /// The body ended: appends what is left for the client.
    pub(super) fn end(&mut self, now: u64, out: &mut Vec<u8>) -> Finished {
        let end = self.read_end(now).err().unwrap_or(End::Unmarked);
        self.finish(end, now, out)
    }

    /// What was dropped or repaired so far.
    pub(super) fn report(&self) -> &Report {
        self.chunks.stream.report()
    }

    /// Whether the model has produced text, reasoning or a call.
    pub(super) fn has_output(&self) -> bool {
        self.chunks.stream.has_output()
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> ReplyStats {
        self.chunks.stats()
    }

    fn finish(&mut self, end: End, now: u64, out: &mut Vec<u8>) -> Finished {
        let stream = &mut self.chunks.stream;
        let outcome = stream.end(end, now);
        stream.take_frames(out);
        if !self.wants_stream {
            out.extend_from_slice(&stream.document(&outcome, now));
        }
        let stored = stream.take_stored();
        Finished {
            stored,
            report: self.report().clone(),
            has_output: self.has_output(),
            stats: ReplyStats { incomplete: matches!(outcome, Err(Failure::Incomplete(_))), ..self.stats() },
            error: match outcome {
                Err(Failure::Failed(error)) => Some(error),
                Ok(()) | Err(Failure::Incomplete(_)) => None,
            },
        }
    }

    fn read(&mut self, bytes: &[u8], now: u64) -> Result<(), End> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match &mut self.source {
                Source::Unknown => rest = self.recognise(rest, now)?,
                Source::Events(decoder) => {
                    while let Some(frame) = decoder.next(&mut rest)? {
                        self.chunks.frame(frame, now)?;
                    }
                }
                Source::Document { body, depth } => {
                    let (document, after) = depth.split(rest);
                    body.extend_from_slice(document);
                    rest = after;
                    if depth.closed() {
                        self.read_document(now)?;
                    } else if body.len() > self.limits.reply_bytes {
                        return Err(bounds::reply_too_large(self.limits.reply_bytes).into());
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads the last event, line or document, which may lack its end.
    fn read_end(&mut self, now: u64) -> Result<(), End> {
        match &mut self.source {
            Source::Unknown => Ok(()),
            Source::Events(decoder) => {
                while let Some(frame) = decoder.finish()? {
                    self.chunks.frame(frame, now)?;
                }
                Ok(())
            }
            Source::Document { .. } => self.read_document(now),
        }
    }

    /// Decides the form of the body by its first byte. Returns the bytes from there on.
    fn recognise<'b>(&mut self, bytes: &'b [u8], now: u64) -> Result<&'b [u8], End> {
        let start = bytes.iter().position(|byte| !is_padding(*byte)).unwrap_or(bytes.len());
        let (padding, rest) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
        if padding.contains(&b'\n') {
            self.chunks.stream.keep_alive(now);
        }
        match rest.first() {
            None => {}
            Some(b'{' | b'[') => {
                self.source = Source::Document { body: Vec::new(), depth: DepthScanner::default() };
            }
            Some(b'<') => {
                return Err(ApiError::upstream(
                    "The upstream sent an HTML page instead of a chat completion. Check its address.",
                )
                .into());
            }
            Some(_) => self.source = Source::Events(Decoder::new(self.limits.event_bytes)),
        }
        Ok(rest)
    }

    fn read_document(&mut self, now: u64) -> Result<(), End> {
        match std::mem::replace(&mut self.source, Source::Unknown) {
            Source::Document { body, .. } => self.chunks.document(&body, now),
            Source::Unknown | Source::Events(_) => Ok(()),
        }
    }
}

/// DeepSeek sends blank lines while a request is queued. Some upstreams begin with a byte order mark.
pub(super) fn is_padding(byte: u8) -> bool {
    byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(&byte)
}
