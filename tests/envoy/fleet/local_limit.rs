//! Each team may send so many requests, which Envoy counts itself.

use serde_json::json;
use support::own_upstream::{OwnUpstream, completion};
use support::{Answer, Envoy, fleet, post_with};

async fn ask(envoy: &Envoy, team: &str) -> Answer {
    post_with(&envoy.responses_url(), &[("x-team", team)], json!({"model": "m", "input": "hi"}).to_string())
        .await
}

/// Asks until the team is refused. Returns how often it was served, and the refusal.
async fn served(envoy: &Envoy, team: &str) -> (usize, Answer) {
    for served in 0..1000 {
        let answer = ask(envoy, team).await;
        if answer.status != 200 {
            return (served, answer);
        }
    }
    panic!("{team} is not limited");
}

#[tokio::test]
async fn each_team_has_its_own_limit() {
    let upstream = OwnUpstream::start(|| completion("hi")).await;
    let envoy = Envoy::launch(&fleet("local-limit", &[("upstream", &[upstream.address])])).await;
    let (blue, refused) = served(&envoy, "blue").await;
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["code"]), (429, &json!("rate_limit_exceeded")), "{error}");
    assert_eq!(refused.header("retry-after"), Some("5"));
    // A bucket fills up again while it is emptied.
    assert!(blue >= 30, "{blue}");
    let (red, _) = served(&envoy, "red").await;
    assert!(red >= 120, "{red}");
    assert_eq!(ask(&envoy, "green").await.status, 200);
    envoy.finish();
}
