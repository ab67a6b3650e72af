//! A store that is reached over HTTP: what a question is as a request, and what the reply to it means.

use super::{Answer, Question};
use crate::json;
use std::time::Duration;

/// How a store over HTTP is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpStore {
    /// What it understands.
    pub protocol: HttpProtocol,
    /// Envoy's cluster.
    pub cluster: String,
    /// The path of a record, with `{owner}` and `{id}`.
    pub path: String,
    /// The `:authority` of every request.
    pub authority: String,
    /// Further headers of every request, in lower case.
    pub headers: Vec<(String, String)>,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long the store is told to keep a record, if its protocol has a place for it.
    pub ttl: Option<Duration>,
}

/// What a store understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpProtocol {
    /// Each record is a resource with a path of its own: S3 and what is compatible with it, WebDAV.
    Objects,
    /// The state API of a Dapr sidecar. The last part of the path is the key.
    Dapr,
}

/// What is done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is read.
    Read,
    /// It is written.
    Write,
    /// It is removed.
    Delete,
}

/// A request to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// All headers, those of HTTP/2 (`:method`) included.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// One operation in one protocol.
struct Rule {
    method: &'static str,
    /// The statuses of success.
    done: &'static [u16],
    /// The statuses that say that there is no such record.
    missing: &'static [u16],
}

impl HttpProtocol {
    const fn rule(self, operation: Operation) -> Rule {
        match (self, operation) {
            (Self::Objects, Operation::Read) => Rule { method: "GET", done: &[200], missing: &[404, 410] },
            (Self::Objects, Operation::Write) => Rule { method: "PUT", done: &[200, 201, 204], missing: &[] },
            (Self::Objects, Operation::Delete) => {
                Rule { method: "DELETE", done: &[200, 202, 204], missing: &[404, 410] }
            }
            // A key that is not there is a 204 without a body.
            (Self::Dapr, Operation::Read) => Rule { method: "GET", done: &[200], missing: &[204] },
            (Self::Dapr, Operation::Write) => Rule { method: "POST", done: &[201, 204], missing: &[] },
            (Self::Dapr, Operation::Delete) => Rule { method: "DELETE", done: &[200, 204], missing: &[] },
        }
    }
}

impl HttpStore {
    /// The request that asks a question.
    pub fn request(&self, question: &Question) -> HttpRequest {
        let (operation, key) = question.operation();
        let path = self.path.replace("{owner}", &key.owner.digits()).replace("{id}", &key.id.to_string());
        let (path, body) = match (self.protocol, question) {
            (HttpProtocol::Objects, Question::Write(_, record)) => (path, Some(record.clone())),
            (HttpProtocol::Dapr, Question::Write(_, record)) => {
                let (state, key) = path.rsplit_once('/').unwrap_or_default();
                (state.to_owned(), Some(self.dapr_state(key, record)))
            }
            _ => (path, None),
        };
        let mut headers = vec![
            (":method".to_owned(), self.protocol.rule(operation).method.to_owned()),
            (":path".to_owned(), path),
            (":authority".to_owned(), self.authority.clone()),
        ];
        headers.extend_from_slice(&self.headers);
        if body.is_some() && !self.headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        HttpRequest { headers, body }
    }

    /// What the store has said. `status`: that of its reply.
    pub fn answer(&self, operation: Operation, status: u16, body: Vec<u8>) -> Answer {
        let rule = self.protocol.rule(operation);
        match (self.protocol, operation) {
            _ if rule.missing.contains(&status) => Answer::Missing,
            _ if !rule.done.contains(&status) => Answer::Failed,
            (HttpProtocol::Objects, Operation::Read) => Answer::Found(body),
            (HttpProtocol::Dapr, Operation::Read) => {
                json::from_bytes::<String>(&body).map_or(Answer::Failed, |it| Answer::Found(it.into()))
            }
            (_, Operation::Write | Operation::Delete) => Answer::Done,
        }
    }

    /// The body that writes one key. Dapr parses a value and writes it anew, with other bytes; only a string stays as it is.
    fn dapr_state(&self, key: &str, record: &[u8]) -> Vec<u8> {
        let mut state = serde_json::json!({"key": key, "value": String::from_utf8_lossy(record)});
        if let (Some(ttl), Some(state)) = (self.ttl, state.as_object_mut()) {
            state.insert(
                "metadata".to_owned(),
                serde_json::json!({"ttlInSeconds": ttl.as_secs().to_string()}),
            );
        }
        serde_json::json!([state]).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, Owner, ResponseId};
    use super::*;

    const RECORD: &[u8] = br#"{"version":1,"n":1.0,"x":"\u00e9 < &"}"#;

    fn store(protocol: HttpProtocol, path: &str) -> HttpStore {
        HttpStore {
            protocol,
            cluster: "responses".to_owned(),
            path: path.to_owned(),
            authority: "s3.example.com".to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(2),
            ttl: None,
        }
    }

