//! The real Codex CLI through a real Envoy, in both header modes and natively. The tests check what Codex did and what the upstream
//! received.

mod catalog;
mod context;
mod errors;
mod moving;
mod search;
mod stage;
mod strict_upstreams;
mod tools;

/// Runs each scenario with headers that flow, with headers that are held, and with the native module.
macro_rules! in_every_mode {
    ($($scenario:ident)*) => {
        mod flow {
            $(#[tokio::test] async fn $scenario() { super::$scenario(support::Headers::Flow).await })*
        }
        mod held {
            $(#[tokio::test] async fn $scenario() { super::$scenario(support::Headers::Held).await })*
        }
        mod native {
            $(#[tokio::test] async fn $scenario() { super::$scenario(support::Headers::Native).await })*
        }
    };
}
pub(crate) use in_every_mode;
