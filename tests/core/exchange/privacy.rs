//! Which headers of Codex reach the upstream.

use super::*;
use std::collections::BTreeSet;

/// The headers that may be sent upstream: those of HTTP, the key, the account that OpenAI bills, and the ids for traces and
/// logs.
const ALLOWED: &[&str] = &[
    ":method",
    ":path",
    "accept",
    "authorization",
    "content-type",
    "openai-organization",
    "openai-project",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-request-id",
];

/// The request headers that Codex 0.171 knows, in all of its modes: exec, review, sub-agents, compaction, memories,
/// sign-in with ChatGPT, remote control, WebSocket. Some never come to a custom provider; the names are in the binary.
/// `x-session-id` is missing: Codex has it for the realtime API only, and others keep a session on one server by it.
const CODEX: &[&str] = &[
    "accept",
    "accept-encoding",
    "authorization",
    "chatgpt-account-id",
    "content-length",
    "content-type",
    "oai-product-sku",
    "openai-alpha",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "originator",
    "session-id",
    "session_id",
    "thread-id",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-client-request-id",
    "x-codex-app-server-compression",
    "x-codex-beta-features",
    "x-codex-cyber-access-program",
    "x-codex-guardian",
    "x-codex-image-turn-id",
    "x-codex-imagegen-request-id",
    "x-codex-inference-call-id",
    "x-codex-installation-id",
    "x-codex-name",
    "x-codex-noise-stream-id",
    "x-codex-parent-thread-id",
    "x-codex-protocol-version",
    "x-codex-root-turn-id",
    "x-codex-routing-hint",
    "x-codex-server-id",
    "x-codex-subscribe-cursor",
    "x-codex-turn-metadata",
    "x-codex-turn-state",
    "x-codex-window-id",
    "x-codex-ws-stream-request-start-ms",
    "x-oai-attestation",
    "x-oai-request-id",
    "x-openai-account-routing-override",
    "x-openai-actor-authorization",
    "x-openai-agent-assertion",
    "x-openai-encrypted-tool-arguments",
    "x-openai-fedramp",
    "x-openai-internal-caller",
    "x-openai-internal-codex-residency",
    "x-openai-internal-codex-responses-lite",
    "x-openai-memgen-request",
    "x-openai-subagent",
    "x-openai-tool-output-truncation-policy",
    "x-request-id",
    "x-responsesapi-include-timing-metrics",
];

#[test]
fn the_upstream_gets_no_header_beyond_the_allowed_ones() {
    for config in ["{}", HELD] {
        let sent: Vec<_> = CODEX.iter().map(|name| (*name, "9")).collect();
        let mut driven = Driven::new(config);
        let mut edits = match driven.exchange.on_request_headers(&request(&sent), false, NOW) {
            HeadersVerdict::Continue(edits) | HeadersVerdict::Hold(edits) => edits,
            other => panic!("{other:?}"),
        };
        if let BodyVerdict::Release(more, _) = driven.exchange.on_request_body(ASKED, true, NOW) {
            edits.extend(more);
        }
        let mut arrived: BTreeSet<&str> = CODEX.iter().copied().chain([":method", ":path"]).collect();
        for edit in &edits {
            match edit {
                Edit::Set(name, _) => arrived.insert(name.as_ref()),
                Edit::Remove(name) => arrived.remove(name.as_str()),
            };
        }
        // A hash, which the shipped configurations remove behind the routes.
        assert!(arrived.remove("x-transponder-session"), "{config}");
        let own = ["content-length", "x-transponder-model"];
        arrived.retain(|name| config == "{}" || !own.contains(name));
        assert_eq!(arrived, ALLOWED.iter().copied().collect(), "{config}");
    }
}