    fn objects() -> HttpStore {
        store(HttpProtocol::Objects, "/bucket/{owner}/{id}")
    }

    fn dapr() -> HttpStore {
        store(HttpProtocol::Dapr, "/v1.0/state/responses/{owner}-{id}")
    }

    fn key() -> Key {
        Key { owner: Owner::of([&b"Bearer a"[..]].into_iter()), id: ResponseId::of_seed(0xabc) }
    }

    fn questions() -> [Question; 3] {
        [Question::Read(key()), Question::Write(key(), RECORD.to_vec()), Question::Delete(key())]
    }

    fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
        request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_question_is_a_request() {
        let (owner, id) = (key().owner.digits(), key().id.to_string());
        let object = format!("/bucket/{owner}/{id}");
        let state = format!("/v1.0/state/responses/{owner}-{id}");
        for (store, methods, paths) in [
            (objects(), ["GET", "PUT", "DELETE"], [object.as_str(), &object, &object]),
            (dapr(), ["GET", "POST", "DELETE"], [state.as_str(), "/v1.0/state/responses", &state]),
        ] {
            for ((question, method), path) in questions().iter().zip(methods).zip(paths) {
                let request = store.request(question);
                assert_eq!(header(&request, ":method"), Some(method));
                assert_eq!(header(&request, ":path"), Some(path));
                assert_eq!(header(&request, ":authority"), Some("s3.example.com"));
                let writes = matches!(question, Question::Write(..));
                assert_eq!(request.body.is_some(), writes);
                assert_eq!(header(&request, "content-type"), writes.then_some("application/json"));
            }
        }
    }

    /// A signature covers the path, and those of some servers fail on escaped characters.
    #[test]
    fn a_path_has_no_character_that_would_be_escaped() {
        let request = objects().request(&questions()[0]);
        let path = header(&request, ":path").unwrap();
        assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte)), "{path}");
    }

    #[test]
    fn configured_headers_are_sent() {
        let headers = [("x-envoy-max-retries", "1"), ("content-type", "a/b")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let request = HttpStore { headers, ..objects() }.request(&questions()[1]);
        assert_eq!(header(&request, "x-envoy-max-retries"), Some("1"));
        let types = request.headers.iter().filter(|(name, _)| name == "content-type");
        assert_eq!(types.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["a/b"]);
    }

    #[test]
    fn a_status_is_an_answer() {
        use Operation::{Delete, Read, Write};
        let body = || b"record".to_vec();
        let found = || Answer::Found(body());
        for (operation, status, expected) in [
            (Read, 200, found()),
            (Read, 404, Answer::Missing),
            (Read, 410, Answer::Missing),
            // Not even a good status: the record may be there.
            (Read, 204, Answer::Failed),
            (Read, 206, Answer::Failed),
            (Read, 302, Answer::Failed),
            (Read, 403, Answer::Failed),
            (Read, 500, Answer::Failed),
            (Write, 200, Answer::Done),
            (Write, 201, Answer::Done),
            (Write, 204, Answer::Done),
            (Write, 404, Answer::Failed),
            (Write, 413, Answer::Failed),
            (Write, 507, Answer::Failed),
            (Delete, 204, Answer::Done),
            (Delete, 404, Answer::Missing),
            (Delete, 503, Answer::Failed),
        ] {
            assert_eq!(objects().answer(operation, status, body()), expected, "{operation:?} {status}");
        }
        for (operation, status, body, expected) in [
            (Read, 200, r#""record""#, found()),
            (Read, 200, "record", Answer::Failed),
            (Read, 200, "", Answer::Failed),
            (Read, 204, "", Answer::Missing),
            (Read, 400, "", Answer::Failed),
            (Read, 404, "", Answer::Failed),
            (Write, 204, "", Answer::Done),
            (Write, 400, "", Answer::Failed),
            (Delete, 204, "", Answer::Done),
        ] {
            assert_eq!(dapr().answer(operation, status, body.into()), expected, "{operation:?} {status}");
        }
    }

    /// Dapr writes a value anew, as any program would that parses it.
    #[test]
    fn a_record_comes_back_from_dapr_byte_for_byte() {
        let store = HttpStore { ttl: Some(Duration::from_secs(60)), ..dapr() };
        let body = store.request(&questions()[1]).body.unwrap();
        let state: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let (owner, id) = (key().owner.digits(), key().id.to_string());
        assert_eq!(state[0]["key"], format!("{owner}-{id}"));
        assert_eq!(state[0]["metadata"]["ttlInSeconds"], "60");
        let kept = serde_json::to_vec(&state[0]["value"]).unwrap();
        assert_eq!(store.answer(Operation::Read, 200, kept), Answer::Found(RECORD.to_vec()));
        let endless = dapr().request(&questions()[1]).body.unwrap();
        assert!(!String::from_utf8(endless).unwrap().contains("ttlInSeconds"));
    }
}
