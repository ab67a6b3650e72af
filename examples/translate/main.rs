//! Translates a request or a reply from stdin to stdout, without Envoy.
//!
//! ```text
//! translate request [--config F] < responses.json > chat.json
//! translate stream --request responses.json [--config F] < upstream.sse > responses.sse
//! translate reply --request responses.json [--status N] [--config F] < upstream.json > responses.json
//! ```
//!
//! The exit code is 0, or 1 with the error body that a client would get. On stderr are what `request` has dropped, in the
//! format of the header `x-transponder-dropped`, and what it has repaired. If the body of an upstream's 429 says when to retry,
//! stderr has it as the header `retry-after`.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use transponder::config::Config;
use transponder::error::ApiError;
use transponder::report::Report;
use transponder::request::{self, Context, Translated};

const USAGE: &str =
    "usage: translate request|stream|reply [--request FILE] [--status N] [--config FILE] < INPUT";

struct Arguments {
    verb: String,
    request: Option<String>,
    config: Option<String>,
    status: u16,
}

/// Why there is no translation.
enum Failure {
    /// The command line is wrong.
    Usage,
    /// A file cannot be read, or is no configuration.
    File(String),
    /// The client would get an error.
    Refused(ApiError),
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match translate() {
        Ok(bytes) => print(bytes, ExitCode::SUCCESS),
        Err(Failure::Refused(error)) => {
            if let Some(seconds) = error.retry_after.filter(|_| error.status == 429) {
                eprintln!("retry-after: {seconds}");
            }
            print(error.to_json(), ExitCode::FAILURE)
        }
        Err(Failure::File(problem)) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
        Err(Failure::Usage) => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
    }
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

fn translate() -> Result<Vec<u8>, Failure> {
    let arguments = arguments().ok_or(Failure::Usage)?;
    let config = arguments.config.as_deref().map_or_else(|| Ok(Config::default()), read_config)?;
    let translated = |body: &[u8]| {
        // A fixed seed and time, so that the outputs of two runs can be compared.
        let context = Context { config: &config, seed: 0, now: 0, codex: false };
        request::translate(body, &context).map_err(Failure::Refused)
    };
    match (arguments.verb.as_str(), &arguments.request) {
        ("request", _) => {
            let translated = translated(&input()?)?;
            print_report(&translated.report);
            Ok(translated.body)
        }
        ("stream" | "reply", Some(path)) => {
            let translated = translated(&read(path)?)?;
            reply(translated, &arguments, &input()?)
        }
        _ => Err(Failure::Usage),
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::File(format!("{path}: {error}")))
}

fn input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| Failure::File(format!("stdin: {error}")))?;
    Ok(bytes)
}

fn read_config(path: &str) -> Result<Config, Failure> {
    Config::parse(&read(path)?).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{path}: {error}")).collect();
        Failure::File(lines.join("\n"))
    })
}

fn print_report(report: &Report) {
    for (what, names) in [("dropped", report.all_dropped()), ("repaired", report.all_repaired())] {
        if !names.is_empty() {
            eprintln!("{what}: {}", names.join(","));
        }
    }
}

fn reply(translated: Translated, arguments: &Arguments, input: &[u8]) -> Result<Vec<u8>, Failure> {
    if let Some(answer) = translated.answer {
        return Ok(answer);
    }
    let mut reply = translated.reply;
    let mut out = Vec::new();
    reply.begin(arguments.status);
    reply.push(input, &mut out);
    reply.end(&mut out);
    match reply.error() {
        Some(error) if arguments.verb == "reply" => Err(Failure::Refused(error.clone())),
        _ => Ok(out),
    }
}

/// Prints a document, which gets a line end, or a stream, which has it.
fn print(mut bytes: Vec<u8>, code: ExitCode) -> ExitCode {
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    match std::io::stdout().write_all(&bytes) {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
