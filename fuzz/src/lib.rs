//! Shared by the fuzz targets: reading an input, splitting it into pieces, and the checks that every input must pass.
//!
//! An input has a head of [`HEAD`] bytes, which select the conditions, and a body, which arrives.

pub mod calls;
pub mod envoy;

pub mod memory;

#[path = "../../tests/deviations/mod.rs"]
pub mod deviations;
#[path = "../../tests/grammar/mod.rs"]
pub mod grammar;

use std::sync::LazyLock;
use transponder::config::Config;
use transponder::metrics::{Metric, Telemetry};
use transponder::upstream;

/// Bytes before the body.
pub const HEAD: usize = 4;

/// The conditions of a run.
#[derive(Debug, Clone, Copy)]
pub struct Head([u8; HEAD]);

/// Splits an input into head and body. `None` if it has no head.
pub fn read(input: &[u8]) -> Option<(Head, &[u8])> {
    let (head, body) = input.split_first_chunk::<HEAD>()?;
    Some((Head(*head), body))
}

impl Head {
    /// A condition with two values.
    pub fn flag(self, number: u32) -> bool {
        self.0[0] & (1 << number) != 0
    }

    /// A condition with several values.
    pub fn choose<T>(self, from: &[T]) -> &T {
        &from[usize::from(self.0[1]) % from.len()]
    }

    /// The body in pieces of 1 to some hundred bytes, which depend on the head.
    pub fn cut(self, body: &[u8]) -> Vec<&[u8]> {
        let mut state = u32::from_le_bytes(self.0) | 1;
        let mut pieces = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            state = state.wrapping_mul(0x9E37_79B1).rotate_left(13) ^ 0x5bd1;
            let reach = 1usize << (state >> 29);
            let (piece, after) = rest.split_at((1 + (state as usize >> 8) % reach).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// The configurations: one that reads markup in the text, then every preset, each with both values of `history`.
pub static CONFIGS: LazyLock<Vec<Config>> = LazyLock::new(|| {
    let configs = upstream::preset_names().flat_map(|preset| {
        ["strict", "repair"].map(|history| format!(r#"{{"upstream": "{preset}", "history": "{history}"}}"#))
    });
    let markup = r#"{"upstream": {"think_tags": "on", "text_tool_calls": true}}"#.to_owned();
    std::iter::once(markup)
        .chain(configs)
        .map(|config| Config::parse(config.as_bytes()).expect("a preset's configuration"))
        .collect()
});

/// Discards all telemetry.
#[derive(Debug)]
pub struct Unrecorded;

impl Telemetry for Unrecorded {
    fn record(&self, _: &'static Metric, _: &[&str], _: i64) {}
    fn note(&self, _: &'static str, _: &str) {}
}
