//! `make codex-config`: points an installed Codex CLI at the filter.
//!
//! It adds a provider to `$CODEX_HOME/config.toml` and writes a profile beside it, so that `codex --profile
//! transponder` uses the filter and `codex` alone does what it did before. Both files are edited in place:
//! comments and order stay, what is already right is not touched, and what was there is kept as a backup.
//!
//! Its parameters are environment variables, as those of `make run`; [`HELP`] names them.

mod edit;
mod file;
mod host;

use edit::{Profile, Provider};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
make codex-config: points an installed Codex CLI at the filter.

  BASE_URL   where the filter listens     (default: http://127.0.0.1:8080/v1)
  MODEL      the model to ask for         (default: the one that the upstream has, if it has but one)
  ENV_KEY    the environment variable that holds the upstream's key (default: none is sent)
  CONTEXT    the model's context window in tokens (default: what the upstream says, if it does)
  PROVIDER   the provider's id in config.toml, and the profile's name (default: transponder)
  DEFAULT=1  also makes it the default: `codex` without --profile uses it
  DRY_RUN=1  only shows what would change
";

/// What was asked for.
struct Wishes {
    base_url: String,
    model: Option<String>,
    env_key: Option<String>,
    context: Option<u64>,
    provider: String,
    default: bool,
    dry_run: bool,
}

fn main() -> ExitCode {
    if std::env::args().len() > 1 {
        print!("{HELP}");
        return ExitCode::FAILURE;
    }
    match wishes().and_then(|wishes| fulfil(&wishes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("codex-config: {why}");
            ExitCode::FAILURE
        }
    }
}

/// An environment variable; an empty one is none, for make exports those too.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn wishes() -> Result<Wishes, String> {
    let context = variable("CONTEXT")
        .map(|text| text.parse().map_err(|_| format!("CONTEXT={text} is not a number of tokens")));
    let wishes = Wishes {
        base_url: variable("BASE_URL").unwrap_or_else(|| "http://127.0.0.1:8080/v1".to_owned()),
        model: variable("MODEL"),
        env_key: variable("ENV_KEY"),
        context: context.transpose()?,
        provider: variable("PROVIDER").unwrap_or_else(|| "transponder".to_owned()),
        default: variable("DEFAULT").is_some_and(|value| value != "0"),
        dry_run: variable("DRY_RUN").is_some_and(|value| value != "0"),
    };
    check(&wishes)?;
    Ok(wishes)
}

/// Ids that Codex has providers of its own for.
const TAKEN: &[&str] = &["openai", "ollama", "lmstudio", "amazon-bedrock"];

fn check(wishes: &Wishes) -> Result<(), String> {
    let Wishes { base_url, provider, .. } = wishes;
    if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
        return Err(format!("BASE_URL={base_url} is not a URL such as http://127.0.0.1:8080/v1"));
    }
    if base_url.trim_end_matches('/').ends_with("/responses") {
        return Err("BASE_URL is the base URL, without /responses".to_owned());
    }
    // Codex's own rule for the names of profiles.
    let plain = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if provider.is_empty() || !provider.chars().all(plain) {
        return Err(format!("PROVIDER={provider} may only hold letters, digits, `-` and `_`"));
    }
    if TAKEN.contains(&provider.as_str()) {
        return Err(format!("PROVIDER={provider} is one of Codex's own; choose another id"));
    }
    Ok(())
}

fn fulfil(wishes: &Wishes) -> Result<(), String> {
    let home = codex_home()?;
    let host = host::ask(&wishes.base_url, wishes.env_key.as_deref().and_then(variable).as_deref());
    let model = match &wishes.model {
        Some(model) => model.clone(),
        None => host.only_model()?,
    };
    let profile = Profile {
        provider: &wishes.provider,
        model: &model,
        context: wishes.context.or_else(|| host.context_of(&model)),
    };
    let provider = Provider {
        id: &wishes.provider,
        base_url: wishes.base_url.trim_end_matches('/'),
        env_key: wishes.env_key.as_deref(),
    };
    let config = home.join("config.toml");
    let layer = home.join(format!("{}.config.toml", wishes.provider));
    let default = wishes.default.then_some(&profile);
    // Both before either is written: half of it would be of no use.
    let edits = [
        file::Edit::of(config, |text| edit::config(text, &provider, default))?,
        file::Edit::of(layer, |text| edit::profile(text, &profile))?,
    ];
    for edit in &edits {
        edit.show();
        if !wishes.dry_run {
            edit.write()?;
        }
    }
    conclude(wishes, &model, profile.context, edits.iter().any(file::Edit::changes));
    Ok(())
}

/// Where Codex itself looks.
fn codex_home() -> Result<PathBuf, String> {
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".codex"));
    let named = variable("CODEX_HOME").map(PathBuf::from);
    named.or_else(home).ok_or_else(|| "neither CODEX_HOME nor HOME is set".to_owned())
}

fn conclude(wishes: &Wishes, model: &str, context: Option<u64>, changes: bool) {
    match (changes, wishes.dry_run) {
        (false, _) => println!("Nothing to change."),
        (true, true) => println!("Nothing was written (DRY_RUN)."),
        (true, false) => {}
    }
    if context.is_none() {
        println!(
            "The upstream does not say how long the context of {model} is, and Codex assumes 272000 tokens. \
             If it is shorter, say so: CONTEXT=32768"
        );
    }
    if let Some(name) = wishes.env_key.as_deref().filter(|name| variable(name).is_none()) {
        println!("Codex will want the upstream's key in the environment variable {name}.");
    }
    let profile = if wishes.default { String::new() } else { format!(" --profile {}", wishes.provider) };
    println!("Now: codex{profile}");
}
