//! `make bench` compares Transponder with Envoy alone, with a filter that does nothing, and with others, on the same
//! requests in one run.
//!
//! Each round runs all cases, and for each case all targets, so that a disturbance of the machine affects all of them.
//! The result is the median over the rounds. docs/benchmarks/measured.json gets all figures, and docs/benchmarks.md and
//! its plots are made of that file, also by `load page` without a measurement. With QUICK the tables are only printed. `load store`
//! measures the store in Envoy's memory instead.

mod case;
mod client;
mod envoy;
mod goals;
mod known;
mod measure;
mod mock;
mod page;
mod plot;
mod process;
mod report;
mod run;
mod store;
mod target;

use bytes::Bytes;
use case::{CASES, Case, Says};
use envoy::ENVOYS;
use known::{CODEX_RELAY, LITELLM, SAME_REPLY, WASM};
use measure::{measure, open_streams};
use mock::{Mock, Reply};
use run::{Facts, Figures, Run};
use std::collections::BTreeMap;
use std::path::Path;
use target::Target;

#[tokio::main]
async fn main() {
    let what = std::env::args().nth(1);
    if what.as_deref() == Some("page") {
        page::write(&page::read());
        return;
    }
    let quick = std::env::var_os("QUICK").is_some();
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let files = std::env::temp_dir().join(format!("transponder-bench-{}", std::process::id()));
    std::fs::create_dir_all(&files).expect("a temporary directory");
    if what.as_deref() == Some("store") {
        store::print(rounds, &files).await.unwrap_or_else(|why| panic!("{why}"));
        // It only holds logs.
        let _ = std::fs::remove_dir_all(&files);
        return;
    }
    let bench = Bench::start(&files).await;
    let mut run = bench.run(rounds, quick).await;
    let mock = bench.mock;
    drop(bench.targets);
    start_again(&mut run.targets, rounds, &mock, &files).await;
    if quick {
        println!("{}", report::tables(&run));
    } else {
        run.open = open_streams(&mock, &files).await;
        page::save(&run);
        page::write(&run);
    }
    // It only holds logs, which are not needed after a successful run.
    let _ = std::fs::remove_dir_all(&files);
}

/// Everything that is measured, running.
struct Bench {
    mock: Mock,
    /// The upstream that replies with what Transponder sends to the client.
    same_reply: Mock,
    targets: Vec<Target>,
}

impl Bench {
    async fn start(files: &Path) -> Self {
        let (mock, same_reply) = (Mock::start().await, Mock::start().await);
        let mut targets = vec![Target::upstream(mock.address)];
        for envoy in ENVOYS {
            let upstream = if envoy.0 == SAME_REPLY { &same_reply } else { &mock };
            targets.push(envoy::start(*envoy, upstream.address, false, files).await);
        }
        targets.extend(Target::codex_relay(mock.address, files).await);
        targets.extend(Target::litellm(mock.address, files).await);
        Self { mock, same_reply, targets }
    }

    fn upstream_of(&self, target: &Target) -> &Mock {
        if target.name == SAME_REPLY { &self.same_reply } else { &self.mock }
    }

    async fn run(&self, rounds: usize, quick: bool) -> Run {
        let idle: Vec<_> = self.targets.iter().map(Target::memory).collect();
        let cases: Vec<_> = CASES.iter().filter(|case| !quick || case.is_quick()).collect();
        let requests: Vec<_> = cases.iter().map(|case| case.requests()).collect();
        let mut figures = BTreeMap::new();
        for round in 1..=rounds {
            for (case, requests) in cases.iter().zip(&requests) {
                let by_target = figures.entry(case.name.to_owned()).or_default();
                self.round(case, requests, by_target).await;
            }
            eprintln!("round {round} of {rounds}");
        }
        let targets = self.targets.iter().zip(idle).map(|(target, idle)| {
            let envoy = ENVOYS.iter().find(|(name, _)| *name == target.name);
            Facts {
                name: target.name.to_owned(),
                version: version(target.name),
                starts: target.process.iter().map(|_| target.started_in.as_secs_f64()).collect(),
                memory: idle.zip(target.memory()).map(<[u64; 2]>::from),
                module_bytes: envoy.and_then(|(_, filter)| filter.module_bytes()),
            }
        });
        Run { about: page::about(), targets: targets.collect(), figures, open: Vec::new() }
    }

    async fn round(&self, case: &Case, requests: &[Bytes], figures: &mut BTreeMap<String, Vec<Figures>>) {
        let ours = self.reply_of_transponder(case, requests).await;
        for target in self.targets.iter().filter(|target| target.takes(case.bytes)) {
            let reply = if target.name == SAME_REPLY { ours.clone() } else { case.reply() };
            let all = figures.entry(target.name.to_owned()).or_default();
            match measure(case, target, self.upstream_of(target), reply, requests).await {
                Ok(measured) => all.push(measured),
                Err(why) => eprintln!("{}, {}: {why}", case.name, target.name),
            }
        }
    }

    /// The reply that the client gets from Transponder, in events of their own if it is a stream.
    async fn reply_of_transponder(&self, case: &Case, requests: &[Bytes]) -> Reply {
        let (Some(target), Some(last)) =
            (self.targets.iter().find(|target| target.name == WASM), requests.last())
        else {
            return case.reply();
        };
        self.mock.say(case.reply());
        let body = client::reply(target.address, last.clone()).await.unwrap_or_else(|why| panic!("{why}"));
        match case.says {
            Says::Document { .. } => Reply::Document(body),
            Says::Events { .. } => Reply::Events(events(&body)),
            // Its events hold the time at which they are sent.
            Says::Paced { .. } => case.reply(),
        }
    }
}

/// The events of a stream, each with its empty line.
fn events(body: &Bytes) -> Vec<Bytes> {
    let ends = memchr::memmem::find_iter(body, b"\n\n").map(|at| at + 2);
    let mut begin = 0;
    ends.map(|end| body.slice(std::mem::replace(&mut begin, end)..end)).collect()
}

/// The version of another project's program, which `make bench` has installed.
fn version(name: &str) -> Option<String> {
    let variable = match name {
        CODEX_RELAY => "BENCH_CODEX_RELAY_VERSION",
        LITELLM => "BENCH_LITELLM_VERSION",
        _ => return None,
    };
    std::env::var(variable).ok()
}

/// Starts each Envoy again and again, because one start says little.
async fn start_again(targets: &mut [Facts], rounds: usize, mock: &Mock, files: &Path) {
    for _ in 1..rounds {
        for envoy in ENVOYS {
            let started = envoy::start(*envoy, mock.address, false, files).await.started_in;
            let facts = targets.iter_mut().filter(|facts| facts.name == envoy.0);
            facts.for_each(|facts| facts.starts.push(started.as_secs_f64()));
        }
    }
}
