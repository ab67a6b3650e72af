//! A store that answers later, over HTTP, and what may happen meanwhile.

use super::*;
use crate::support::{finish, text};
use transponder::exchange::TrailersVerdict;

const HTTP: &str =
    r#"{"store": {"http": {"cluster": "responses", "path": "/{owner}/{id}", "hold_bytes": 8000}}}"#;
const HTTP_HELD: &str = r#"{"hold_request_headers": true,
    "store": {"http": {"cluster": "responses", "path": "/{owner}/{id}", "hold_bytes": 8000}}}"#;

fn client(world: &World) -> Client<'_> {
    Client { config: HTTP, ..Client::new(world) }
}

/// An exchange whose reply has come as far as these chunks, and what its last callback has returned.
fn replied(client: &Client<'_>, body: &Value, chunks: &[Value]) -> (Driven, BodyVerdict) {
    let (mut driven, _) = client.posted(body);
    let json = [("content-type", "application/json")];
    driven.exchange.on_response_headers(&response("200", &json), false, NOW);
    let verdict = driven.exchange.on_response_body(support::events(chunks).as_bytes(), false, NOW);
    (driven, verdict)
}

fn asked(verdict: BodyVerdict) -> Question {
    match verdict {
        BodyVerdict::Ask(question) => question,
        BodyVerdict::Replace(body) => panic!("{} bytes go on", body.len()),
        other => panic!("{other:?}"),
    }
}

fn sent(verdict: BodyVerdict) -> Vec<u8> {
    match verdict {
        BodyVerdict::Replace(body) | BodyVerdict::Release(_, body) => body,
        other => panic!("{other:?}"),
    }
}

fn counted(driven: &Driven) -> Vec<String> {
    driven.counted().into_iter().filter(|line| line.starts_with("store")).collect()
}

/// The client gets the last event when its record is there, and it says what became of that.
#[test]
fn the_end_of_a_reply_waits_for_its_record() {
    for (config, stream) in [(HTTP, true), (HTTP, false), (HTTP_HELD, true), (HTTP_HELD, false)] {
        for (answer, is_stored) in [(Answer::Done, true), (Answer::Failed, false), (Answer::Missing, false)] {
            let world = World::default();
            let client = Client { config, ..client(&world) };
            let body = json!({"model": "m", "input": "a", "stream": stream, "metadata": {"store": "\"store\":true"}});
            let (mut driven, verdict) = replied(&client, &body, &says("b"));
            assert!(matches!(asked(verdict), Question::Write(..)));
            // What the upstream still sends changes nothing, nor do its end and its trailers.
            for (chunk, end) in [(&b": more"[..], false), (b"", true)] {
                assert_eq!(driven.exchange.on_response_body(chunk, end, NOW), BodyVerdict::Wait);
            }
            assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Hold);
            let verdict = driven.exchange.on_answer(answer.clone(), NOW);
            if let BodyVerdict::Release(edits, body) = &verdict {
                assert!(edits.contains(&set("content-length", &body.len().to_string())));
            }
            let reply = sent(verdict);
            let response = if stream { Transcript::of(&reply).response().clone() } else { document(&reply) };
            assert_eq!(response["store"], is_stored, "{config} {stream} {answer:?}");
            // A second answer, which no store should give, is none.
            assert_eq!(driven.exchange.on_answer(Answer::Done, NOW), BodyVerdict::Wait);
            driven.exchange.on_close(NOW);
            assert_eq!(counted(&driven).len(), 1);
        }
    }
}

/// Deltas go on as they come, and only what comes with the end waits.
#[test]
fn what_came_before_the_end_has_gone_on() {
    let world = World::default();
    let body = json!({"model": "m", "input": "a", "stream": true});
    let (mut driven, _) = client(&world).posted(&body);
    driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
    let chunk = support::events(&[text("first")]);
    let chunk = chunk.split_once("data: [DONE]").unwrap().0;
    let first = sent(driven.exchange.on_response_body(chunk.as_bytes(), false, NOW));
    assert!(String::from_utf8(first).unwrap().contains("first"));
    let verdict = driven.exchange.on_response_body(support::events(&[finish("stop")]).as_bytes(), false, NOW);
    asked(verdict);
}

