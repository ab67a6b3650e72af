//! Counts instructions and allocations of the core, and compares them with a committed baseline.
//!
//! ```text
//! instructions check     fails if a count has grown by more than 5 %, or grows faster than its input
//! instructions accept    makes what is counted now the baseline
//! instructions run CASE  one case alone, for a profile: valgrind --tool=callgrind ...
//! ```
//!
//! Time differs from run to run; the instructions that callgrind counts do not. They depend on the compiler, so
//! there is one baseline for each of its versions, and without one only the growth with the input is checked.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::{BodyVerdict, Exchange, Headers};
use transponder::metrics::{Metric, Telemetry};
use transponder::request::{self, Context, Translated};
use transponder_benches::{Kind, document, request, stream};

/// The factor by which a count may grow. The counts are exact, so this is no tolerance for noise.
const TOLERANCE: f64 = 1.05;
/// The factor by which ten times the input may cost more.
const LINEAR: f64 = 11.0;

/// One input.
#[derive(Clone, Copy)]
enum Case {
    Request {
        bytes: usize,
    },
    Stream {
        kind: Kind,
        events: usize,
    },
    Document {
        kind: Kind,
        events: usize,
    },
    /// A complete exchange, with a JSON document or with text events as its reply.
    Exchange {
        bytes: usize,
        answer: Answer,
    },
}

#[derive(Clone, Copy)]
enum Answer {
    Document,
    Events(usize),
}

const CASES: &[(&str, Case)] = &[
    ("request-18k", Case::Request { bytes: 18_000 }),
    ("request-120k", Case::Request { bytes: 120_000 }),
    ("request-1m", Case::Request { bytes: 1_000_000 }),
    ("request-10m", Case::Request { bytes: 10_000_000 }),
    ("text-200", Case::Stream { kind: Kind::Text, events: 200 }),
    ("text-2000", Case::Stream { kind: Kind::Text, events: 2000 }),
    ("text-20000", Case::Stream { kind: Kind::Text, events: 20_000 }),
    ("reasoning-2000", Case::Stream { kind: Kind::Reasoning, events: 2000 }),
    ("arguments-2000", Case::Stream { kind: Kind::Arguments, events: 2000 }),
    ("custom-input-2000", Case::Stream { kind: Kind::CustomInput, events: 2000 }),
    ("document-2000", Case::Document { kind: Kind::Text, events: 2000 }),
    ("document-call-2000", Case::Document { kind: Kind::CustomInput, events: 2000 }),
    ("exchange-short", Case::Exchange { bytes: 0, answer: Answer::Document }),
    ("exchange-18k", Case::Exchange { bytes: 18_000, answer: Answer::Document }),
    ("exchange-18k-text-200", Case::Exchange { bytes: 18_000, answer: Answer::Events(200) }),
];

/// The second has ten times the input of the first.
const TENFOLD: &[(&str, &str)] = &[("request-1m", "request-10m"), ("text-2000", "text-20000")];

