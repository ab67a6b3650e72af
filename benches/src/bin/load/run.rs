//! The results of a run, as docs/benchmarks/measured.json holds them. The page and its plots are made of nothing else.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that was measured.
#[derive(Serialize, Deserialize)]
pub struct Run {
    /// Date, commit, machine and versions, in a sentence or two.
    pub about: String,
    /// In the order of the tables.
    pub targets: Vec<Facts>,
    /// By case, by target, by round.
    pub figures: BTreeMap<String, BTreeMap<String, Vec<Figures>>>,
    pub open: Vec<Open>,
}

/// What does not depend on a case.
#[derive(Default, Serialize, Deserialize)]
pub struct Facts {
    pub name: String,
    /// The version of another project's program.
    pub version: Option<String>,
    /// Seconds from the start to the first reply, for each start.
    pub starts: Vec<f64>,
    /// Resident memory in bytes before the first case and after the last.
    pub memory: Option<[u64; 2]>,
    /// The size of the file with the filter.
    pub module_bytes: Option<u64>,
}

/// The measurements of one target for one case in one round. Times are in seconds.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    pub p50: f64,
    pub p99: f64,
    /// Median time to the first delta.
    pub first: f64,
    pub per_second: f64,
    /// CPU time of the process per request.
    pub cpu: f64,
    /// Median time of a paced event from the upstream to the client.
    pub delay: f64,
    /// Mean size of a reply's body.
    pub reply_bytes: f64,
}

/// The resident memory that each of a number of open streams adds.
#[derive(Serialize, Deserialize)]
pub struct Open {
    pub target: String,
    pub request: String,
    pub streams: usize,
    pub bytes_each: f64,
}

pub type Figure = fn(&Figures) -> f64;

impl Run {
    /// The median over the rounds. None if it was not measured.
    pub fn of(&self, case: &str, target: &str, figure: Figure) -> Option<f64> {
        let rounds = self.figures.get(case)?.get(target)?;
        median(rounds.iter().map(figure))
    }

    /// A figure of one target in that of another.
    pub fn ratio(&self, case: &str, figure: Figure, target: &str, other: &str) -> Option<f64> {
        Some(self.of(case, target, figure)? / self.of(case, other, figure)?)
    }

    pub fn facts(&self, target: &str) -> Option<&Facts> {
        self.targets.iter().find(|facts| facts.name == target)
    }

    /// With the greatest number of streams that was opened.
    pub fn bytes_each(&self, target: &str, request: &str) -> Option<f64> {
        let row = self.open.iter().rfind(|open| open.target == target && open.request == request)?;
        Some(row.bytes_each)
    }
}

impl Facts {
    pub fn started_in(&self) -> Option<f64> {
        median(self.starts.iter().copied())
    }

    /// After the last case.
    pub fn resident(&self) -> Option<f64> {
        Some(self.memory?[1] as f64)
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
