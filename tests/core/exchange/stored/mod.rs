//! Stored responses: conversations that go on from an id, and the endpoints that show what is stored.

mod endpoints;
mod faults;
mod later;
mod turns;

use super::*;
use crate::grammar::{Transcript, document};
use crate::support;
use std::sync::Arc;
use transponder::store::{Answer, Key, Question};

const STORE: &str = r#"{"store": "memory"}"#;
const STORE_HELD: &str = r#"{"store": "memory", "hold_request_headers": true}"#;

/// A store, and how it behaves.
#[derive(Debug, Default)]
struct World {
    records: RefCell<Vec<(Key, Vec<u8>)>>,
    /// The operations so far: `read`, `write`, `delete`.
    asked: RefCell<Vec<&'static str>>,
    is_down: RefCell<bool>,
    seed: RefCell<u128>,
}

impl World {
    fn answer(&self, question: &Question) -> Answer {
        let mut records = self.records.borrow_mut();
        let (word, key) = match question {
            Question::Read(key) => ("read", key),
            Question::Write(key, _) => ("write", key),
            Question::Delete(key) => ("delete", key),
        };
        self.asked.borrow_mut().push(word);
        if *self.is_down.borrow() {
            return Answer::Failed;
        }
        let place = records.iter().position(|(known, _)| known == key);
        match (question, place) {
            (Question::Read(_), Some(place)) => Answer::Found(records[place].1.clone()),
            (Question::Write(key, record), _) => {
                records.push((key.clone(), record.clone()));
                Answer::Done
            }
            (Question::Delete(_), Some(place)) => {
                records.remove(place);
                Answer::Done
            }
            (_, None) => Answer::Missing,
        }
    }

    /// What was asked since the last time.
    fn questions(&self) -> Vec<&'static str> {
        self.asked.take()
    }
}

/// A client: its configuration and how it calls itself.
#[derive(Clone, Copy)]
struct Client<'w> {
    world: &'w World,
    config: &'w str,
    name: &'w str,
}

/// What became of one request.
struct Turn {
    /// What the upstream got.
    sent: Value,
    /// What the client got.
    response: Value,
    counted: Vec<String>,
}

impl Turn {
    fn id(&self) -> &str {
        self.response["id"].as_str().unwrap()
    }

    /// The messages that the upstream got, each as `role: text`.
    fn said(&self) -> Vec<String> {
        let messages = self.sent["messages"].as_array().unwrap().iter();
        let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
        messages.map(|message| format!("{}: {}", message["role"].as_str().unwrap(), text(message))).collect()
    }
}

impl<'w> Client<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, config: STORE, name: "Bearer a" }
    }

    /// An exchange whose ids are new.
    fn driven(&self) -> Driven {
        let told = Rc::new(Told::default());
        let config = Arc::new(Config::parse(self.config.as_bytes()).unwrap());
        let seed = self.world.seed.borrow().wrapping_add(1);
        self.world.seed.replace(seed);
        Driven { exchange: Exchange::new(config, Rc::clone(&told) as _, seed), told }
    }

    fn headers(&self, method: &str, path: &str) -> Headers {
        headers(&[(":method", method), (":path", path), ("authorization", self.name)])
    }

    /// Sends a request body, and returns what happens to it.
    fn posted(&self, body: &Value) -> (Driven, BodyVerdict) {
        let mut driven = self.driven();
        let verdict = driven.exchange.on_request_headers(&self.headers("POST", "/v1/responses"), false, NOW);
        assert!(!matches!(verdict, HeadersVerdict::Respond(_) | HeadersVerdict::Ask(_)), "{verdict:?}");
        let verdict = driven.exchange.on_request_body(body.to_string().as_bytes(), true, NOW);
        let verdict = self.answered(&mut driven, verdict);
        (driven, verdict)
    }

    /// The verdict after the store has answered each question.
    fn answered(&self, driven: &mut Driven, mut verdict: BodyVerdict) -> BodyVerdict {
        while let BodyVerdict::Ask(question) = verdict {
            verdict = driven.exchange.on_answer(self.world.answer(&question), NOW);
        }
        verdict
    }

    /// One turn, to which the upstream answers with these chunks.
    fn turn(&self, body: Value, chunks: &[Value]) -> Turn {
        self.whole_turn(&body, support::events(chunks).as_bytes())
    }

    /// The same with the upstream's bytes.
    fn whole_turn(&self, body: &Value, upstream: &[u8]) -> Turn {
        let (mut driven, verdict) = self.posted(body);
        let sent = match verdict {
            BodyVerdict::Replace(body) | BodyVerdict::Release(_, body) => body,
            other => panic!("{other:?}"),
        };
        driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
        let reply = driven.exchange.on_response_body(upstream, true, NOW);
        let reply = match self.answered(&mut driven, reply) {
            BodyVerdict::Replace(body) | BodyVerdict::Release(_, body) => body,
            other => panic!("{other:?}"),
        };
        driven.exchange.on_close(NOW);
        let response = match body["stream"].as_bool() {
            Some(true) => Transcript::of(&reply).response().clone(),
            _ => document(&reply),
        };
        let counted = driven.counted().into_iter().filter(|line| line.starts_with("store")).collect();
        Turn { sent: serde_json::from_slice(&sent).unwrap(), response, counted }
    }

    /// A turn that the filter refuses.
    fn refused(&self, body: Value) -> LocalReply {
        local_body(self.posted(&body).1)
    }

    /// A request without a body.
    fn ask(&self, method: &str, path: &str) -> LocalReply {
        let mut driven = self.driven();
        let path = format!("/v1/responses/{path}");
        match driven.exchange.on_request_headers(&self.headers(method, &path), true, NOW) {
            HeadersVerdict::Ask(question) => {
                local_body(self.answered(&mut driven, BodyVerdict::Ask(question)))
            }
            verdict => local(verdict),
        }
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.ask("GET", path);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        serde_json::from_slice(&reply.body).unwrap()
    }
}

/// A text that ends the reply.
fn says(words: &str) -> Vec<Value> {
    vec![support::text(words), support::finish("stop")]
}