#[derive(Clone, Copy)]
struct Counts {
    instructions: u64,
    allocations: u64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check"] => check(&count_all()),
        ["accept"] => accept(&count_all()),
        ["run", name] => match CASES.iter().find(|(known, _)| *known == name) {
            Some((_, case)) => {
                println!("{}", run(*case));
                ExitCode::SUCCESS
            }
            None => fail(&format!("there is no case {name}")),
        },
        _ => fail("usage: instructions check | accept | run CASE"),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// The counted function. callgrind gets its name and counts nothing outside it.
#[unsafe(no_mangle)]
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

/// Runs a case. Returns the number of allocations.
fn run(case: Case) -> u64 {
    let config = Config::default();
    let translated = |body: &[u8]| -> Translated {
        let context = Context { config: &config, seed: 7, now: 1_764_000_000, codex: true };
        request::translate(body, &context).expect("a request that can be translated")
    };
    let reply = |pieces: &[Vec<u8>], streams: bool| {
        let mut reply = translated(&request(18_000, streams)).reply;
        let mut read = Vec::new();
        reply.begin(200);
        let allocations = counting(|| {
            for piece in pieces {
                let mut out = Vec::new();
                reply.push(piece, &mut out);
                read.push(out.len());
            }
            reply.end(&mut Vec::new());
        });
        assert!(reply.error().is_none() && reply.is_done(), "{:?}", reply.error());
        allocations
    };
    // What a VM makes once is made.
    drop(translated(&request(18_000, true)));
    match case {
        Case::Request { bytes } => {
            let body = request(bytes, true);
            counting(|| drop(translated(&body)))
        }
        Case::Stream { kind, events } => reply(&stream(kind, events), true),
        Case::Document { kind, events } => reply(&[document(kind, events)], false),
        Case::Exchange { bytes, answer } => exchange(bytes, answer),
    }
}

/// Runs a complete exchange as Envoy would. Returns the number of allocations.
fn exchange(bytes: usize, answer: Answer) -> u64 {
    let body = match bytes {
        0 => br#"{"model":"m","input":"Hi"}"#.to_vec(),
        _ => request(bytes, matches!(answer, Answer::Events(_))),
    };
    let (content_type, pieces) = match answer {
        Answer::Document => ("application/json", vec![document(Kind::Text, 20)]),
        Answer::Events(events) => ("text/event-stream", stream(Kind::Text, events)),
    };
    let config = Arc::new(Config::default());
    let length = body.len().to_string();
    let request_headers = headers(&[
        (":authority", "127.0.0.1:8080"),
        (":path", "/v1/responses"),
        (":method", "POST"),
        (":scheme", "http"),
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-none"),
        ("originator", "codex_cli_rs"),
        ("content-length", &length),
        ("x-request-id", "f8bd6b4b-0d6b-4b4c-9d2f-7d1d7a4e2c11"),
    ]);
    let response_headers = headers(&[(":status", "200"), ("content-type", content_type)]);
    counting(|| {
        let now = Duration::from_secs(1_764_000_000);
        let mut exchange = Exchange::new(Arc::clone(&config), Rc::new(Nobody), 7);
        exchange.on_request_headers(&request_headers, false, now);
        let sent = exchange.on_request_body(&body, true, now);
        assert!(matches!(sent, BodyVerdict::Replace(_)), "{sent:?}");
        exchange.on_response_headers(&response_headers, false, now);
        for piece in &pieces {
            exchange.on_response_body(piece, false, now);
        }
        exchange.on_response_body(b"", true, now);
        exchange.on_close(now);
    })
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
    pairs.iter().map(pair).collect::<Vec<_>>().into()
}

/// Discards all telemetry.
#[derive(Debug)]
struct Nobody;

impl Telemetry for Nobody {
    fn record(&self, _: &'static Metric, _: &[&str], _: i64) {}
    fn note(&self, _: &'static str, _: &str) {}
}

fn counting(mut work: impl FnMut()) -> u64 {
    // What the allocator has put off while the input was made is not the core's to do.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
    let before = ALLOCATIONS.load(Relaxed);
    counted(&mut work);
    ALLOCATIONS.load(Relaxed) - before
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is forwarded to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

type Table = BTreeMap<String, Counts>;

fn count_all() -> Table {
    CASES.iter().map(|(name, _)| ((*name).to_owned(), count(name))).collect()
}

fn count(name: &str) -> Counts {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counted"])
        .arg(std::env::current_exe().expect("the path of this program"))
        .args(["run", name])
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}; on Debian: apt-get install valgrind"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let number = |text: &str| text.trim().parse().unwrap_or_else(|_| panic!("{name}: no count in {said}"));
    Counts {
        instructions: number(collected.unwrap_or_default().1),
        allocations: number(&String::from_utf8_lossy(&output.stdout)),
    }
}

fn accept(counted: &Table) -> ExitCode {
    let mut text = String::from("case\tinstructions\tallocations\n");
    for (name, Counts { instructions, allocations }) in counted {
        let _ = writeln!(text, "{name}\t{instructions}\t{allocations}");
    }
    print!("{text}");
    match std::fs::write(baseline_file(), text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{}: {error}", baseline_file().display())),
    }
}

fn check(counted: &Table) -> ExitCode {
    let baseline = baseline();
    if baseline.is_none() {
        println!(
            "There is no baseline for {}: only the growth with the input is checked.\n\
             `make baseline` on an unchanged checkout makes one.",
            compiler()
        );
    }
    let mut grown = Vec::new();
    for (name, now) in counted {
        let Some(before) = baseline.as_ref().map(|table| table.get(name)) else {
            println!("{name:20} {:>12} instructions {:>8} allocations", now.instructions, now.allocations);
            continue;
        };
        let Some(before) = before else {
            grown.push(format!("{name}: not in the baseline"));
            continue;
        };
        let ratio = |now: u64, before: u64| now as f64 / before.max(1) as f64;
        let instructions = ratio(now.instructions, before.instructions);
        let allocations = ratio(now.allocations, before.allocations);
        println!(
            "{name:20} {:>12} instructions ({:+.1} %) {:>8} allocations ({:+.1} %)",
            now.instructions,
            (instructions - 1.0) * 100.0,
            now.allocations,
            (allocations - 1.0) * 100.0
        );
        if instructions > TOLERANCE || allocations > TOLERANCE {
            grown.push(format!("{name}: more than 5 % above the baseline"));
        }
    }
    for (one, ten) in TENFOLD {
        let ratio = counted[*ten].instructions as f64 / counted[*one].instructions as f64;
        println!("{ten} costs {ratio:.1} times what {one} does");
        if ratio > LINEAR {
            grown.push(format!("{ten}: not linear"));
        }
    }
    match grown.is_empty() {
        true => ExitCode::SUCCESS,
        false => fail(&format!(
            "{}\nIf it is worth it: `make baseline`, and say in the commit what it buys.",
            grown.join("\n")
        )),
    }
}

fn baseline() -> Option<Table> {
    let text = std::fs::read_to_string(baseline_file()).ok()?;
    let rows = text.lines().skip(1).map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        let (name, instructions, allocations) = (next().to_owned(), next().parse(), next().parse());
        let counts =
            instructions.and_then(|instructions| Ok(Counts { instructions, allocations: allocations? }));
        (name, counts.unwrap_or_else(|_| panic!("{}: {line}", baseline_file().display())))
    });
    Some(rows.collect())
}

fn baseline_file() -> PathBuf {
    let name = format!("{}-{}.tsv", compiler(), std::env::consts::ARCH);
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baselines").join(name)
}

/// The compiler, such as `rustc-1.95.0`. The one on the PATH also built this program.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version =
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    version.split(' ').take(2).collect::<Vec<_>>().join("-")
}
