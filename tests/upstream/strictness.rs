//! Valid requests get a reply. Invalid ones get an error that names the field.

use serde_json::{Value, json};

use super::refusals::{bad_requests, long_id, loosened, tightened};
use super::{complete, good, user, without};
use support::{Answer, Upstream, post, post_with};

fn assert_refused(answer: &Answer, words: &str, body: &Value) {
    assert_eq!(answer.status, 400, "{words}: not refused: {body}");
    let error = &answer.json()["error"];
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(words), "`{words}` is not in `{message}`");
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["param"].is_string() && error["code"].is_string());
}

#[tokio::test]
async fn a_good_request_is_answered() {
    let upstream = Upstream::start().await;
    let answer = complete(&upstream, &good()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Calls need no content, and only `model` and `messages` are required.
    let least = json!({"model": "m", "messages": [user("a"), user("b")]});
    for body in [without("/messages/2/content"), least, long_id()] {
        let answer = complete(&upstream, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(upstream.bodies().await.len(), 4);
}

#[tokio::test]
async fn each_bad_request_is_refused_by_name() {
    let upstream = Upstream::start().await;
    for (body, words) in bad_requests() {
        assert_refused(&complete(&upstream, &body).await, words, &body);
    }
    for (seen, (body, words)) in upstream.requests().await.iter().zip(bad_requests()) {
        assert_eq!(seen.body, body);
        assert!(seen.outcome.starts_with("refused: ") && seen.outcome.contains(words));
    }
}

#[tokio::test]
async fn a_script_loosens_and_tightens() {
    let upstream = Upstream::start().await;
    for (strict, body) in loosened() {
        upstream.script(json!({})).await;
        assert_eq!(complete(&upstream, &body).await.status, 400, "{strict}");
        upstream.script(json!({"strict": strict})).await;
        let answer = complete(&upstream, &body).await;
        assert_eq!(answer.status, 200, "{strict}: {}", answer.text());
    }
    for (strict, body, words) in tightened() {
        upstream.script(json!({"strict": strict})).await;
        assert_refused(&complete(&upstream, &body).await, words, &body);
    }
}

#[tokio::test]
async fn other_paths_and_bodies_are_refused() {
    let upstream = Upstream::start().await;
    let url = format!("{}/chat/completions", upstream.base_url());
    let status = |answer: Answer| answer.status;
    assert_eq!(status(post_with(&url, &[], "{").await), 400);
    assert_eq!(status(post_with(&url, &[("content-type", "text/plain")], "{}").await), 415);
    let responses = format!("{}/responses", upstream.base_url());
    assert_eq!(status(post_with(&responses, &[], "{}").await), 404);
    let prefixed = format!("http://{}/inference/v1/chat/completions", upstream.address());
    assert_eq!(status(post(&prefixed, &good()).await), 200);

    let seen = upstream.requests().await;
    assert_eq!(seen[0].body, json!("{"), "what is no JSON is kept as a string");
    assert_eq!(seen[1].headers["content-type"], "text/plain");
    assert_eq!(seen[3].path, "/inference/v1/chat/completions");
    upstream.clear().await;
    assert!(upstream.requests().await.is_empty());
}

#[tokio::test]
async fn a_misspelt_script_is_refused() {
    let upstream = Upstream::start().await;
    for (script, words) in [
        (json!({"replies": [{"tekst": "a"}]}), "unknown field `tekst`"),
        (json!({"replies": [{"text": "a", "json": {}}]}), "a reply is one of"),
        (json!({"replies": [{"text": "a", "split": 0}]}), "at least 1"),
        (json!({"replies": [{"shape": "nobody"}]}), "no shape is named"),
        (json!({"replies": [{"shape": {"idz": "empty"}}]}), "unknown field `idz`"),
        (json!({"replies": [{"steps": [{"say": "a"}]}]}), "unknown variant `say`"),
        (json!({"strict": {"developer": true}}), "unknown field `developer`"),
    ] {
        let refused = upstream.try_script(script).await.unwrap_err();
        assert!(refused.contains(words), "`{words}` is not in `{refused}`");
    }
}
