//! Asks a Chat Completions upstream what it accepts and prints the plugin configuration that fits.
//!
//! ```text
//! cargo run --example probe -- https://api.example.com/v1 MODEL [--key VARIABLE] [--overflow] > plugin.json
//! ```
//!
//! It sends about forty small Chat Completions requests, each of which differs in one detail from a request that the
//! upstream has accepted ([`questions`]). It derives the configuration from the replies ([`advice`]) and tries it with two
//! turns of an agent ([`proof`]). Findings are printed to stderr, the configuration to stdout.
//!
//! `--key` names the environment variable that holds the key. The requests cost a few thousand tokens.
//! `--overflow` also sends a prompt that is longer than any context window, which some upstreams bill.

mod advice;
mod findings;
mod proof;
mod questions;
mod requests;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
mod upstream;

use findings::Findings;
use std::process::ExitCode;
use transponder::config::Config;
use upstream::Upstream;

const USAGE: &str = "\
usage: probe BASE_URL MODEL [--key VARIABLE] [--overflow] > plugin.json
  --key VARIABLE  the environment variable with the upstream's key
  --overflow      also send a prompt longer than any context window, which some upstreams bill";

struct Arguments {
    base_url: String,
    model: String,
    key: Option<String>,
    overflow: bool,
}

fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1);
    let (base_url, model) = (words.next()?, words.next()?);
    let mut arguments = Arguments { base_url, model, key: None, overflow: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--key" => arguments.key = Some(words.next()?),
            "--overflow" => arguments.overflow = true,
            _ => return None,
        }
    }
    Some(arguments)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("probe: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let key = match &arguments.key {
        None => None,
        Some(name) => Some(std::env::var(name).map_err(|_| format!("the variable {name} is not set"))?),
    };
    let upstream = Upstream::new(&arguments.base_url, &arguments.model, key)?;
    let findings = Findings::ask(&upstream, arguments.overflow)?;
    let config = advice::config(&findings, upstream.path());
    let text = serde_json::to_string_pretty(&config).map_err(|error| error.to_string())?;
    let parsed =
        Config::parse(text.as_bytes()).map_err(|error| format!("the configuration is wrong: {error}"))?;
    for warning in advice::warnings(&findings) {
        eprintln!("note: {warning}");
    }
    for asks in &findings.unanswered {
        eprintln!("note: no answer to the question whether the upstream {asks}");
    }
    println!("{text}");
    proof::play(&upstream, &parsed)
        .map_err(|why| format!("an agent's turn failed with this configuration: {why}"))?;
    eprintln!("Two turns of an agent succeed with this configuration.\n");
    Ok(())
}
