//! What the tokens of a model cost.

use serde::Deserialize;

/// Prices of a million tokens, in whatever currency.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input tokens that were not cached.
    pub input: f64,
    /// Cached input tokens. If absent, the same as `input`.
    pub cached: Option<f64>,
    /// Output tokens.
    pub output: f64,
}

impl Price {
    /// What a reply costs, in millionths of the currency. `input` includes `cached`.
    pub fn micros(self, input: u64, cached: u64, output: u64) -> u64 {
        let fresh = input.saturating_sub(cached) as f64 * self.input;
        let cached = cached as f64 * self.cached.unwrap_or(self.input);
        // A price of 1 for a million tokens is a millionth for each.
        (fresh + cached + output as f64 * self.output).round() as u64
    }

    /// The three prices by their keys.
    pub(super) fn parts(self) -> impl Iterator<Item = (&'static str, f64)> {
        let parts = [("input", Some(self.input)), ("cached", self.cached), ("output", Some(self.output))];
        parts.into_iter().filter_map(|(key, price)| Some((key, price?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_costs_its_tokens() {
        let price = Price { input: 2.0, cached: Some(0.5), output: 8.0 };
        assert_eq!(price.micros(1000, 600, 10), 400 * 2 + 300 + 80);
        assert_eq!(Price { cached: None, ..price }.micros(1000, 600, 10), 2080);
        assert_eq!(Price { input: 0.15, cached: None, output: 0.6 }.micros(3, 0, 1), 1);
    }
}
