//! Parts of messages and of tool outputs, in their Chat form.

use super::{Report, Site};
use crate::chat::request::{File, ImageUrl, Part};
use crate::json::Text;
use crate::responses::{self, ApiError};

/// A `content` or an `output`: a string, an array of parts, or nothing.
pub(super) fn parts<'a>(site: &Site<'a>, report: &mut Report) -> Result<Vec<Part<'a>>, ApiError> {
    if let Some(text) = Text::of(site.raw) {
        return Ok(vec![Part::Text { text }]);
    }
    let mut parts = Vec::new();
    for element in site.elements()? {
        parts.extend(part(&element, report)?);
    }
    Ok(parts)
}

fn part<'a>(site: &Site<'a>, report: &mut Report) -> Result<Option<Part<'a>>, ApiError> {
    let part: responses::Part<'a> = site.read()?;
    let missing = |field: &str| {
        ApiError::invalid(format!("Missing required parameter: '{}'.", site.path_to(field)))
            .code("missing_required_parameter")
            .at(site.path_to(field))
    };
    let kind = part.r#type.as_deref().ok_or_else(|| missing("type"))?;
    Ok(Some(match kind {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            Part::Text { text: part.text.ok_or_else(|| missing("text"))? }
        }
        // Chat hosts know no refusals in the history; what was said is text.
        "refusal" => Part::Text { text: part.refusal.ok_or_else(|| missing("refusal"))? },
        "input_image" => Part::ImageUrl { image_url: image(site, part)? },
        "input_file" => Part::File { file: file(site, part)? },
        "input_audio" => {
            Part::InputAudio { input_audio: part.input_audio.ok_or_else(|| missing("input_audio"))? }
        }
        // Only the server that wrote it can read it.
        "encrypted_content" => {
            report.dropped("part", kind);
            return Ok(None);
        }
        _ => {
            return Err(ApiError::invalid(format!(
                "Invalid value: '{kind}'. Supported values are: 'input_text', 'output_text', 'refusal', \
                 'input_image', 'input_file' and 'input_audio'."
            ))
            .code("invalid_value")
            .at(site.path_to("type")));
        }
    }))
}

fn image<'a>(site: &Site<'a>, part: responses::Part<'a>) -> Result<ImageUrl<'a>, ApiError> {
    let url = part.image_url.ok_or_else(|| match part.file_id {
        Some(_) => {
            unreachable_file(site, "file_id", "Send the image as `image_url`, a `data:` URL for instance.")
        }
        None => ApiError::invalid("An input_image needs an `image_url`.").at(site.path_to("image_url")),
    })?;
    // Chat Completions knows these three; Codex also says `original`, the finest that there is.
    let detail = match part.detail.as_deref() {
        Some("auto") => Some("auto"),
        Some("low") => Some("low"),
        Some("high" | "original") => Some("high"),
        _ => None,
    };
    Ok(ImageUrl { url, detail })
}

fn file<'a>(site: &Site<'a>, part: responses::Part<'a>) -> Result<File<'a>, ApiError> {
    match (&part.file_data, &part.file_url, &part.file_id) {
        (Some(_), ..) => Ok(File { file_data: part.file_data, file_id: None, filename: part.filename }),
        (_, Some(_), _) => Err(unreachable_file(site, "file_url", "Send its content as `file_data`.")),
        (_, _, Some(_)) => Err(unreachable_file(site, "file_id", "Send its content as `file_data`.")),
        _ => Err(ApiError::invalid("An input_file needs `file_data`.").at(site.path_to("file_data"))),
    }
}

fn unreachable_file(site: &Site<'_>, field: &str, instead: &str) -> ApiError {
    ApiError::invalid(format!("The upstream cannot fetch a file by `{field}`. {instead}"))
        .code("unsupported_value")
        .at(site.path_to(field))
}
