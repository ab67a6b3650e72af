//! The performance goals, for the WebAssembly filter and the native module.

use crate::case::{
    CUSTOM_INPUT, FEW, LARGE, MANY, MEDIUM, MEDIUM_200, PACED, SESSION, SMALL, SMALL_16, SMALL_BESIDE,
};
use crate::known::{BEFORE, CODEX_RELAY, ENVOY, LITELLM, NATIVE, NOTHING, UPSTREAM, WASM};
use crate::run::{Figures, Run};

const P50: fn(&Figures) -> f64 = |figures| figures.p50;
const P99: fn(&Figures) -> f64 = |figures| figures.p99;
const CPU: fn(&Figures) -> f64 = |figures| figures.cpu;
const PER_SECOND: fn(&Figures) -> f64 = |figures| figures.per_second;

#[derive(Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
    None,
}
use Limit::{AtLeast, AtMost};

pub struct Goal {
    pub what: &'static str,
    pub unit: &'static str,
    pub wasm: Limit,
    pub native: Limit,
    /// The figure of one of our targets. None if something that it needs was not measured.
    pub of: fn(&Run, &str) -> Option<f64>,
}

impl Goal {
    /// The cells of its row: what, then the limit and the figure of each adapter.
    pub fn cells(&self, run: &Run) -> [String; 5] {
        let figure = |target| match (self.of)(run, target) {
            Some(value) => format!("{}{}", short(value), self.unit),
            None => "-".to_owned(),
        };
        let limit = |limit| match limit {
            AtMost(value) => format!("<= {value}{}", self.unit),
            AtLeast(value) => format!(">= {value}{}", self.unit),
            Limit::None => "-".to_owned(),
        };
        [self.what.to_owned(), limit(self.wasm), figure(WASM), limit(self.native), figure(NATIVE)]
    }
}

/// With three digits or so.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// What a target adds to the p50 of the upstream alone, as a share of what another one adds.
fn added(run: &Run, case: &str, target: &str, other: &str) -> Option<f64> {
    let alone = run.of(case, UPSTREAM, P50)?;
    Some((run.of(case, target, P50)? - alone) / (run.of(case, other, P50)? - alone))
}

/// CPU time per event: the cost of 1,980 additional events.
fn cpu_of_event(run: &Run, target: &str) -> Option<f64> {
    Some((run.of(MANY, target, CPU)? - run.of(FEW, target, CPU)?) / 1980.0)
}

