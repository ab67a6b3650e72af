//! `make codex-config` on typical files of users. The real Codex must accept the result.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Codex, Envoy, Headers, Turn, Upstream, envoy_binary, example, module, project, without_cargo};
use tempfile::TempDir;

/// An address where no server listens.
const NOBODY: &str = "http://127.0.0.1:9/v1";

pub struct Run {
    pub good: bool,
    out: String,
    pub err: String,
}

/// Runs the example on a home directory, with an empty environment otherwise.
pub fn configure(home: &Path, wishes: &[(&str, &str)]) -> Run {
    let mut command = Command::new(example("codex_config"));
    command.env_clear().env("HOME", home).env("CODEX_HOME", home).envs(wishes.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { good: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

fn read(home: &Path, name: &str) -> String {
    fs::read_to_string(home.join(name)).unwrap()
}

/// All files of a home with their contents.
fn snapshot(home: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut all: Vec<_> = files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
    all.sort();
    all
}

const ORDINARY: &str = r#"model = "gpt-5.5"
model_reasoning_effort = "high"

[tui]
notifications = true

[projects."/tmp"]
trust_level = "trusted"
"#;

const COMMENTED: &str = r#"# My settings.
model = "gpt-5.5" # the fast one

# Tried and given up:
# model_provider = "other"

[model_providers.other] # at work
name = "Other"
base_url = "https://example.com/v1" # no slash at the end
env_key = "OTHER_KEY"

[tui]
notifications = true
# To do: a theme.
"#;

const CONFIGURED: &str = r#"[model_providers.transponder]
base_url = "http://127.0.0.1:1/old" # the old port
name = "Mine"
wire_api = "responses"
stream_idle_timeout_ms = 60000
"#;

const INLINE: &str =
    "model_providers = { transponder = { name = \"Mine\", base_url = \"http://127.0.0.1:1/old\" } }\n";

/// Envoy in front of the scripted upstream.
async fn servers() -> (Upstream, Envoy) {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    (upstream, envoy)
}

fn answered(turn: &Turn, text: &str) {
    turn.assert_completed();
    assert_eq!(turn.messages(), [text]);
}

#[tokio::test]
async fn codex_accepts_every_edited_file() {
    let (upstream, envoy) = servers().await;
    for (what, before) in [
        ("no file", None),
        ("an empty file", Some("")),
        ("an ordinary file", Some(ORDINARY)),
        ("a commented file", Some(COMMENTED)),
        ("a configured file", Some(CONFIGURED)),
        ("an inline table", Some(INLINE)),
    ] {
        upstream.script(json!({"replies": [{"text": "Through the filter."}]})).await;
        let codex = Codex::new(NOBODY);
        if let Some(text) = before {
            fs::write(codex.home().join("config.toml"), text).unwrap();
        }
        let wishes = [("BASE_URL", &*envoy.base_url()), ("MODEL", "qwen3"), ("CONTEXT", "32768")];
        let run = configure(codex.home(), &wishes);
        assert!(run.good, "{what}: {}", run.err);

        let turn = codex.exec_as_configured(&["--profile", "transponder"], "Say something.").await;
        answered(&turn, "Through the filter.");
        assert_eq!(upstream.bodies().await.last().unwrap()["model"], "qwen3", "{what}");
        upstream.clear().await;

        // Nothing in the user's files is lost or moved.
        let after = read(codex.home(), "config.toml");
        let mut rest = after.lines();
        for line in before.unwrap_or_default().lines().filter(|line| !line.contains("/old")) {
            assert!(rest.any(|other| other == line), "{what}: `{line}` is missing in:\n{after}");
        }
        let again = configure(codex.home(), &wishes);
        assert!(again.good && again.out.contains("Nothing to change."), "{what}: {}", again.out);
        assert_eq!(read(codex.home(), "config.toml"), after, "{what}");
    }
    envoy.finish();
}

#[tokio::test]
async fn the_default_changes_only_when_asked() {
    let (upstream, envoy) = servers().await;
    let codex = Codex::new(NOBODY);
    fs::write(codex.home().join("config.toml"), COMMENTED).unwrap();
    let wishes = [("BASE_URL", &*envoy.base_url()), ("MODEL", "qwen3")];
    configure(codex.home(), &wishes);
    let before = read(codex.home(), "config.toml");
    assert!(before.contains("model = \"gpt-5.5\" # the fast one\n") && !before.contains("\nmodel_provider"));

    upstream.script(json!({"replies": [{"text": "By default."}]})).await;
    let run = configure(codex.home(), &[&wishes[..], &[("DEFAULT", "1")]].concat());
    assert!(run.good, "{}", run.err);
    assert!(read(codex.home(), "config.toml").contains("model = \"qwen3\" # the fast one\n"));
    answered(&codex.exec_as_configured(&[], "Say something.").await, "By default.");
    envoy.finish();
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("config.toml"), ORDINARY).unwrap();
    let before = snapshot(home.path());
    let wishes = [("BASE_URL", NOBODY), ("MODEL", "qwen3")];
    let dry = configure(home.path(), &[&wishes[..], &[("DRY_RUN", "1")]].concat());
    assert!(dry.good && dry.out.contains("+[model_providers.transponder]\n"), "{}", dry.out);
    assert!(
        dry.out.contains("+model = \"qwen3\"\n") && dry.out.contains("Nothing was written"),
        "{}",
        dry.out
    );
    assert_eq!(snapshot(home.path()), before);

    assert!(configure(home.path(), &wishes).good);
    assert_eq!(read(home.path(), "config.toml.backup"), ORDINARY);
    // A second change creates a second backup.
    assert!(configure(home.path(), &[("BASE_URL", "http://127.0.0.1:8/v1"), ("MODEL", "qwen3")]).good);
    assert!(read(home.path(), "config.toml.backup.2").contains(NOBODY));
    assert_eq!(read(home.path(), "config.toml.backup"), ORDINARY);
}

#[test]
fn a_file_that_cannot_be_edited_is_left_unchanged() {
    for (text, reason) in [
        ("model = \"a\"\nmodel = \"b\"\n", "duplicate key"),
        ("model = [\n", "line 1, column"),
        ("model_providers = 5\n", "`model_providers` is not a table"),
        ("[model_providers]\ntransponder = \"x\"\n", "`transponder` is not a table"),
        ("[profiles.transponder]\nmodel = \"x\"\n", "remove that table"),
        ("profile = \"x\"\n", "remove that line"),
    ] {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join("config.toml"), text).unwrap();
        let before = snapshot(home.path());
        let run = configure(home.path(), &[("BASE_URL", NOBODY), ("MODEL", "m")]);
        assert!(!run.good && run.err.contains(reason), "{text}: {}", run.err);
        assert!(run.err.contains("It was left as it is."), "{}", run.err);
        assert_eq!(snapshot(home.path()), before);
    }
    let home = TempDir::new().unwrap();
    for (wishes, reason) in [
        ([("BASE_URL", "localhost:8080"), ("MODEL", "m")], "is not a URL"),
        ([("BASE_URL", "http://h/v1/responses"), ("MODEL", "m")], "without /responses"),
        ([("PROVIDER", "openai"), ("MODEL", "m")], "one of Codex's own"),
        ([("PROVIDER", "a.b"), ("MODEL", "m")], "may only hold letters"),
        ([("CONTEXT", "many"), ("MODEL", "m")], "not a number"),
        (
            [("BASE_URL", NOBODY), ("MODEL", "")],
            "which model? BASE_URL=http://127.0.0.1:9/v1 does not answer (",
        ),
    ] {
        let run = configure(home.path(), &wishes);
        assert!(!run.good && run.err.contains(reason), "{wishes:?}: {}", run.err);
        assert_eq!(snapshot(home.path()), []);
    }
}

#[test]
fn modes_links_and_line_ends_are_kept() {
    let home = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let real = elsewhere.path().join("codex.toml");
    fs::write(&real, ORDINARY.replace('\n', "\r\n")).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, home.path().join("config.toml")).unwrap();
    assert!(configure(home.path(), &[("BASE_URL", NOBODY), ("MODEL", "m")]).good);

    assert!(home.path().join("config.toml").is_symlink());
    let text = fs::read_to_string(&real).unwrap();
    assert!(text.contains("[model_providers.transponder]\r\n") && !text.replace("\r\n", "").contains('\n'));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&real), 0o640);
    assert_eq!(mode(&elsewhere.path().join("codex.toml.backup")), 0o640);
    // A new file may get keys later.
    assert_eq!(mode(&home.path().join("transponder.config.toml")), 0o600);
    let left: Vec<_> = fs::read_dir(elsewhere.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// Starts a server that lists these models and has these properties at `/props`.
async fn upstream_with(models: Value, props: Value) -> String {
    let app = Router::new()
        .route("/v1/models", get(move || async move { models.to_string() }))
        .route("/props", get(move || async move { props.to_string() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_and_its_context_come_from_the_upstream() {
    let slot = json!({"default_generation_settings": {"n_ctx": 8192}});
    for (described, model, props, context) in [
        ("vLLM", json!({"max_model_len": 40960}), Value::Null, Some(40960)),
        ("OpenRouter", json!({"context_length": 131072}), Value::Null, Some(131072)),
        ("Groq", json!({"context_window": 32768}), Value::Null, Some(32768)),
        ("llama.cpp", json!({"owned_by": "llamacpp", "meta": {"n_ctx": 65536}}), slot, Some(8192)),
        (
            "llama.cpp of old",
            json!({"owned_by": "llamacpp", "meta": {"n_ctx": 65536}}),
            Value::Null,
            Some(65536),
        ),
        ("Ollama", json!({"owned_by": "library"}), Value::Null, None),
    ] {
        let mut model = model;
        model["id"] = json!("the-model");
        let url = upstream_with(json!({"object": "list", "data": [model]}), props).await;
        let home = TempDir::new().unwrap();
        let run = configure(home.path(), &[("BASE_URL", &url)]);
        assert!(run.good, "{described}: {}", run.err);
        let profile = read(home.path(), "transponder.config.toml");
        assert!(profile.starts_with("model = \"the-model\"\n"), "{described}: {profile}");
        match context {
            Some(tokens) => {
                assert!(
                    profile.contains(&format!("model_context_window = {tokens}\n")),
                    "{described}: {profile}"
                );
                let limit = format!("model_auto_compact_token_limit = {}\n", tokens / 5 * 4);
                assert!(profile.contains(&limit), "{described}: {profile}");
            }
            None => {
                assert!(
                    run.out.contains("The upstream does not report it.") && !profile.contains("window"),
                    "{described}"
                )
            }
        }
    }
    let two = json!({"data": [{"id": "one"}, {"id": "two"}]});
    let run =
        configure(TempDir::new().unwrap().path(), &[("BASE_URL", &upstream_with(two, Value::Null).await)]);
    assert!(!run.good && run.err.contains("one of: one, two"), "{}", run.err);
}

/// The reason is not that the upstream has no models.
#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_without_a_list_is_named_with_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/locked/models", get(|| async { StatusCode::UNAUTHORIZED }))
        .route("/stopped/models", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route("/page/models", get(|| async { "<html>" }))
        .route("/none/models", get(|| async { r#"{"data": []}"# }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (base_url, reason) in [
        (
            NOBODY.to_owned(),
            "does not answer (Connection refused (os error 111)). Start `make run`, or give MODEL=",
        ),
        ("http://no-such-name.invalid/v1".to_owned(), "does not answer ("),
        (format!("{root}/v1"), "answers GET /models with the status 404. Correct BASE_URL="),
        (
            format!("{root}/locked"),
            "answers GET /models with the status 401. Name the variable with the key, ENV_KEY=",
        ),
        (
            format!("{root}/stopped"),
            "answers GET /models with the status 503. Start the upstream, or give MODEL=",
        ),
        (format!("{root}/page"), "answers GET /models without JSON. Correct BASE_URL="),
        (format!("{root}/none"), "The upstream lists none (GET /models)"),
    ] {
        let home = TempDir::new().unwrap();
        let run = configure(home.path(), &[("BASE_URL", &base_url)]);
        assert!(!run.good && run.err.contains(reason), "{base_url}: {}", run.err);
        assert_eq!(snapshot(home.path()), []);

        // With a model it is enough to say so.
        let run = configure(home.path(), &[("BASE_URL", &base_url), ("MODEL", "m")]);
        let fact = reason.split(". ").next().unwrap();
        let reported = run.out.contains("The context window of m is unknown") && run.out.contains(fact);
        assert!(run.good && (reported || base_url.ends_with("/none")), "{base_url}: {}", run.out);
    }
}

/// As after `make run` without UPSTREAM.
#[tokio::test]
async fn the_scripted_upstream_has_one_model() {
    let mut command = Command::new(project().join("envoy/run.py"));
    without_cargo(&mut command).env("ENVOY", envoy_binary()).env("TRANSPONDER_WASM", module());
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let envoy = Envoy::run(command, TempDir::new().unwrap()).await;
    let home = TempDir::new().unwrap();
    let run = configure(home.path(), &[("BASE_URL", &envoy.base_url())]);
    assert!(run.good, "{}", run.err);
    assert!(read(home.path(), "transponder.config.toml").starts_with("model = \"scripted\"\n"));
    envoy.finish();
}

#[test]
fn a_parameter_is_off_if_it_says_no() {
    for (value, is_on) in
        [("1", true), ("yes", true), ("0", false), ("no", false), ("false", false), ("", false)]
    {
        let home = TempDir::new().unwrap();
        let wishes = [("BASE_URL", NOBODY), ("MODEL", "m"), ("DRY_RUN", value)];
        let run = configure(home.path(), &wishes);
        assert!(run.good, "{}", run.err);
        assert_eq!(snapshot(home.path()).is_empty(), is_on, "DRY_RUN={value}");
    }
}

/// The filter's catalogue has the context window, so the profile does not repeat it, and older settings go.
#[tokio::test(flavor = "multi_thread")]
async fn a_described_model_needs_no_window() {
    let upstream = Upstream::start().await;
    let described = json!({"context_window": 32768, "instructions": "You write code."});
    let config = json!({"models": [{"match": "house", "catalog": described}]});
    let envoy = Envoy::start(upstream.address(), &config.to_string(), Headers::Flow).await;
    let codex = Codex::new(NOBODY);
    let base_url = envoy.base_url();
    assert!(
        configure(codex.home(), &[("BASE_URL", &base_url), ("MODEL", "house"), ("CONTEXT", "8192")]).good
    );
    assert!(read(codex.home(), "transponder.config.toml").contains("model_context_window = 8192"));

    let run = configure(codex.home(), &[("BASE_URL", &base_url)]);
    assert!(run.good, "{}", run.err);
    assert_eq!(
        read(codex.home(), "transponder.config.toml"),
        "model = \"house\"\nmodel_provider = \"transponder\"\n"
    );
    let line = format!("model_catalog_url = \"{base_url}/models\"\n");
    assert!(read(codex.home(), "config.toml").contains(&line));
    // Without any key Codex would not ask for the catalogue.
    assert!(read(codex.home(), "config.toml").contains("experimental_bearer_token = \"none\"\n"));

    upstream.script(json!({"replies": [{"text": "With the catalogue."}]})).await;
    let turn = codex.exec_as_configured(&["--profile", "transponder"], "Say something.").await;
    answered(&turn, "With the catalogue.");
    assert!(!turn.stdout.contains("Model metadata") && !turn.stderr.contains("Model metadata"), "{turn:#?}");
    envoy.finish();
}

#[test]
fn web_search_is_switched_on_when_asked() {
    let home = TempDir::new().unwrap();
    let wishes = [("BASE_URL", NOBODY), ("MODEL", "m"), ("SEARCH", "1")];
    let run = configure(home.path(), &wishes);
    assert!(run.good, "{}", run.err);
    assert!(read(home.path(), "config.toml").contains("supports_standalone_web_search = true\n"));
    let profile = read(home.path(), "transponder.config.toml");
    assert!(
        profile.contains("web_search = \"live\"\n")
            && profile.ends_with("[features]\nstandalone_web_search = true\n"),
        "{profile}"
    );
    assert!(configure(home.path(), &wishes).out.contains("Nothing to change."));
}
