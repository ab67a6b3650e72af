//! `make codex-config`: points an installed Codex CLI at the filter.
//!
//! It adds a provider to `$CODEX_HOME/config.toml` and a profile beside it. `codex --profile transponder` then uses the filter,
//! and `codex` alone works as before. Both files are edited in place: comments and order are kept, correct settings are not
//! touched, and the old file is kept as a backup.
//!
//! The parameters are environment variables, as for `make run`; [`HELP`] lists them.

mod edit;
mod file;
mod upstream;

use edit::{Profile, Provider, Window};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use upstream::Upstream;

const HELP: &str = "\
make codex-config: points an installed Codex CLI at the filter.

  BASE_URL   where the filter listens     (default: http://127.0.0.1:8080/v1)
  MODEL      the model to request         (default: the upstream's model, if it has only one)
  ENV_KEY    the environment variable that holds the upstream's key (default: no key is sent)
  CONTEXT    the model's context window in tokens (default: what the filter's catalogue or the upstream reports)
  PROVIDER   the provider's id in config.toml and the profile's name (default: transponder)
  SEARCH=1   lets Codex search the web through the filter, which needs `search` in its configuration
  DEFAULT=1  also makes it the default, so that `codex` without --profile uses it
  DRY_RUN=1  only shows the changes
";

/// The parameters.
struct Parameters {
    base_url: String,
    model: Option<String>,
    env_key: Option<String>,
    context: Option<u64>,
    provider: String,
    search: bool,
    default: bool,
    dry_run: bool,
}

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        print!("{HELP}");
        return ExitCode::FAILURE;
    }
    match parameters().and_then(|parameters| configure(&parameters)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("codex-config: {why}");
            ExitCode::FAILURE
        }
    }
}

/// An environment variable. An empty one counts as unset, because make exports unset parameters as empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a parameter is on: every value counts but those that say no, as for `make run`.
fn switch(name: &str) -> bool {
    variable(name).is_some_and(|value| !["0", "no", "false"].contains(&value.as_str()))
}

fn parameters() -> Result<Parameters, String> {
    let context = variable("CONTEXT")
        .map(|text| text.parse().map_err(|_| format!("CONTEXT={text} is not a number of tokens")));
    let parameters = Parameters {
        base_url: variable("BASE_URL").unwrap_or_else(|| "http://127.0.0.1:8080/v1".to_owned()),
        model: variable("MODEL"),
        env_key: variable("ENV_KEY"),
        context: context.transpose()?,
        provider: variable("PROVIDER").unwrap_or_else(|| "transponder".to_owned()),
        search: switch("SEARCH"),
        default: switch("DEFAULT"),
        dry_run: switch("DRY_RUN"),
    };
    check(&parameters)?;
    Ok(parameters)
}

/// The ids of Codex's built-in providers.
const BUILT_IN: &[&str] = &["openai", "ollama", "lmstudio", "amazon-bedrock"];

fn check(parameters: &Parameters) -> Result<(), String> {
    let Parameters { base_url, provider, .. } = parameters;
    if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        return Err(format!("BASE_URL={base_url} is not a URL such as http://127.0.0.1:8080/v1"));
    }
    if base_url.trim_end_matches('/').ends_with("/responses") {
        return Err("BASE_URL is the base URL, without /responses".to_owned());
    }
    // Codex's rule for the names of profiles.
    let plain = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if provider.is_empty() || !provider.chars().all(plain) {
        return Err(format!("PROVIDER={provider} may only hold letters, digits, `-` and `_`"));
    }
    if BUILT_IN.contains(&provider.as_str()) {
        return Err(format!("PROVIDER={provider} is one of Codex's own; choose another id"));
    }
    Ok(())
}

fn configure(parameters: &Parameters) -> Result<(), String> {
    let home = codex_home()?;
    let upstream =
        upstream::ask(&parameters.base_url, parameters.env_key.as_deref().and_then(variable).as_deref());
    let model = match &parameters.model {
        Some(model) => model.clone(),
        None => upstream.only_model(&parameters.base_url)?,
    };
    let described = upstream.describes(&model);
    let profile = Profile {
        provider: &parameters.provider,
        model: &model,
        search: parameters.search,
        context: match parameters.context {
            Some(tokens) => Window::Tokens(tokens),
            None if described => Window::InCatalog,
            None => upstream.context_of(&model).map_or(Window::Unknown, Window::Tokens),
        },
    };
    let base_url = parameters.base_url.trim_end_matches('/');
    let catalog = described.then(|| format!("{base_url}/models"));
    let provider = Provider {
        id: &parameters.provider,
        base_url,
        env_key: parameters.env_key.as_deref(),
        catalog: catalog.as_deref(),
        search: parameters.search,
    };
    let config = home.join("config.toml");
    let layer = home.join(format!("{}.config.toml", parameters.provider));
    let default = parameters.default.then_some(&profile);
    // Both edits are prepared before the first one is written, because one without the other is useless.
    let edits = [
        file::Edit::of(config, |text| edit::config(text, &provider, default))?,
        file::Edit::of(layer.clone(), |text| edit::profile(text, &profile))?,
    ];
    for edit in &edits {
        edit.show();
        if !parameters.dry_run {
            edit.write()?;
        }
    }
    conclude(parameters, &layer, &profile, &upstream, edits.iter().any(file::Edit::changes));
    Ok(())
}

/// The directory of Codex's configuration.
fn codex_home() -> Result<PathBuf, String> {
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".codex"));
    let named = variable("CODEX_HOME").map(PathBuf::from);
    named.or_else(home).ok_or_else(|| "neither CODEX_HOME nor HOME is set".to_owned())
}

fn conclude(
    parameters: &Parameters,
    layer: &Path,
    profile: &Profile<'_>,
    upstream: &Upstream,
    changes: bool,
) {
    let model = profile.model;
    match (changes, parameters.dry_run) {
        (false, _) => println!("Nothing to change."),
        (true, true) => println!("Nothing was written (DRY_RUN)."),
        (true, false) => {}
    }
    if matches!(profile.context, Window::Unknown) {
        let why = match upstream.list_error() {
            Some(list_error) => format!("BASE_URL={} {list_error}", parameters.base_url),
            None => "The upstream does not report it".to_owned(),
        };
        println!(
            "The context window of {model} is unknown, and Codex assumes 272000 tokens. If it is smaller, set it: \
             CONTEXT=32768. {why}."
        );
    }
    if let Some(name) = parameters.env_key.as_deref().filter(|name| variable(name).is_none()) {
        println!("Codex reads the upstream's key from the environment variable {name}, which is not set.");
    }
    if changes && !upstream.describes(model) {
        println!(
            "Codex sends no reasoning effort for a model that it does not know. To choose one, add a line such as \
             model_reasoning_effort = \"low\" (none, medium, high, xhigh) to {layer}.",
            layer = layer.display()
        );
    }
    let profile =
        if parameters.default { String::new() } else { format!(" --profile {}", parameters.provider) };
    println!("Now: codex{profile}");
}
