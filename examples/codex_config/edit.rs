//! Edits the text of Codex's files and keeps everything else in them.

use toml_edit::{DocumentMut, Item, Table, TableLike, Value, value};

/// The settings of a table `[model_providers.<id>]`.
pub(crate) struct Provider<'a> {
    pub(crate) id: &'a str,
    pub(crate) base_url: &'a str,
    pub(crate) env_key: Option<&'a str>,
    /// Where Codex finds the descriptions of its models.
    pub(crate) catalog: Option<&'a str>,
    pub(crate) search: bool,
}

/// The settings that make Codex use a provider.
pub(crate) struct Profile<'a> {
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    pub(crate) search: bool,
    pub(crate) context: Window,
}

/// What the profile says about the model's context window.
#[derive(Clone, Copy)]
pub(crate) enum Window {
    /// This many tokens.
    Tokens(u64),
    /// Nothing, because the catalogue has it: a profile's setting would take precedence.
    InCatalog,
    /// What it says now.
    Unknown,
}

/// The settings by which Codex gets a credential for a provider.
const KEYS: [&str; 3] = ["env_key", "experimental_bearer_token", "auth"];

const WINDOW: &str = "model_context_window";
const COMPACTION: &str = "model_auto_compact_token_limit";

/// Adds the provider to `config.toml`, and the profile's settings if they are to be the default.
pub(crate) fn config(
    text: &str,
    provider: &Provider<'_>,
    default: Option<&Profile<'_>>,
) -> Result<String, String> {
    let mut document = parse(text)?;
    refuse_legacy_profiles(&document, provider.id)?;
    let is_first = !document.contains_key("model_providers");
    let end = document.trailing().as_str().unwrap_or_default().to_owned();
    let providers = subtable(document.as_table_mut(), "model_providers", true)?;
    let table = subtable(providers, provider.id, false)?;
    // A name that the user has chosen is kept, unless it is "OpenAI", for which Codex uses another protocol.
    let named =
        table.get("name").and_then(Item::as_str).is_some_and(|name| !name.eq_ignore_ascii_case("openai"));
    if !named {
        set(table, "name", "Transponder".into());
    }
    set(table, "base_url", provider.base_url.into());
    set(table, "wire_api", "responses".into());
    if let Some(variable) = provider.env_key {
        set(table, "env_key", variable.into());
    }
    if provider.search {
        set(table, "supports_standalone_web_search", true.into());
    }
    if let Some(url) = provider.catalog {
        set(table, "model_catalog_url", url.into());
        // Codex reads a catalogue only from a provider for which it has a credential.
        if KEYS.iter().all(|key| !table.contains_key(key)) {
            set(table, "experimental_bearer_token", "none".into());
        }
    }
    if is_first && !end.trim().is_empty() {
        // Comments at the end of the file stay before the new table.
        document.set_trailing("");
        let providers = document.get_mut("model_providers");
        let table = providers.and_then(|providers| providers.get_mut(provider.id)?.as_table_mut());
        if let Some(table) = table {
            table.decor_mut().set_prefix(format!("{}\n\n", end.trim_end()));
        }
    }
    if let Some(profile) = default {
        select(document.as_table_mut(), profile)?;
    }
    Ok(document.to_string())
}

/// Adds the profile to `<profile>.config.toml`, whose settings override those of `config.toml`.
pub(crate) fn profile(text: &str, profile: &Profile<'_>) -> Result<String, String> {
    let mut document = parse(text)?;
    select(document.as_table_mut(), profile)?;
    Ok(document.to_string())
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| error.to_string())
}

/// Codex 0.134 moved profiles into separate files and does not start if `config.toml` still has the old form.
fn refuse_legacy_profiles(document: &DocumentMut, profile: &str) -> Result<(), String> {
    if document.get("profile").is_some() {
        return Err(
            "it has a line `profile = ...`, with which Codex no longer starts; remove that line".to_owned()
        );
    }
    if document.get("profiles").and_then(|profiles| profiles.get(profile)).is_some() {
        return Err(format!(
            "it has a table [profiles.{profile}], with which Codex refuses --profile {profile}; remove that table"
        ));
    }
    Ok(())
}

fn select(root: &mut dyn TableLike, profile: &Profile<'_>) -> Result<(), String> {
    set(root, "model", profile.model.into());
    set(root, "model_provider", profile.provider.into());
    match profile.context {
        Window::Tokens(tokens) => {
            let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
            set(root, WINDOW, tokens.into());
            // By default, Codex compacts when the window is nearly full, which leaves no room for an answer.
            set(root, COMPACTION, (tokens / 5 * 4).into());
        }
        Window::InCatalog => {
            root.remove(WINDOW);
            root.remove(COMPACTION);
        }
        Window::Unknown => {}
    }
    if profile.search {
        set(root, "web_search", "live".into());
        // The feature is experimental, and Codex would say so at each start.
        set(root, "suppress_unstable_features_warning", true.into());
        set(subtable(root, "features", false)?, "standalone_web_search", true.into());
    }
    Ok(())
}

/// Returns the table of that name and creates it if it is missing. An `implicit` table without own keys is not written.
fn subtable<'a>(
    parent: &'a mut dyn TableLike,
    key: &str,
    implicit: bool,
) -> Result<&'a mut dyn TableLike, String> {
    let table = || {
        let mut table = Table::new();
        table.set_implicit(implicit);
        Item::Table(table)
    };
    let item = parent.entry(key).or_insert_with(table);
    item.as_table_like_mut().ok_or_else(|| format!("its `{key}` is not a table"))
}

/// Sets a key unless it already has that value. The comment on its line is kept.
fn set(table: &mut dyn TableLike, key: &str, wanted: Value) {
    match table.get_mut(key) {
        Some(Item::Value(there)) => {
            if !same(there, &wanted) {
                let decor = there.decor().clone();
                *there = wanted;
                *there.decor_mut() = decor;
            }
        }
        _ => {
            table.insert(key, value(wanted));
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    let shown = |value: &Value| value.clone().decorated("", "").to_string();
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one == other,
        _ => shown(one) == shown(other),
    }
}
