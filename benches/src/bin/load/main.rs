//! `make bench` compares Transponder with Envoy alone, with a filter that does nothing, and with others, on the same
//! requests in one run.
//!
//! Each round runs all cases, and for each case all targets, so that a disturbance of the machine affects all of them.
//! The result is the median over the rounds. It is written to docs/benchmarks.md.

mod client;
mod mock;
mod plot;
mod process;
mod report;
mod target;

use bytes::Bytes;
use client::{Connection, Sample, load};
use mock::{Mock, Reply};
use std::path::Path;
use std::time::{Duration, Instant};
use target::{Filter, Target};
use transponder_benches::{Kind, document, request, stream, text_chunk};

/// One case: the request, the reply, and the number of connections.
pub struct Case {
    pub name: &'static str,
    pub bytes: usize,
    pub says: Says,
    pub connections: usize,
}

/// The upstream's reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Document { events: usize },
    Events { kind: Kind, events: usize },
    Paced { events: usize, apart: Duration },
}

const fn document_to(name: &'static str, bytes: usize, connections: usize) -> Case {
    Case { name, bytes, says: Says::Document { events: 20 }, connections }
}

const fn events_to(name: &'static str, bytes: usize, kind: Kind, events: usize, connections: usize) -> Case {
    Case { name, bytes, says: Says::Events { kind, events }, connections }
}

pub const CASES: &[Case] = &[
    document_to("18 kB, JSON", 18_000, 1),
    document_to("18 kB, JSON, 16 connections", 18_000, 16),
    document_to("18 kB, JSON, 256 connections", 18_000, 256),
    document_to("120 kB, JSON", 120_000, 1),
    document_to("1 MB, JSON", 1_000_000, 1),
    document_to("10 MB, JSON", 10_000_000, 1),
    events_to("120 kB, 200 text events", 120_000, Kind::Text, 200, 1),
    events_to("120 kB, 200 text events, 16 connections", 120_000, Kind::Text, 200, 16),
    events_to("18 kB, 20 text events", 18_000, Kind::Text, 20, 1),
    events_to("18 kB, 200 text events", 18_000, Kind::Text, 200, 1),
    events_to("18 kB, 2,000 text events", 18_000, Kind::Text, 2000, 1),
    events_to("18 kB, 2,000 reasoning events", 18_000, Kind::Reasoning, 2000, 1),
    events_to("18 kB, 2,000 argument events", 18_000, Kind::Arguments, 2000, 1),
    events_to("18 kB, 2,000 custom input events", 18_000, Kind::CustomInput, 2000, 1),
    Case {
        name: "18 kB, 50 text events 20 ms apart",
        bytes: 18_000,
        says: Says::Paced { events: 50, apart: Duration::from_millis(20) },
        connections: 1,
    },
];

/// The cases of a quick run, which shows the effect of a change in three minutes and leaves the page alone.
const QUICK: &[&str] = &[
    "18 kB, JSON",
    "18 kB, JSON, 16 connections",
    "1 MB, JSON",
    "120 kB, 200 text events",
    "18 kB, 2,000 argument events",
    "18 kB, 2,000 custom input events",
];

/// The measurements of one target for one case in one round.
#[derive(Clone, Copy, Default)]
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
}

/// The number of open streams, and the resident memory with them.
pub struct Open {
    pub target: &'static str,
    pub request: &'static str,
    pub streams: usize,
    pub bytes_each: f64,
}

/// How long a target is measured in one round.
const WINDOW: Duration = Duration::from_millis(400);

/// Longer than any request takes, paced ones included.
const PATIENCE: Duration = Duration::from_secs(10);

