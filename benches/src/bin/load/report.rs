//! Writes the results as tables and plots, between two marks in docs/benchmarks.md.

use crate::plot::Plot;
use crate::{CASES, Figures, Measured, Says};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use transponder_benches::Kind;

const BEGIN: &str = "<!-- measured: `make bench` writes from here -->\n";
const END: &str = "<!-- /measured -->\n";

/// The targets that others are compared with.
const ENVOY: &str = "Envoy alone";
const NOTHING: &str = "do-nothing filter";
const OURS: &str = "Transponder";

/// Prints the tables.
pub fn print(measured: &Measured) {
    println!("{}", tables(measured));
}

/// Writes the page and its plots, and prints the tables.
pub fn write(measured: &Measured) {
    print(measured);
    let tables = tables(measured);
    let docs = project().join("docs");
    let page = docs.join("benchmarks.md");
    let text = std::fs::read_to_string(&page).expect("docs/benchmarks.md");
    let (before, rest) = text.split_once(BEGIN).expect("the mark where the measured part begins");
    let (_, after) = rest.split_once(END).expect("the mark where it ends");
    std::fs::write(&page, format!("{before}{BEGIN}{tables}{END}{after}")).expect("docs/benchmarks.md");
    std::fs::create_dir_all(docs.join("benchmarks")).expect("docs/benchmarks");
    for (name, plot) in plots(measured) {
        std::fs::write(docs.join("benchmarks").join(name), plot.svg()).expect("a plot");
    }
}

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn median(rounds: &[Figures], of: impl Fn(&Figures) -> f64) -> Option<f64> {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl Measured {
    fn column(&self, name: &str) -> Option<usize> {
        self.targets.iter().position(|(target, _)| *target == name)
    }

    /// The median over the rounds, of a case by its name and a target by its name.
    fn of(&self, case: &str, target: &str, figure: fn(&Figures) -> f64) -> Option<f64> {
        let row = CASES.iter().position(|known| known.name == case)?;
        median(self.figures.get(row)?.get(self.column(target)?)?, figure)
    }

    /// CPU time per event: the cost of 1,980 additional events.
    fn cpu_per_event(&self, target: &str) -> Option<f64> {
        let many = self.of("18 kB, 2,000 text events", target, |figures| figures.cpu)?;
        Some((many - self.of("18 kB, 20 text events", target, |figures| figures.cpu)?) / 1980.0)
    }
}

fn tables(measured: &Measured) -> String {
    let mut out = format!("\n{}\n", machine());
    ratios(&mut out, measured);
    goals(&mut out, measured);
    whole(&mut out, measured);
    open(&mut out, measured);
    out
}

fn header(out: &mut String, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect();
    row(out, &cells);
    row(out, vec!["---"; cells.len()]);
}

fn row(out: &mut String, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for cell in cells {
        let _ = write!(out, "| {} ", cell.as_ref());
    }
    out.push_str("|\n");
}

fn ratios(out: &mut String, measured: &Measured) {
    out.push_str("\n### p50 against Envoy alone\n\n");
    let names = measured.targets.iter().map(|(name, _)| *name);
    header(out, ["case"].into_iter().chain(names.clone()));
    for case in CASES.iter().filter(|case| !matches!(case.says, Says::Paced { .. })) {
        let Some(base) = measured.of(case.name, ENVOY, |figures| figures.p50) else { continue };
        let cells = names.clone().map(|name| match measured.of(case.name, name, |figures| figures.p50) {
            Some(p50) => format!("{:.2}", p50 / base),
            None => "-".to_owned(),
        });
        row(out, [case.name.to_owned()].into_iter().chain(cells));
    }
}

/// The performance goals of Transponder.
fn goals(out: &mut String, measured: &Measured) {
    out.push_str("\n### Against the targets\n\n");
    header(out, ["what", "target", "measured"]);
    let p50 = |case, target| measured.of(case, target, |figures| figures.p50).unwrap_or(f64::NAN);
    let against_envoy = |case| format!("{:.2}", p50(case, OURS) / p50(case, ENVOY));
    let cpu = |target| measured.cpu_per_event(target).unwrap_or(f64::NAN) * 1e6;
    let paced = |target| {
        measured.of("18 kB, 50 text events 20 ms apart", target, |figures| figures.delay).unwrap_or(f64::NAN)
            * 1e6
    };
    let added = |case, target| (p50(case, target) - p50(case, "upstream alone")) * 1e3;
    let share = |case, other| {
        format!(
            "{:.2} ms of {:.2} ms: 1/{:.0}",
            added(case, OURS),
            added(case, other),
            added(case, other) / added(case, OURS)
        )
    };
    let module = std::env::var("TRANSPONDER_WASM").ok().and_then(|path| std::fs::metadata(path).ok());
    let started = |name| {
        measured
            .column(name)
            .and_then(|at| measured.targets.get(at))
            .map_or(f64::NAN, |(_, time)| time.as_secs_f64())
    };
    let each = |target: &str, request: &str| {
        let row = measured.open.iter().rfind(|open| open.target == target && open.request == request);
        row.map_or(f64::NAN, |open| open.bytes_each / 1000.0)
    };
    let rows = [
        ("18 kB, JSON: p50 against Envoy alone", "<= 1.4", against_envoy("18 kB, JSON")),
        (
            "120 kB, 200 text events: p50 against Envoy alone",
            "<= 2.0",
            against_envoy("120 kB, 200 text events"),
        ),
        ("1 MB: p50 against Envoy alone", "<= 3.0", against_envoy("1 MB, JSON")),
        (
            "CPU of a text event over the do-nothing filter",
            "<= 1.5 µs",
            format!("{:.2} µs ({:.2} - {:.2})", cpu(OURS) - cpu(NOTHING), cpu(OURS), cpu(NOTHING)),
        ),
        (
            "delay of a paced event over Envoy alone",
            "within noise",
            format!("{:.0} µs ({:.0} - {:.0})", paced(OURS) - paced(ENVOY), paced(OURS), paced(ENVOY)),
        ),
        ("added p50 against codex-relay, 18 kB JSON", "1/3", share("18 kB, JSON", "codex-relay")),
        ("added p50 against codex-relay, 120 kB JSON", "1/10", share("120 kB, JSON", "codex-relay")),
        ("added p50 against codex-relay, 1 MB JSON", "1/30", share("1 MB, JSON", "codex-relay")),
        ("added p50 against LiteLLM, 18 kB JSON", "1/100", share("18 kB, JSON", "LiteLLM")),
        ("added p50 against LiteLLM, 120 kB JSON", "1/100", share("120 kB, JSON", "LiteLLM")),
        (
            "memory of an open stream beyond Envoy's own, a short request",
            "<= 8 kB",
            format!("{:.1} kB", each(OURS, "a short request") - each(ENVOY, "a short request")),
        ),
        ("module size", "<= 500 kB", format!("{} kB", module.map_or(0, |file| file.len()) / 1000)),
        (
            "start-up beyond Envoy's own",
            "<= 0.2 s",
            format!("{:.2} s ({:.2} - {:.2})", started(OURS) - started(ENVOY), started(OURS), started(ENVOY)),
        ),
    ];
    for (what, target, value) in rows {
        row(out, [what, target, if value.contains("NaN") { "-" } else { &value }]);
    }
}

fn whole(out: &mut String, measured: &Measured) {
    out.push_str("\n### All figures\n\nMedians over the rounds; times in milliseconds. \"first\" is the time to the first delta.\n\n");
    header(out, ["case", "target", "p50", "p99", "first", "requests/s", "CPU per request"]);
    for case in CASES {
        for (name, _) in &measured.targets {
            let of = |figure| measured.of(case.name, name, figure);
            let Some(p50) = of(|figures| figures.p50) else { continue };
            let shown = |value: Option<f64>, digits: usize| match value {
                Some(value) if value > 0.0 => format!("{value:.digits$}"),
                _ => "-".to_owned(),
            };
            let milliseconds = |figure| shown(of(figure).map(|value| value * 1e3), 2);
            row(
                out,
                [
                    case.name,
                    name,
                    &format!("{:.2}", p50 * 1e3),
                    &milliseconds(|figures| figures.p99),
                    &milliseconds(|figures| figures.first),
                    &shown(of(|figures| figures.per_second), 0),
                    &milliseconds(|figures| figures.cpu),
                ],
            );
        }
    }
}

fn open(out: &mut String, measured: &Measured) {
    out.push_str("\n### Memory of an open stream\n\nOne worker; resident memory over that of the idle process, for each stream.\n\n");
    header(out, ["request", "target", "streams", "kB each"]);
    for open in &measured.open {
        row(
            out,
            [
                open.request,
                open.target,
                &open.streams.to_string(),
                &format!("{:.1}", open.bytes_each / 1000.0),
            ],
        );
    }
}

fn plots(measured: &Measured) -> Vec<(&'static str, Plot<'static>)> {
    let lines = |points: &dyn Fn(&'static str) -> Vec<(f64, f64)>| {
        let lines = measured.targets.iter().map(|(name, _)| (*name, points(name)));
        lines.filter(|(_, points)| !points.is_empty()).collect()
    };
    let by_case = |wanted: &dyn Fn(&Says) -> bool,
                   x: &dyn Fn(&crate::Case) -> f64,
                   y: fn(&Figures) -> f64,
                   scale: f64,
                   target| {
        let cases = CASES.iter().filter(|case| case.connections == 1 && wanted(&case.says));
        cases
            .filter_map(|case| Some((x(case), measured.of(case.name, target, y)? * scale)))
            .filter(|point| point.1 > 0.0)
            .collect()
    };
    let events = |case: &crate::Case| match case.says {
        Says::Events { events, .. } => events as f64,
        _ => 0.0,
    };
    let latency = lines(&|target| {
        by_case(
            &|says| matches!(says, Says::Document { .. }),
            &|case| case.bytes as f64,
            |figures| figures.p50,
            1e3,
            target,
        )
    });
    let cpu = lines(&|target| {
        let cases = CASES.iter().filter(|case| {
            case.bytes == 18_000 && matches!(case.says, Says::Events { kind: Kind::Text, .. })
        });
        let points = cases.filter_map(|case| {
            Some((events(case), measured.of(case.name, target, |figures| figures.cpu)? * 1e3))
        });
        points.filter(|point| point.1 > 0.0).collect()
    });
    let mut memory: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for open in measured.open.iter().filter(|open| open.request == "a short request") {
        let point = (open.streams as f64, open.bytes_each * open.streams as f64 / 1e6);
        match memory.iter_mut().find(|(name, _)| *name == open.target) {
            Some((_, points)) => points.push(point),
            None => memory.push((open.target, vec![point])),
        }
    }
    vec![
        (
            "latency.svg",
            Plot {
                title: "Latency by size of the request",
                x: "bytes of the request",
                y: "p50 in ms",
                lines: latency,
            },
        ),
        (
            "cpu.svg",
            Plot {
                title: "CPU by events of the reply",
                x: "events",
                y: "CPU of a request in ms",
                lines: cpu,
            },
        ),
        (
            "memory.svg",
            Plot {
                title: "Memory by open streams",
                x: "open streams",
                y: "MB over the idle process",
                lines: memory,
            },
        ),
    ]
}

/// Describes the machine, without its name and paths.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let envoy = std::env::var_os("TRANSPONDER_ENVOY").map(PathBuf::from).unwrap_or_default();
    let version = said(&envoy.to_string_lossy(), &["--version"]);
    let version =
        version.split_once("version: ").and_then(|(_, version)| version.split('/').nth(1)).unwrap_or("?");
    let commit = said("git", &["-C", &project().to_string_lossy(), "rev-parse", "--short", "HEAD"]);
    let date = said("date", &["-u", "+%Y-%m-%d"]);
    let before = std::env::var("BENCH_BEFORE").unwrap_or_default();
    let peers = std::env::var("BENCH_VERSIONS").unwrap_or_default();
    format!(
        "{date}, commit {commit}. {} x{}, Linux, load average {} at the end (the generator alone makes about 2). Envoy {version}, one worker; \"Transponder before\" is commit {before}; {}{peers}.\n",
        model.trim_start_matches([' ', '\t', ':']),
        std::thread::available_parallelism().map_or(0, usize::from),
        load.split(' ').next().unwrap_or_default(),
        said("rustc", &["--version"]).split(" (").next().unwrap_or_default(),
    )
}
