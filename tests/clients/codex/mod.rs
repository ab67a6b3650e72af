//! The real Codex CLI through a real Envoy, in both header modes. The tests check what Codex did and what the upstream
//! received.

mod catalog;
mod context;
mod errors;
mod moving;
mod search;
mod stage;
mod strict_upstreams;
mod tools;

/// Runs each scenario once with headers that flow and once with headers that are held.
macro_rules! in_both_header_modes {
    ($($scenario:ident)*) => {
        mod flow {
            $(#[tokio::test] async fn $scenario() { super::$scenario(support::Headers::Flow).await })*
        }
        mod held {
            $(#[tokio::test] async fn $scenario() { super::$scenario(support::Headers::Held).await })*
        }
    };
}
pub(crate) use in_both_header_modes;
