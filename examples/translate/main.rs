//! Translates a request or a reply from stdin to stdout, without Envoy.
//!
//! ```text
//! translate request [--config F] < responses.json > chat.json
//! translate stream --request responses.json [--config F] < upstream.sse > responses.sse
//! translate reply --request responses.json [--status N] [--config F] < upstream.json > responses.json
//! ```
//!
//! The exit code is 0, or 1 with the error body that a client would get. If the body of an upstream's 429 says when to
//! retry, stderr has it as the header `retry-after`.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use transponder::config::Config;
use transponder::error::ApiError;
use transponder::request::{self, Context, Translated};

const USAGE: &str =
    "usage: translate request|stream|reply [--request FILE] [--status N] [--config FILE] < INPUT";

struct Arguments {
    verb: String,
    request: Option<String>,
    config: Option<String>,
    status: u16,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut arguments = Arguments { verb: words.next()?, request: None, config: None, status: 200 };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--request" => arguments.request = Some(value),
            "--config" => arguments.config = Some(value),
            "--status" => arguments.status = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else { return usage("") };
    let mut input = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut input) {
        return usage(&error.to_string());
    }
    let config = match read_config(&arguments) {
        Ok(config) => config,
        Err(error) => return usage(&error),
    };
    let translated = |body: &[u8]| {
        // A fixed seed and time, so that the outputs of two runs can be compared.
        request::translate(body, &Context { config: &config, seed: 0, now: 0, codex: false })
    };
    match (arguments.verb.as_str(), &arguments.request) {
        ("request", _) => finish(translated(&input).map(|translated| translated.body)),
        (verb @ ("stream" | "reply"), Some(path)) => match std::fs::read(path) {
            Ok(request) => {
                finish(translated(&request).and_then(|t| reply(t, verb, arguments.status, &input)))
            }
            Err(error) => usage(&format!("{path}: {error}")),
        },
        _ => usage(""),
    }
}

fn read_config(arguments: &Arguments) -> Result<Config, String> {
    let json = match &arguments.config {
        Some(path) => std::fs::read(path).map_err(|error| format!("{path}: {error}"))?,
        None => Vec::new(),
    };
    Config::parse(&json).map_err(|error| error.to_string())
}

fn reply(translated: Translated, verb: &str, status: u16, input: &[u8]) -> Result<Vec<u8>, ApiError> {
    if let Some(answer) = translated.answer {
        return Ok(answer);
    }
    let mut reply = translated.reply;
    let mut out = Vec::new();
    reply.begin(status);
    reply.push(input, &mut out);
    reply.end(&mut out);
    match reply.error() {
        Some(error) if verb == "reply" => Err(error.clone()),
        _ => Ok(out),
    }
}

fn finish(result: Result<Vec<u8>, ApiError>) -> ExitCode {
    let (bytes, code) = match result {
        Ok(bytes) => (bytes, ExitCode::SUCCESS),
        Err(error) => {
            if let Some(seconds) = error.retry_after.filter(|_| error.status == 429) {
                eprintln!("retry-after: {seconds}");
            }
            (error.to_json(), ExitCode::FAILURE)
        }
    };
    match std::io::stdout().write_all(&bytes) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}\n{USAGE}");
    ExitCode::FAILURE
}
