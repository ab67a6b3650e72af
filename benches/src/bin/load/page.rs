//! docs/benchmarks.md and its plots, which are made of docs/benchmarks/measured.json.

use crate::report;
use crate::run::Run;
use std::path::{Path, PathBuf};
use std::process::Command;

const BEGIN: &str = "<!-- measured: `make bench` writes from here -->\n";
const END: &str = "<!-- /measured -->\n";

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn measured() -> PathBuf {
    project().join("docs/benchmarks/measured.json")
}

pub fn read() -> Run {
    let text = std::fs::read_to_string(measured()).expect("docs/benchmarks/measured.json, of `make bench`");
    serde_json::from_str(&text).expect("the results of a run")
}

pub fn save(run: &Run) {
    let text = serde_json::to_string(run).expect("a run is JSON");
    std::fs::write(measured(), text + "\n").expect("docs/benchmarks/measured.json");
}

/// Writes the measured part of the page and the plots, and prints the tables.
pub fn write(run: &Run) {
    let tables = report::tables(run);
    println!("{tables}");
    let docs = project().join("docs");
    let page = docs.join("benchmarks.md");
    let text = std::fs::read_to_string(&page).expect("docs/benchmarks.md");
    let (before, rest) = text.split_once(BEGIN).expect("the mark where the measured part begins");
    let (_, after) = rest.split_once(END).expect("the mark where it ends");
    std::fs::write(&page, format!("{before}{BEGIN}{tables}{END}{after}")).expect("docs/benchmarks.md");
    for (name, plot) in report::plots(run) {
        std::fs::write(docs.join("benchmarks").join(name), plot.svg()).expect("a plot");
    }
}

/// Describes the measurement, without the machine's name and paths.
pub fn about() -> String {
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
    format!(
        "{date}, commit {commit}. {} x{}, Linux, load average {} at the end (the generator alone makes about 2). Envoy \
         {version}, one worker; \"Transponder before\" is commit {before}; {}.",
        model.trim_start_matches([' ', '\t', ':']),
        std::thread::available_parallelism().map_or(0, usize::from),
        load.split(' ').next().unwrap_or_default(),
        said("rustc", &["--version"]).split(" (").next().unwrap_or_default(),
    )
}