pub const GOALS: &[Goal] = &[
    Goal {
        what: "p50 against Envoy alone, 18 kB, JSON",
        unit: "",
        wasm: AtMost(1.5),
        native: AtMost(1.25),
        of: |run, ours| run.ratio(SMALL, P50, ours, ENVOY),
    },
    Goal {
        what: "p50 against Envoy alone, 120 kB, 200 text events",
        unit: "",
        wasm: AtMost(1.9),
        native: AtMost(1.5),
        of: |run, ours| run.ratio(MEDIUM_200, P50, ours, ENVOY),
    },
    Goal {
        what: "p50 against Envoy alone, 1 MB, JSON",
        unit: "",
        wasm: AtMost(3.0),
        native: AtMost(2.2),
        of: |run, ours| run.ratio(LARGE, P50, ours, ENVOY),
    },
    Goal {
        what: "p50 against Envoy alone, 18 kB, 2,000 custom input events",
        unit: "",
        wasm: AtMost(1.3),
        native: AtMost(1.3),
        of: |run, ours| run.ratio(CUSTOM_INPUT, P50, ours, ENVOY),
    },
    Goal {
        what: "p99 against Envoy alone, 18 kB, JSON, 64 open streams beside it",
        unit: "",
        wasm: Limit::None,
        native: Limit::None,
        of: |run, ours| run.ratio(SMALL_BESIDE, P99, ours, ENVOY),
    },
    Goal {
        what: "requests/s against Envoy alone, 18 kB, JSON, 16 connections",
        unit: "",
        wasm: AtLeast(0.5),
        native: AtLeast(0.5),
        of: |run, ours| run.ratio(SMALL_16, PER_SECOND, ours, ENVOY),
    },
    Goal {
        what: "p50 against codex-relay, 18 kB, JSON",
        unit: "",
        wasm: AtMost(1.0),
        native: AtMost(1.0),
        of: |run, ours| run.ratio(SMALL, P50, ours, CODEX_RELAY),
    },
    Goal {
        what: "CPU of a request against codex-relay, 18 kB, JSON",
        unit: "",
        wasm: AtMost(1.0),
        native: AtMost(1.0),
        of: |run, ours| run.ratio(SMALL, CPU, ours, CODEX_RELAY),
    },
    Goal {
        what: "CPU of a session against the earlier commit",
        unit: "",
        wasm: AtMost(0.5),
        native: Limit::None,
        of: |run, ours| run.ratio(SESSION, CPU, ours, BEFORE),
    },
    Goal {
        what: "CPU of a session against codex-relay",
        unit: "",
        wasm: AtMost(0.02),
        native: AtMost(0.02),
        of: |run, ours| run.ratio(SESSION, CPU, ours, CODEX_RELAY),
    },
    Goal {
        what: "CPU of a session against LiteLLM",
        unit: "",
        wasm: Limit::None,
        native: Limit::None,
        of: |run, ours| run.ratio(SESSION, CPU, ours, LITELLM),
    },
    Goal {
        what: "added p50 against codex-relay, 120 kB, JSON",
        unit: "",
        wasm: AtMost(0.1),
        native: AtMost(0.1),
        of: |run, ours| added(run, MEDIUM, ours, CODEX_RELAY),
    },
    Goal {
        what: "added p50 against LiteLLM, 18 kB, JSON",
        unit: "",
        wasm: AtMost(0.01),
        native: AtMost(0.01),
        of: |run, ours| added(run, SMALL, ours, LITELLM),
    },
    Goal {
        what: "CPU of a text event beyond the do-nothing filter",
        unit: " µs",
        wasm: AtMost(1.5),
        native: AtMost(1.5),
        of: |run, ours| Some((cpu_of_event(run, ours)? - cpu_of_event(run, NOTHING)?) * 1e6),
    },
    Goal {
        what: "delay of a paced event beyond Envoy alone",
        unit: " µs",
        wasm: Limit::None,
        native: Limit::None,
        of: |run, ours| {
            let delay = |target| run.of(PACED, target, |figures| figures.delay);
            Some((delay(ours)? - delay(ENVOY)?) * 1e6)
        },
    },
    Goal {
        what: "body of a reply with 20 text events, to Codex",
        unit: " kB",
        wasm: AtMost(12.0),
        native: AtMost(12.0),
        of: |run, ours| Some(run.of(FEW, ours, |figures| figures.reply_bytes)? / 1e3),
    },
    Goal {
        what: "module",
        unit: " kB",
        wasm: AtMost(700.0),
        native: Limit::None,
        of: |run, ours| Some(run.facts(ours)?.module_bytes? as f64 / 1e3),
    },
    Goal {
        what: "start-up beyond Envoy alone",
        unit: " s",
        wasm: AtMost(0.5),
        native: AtMost(0.05),
        of: |run, ours| Some(run.facts(ours)?.started_in()? - run.facts(ENVOY)?.started_in()?),
    },
    Goal {
        what: "resident memory after the run, beyond Envoy alone",
        unit: " MB",
        wasm: AtMost(30.0),
        native: Limit::None,
        of: |run, ours| Some((run.facts(ours)?.resident()? - run.facts(ENVOY)?.resident()?) / 1e6),
    },
    Goal {
        what: "memory of an open stream beyond Envoy alone, a short request",
        unit: " kB",
        wasm: AtMost(8.0),
        native: AtMost(8.0),
        of: |run, ours| {
            let each = |target| run.bytes_each(target, "a short request");
            Some((each(ours)? - each(ENVOY)?) / 1e3)
        },
    },
];
