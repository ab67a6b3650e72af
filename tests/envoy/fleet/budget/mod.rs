//! Each team has a budget of output tokens, which Envoy enforces.

mod service;

use serde_json::{Value, json};
use service::Service;
use std::time::{Duration, Instant};
use support::own_upstream::{OwnUpstream, json as json_reply, response};
use support::{Answer, Codex, Envoy, fleet, http_filters, post_with};

const BUDGET: u64 = 500;

fn reply(stream: bool) -> axum::response::Response {
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300});
    if stream {
        let chunk = json!({"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}], "usage": usage});
        return response(200, "text/event-stream", format!("data: {chunk}\n\ndata: [DONE]\n\n"));
    }
    let message = json!({"role": "assistant", "content": "hi"});
    json_reply(
        200,
        json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})
            .to_string(),
    )
}

async fn ask(envoy: &Envoy, team: &str, stream: bool) -> Answer {
    let body = json!({"model": "m", "input": "hi", "stream": stream}).to_string();
    post_with(&envoy.responses_url(), &[("x-team", team)], body).await
}

/// Envoy tells the service after the reply.
async fn until_used(service: &Service, team: &str, tokens: u64) {
    let begin = Instant::now();
    while service.used(team) != tokens {
        assert!(begin.elapsed() < Duration::from_secs(10), "{team} has used {}", service.used(team));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The example, with a service that is waited for: if it is late, requests pass.
fn plan(upstream: &OwnUpstream, service: &Service) -> Value {
    let addresses: &[(&str, &[_])] = &[("upstream", &[upstream.address]), ("ratelimit", &[service.address])];
    let mut plan = fleet("budget", addresses);
    // Transponder, the rate limit filter and the router.
    http_filters(&mut plan)[1]["typed_config"]["timeout"] = json!("60s");
    plan
}

async fn start() -> (OwnUpstream, Service, Envoy) {
    let upstream = OwnUpstream::start_asked(|seen| {
        let request = seen.json();
        reply(request["stream"] == true)
    })
    .await;
    let service = Service::start(BUDGET).await;
    let envoy = Envoy::launch(&plan(&upstream, &service)).await;
    (upstream, service, envoy)
}

#[tokio::test]
async fn a_team_whose_budget_is_used_up_is_refused() {
    let (upstream, service, envoy) = start().await;
    assert_eq!(ask(&envoy, "red", false).await.status, 200);
    until_used(&service, "red", 300).await;
    let answer = ask(&envoy, "red", true).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-codex-limit-name"), Some("red"));
    // 300 of 500 were used when the request came.
    assert_eq!(answer.header("x-codex-primary-used-percent"), Some("60.0"));
    assert_eq!(answer.header("x-codex-primary-window-minutes"), Some("1440"));
    until_used(&service, "red", 600).await;

    for stream in [false, true] {
        let refused = ask(&envoy, "red", stream).await;
        let error = &refused.json()["error"];
        assert_eq!((refused.status, &error["code"]), (429, &json!("insufficient_quota")), "{error}");
        assert_eq!(refused.header("retry-after"), Some("3600"));
        assert_eq!(refused.header("x-codex-primary-used-percent"), Some("100.0"));
    }
    assert_eq!(ask(&envoy, "blue", false).await.status, 200);
    until_used(&service, "blue", 300).await;
    assert_eq!((upstream.seen().len(), service.used("red")), (3, 600));
    envoy.finish();
}

/// An upstream behind an Envoy of its own has the same headers.
#[tokio::test]
async fn an_upstreams_own_limits_are_not_the_teams() {
    let upstream = OwnUpstream::start_asked(|seen| {
        let request = seen.json();
        let mut reply = reply(request["stream"] == true);
        for (name, value) in
            [("x-ratelimit-limit", "10, 10;w=60"), ("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "7")]
        {
            reply.headers_mut().insert(name, value.parse().unwrap());
        }
        reply
    })
    .await;
    let service = Service::start(BUDGET).await;
    let plan = plan(&upstream, &service);
    let mut held = plan.clone();
    let plugin = &mut http_filters(&mut held)[0]["typed_config"]["config"];
    plugin["allow_on_headers_stop_iteration"] = json!(true);
    let config = plugin["configuration"]["value"].as_str().unwrap();
    plugin["configuration"]["value"] = json!(config.replacen('{', "{\"hold_request_headers\": true, ", 1));
    for plan in [plan, held] {
        let envoy = Envoy::launch(&plan).await;
        for stream in [false, true] {
            // A request without a team has no budget.
            let body = json!({"model": "m", "input": "hi", "stream": stream}).to_string();
            let answer = post_with(&envoy.responses_url(), &[], body).await;
            assert_eq!((answer.status, answer.header("x-codex-limit-name")), (200, None));
            assert_eq!(answer.header("x-ratelimit-limit"), None);
            let team = if stream { "streams" } else { "documents" };
            let answer = ask(&envoy, team, stream).await;
            assert_eq!(answer.header("x-codex-primary-window-minutes"), Some("1440"));
            assert_eq!(answer.header("x-ratelimit-reset"), Some("3600"));
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn codex_shows_what_is_left_and_stops_when_nothing_is() {
    let (upstream, service, envoy) = start().await;
    let codex = Codex::new(&envoy.base_url()).provider("http_headers", r#"{ x-team = "red" }"#);
    codex.exec("qwen3-coder", "Say hi.").await.assert_completed();
    until_used(&service, "red", 300).await;
    codex.resume("qwen3-coder", "Say hi.").await.assert_completed();
    until_used(&service, "red", 600).await;

    let records = codex.records();
    let limits: Vec<&Value> = records.iter().map(|record| &record["payload"]["rate_limits"]).collect();
    let shown = limits.iter().rfind(|limits| limits.is_object()).unwrap_or_else(|| panic!("{records:#?}"));
    let primary = &shown["primary"];
    assert_eq!(
        (&shown["limit_name"], &primary["used_percent"], &primary["window_minutes"]),
        (&json!("red"), &json!(60.0), &json!(1440)),
        "{shown}"
    );
    assert!(primary["resets_at"].is_u64(), "{shown}");

    let turn = codex.resume("qwen3-coder", "Say hi.").await;
    assert!(!turn.status.success() && turn.stdout.contains("Quota exceeded"), "{turn:#?}");
    // It does not ask again.
    assert_eq!((upstream.seen().len(), service.used("red")), (2, 600));
    envoy.finish();
}
