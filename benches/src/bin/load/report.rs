//! The tables and plots of a run.

use crate::case::{CASES, Case, Load, SESSION, Says, TURNS};
use crate::goals::GOALS;
use crate::known::{BEFORE, CODEX_RELAY, ENVOY, Known, LITELLM, SAME_REPLY, TARGETS};
use crate::plot::{Line, Plot};
use crate::run::{Figure, Figures, Run};
use std::fmt::Write as _;
use transponder_benches::Kind;

pub fn tables(run: &Run) -> String {
    let mut out = format!("\n{}\n", run.about);
    targets(&mut out, run);
    goals(&mut out, run);
    ratios(&mut out, run, ENVOY);
    ratios(&mut out, run, SAME_REPLY);
    session(&mut out, run);
    start(&mut out, run);
    whole(&mut out, run);
    if !run.open.is_empty() {
        open(&mut out, run);
    }
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

/// With this many digits, or a dash for what was not measured.
fn shown(value: Option<f64>, digits: usize) -> String {
    match value {
        Some(value) if value > 0.0 => format!("{value:.digits$}"),
        _ => "-".to_owned(),
    }
}

/// The known targets that were measured.
fn known(run: &Run) -> impl Iterator<Item = &'static Known> {
    TARGETS.iter().filter(|known| run.facts(known.name).is_some())
}

/// The cases that were measured.
fn cases(run: &Run) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|case| run.figures.contains_key(case.name))
}

fn targets(out: &mut String, run: &Run) {
    out.push_str("\n### What is measured\n\n");
    header(out, ["target", "whose", "what it is"]);
    for known in known(run) {
        let version = run.facts(known.name).and_then(|facts| facts.version.as_ref());
        let what = known.what.to_owned() + &version.map(|version| format!(", {version}")).unwrap_or_default();
        row(out, [known.name, known.whose, &what]);
    }
}

fn goals(out: &mut String, run: &Run) {
    out.push_str("\n### Against the goals\n\n");
    header(out, ["what", "goal", "Transponder", "goal, native", "Transponder, native"]);
    for goal in GOALS {
        row(out, goal.cells(run));
    }
}

fn ratios(out: &mut String, run: &Run, base: &str) {
    let _ = writeln!(out, "\n### p50 against {base}\n\nLower is better.\n");
    let names = || known(run).map(|known| known.name);
    header(out, ["case"].into_iter().chain(names()));
    // The times of paced events are the upstream's.
    for case in cases(run).filter(|case| !matches!(case.says, Says::Paced { .. })) {
        let cells = names().map(|name| shown(run.ratio(case.name, |figures| figures.p50, name, base), 2));
        row(out, [case.name.to_owned()].into_iter().chain(cells));
    }
}

fn session(out: &mut String, run: &Run) {
    let _ = writeln!(out, "\n### CPU of a session\n\nThe sum over {SESSION}. Lower is better.\n");
    let others = [BEFORE, CODEX_RELAY, LITELLM];
    let headers = others.map(|other| format!("against {other}"));
    header(out, ["target", "CPU in ms"].map(str::to_owned).into_iter().chain(headers));
    const CPU: Figure = |figures| figures.cpu;
    for name in known(run).map(|known| known.name) {
        let Some(cpu) = run.of(SESSION, name, CPU).filter(|cpu| *cpu > 0.0) else { continue };
        let ratios = others.map(|other| shown(run.ratio(SESSION, CPU, name, other), 4));
        let cpu = shown(Some(cpu * TURNS as f64 * 1e3), 1);
        row(out, [name.to_owned(), cpu].into_iter().chain(ratios));
    }
}

fn start(out: &mut String, run: &Run) {
    out.push_str("\n### Start and memory\n\nFrom the start of the process to its first reply; resident memory before the first case and after the last. Lower is better.\n\n");
    header(out, ["target", "start in s", "MB before", "MB after", "module in kB"]);
    for facts in known(run).filter_map(|known| run.facts(known.name)).filter(|facts| facts.memory.is_some()) {
        let [before, after] =
            facts.memory.unwrap_or_default().map(|bytes| shown(Some(bytes as f64 / 1e6), 1));
        let module = shown(facts.module_bytes.map(|bytes| bytes as f64 / 1e3), 0);
        row(out, [&facts.name, &shown(facts.started_in(), 2), &before, &after, &module]);
    }
}

