//! Reads what the upstream reports about its models, through the filter, which passes `GET /models` on or replies from
//! its own descriptions.

use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// The limit for each question; the answers are optional.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the upstream reports.
#[derive(Default)]
pub(crate) struct Upstream {
    models: Vec<Value>,
    /// The same in Codex's form, if the filter describes models.
    for_codex: Vec<Value>,
    /// llama.cpp's `/props`, which have the context window of a slot.
    props: Value,
    list_error: Option<ListError>,
}

/// Why there is no list of models.
pub(crate) enum ListError {
    Unreachable(String),
    Status(u16),
    NoJson,
}

impl ListError {
    fn of(error: &ureq::Error) -> Self {
        match error {
            ureq::Error::StatusCode(status) => Self::Status(*status),
            ureq::Error::Io(error) => Self::Unreachable(error.to_string()),
            other => Self::Unreachable(other.to_string()),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "Start `make run`",
            Self::Status(401 | 403) => "Name the variable with the key, ENV_KEY=",
            Self::Status(500..) => "Start the upstream",
            Self::Status(_) | Self::NoJson => "Correct BASE_URL=",
        }
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "does not answer ({why})"),
            Self::Status(status) => write!(f, "answers GET /models with the status {status}"),
            Self::NoJson => f.write_str("answers GET /models without JSON"),
        }
    }
}

/// Asks the upstream. Without a usable answer, the result has only the reason.
pub(crate) fn ask(base_url: &str, key: Option<&str>) -> Upstream {
    let base = base_url.trim_end_matches('/');
    // Codex asks with its version, and only then the filter answers in Codex's form. Others ignore the query.
    let models = match get(&format!("{base}/models?client_version=0"), key) {
        Ok(models) => models,
        Err(list_error) => return Upstream { list_error: Some(list_error), ..Upstream::default() },
    };
    let list = |name: &str| models.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let root = base.strip_suffix("/v1").unwrap_or(base);
    let is_llamacpp = models.pointer("/data/0/owned_by").and_then(Value::as_str) == Some("llamacpp");
    Upstream {
        models: list("data"),
        for_codex: list("models"),
        props: is_llamacpp.then(|| get(&format!("{root}/props"), key).ok()).flatten().unwrap_or_default(),
        list_error: None,
    }
}

fn get(url: &str, key: Option<&str>) -> Result<Value, ListError> {
    let agent =
        ureq::Agent::new_with_config(ureq::config::Config::builder().timeout_global(Some(PATIENCE)).build());
    let request = agent.get(url);
    let request = match key {
        Some(key) => request.header("authorization", format!("Bearer {key}")),
        None => request,
    };
    let text = request.call().and_then(|mut reply| reply.body_mut().read_to_string());
    let text = text.map_err(|error| ListError::of(&error))?;
    serde_json::from_str(&text).map_err(|_| ListError::NoJson)
}

/// The fields in which upstreams report the context window: vLLM and SGLang, OpenRouter and Together, Groq, LM Studio
/// and Mistral, llama.cpp.
const CONTEXT: &[&str] = &[
    "/max_model_len",
    "/context_length",
    "/context_window",
    "/loaded_context_length",
    "/max_context_length",
    "/meta/n_ctx",
];

impl Upstream {
    /// The upstream's model, if it has exactly one.
    pub(crate) fn only_model(&self, base_url: &str) -> Result<String, String> {
        let names: Vec<&str> = self.models.iter().filter_map(|model| model.get("id")?.as_str()).collect();
        match (names.as_slice(), &self.list_error) {
            ([only], _) => Ok((*only).to_owned()),
            ([], Some(list_error)) => Err(format!(
                "which model? BASE_URL={base_url} {list_error}. {}, or give MODEL= and CONTEXT=.",
                list_error.advice()
            )),
            ([], None) => Err("which model? The upstream lists none (GET /models). Give MODEL=.".to_owned()),
            (several, _) => Err(format!("which model? Say MODEL=..., one of: {}", several.join(", "))),
        }
    }

    /// Why there is no list of models, if there is none.
    pub(crate) fn list_error(&self) -> Option<&ListError> {
        self.list_error.as_ref()
    }

    /// Whether Codex can read the model's description from `GET /models`. Ollama and llama.cpp have a `models` too, of another form.
    pub(crate) fn describes(&self, model: &str) -> bool {
        self.for_codex.iter().any(|entry| entry.get("slug").and_then(Value::as_str) == Some(model))
    }

    /// The model's context window in tokens.
    pub(crate) fn context_of(&self, model: &str) -> Option<u64> {
        let of_slot = self.props.pointer("/default_generation_settings/n_ctx");
        let named = self.models.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(model));
        // llama.cpp has one model and accepts every name for it.
        let entry = named.or(if of_slot.is_some() { self.models.first() } else { None })?;
        let of_model = CONTEXT.iter().find_map(|path| entry.pointer(path));
        of_slot.or(of_model).and_then(Value::as_u64).filter(|tokens| *tokens > 0)
    }
}
