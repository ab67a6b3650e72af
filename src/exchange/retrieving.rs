//! The endpoints below `/responses` that show or delete what is stored.

use super::disposition::Disposition;
use super::page::Page;
use super::phase::Phase;
use super::query;
use super::restoring;
use super::shared::Context;
use super::verdict::{BodyVerdict, HeadersVerdict, LocalReply};
use crate::error::{ApiError, Code};
use crate::store::{Answer, Key, Owner, Question, Record, ResponseId};

/// What a client wants of a stored response.
#[derive(Debug)]
pub(super) struct Retrieval {
    /// As the client has written it.
    id: String,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    /// `GET /responses/{id}`
    Response,
    /// `GET /responses/{id}/input_items`
    InputItems(Page),
    /// `DELETE /responses/{id}`
    Deletion,
}

impl Retrieval {
    /// Reads the request line. `rest`: the path below `/responses/`.
    pub(super) fn disposition(method: &str, rest: &str, query: &str) -> Disposition {
        let (id, below) = rest.split_once('/').unwrap_or((rest, ""));
        let wanted = match (method, below) {
            ("GET", "") if asks_for_stream(query) => Err(no_replay()),
            ("GET", "") => Ok(Wanted::Response),
            ("GET", "input_items") => Page::of(query).map(Wanted::InputItems),
            ("DELETE", "") => Ok(Wanted::Deletion),
            (_, "") => return only("GET, DELETE", "Only GET and DELETE are supported"),
            (_, "input_items") => return only("GET", "Only GET is supported"),
            (_, "cancel") => Err(no_background()),
            _ => Err(ApiError::of(Code::EndpointNotSupported, "There is no such endpoint").status(404)),
        };
        match wanted {
            Ok(wanted) => Disposition::Retrieve(Self { id: id.to_owned(), wanted }),
            Err(error) => Disposition::Reject(error, None),
        }
    }

    /// Begins to answer it.
    pub(super) fn begin(self, owner: Owner, context: &mut Context<'_>) -> (Phase, HeadersVerdict) {
        match ResponseId::parse(&self.id) {
            Some(id) => {
                let key = Key { owner, id };
                let retrieving = Retrieving { retrieval: self, key: key.clone(), deletes: false };
                (Phase::Retrieving(retrieving), HeadersVerdict::Ask(Question::Read(key)))
            }
            None => Phase::rejected(&not_found(&self.id), context),
        }
    }
}

/// The request waits for the store.
#[derive(Debug)]
pub(super) struct Retrieving {
    retrieval: Retrieval,
    key: Key,
    /// The record was there, and is being deleted.
    deletes: bool,
}

impl Retrieving {
    /// The store has answered.
    pub(super) fn on_answer(self, answer: Answer, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        if self.deletes {
            return self.on_deleted(&answer, context);
        }
        match restoring::read(&self.key, answer, context) {
            Err(error) => Phase::rejected(&error, context),
            Ok(None) => Phase::rejected(&not_found(&self.retrieval.id), context),
            Ok(Some(record)) => self.on_record(record, context),
        }
    }

    fn on_record(self, record: Record, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        let body = match &self.retrieval.wanted {
            Wanted::Response => Ok(record.response.get().as_bytes().to_vec()),
            Wanted::InputItems(page) => page.of_items(&record.input),
            Wanted::Deletion => {
                let question = Question::Delete(self.key.clone());
                return (Phase::Retrieving(Self { deletes: true, ..self }), BodyVerdict::Ask(question));
            }
        };
        match body {
            Ok(body) => answered(body, context),
            Err(error) => Phase::rejected(&error, context),
        }
    }

    fn on_deleted(self, answer: &Answer, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        context.observer.store_changed("delete", answer);
        match answer {
            // Somebody else may have deleted it in the meantime.
            Answer::Done | Answer::Missing => {
                let deleted =
                    serde_json::json!({"id": self.retrieval.id, "object": "response", "deleted": true});
                answered(deleted.to_string().into_bytes(), context)
            }
            Answer::Found(_) | Answer::Failed => Phase::rejected(&restoring::unavailable(), context),
        }
    }
}

fn answered(body: Vec<u8>, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
    context.observer.answered_here();
    (Phase::Answered, LocalReply::json(200, body).into())
}

/// The same words for a response that never was, has expired, was deleted, or is somebody else's.
fn not_found(id: &str) -> ApiError {
    ApiError::of(Code::ResponseNotFound, format!("Response with id '{id}' not found."))
}

fn asks_for_stream(query: &str) -> bool {
    query::parameters(query).any(|parameter| parameter == ("stream", "true"))
}

fn no_replay() -> ApiError {
    ApiError::of(
        Code::EndpointNotSupported,
        "The stream of a response is not stored, only the response. Leave `stream` out",
    )
    .status(400)
    .at("stream")
}

fn no_background() -> ApiError {
    ApiError::of(
        Code::EndpointNotSupported,
        "No response is made in the background here, so none can be cancelled. Close the connection to end one",
    )
    .status(404)
}

/// `methods`: those that the path has, as in the header `allow`.
fn only(methods: &'static str, message: &'static str) -> Disposition {
    let error = ApiError::of(Code::MethodNotAllowed, message);
    Disposition::Reject(error, Some(("allow", methods.to_owned())))
}
