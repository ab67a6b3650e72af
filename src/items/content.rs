//! Content parts of messages and tool outputs, in the form of Chat Completions.
//!
//! <https://developers.openai.com/api/docs/guides/images-vision>
//!
//! ```json
//! {"type": "input_text", "text": "What is this?"}
//! {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
//! {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}
//! ```

use crate::error::{ApiError, Code};
use crate::report::{Dropped, Report};
use crate::wire::chat::request::{Content, File, ImageUrl, Part};
use crate::wire::responses::{AudioPart, FilePart, ImagePart, RefusalPart, TextPart};
use crate::wire::typed::{Located, Object, RawObject};
use std::borrow::Cow;

/// Reads a `content` or an `output`: a string, or an array of parts.
pub(super) fn read<'a>(located: Located<'_, 'a>, report: &mut Report) -> Result<Content<'a>, ApiError> {
    let mut content = Content::default();
    if let Some(text) = located.value.text() {
        return Ok(Content::Text(text));
    }
    for element in located.elements("a string or an array")? {
        if let Some(part) = part(&element.object()?, report)? {
            content.append(part.into());
        }
    }
    Ok(content)
}

type ReadPart = for<'a> fn(&Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError>;

/// The types of parts. Others are rejected.
pub(super) const PARTS: &[(&str, ReadPart)] = &[
    ("input_text", text),
    ("output_text", text),
    ("text", text),
    ("summary_text", text),
    ("reasoning_text", text),
    ("refusal", refusal),
    ("input_image", image),
    ("input_file", file),
    ("input_audio", audio),
    // Only the server that encrypted it can read it.
    ("encrypted_content", |_| Ok(None)),
];

fn part<'a>(part: &Object<'_, 'a>, report: &mut Report) -> Result<Option<Part<'a>>, ApiError> {
    let kind: Cow<'_, str> = part.get("type")?;
    let Some(read) = super::lookup(PARTS, &kind) else {
        let known: Vec<&str> = PARTS.iter().map(|(known, _)| *known).collect();
        return Err(ApiError::wrong_value(part.path_to("type"), &kind, &known));
    };
    let read = read(part)?;
    if read.is_none() {
        report.dropped(Dropped::Part, &kind);
    }
    Ok(read)
}

fn text<'a>(part: &Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError> {
    Ok(Some(Part::Text { text: TextPart::of(part)?.text }))
}

/// Upstreams do not accept refusals in the history, so their text is sent.
fn refusal<'a>(part: &Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError> {
    Ok(Some(Part::Text { text: RefusalPart::of(part)?.refusal }))
}

fn audio<'a>(part: &Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError> {
    let AudioPart { input_audio: RawObject(input_audio) } = AudioPart::of(part)?;
    Ok(Some(Part::InputAudio { input_audio: input_audio.raw() }))
}

fn image<'a>(part: &Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError> {
    let image = ImagePart::of(part)?;
    let url = image.image_url.ok_or_else(|| match image.file_id {
        Some(_) => {
            unreachable_file(part, "file_id", "Send the image as `image_url`, a `data:` URL for instance.")
        }
        None => ApiError::missing(part.path_to("image_url")),
    })?;
    // Chat Completions has these three. Codex also sends `original`, which is even finer than `high`.
    let detail = match image.detail.as_deref() {
        Some("auto") => Some("auto"),
        Some("low") => Some("low"),
        Some("high" | "original") => Some("high"),
        _ => None,
    };
    Ok(Some(Part::ImageUrl { image_url: ImageUrl { url, detail } }))
}

fn file<'a>(part: &Object<'_, 'a>) -> Result<Option<Part<'a>>, ApiError> {
    let file = FilePart::of(part)?;
    match (file.file_data, file.file_url, file.file_id) {
        (Some(data), ..) => {
            let file = File { file_data: data, filename: file.filename };
            Ok(Some(Part::File { file }))
        }
        (_, Some(_), _) => Err(unreachable_file(part, "file_url", "Send its content as `file_data`.")),
        (_, _, Some(_)) => Err(unreachable_file(part, "file_id", "Send its content as `file_data`.")),
        _ => Err(ApiError::missing(part.path_to("file_data"))),
    }
}

fn unreachable_file(part: &Object<'_, '_>, field: &str, instead: &str) -> ApiError {
    ApiError::invalid(format!("The upstream cannot fetch a file by `{field}`. {instead}"))
        .code(Code::UnsupportedValue)
        .at(part.path_to(field))
}
