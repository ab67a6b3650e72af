//! The tokens of a reply, what they cost, and whose they are.

use crate::config::Price;
use crate::metrics::{self, Telemetry, saturated};
use crate::response::ReplyStats;

/// Who pays for an exchange, and how much.
#[derive(Debug, Default)]
pub(super) struct Spending {
    /// Whose tokens they are, if teams are told apart.
    pub(super) team: Option<String>,
    /// What they cost, with the rule's `match`.
    pub(super) price: Option<(String, Price)>,
}

impl Spending {
    /// Counts the tokens of a reply, if the upstream has counted them.
    pub(super) fn count(&self, stats: &ReplyStats, preset: &str, telemetry: &dyn Telemetry) {
        let Some(usage) = &stats.usage else { return };
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        let cached = usage.input_tokens_details.cached_tokens;
        for (kind, field, tokens) in [
            ("input", "transponder.input_tokens", input),
            ("cached", "transponder.cached_tokens", cached),
            ("output", "transponder.output_tokens", output),
            ("reasoning", "transponder.reasoning_tokens", usage.output_tokens_details.reasoning_tokens),
        ] {
            let tokens = tokens.min(MAX_TOKENS);
            // Envoy rejects an increment of 0.
            if tokens > 0 {
                telemetry.record(&metrics::TOKENS, &[kind, preset], saturated(tokens));
                telemetry.note(field, &tokens.to_string());
                if let Some(team) = &self.team {
                    telemetry.record(&metrics::TEAM_TOKENS, &[kind, team], saturated(tokens));
                }
            }
        }
        let Some((model, price)) = &self.price else { return };
        let micros = price.micros(input, cached, output).min(MAX_MICROS);
        if micros > 0 {
            let team = self.team.as_deref().unwrap_or(metrics::OTHER);
            telemetry.record(&metrics::COST, &[model, team], saturated(micros));
            telemetry.note("transponder.cost_micros", &micros.to_string());
        }
    }
}

/// More tokens than any reply has. Envoy's counters wrap at 64 bits, and its rate limit filter takes no higher cost.
const MAX_TOKENS: u64 = 1_000_000_000;

/// The same for what they cost.
const MAX_MICROS: u64 = 1 << 50;
