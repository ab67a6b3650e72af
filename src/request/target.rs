//! The upstream of a request, and the model to request from it.

use crate::config::{Config, Price, Route, Upstream};
use crate::error::{ApiError, Code, Path};
use crate::upstream::Options;

/// The upstream of one request.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) options: &'a Options,
    /// The model to request from the upstream.
    pub(super) model: &'a str,
    /// The value of `x-transponder-upstream`.
    pub(super) route: Option<&'a str>,
    /// What its tokens cost, with the rule's `match`.
    pub(super) price: Option<(&'a str, Price)>,
}

impl<'a> Target<'a> {
    /// The upstream of a model, by the configuration.
    ///
    /// # Errors
    /// 404, as from OpenAI for an unknown model, if requests for it are not translated.
    pub(super) fn for_model(config: &'a Config, asked: &'a str) -> Result<Self, ApiError> {
        let Route { model, upstream, route, price } = config.route(asked);
        match upstream {
            Upstream::Chat(options) => Ok(Self { options, model, route, price }),
            Upstream::Native(_) | Upstream::Refuse => Err(not_found(asked)),
        }
    }
}

fn not_found(model: &str) -> ApiError {
    ApiError::invalid(format!("The model '{model}' does not exist or you do not have access to it."))
        .status(404)
        .code(Code::ModelNotFound)
        .at(Path::top("model"))
}
