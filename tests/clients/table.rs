//! `docs/clients.md` has a row for each client: the pinned version, and the scenarios that it goes through here. A second table
//! has those that rely on stored responses.

use crate::agents;
use crate::sdk::{self, Client, Program};
use crate::stored;
use serde_json::Value;
use std::fmt::Write;
use support::project;

/// A column, and the scenario that decides its value.
const SCENARIOS: [(&str, &str); 4] = [
    ("Text", "text"),
    ("Tool calls", "text, reasoning and a call"),
    ("Structured output", "structured output"),
    ("Errors", "a wrong request"),
];

fn works(client: &Client) -> Vec<&'static str> {
    let yes = |works: bool| if works { "yes" } else { "no" };
    let streams = client.modes.iter().any(|(_, stream)| *stream);
    let scenarios = SCENARIOS.iter().map(|(_, scenario)| yes(!client.lacks.contains(scenario)));
    std::iter::once(yes(streams)).chain(scenarios).collect()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(project().join("tests/clients").join(file)).unwrap()
}

/// The version in the lock file.
fn version(program: Program, package: &str) -> String {
    let python = |file| {
        let pinned = format!("{package}==");
        read(file).lines().find_map(|line| line.strip_prefix(&pinned).map(str::to_owned)).unwrap()
    };
    match program {
        Program::Node(_) => npm(package),
        Program::Python(_) => python("requirements.txt"),
        Program::OlderPython(_) => python("requirements-openai-2.txt"),
        Program::Rust(_) => crates_io(package),
        Program::Go(_) => between("go/go.mod", &format!("{package} v"), "\n"),
        Program::Java(_) => {
            between("java/pom.xml", &format!("<artifactId>{package}</artifactId>\n      <version>"), "<")
        }
    }
}

fn npm(package: &str) -> String {
    let lock: Value = serde_json::from_str(&read("package-lock.json")).unwrap();
    let version = &lock["packages"][format!("node_modules/{package}")]["version"];
    version.as_str().unwrap_or_else(|| panic!("{package} is not pinned")).to_owned()
}

fn crates_io(package: &str) -> String {
    between("rust/Cargo.lock", &format!("name = \"{package}\"\nversion = \""), "\"")
}

fn between(file: &str, before: &str, after: &str) -> String {
    let text = read(file);
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{file} has no {before}"));
    rest.split_once(after).unwrap().0.to_owned()
}

struct Row {
    name: &'static str,
    version: String,
    works: Vec<&'static str>,
    needs: &'static str,
    flaws: &'static str,
}

/// The tests of an agent run commands and show errors. Commands need text and streams.
fn agents() -> Vec<Row> {
    let row = |name, version, structured, needs| Row {
        name,
        version,
        works: vec!["yes", "yes", "yes", structured, "yes"],
        needs,
        flaws: "",
    };
    let codex = format!("{} and {}", npm("@openai/codex"), npm("codex-0.169"));
    let mut rows =
        vec![row("Codex CLI", codex, "yes", "`wire_api = \"responses\"`; `make codex-config` writes it")];
    rows.extend(
        agents::ALL.iter().map(|agent| row(agent.name, npm(agent.package), "not tried", agent.needs)),
    );
    rows
}

fn table() -> String {
    let mut text = String::from("| Client | Version | Streams |");
    for (column, _) in SCENARIOS {
        write!(text, " {column} |").unwrap();
    }
    writeln!(text, " Settings | Faults of the client |\n|{}", "---|".repeat(5 + SCENARIOS.len())).unwrap();
    let clients = sdk::ALL.iter().map(|client| Row {
        name: client.name,
        version: version(client.program, client.package),
        works: works(client),
        needs: client.needs,
        flaws: client.flaws,
    });
    for row in agents().into_iter().chain(clients) {
        let Row { name, version, works, needs, flaws } = row;
        writeln!(text, "| {name} | {version} | {} | {needs} | {flaws} |", works.join(" | ")).unwrap();
    }
    text
}

fn stored() -> String {
    let mut text = String::from("| Client | Version | With a store | Without one |\n|---|---|---|---|\n");
    for client in stored::ALL {
        let stored::Client { name, program, package, option, without, .. } = client;
        let version = version(*program, package);
        let with = option.unwrap_or("works as it is");
        writeln!(text, "| {name} | {version} | {with} | {without} |").unwrap();
    }
    text
}

/// `INSTA_UPDATE=always cargo test --package transponder-e2e --test clients the_page_of_the_clients` writes the page.
#[test]
fn the_page_of_the_clients_holds_the_tables() {
    let path = project().join("docs/clients.md");
    for (mark, table) in [("table", table()), ("stored", stored())] {
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) =
            page.split_once(&format!("<!-- {mark} -->\n")).expect("the mark before the table");
        let (written, after) = rest.split_once(&format!("<!-- /{mark} -->")).expect("the mark after it");
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, format!("{before}<!-- {mark} -->\n{table}<!-- /{mark} -->{after}"))
                .unwrap();
        } else {
            assert_eq!(written, table);
        }
    }
}