fn whole(out: &mut String, run: &Run) {
    out.push_str(
        "\n### All figures\n\nMedians over the rounds; times in milliseconds. \"first\" is the time to the first delta, \
         \"reply\" the size of the body that the client gets.\n\n",
    );
    header(out, ["case", "target", "p50", "p99", "first", "requests/s", "CPU per request", "reply in kB"]);
    for case in cases(run) {
        for name in known(run).map(|known| known.name) {
            let of = |figure: Figure, scale: f64, digits| {
                shown(run.of(case.name, name, figure).map(|value| value * scale), digits)
            };
            if run.of(case.name, name, |figures| figures.p50).is_none() {
                continue;
            }
            row(
                out,
                [
                    case.name,
                    name,
                    &of(|figures| figures.p50, 1e3, 2),
                    &of(|figures| figures.p99, 1e3, 2),
                    &of(|figures| figures.first, 1e3, 2),
                    &of(|figures| figures.per_second, 1.0, 0),
                    &of(|figures| figures.cpu, 1e3, 2),
                    &of(|figures| figures.reply_bytes, 1e-3, 1),
                ],
            );
        }
    }
}

fn open(out: &mut String, run: &Run) {
    out.push_str(
        "\n### Memory of an open stream\n\nOne worker; resident memory over that of the idle process, for each stream. \
         Lower is better.\n\n",
    );
    header(out, ["request", "target", "streams", "kB each"]);
    for open in &run.open {
        let each = format!("{:.1}", open.bytes_each / 1e3);
        row(out, [&open.request, &open.target, &open.streams.to_string(), &each]);
    }
}

pub fn plots(run: &Run) -> [(&'static str, Plot); 3] {
    let lines = |points: &dyn Fn(&str) -> Vec<(f64, f64)>| {
        let lines = known(run).map(|known| Line { known, points: points(known.name) });
        lines.filter(|line| !line.points.is_empty()).collect()
    };
    let by_case = |wanted: fn(&Case) -> Option<f64>, figure: fn(&Figures) -> f64, target: &str| {
        let single = CASES.iter().filter(|case| case.load == Load::Connections(1) && case.beside == 0);
        let points =
            single.filter_map(|case| Some((wanted(case)?, run.of(case.name, target, figure)? * 1e3)));
        points.filter(|(_, value)| *value > 0.0).collect()
    };
    let size_of_document = |case: &Case| match case.says {
        Says::Document { .. } => Some(case.bytes as f64),
        _ => None,
    };
    let events_of_text = |case: &Case| match case.says {
        Says::Events { kind: Kind::Text, events } if case.bytes == 18_000 => Some(events as f64),
        _ => None,
    };
    let memory = |target: &str| {
        let rows = run.open.iter().filter(|open| open.target == target && open.request == "a short request");
        rows.map(|open| (open.streams as f64, open.bytes_each * open.streams as f64 / 1e6)).collect()
    };
    [
        (
            "latency.svg",
            Plot {
                title: "Latency by size of the request",
                x: "bytes of the request",
                y: "p50 in ms (lower is better)",
                lines: lines(&|target| by_case(size_of_document, |figures| figures.p50, target)),
            },
        ),
        (
            "cpu.svg",
            Plot {
                title: "CPU by events of the reply",
                x: "events",
                y: "CPU of a request in ms (lower is better)",
                lines: lines(&|target| by_case(events_of_text, |figures| figures.cpu, target)),
            },
        ),
        (
            "memory.svg",
            Plot {
                title: "Memory by open streams",
                x: "open streams",
                y: "MB over the idle process (lower is better)",
                lines: lines(&memory),
            },
        ),
    ]
}