/// All that was measured. Figures are by case, then by target, then by round.
pub struct Measured {
    pub targets: Vec<(&'static str, Duration)>,
    pub figures: Vec<Vec<Vec<Figures>>>,
    pub open: Vec<Open>,
}

#[tokio::main]
async fn main() {
    let quick = std::env::var_os("QUICK").is_some();
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let files = std::env::temp_dir().join(format!("transponder-bench-{}", std::process::id()));
    std::fs::create_dir_all(&files).expect("a temporary directory");
    let mock = Mock::start().await;
    let targets = targets(&mock, &files).await;
    let mut figures = vec![vec![Vec::new(); targets.len()]; CASES.len()];
    for round in 0..rounds {
        let measured = CASES.iter().zip(&mut figures);
        for (case, by_target) in measured.filter(|(case, _)| !quick || QUICK.contains(&case.name)) {
            let body = Bytes::from(request(case.bytes, !matches!(case.says, Says::Document { .. })));
            mock.say(reply(case.says));
            let asked = targets.iter().zip(by_target).filter(|(target, _)| target.takes(case.bytes));
            for (target, all) in asked {
                match measure(case, target, &body).await {
                    Ok(measured) => all.push(measured),
                    Err(why) if round == 0 => eprintln!("{}, {}: {why}", case.name, target.name),
                    Err(_) => {}
                }
            }
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    let started = targets.iter().map(|target| (target.name, target.started_in)).collect();
    drop(targets);
    let open = if quick { Vec::new() } else { open_streams(&mock, &files).await };
    let measured = Measured { targets: started, figures, open };
    if quick {
        report::print(&measured);
    } else {
        report::write(&measured);
    }
    // It only holds logs, which are not needed after a successful run.
    let _ = std::fs::remove_dir_all(&files);
}

async fn targets(mock: &Mock, files: &Path) -> Vec<Target> {
    let upstream = mock.address;
    mock.say(reply(Says::Document { events: 20 }));
    let mut targets = vec![Target::mock(upstream)];
    for filter in [
        Filter::None,
        Filter::Passthrough,
        Filter::HostCalls,
        Filter::Transponder { held: false },
        Filter::Transponder { held: true },
        Filter::Before,
    ] {
        targets.push(Target::envoy(filter, upstream, false, files).await);
    }
    targets.extend(Target::codex_relay(upstream, files).await);
    targets.extend(Target::litellm(upstream, files).await);
    targets
}

fn reply(says: Says) -> Reply {
    match says {
        Says::Document { events } => Reply::Document(document(Kind::Text, events).into()),
        Says::Events { kind, events } => {
            Reply::Events(stream(kind, events).into_iter().map(Bytes::from).collect())
        }
        Says::Paced { events, apart } => Reply::Paced(events, apart),
    }
}

async fn measure(case: &Case, target: &Target, body: &Bytes) -> Result<Figures, String> {
    let cpu = || target.process.as_ref().map(|process| process.cpu()).unwrap_or_default();
    // Warm-up: connections, caches, and the compiler of the WebAssembly VM.
    let (begin, cpu_before) = (Instant::now(), cpu());
    let warm = load(target.address, body, case.connections.min(4), WINDOW / 10).await?;
    quiet(target).await;
    if begin.elapsed() > PATIENCE {
        // If a request takes this long, one is enough.
        return Ok(figures(&warm, begin.elapsed(), cpu() - cpu_before));
    }
    let (begin, cpu_before) = (Instant::now(), cpu());
    let samples = load(target.address, body, case.connections, WINDOW).await?;
    let took = begin.elapsed();
    quiet(target).await;
    Ok(figures(&samples, took, cpu() - cpu_before))
}

async fn quiet(target: &Target) {
    if let Some(process) = &target.process {
        process.quiet().await;
    }
}

fn figures(samples: &[Sample], took: Duration, cpu: Duration) -> Figures {
    let at =
        |share: f64, of: &dyn Fn(&Sample) -> Duration| percentile(samples.iter().map(of).collect(), share);
    let delays = samples.iter().flat_map(|sample| &sample.delays).copied().collect();
    Figures {
        p50: at(0.5, &|sample| sample.whole),
        p99: at(0.99, &|sample| sample.whole),
        first: at(0.5, &|sample| sample.first),
        per_second: samples.len() as f64 / took.as_secs_f64(),
        cpu: cpu.as_secs_f64() / samples.len() as f64,
        delay: percentile(delays, 0.5),
    }
}

/// The time below which this share of the times is, in seconds; 0 without times.
fn percentile(mut times: Vec<Duration>, share: f64) -> f64 {
    times.sort();
    let at = (times.len() as f64 * share) as usize;
    times.get(at.min(times.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64)
}

/// Measures Envoy's memory with many open streams. Each has sent one word and is idle.
async fn open_streams(mock: &Mock, files: &Path) -> Vec<Open> {
    const HELLO: &str = r#"{"model":"m","input":"Hi","stream":true,"instructions":"Be brief."}"#;
    mock.say(Reply::Open(text_chunk("One").into()));
    let mut open = Vec::new();
    for (name, body) in
        [("a short request", Bytes::from_static(HELLO.as_bytes())), ("18 kB", request(18_000, true).into())]
    {
        for filter in [Filter::None, Filter::Passthrough, Filter::Transponder { held: false }] {
            let target = Target::envoy(filter, mock.address, true, files).await;
            match open_at(&target, &body, name).await {
                Ok(measured) => open.extend(measured),
                Err(why) => eprintln!("open streams, {}: {why}", target.name),
            }
        }
    }
    open
}

async fn open_at(target: &Target, body: &Bytes, request: &'static str) -> Result<Vec<Open>, String> {
    let memory = || target.process.as_ref().map(|process| process.memory()).unwrap_or_default() as f64;
    load(target.address, body, 0, Duration::ZERO).await?;
    let (before, mut held, mut open) = (memory(), Vec::new(), Vec::new());
    for streams in [100, 1000, 10_000] {
        while held.len() < streams {
            let batch = (0..50.min(streams - held.len()))
                .map(|_| async { Connection::open(target.address).await?.hold(body.clone()).await });
            held.extend(futures_util::future::try_join_all(batch).await?);
        }
        quiet(target).await;
        let bytes_each = (memory() - before) / streams as f64;
        open.push(Open { target: target.name, request, streams, bytes_each });
    }
    Ok(open)
}
