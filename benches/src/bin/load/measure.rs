//! Measures one target: the times and CPU of a case, or its memory with open streams.

use crate::case::{BESIDE, Case, Load};
use crate::client::{Sample, hold, load, session};
use crate::envoy::{self, ENVOYS};
use crate::known::SAME_REPLY;
use crate::mock::{Mock, Reply};
use crate::run::{Figures, Open};
use crate::target::Target;
use bytes::Bytes;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use transponder_benches::{request, text_chunk};

/// How long a target is measured in one round.
const WINDOW: Duration = Duration::from_millis(400);

/// Longer than any request takes, paced ones included.
const PATIENCE: Duration = Duration::from_secs(10);

const SHORT: Bytes =
    Bytes::from_static(br#"{"model":"m","input":"Hi","stream":true,"instructions":"Be brief."}"#);

/// Measures a case once.
///
/// # Errors
/// The error of the first request that failed.
pub async fn measure(
    case: &Case,
    target: &Target,
    upstream: &Mock,
    reply: Reply,
    requests: &[Bytes],
) -> Result<Figures, String> {
    let mut beside = JoinSet::new();
    upstream.say(Reply::Paced(usize::MAX, BESIDE));
    for _ in 0..case.beside {
        beside.spawn(hold(target.address, SHORT).await?);
    }
    upstream.say(reply);
    let last = requests.last().ok_or("no request")?;
    // With streams beside it the target is never idle.
    let idle = || async {
        if case.beside == 0 {
            target.quiet().await;
        }
    };

    // Warm-up: connections, caches, and the compiler of the WebAssembly VM.
    let (begin, cpu_before) = (Instant::now(), target.cpu());
    let warm = match case.load {
        Load::Connections(count) => load(target.address, last, count.min(4), WINDOW / 10).await?,
        Load::Session { .. } => session(target.address, requests.get(..1).unwrap_or_default()).await?,
    };
    idle().await;
    if begin.elapsed() > PATIENCE {
        // If a request takes this long, one is enough.
        return Ok(figures(&warm, begin.elapsed(), target.cpu() - cpu_before));
    }

    let (begin, cpu_before) = (Instant::now(), target.cpu());
    let samples = match case.load {
        Load::Connections(count) => load(target.address, last, count, WINDOW).await?,
        Load::Session { .. } => session(target.address, requests).await?,
    };
    let took = begin.elapsed();
    idle().await;
    Ok(figures(&samples, took, target.cpu() - cpu_before))
}

fn figures(samples: &[Sample], took: Duration, cpu: Duration) -> Figures {
    let at =
        |share: f64, of: &dyn Fn(&Sample) -> Duration| percentile(samples.iter().map(of).collect(), share);
    let delays = samples.iter().flat_map(|sample| &sample.delays).copied().collect();
    let count = samples.len() as f64;
    Figures {
        p50: at(0.5, &|sample| sample.whole),
        p99: at(0.99, &|sample| sample.whole),
        first: at(0.5, &|sample| sample.first),
        per_second: count / took.as_secs_f64(),
        cpu: cpu.as_secs_f64() / count,
        delay: percentile(delays, 0.5),
        reply_bytes: samples.iter().map(|sample| sample.bytes as f64).sum::<f64>() / count,
    }
}

/// The time below which this share of the times is, in seconds; 0 without times.
fn percentile(mut times: Vec<Duration>, share: f64) -> f64 {
    times.sort();
    let at = (times.len() as f64 * share) as usize;
    times.get(at.min(times.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64)
}

/// Measures the memory of each target with many open streams. Each has sent one word and is idle.
pub async fn open_streams(mock: &Mock, files: &Path) -> Vec<Open> {
    mock.say(Reply::Open(text_chunk("One").into()));
    let mut open = Vec::new();
    for (name, body) in [("a short request", SHORT), ("18 kB", request(18_000, true).into())] {
        // An open stream is the same for both kinds of Envoy without a filter.
        for envoy in ENVOYS.iter().filter(|(name, _)| *name != SAME_REPLY) {
            let target = envoy::start(*envoy, mock.address, true, files).await;
            open.extend(open_at(&target, &body, name).await);
        }
        let peers =
            [Target::codex_relay(mock.address, files).await, Target::litellm(mock.address, files).await];
        for target in peers.into_iter().flatten() {
            open.extend(open_at(&target, &body, name).await);
        }
    }
    open
}

/// As many streams as the target can open.
async fn open_at(target: &Target, body: &Bytes, request: &str) -> Vec<Open> {
    let memory = || target.memory().unwrap_or_default() as f64;
    let (before, mut held, mut open) = (memory(), JoinSet::new(), Vec::new());
    for streams in [100, 1000, 10_000].into_iter().filter(|streams| target.holds(*streams)) {
        while held.len() < streams {
            let mut opened = JoinSet::new();
            for _ in 0..50.min(streams - held.len()) {
                let (address, body) = (target.address, body.clone());
                opened.spawn(async move { hold(address, body).await });
            }
            for stream in opened.join_all().await {
                match stream {
                    Ok(stream) => {
                        held.spawn(stream);
                    }
                    Err(why) => {
                        eprintln!("open streams, {}: {why}", target.name);
                        return open;
                    }
                }
            }
        }
        target.quiet().await;
        let bytes_each = (memory() - before) / streams as f64;
        let (target, request) = (target.name.to_owned(), request.to_owned());
        open.push(Open { target, request, streams, bytes_each });
    }
    open
}