/// Envoy's buffer could not take it. Its record is written all the same.
#[test]
fn a_long_end_does_not_wait() {
    for config in [HTTP, HTTP_HELD] {
        let world = World::default();
        let client = Client { config, ..client(&world) };
        let body = json!({"model": "m", "input": "a", "stream": true});
        let (mut driven, verdict) = replied(&client, &body, &says(&"b".repeat(8000)));
        assert_eq!(Transcript::of(&sent(verdict)).response()["store"], true);
        let question = driven.exchange.take_record().unwrap();
        assert_eq!(driven.exchange.take_record(), None);
        driven.exchange.on_close(NOW);
        assert_eq!(driven.exchange.on_answer(world.answer(&question), NOW), BodyVerdict::Wait);
        assert_eq!(counted(&driven), ["store_operations write done"]);
    }
}

/// The headers are held, and only trailers show the end of the reply.
#[test]
fn a_reply_that_ends_with_trailers_waits_too() {
    let world = World::default();
    let client = Client { config: HTTP_HELD, ..client(&world) };
    let (mut driven, _) = client.posted(&json!({"model": "m", "input": "a"}));
    let json = [("content-type", "application/json")];
    driven.exchange.on_response_headers(&response("200", &json), false, NOW);
    let chunk = support::events(&says("b"));
    let chunk = chunk.split_once("data: [DONE]").unwrap().0;
    assert_eq!(driven.exchange.on_response_body(chunk.as_bytes(), false, NOW), BodyVerdict::Hold);
    let verdict = driven.exchange.on_response_trailers(NOW);
    assert!(matches!(verdict, TrailersVerdict::Ask(Question::Write(..))), "{verdict:?}");
    let reply = local_body(driven.exchange.on_answer(Answer::Failed, NOW));
    let response: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &response["store"]), (200, &json!(false)));
}

/// The record is there, or will be: who asks for it later finds it.
#[test]
fn a_client_that_leaves_does_not_stop_the_record() {
    let world = World::default();
    let body = json!({"model": "m", "input": "a", "stream": true});
    let (mut driven, verdict) = replied(&client(&world), &body, &says("b"));
    asked(verdict);
    driven.exchange.on_close(NOW);
    assert_eq!(driven.exchange.on_answer(Answer::Done, NOW), BodyVerdict::Wait);
    assert_eq!(counted(&driven), ["store_operations write done"]);
}

/// An exchange that waits for the record of the previous response.
fn restoring(client: &Client<'_>) -> (Driven, Question) {
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let mut driven = client.driven();
    driven.exchange.on_request_headers(&client.headers("POST", "/v1/responses"), false, NOW);
    let body = json!({"model": "m", "input": "c", "previous_response_id": first.id()}).to_string();
    let verdict = driven.exchange.on_request_body(body.as_bytes(), true, NOW);
    (driven, asked(verdict))
}

#[test]
fn a_request_waits_for_what_it_goes_on_from() {
    for config in [HTTP, HTTP_HELD] {
        let world = World::default();
        let (mut driven, question) = restoring(&Client { config, ..client(&world) });
        let up = sent(driven.exchange.on_answer(world.answer(&question), NOW));
        let up: Value = serde_json::from_slice(&up).unwrap();
        assert_eq!(up["messages"].as_array().unwrap().len(), 3);
    }
}

/// Its headers have gone on, so the upstream or Envoy itself may answer: the client gets that, and the store's answer is not
/// needed any more.
#[test]
fn a_reply_that_comes_before_the_store_answers_goes_to_the_client() {
    let world = World::default();
    let (mut driven, question) = restoring(&client(&world));
    let headers = response("429", &[]);
    assert!(matches!(driven.exchange.on_response_headers(&headers, false, NOW), HeadersVerdict::Continue(_)));
    assert_eq!(driven.exchange.on_answer(world.answer(&question), NOW), BodyVerdict::Wait);
    let body = sent(driven.exchange.on_response_body(b"{\"error\": \"slow down\"}", true, NOW));
    assert!(String::from_utf8(body).unwrap().contains("slow down"));
}

#[test]
fn a_client_that_leaves_while_it_waits_is_forgotten() {
    let world = World::default();
    let (mut driven, question) = restoring(&client(&world));
    driven.exchange.on_close(NOW);
    assert_eq!(driven.exchange.on_answer(world.answer(&question), NOW), BodyVerdict::Wait);
    let turn = client(&world).turn(json!({"model": "m", "input": "a"}), &says("b"));
    let mut driven = client(&world).driven();
    let path = format!("/v1/responses/{}", turn.id());
    let verdict = driven.exchange.on_request_headers(&client(&world).headers("GET", &path), true, NOW);
    let HeadersVerdict::Ask(question) = verdict else { panic!("{verdict:?}") };
    // Envoy's own answer, for example after a timeout.
    driven.exchange.on_response_headers(&response("504", &[]), false, NOW);
    assert_eq!(driven.exchange.on_answer(world.answer(&question), NOW), BodyVerdict::Wait);
}
