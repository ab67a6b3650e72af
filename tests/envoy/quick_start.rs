//! The quick starts and `docs/fleet.md`, followed literally.
//!
//! A comment above each block of shell commands selects how it is checked:
//!
//! * `tested: server`: it runs until the page ends.
//! * `tested: shows TEXT`: it runs, ends well, and prints the text. `tested: silent`: it runs and ends well.
//! * `by schema`: it applies manifests, which `tests/mesh` checks and runs.
//! * `by hand: WHY`: it needs something that tests do not have.

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::{Process, Upstream, envoy_binary, module, native_module, project, without_cargo};
use tempfile::TempDir;

const PAGES: [&str; 5] = ["laptop", "envoy", "native", "istio", "envoy-gateway"];

struct Block {
    checked: String,
    commands: String,
}

fn page(name: &str) -> String {
    std::fs::read_to_string(project().join(format!("docs/quick-start/{name}.md"))).unwrap()
}

fn blocks(page: &str) -> Vec<Block> {
    let parts = page.split("```sh\n").collect::<Vec<_>>();
    let pairs = parts.windows(2).map(|pair| {
        let above = pair[0].trim_end().lines().last().unwrap();
        let checked = above.strip_prefix("<!-- ").and_then(|comment| comment.strip_suffix(" -->"));
        Block {
            checked: checked.unwrap_or_else(|| panic!("how is this checked?\n{}", pair[1])).to_owned(),
            commands: pair[1].split_once("```").unwrap().0.to_owned(),
        }
    });
    pairs.collect()
}

/// Follows a page like a reader: with the programs that the page needs, a model server and free ports.
struct Reader {
    directory: PathBuf,
    home: TempDir,
    upstream: Upstream,
    ports: Vec<(&'static str, String)>,
    servers: Vec<Process>,
}

impl Reader {
    async fn new(directory: &Path) -> Self {
        let upstream = Upstream::start().await;
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let of_upstream = upstream.address().port().to_string();
        let home = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::create_dir(home.path().join("bin")).unwrap();
        symlink(envoy_binary(), home.path().join("bin/envoy")).unwrap();
        Self {
            directory: directory.to_owned(),
            home,
            ports: vec![
                ("11434", of_upstream.clone()), // Ollama
                ("8000", of_upstream),          // vLLM
                ("8080", free()),
                ("9901", free()),
            ],
            upstream,
            servers: Vec::new(),
        }
    }

    fn port(&self, on_the_page: &str) -> SocketAddr {
        let (_, port) = self.ports.iter().find(|(name, _)| *name == on_the_page).unwrap();
        SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))
    }

    /// The commands of the page, with free ports.
    fn shell(&self, commands: &str) -> Command {
        let commands =
            self.ports.iter().fold(commands.to_owned(), |text, (here, there)| text.replace(here, there));
        let path = std::env::var("PATH").unwrap();
        let clients = project().join("tests/clients/node_modules/.bin");
        let mut shell = Command::new("bash");
        without_cargo(&mut shell).args(["-euo", "pipefail", "-c", &commands]).current_dir(&self.directory);
        shell.env("PATH", format!("{}:{}:{path}", self.home.path().join("bin").display(), clients.display()));
        shell.env("ADMIN", self.port("9901").to_string()).env("LISTEN", self.port("8080").to_string());
        shell.env("BASE_URL", format!("http://{}/v1", self.port("8080")));
        shell
            .env("CODEX_HOME", self.home.path())
            .env("TRANSPONDER_WASM", module())
            .env("ENVOY", envoy_binary());
        shell
    }

    fn follow(&mut self, page: &str) {
        for block in blocks(page) {
            match block.checked.split_once(": ").unwrap_or((&block.checked, "")) {
                ("tested", "server") => self.serve(&block.commands),
                ("tested", expected) => self.run(&block.commands, expected),
                ("by schema", "") => known_manifests(&block.commands),
                ("by hand", why) => assert!(why.starts_with("needs "), "{why}"),
                other => panic!("unknown: {other:?}"),
            }
        }
    }

    fn run(&self, commands: &str, expected: &str) {
        let ended = self.shell(commands).output().unwrap();
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert!(ended.status.success(), "{commands}\n{said}");
        match expected.strip_prefix("shows ") {
            Some(text) => assert!(said.contains(text), "{text}\nis not in\n{said}"),
            None => assert_eq!((expected, said.as_str()), ("silent", "")),
        }
    }

    /// Waits for the port of the server, as a reader would.
    fn serve(&mut self, commands: &str) {
        let log = self.home.path().join("server.log");
        let mut server = Process::start(&mut self.shell(&format!("exec {commands}")), log);
        while TcpStream::connect(self.port("8080")).is_err() {
            assert!(server.is_running(), "{}", server.logged());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.servers.push(server);
    }
}

/// `make` passes the signal on to the server. If it were killed, the server would stay.
impl Drop for Reader {
    fn drop(&mut self) {
        self.servers.iter_mut().for_each(Process::terminate);
    }
}

/// Every applied manifest is one of those in envoy/.
fn known_manifests(commands: &str) {
    let words: Vec<&str> = commands.split_whitespace().collect();
    let files = words.windows(2).filter(|pair| pair[0] == "-f").map(|pair| pair[1]);
    let files: Vec<&str> = files.collect();
    assert!(!files.is_empty(), "{commands}");
    for file in files {
        assert!(project().join(file).is_file(), "{file}");
        assert!(file.starts_with("envoy/istio/") || file.starts_with("envoy/gateway/"), "{file}");
    }
}

async fn reader(directory: &Path) -> Reader {
    let reader = Reader::new(directory).await;
    let hello: Vec<Value> = (0..4).map(|_| json!({"text": "Hello from the model."})).collect();
    reader.upstream.script(json!({"replies": hello})).await;
    reader
}

#[tokio::test]
async fn laptop() {
    reader(project()).await.follow(&page("laptop"));
}

#[tokio::test]
async fn envoy() {
    let fresh = TempDir::new().unwrap();
    std::fs::copy(module(), fresh.path().join("transponder.wasm")).unwrap();
    reader(fresh.path()).await.follow(&page("envoy"));
}

#[tokio::test]
async fn native() {
    let fresh = TempDir::new().unwrap();
    std::fs::copy(native_module(), fresh.path().join("libtransponder.so")).unwrap();
    reader(fresh.path()).await.follow(&page("native"));
}

#[tokio::test]
async fn istio_and_envoy_gateway() {
    for name in ["istio", "envoy-gateway"] {
        reader(project()).await.follow(&page(name));
    }
}

/// Each section is for itself.
#[tokio::test]
async fn a_fleet_behind_one_gateway() {
    let page = std::fs::read_to_string(project().join("docs/fleet.md")).unwrap();
    let mut followed = 0;
    for section in page.split("\n## ").filter(|section| section.contains("```sh\n")) {
        reader(project()).await.follow(section);
        followed += 1;
    }
    assert!(followed > 0);
}

#[test]
fn every_manifest_is_on_a_page() {
    let pages: String = PAGES.map(page).concat();
    for directory in ["envoy/istio", "envoy/gateway"] {
        for entry in std::fs::read_dir(project().join(directory)).unwrap() {
            let file = format!("{directory}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(pages.contains(&file), "{file}");
        }
    }
}

#[test]
fn the_links_name_existing_files() {
    for name in PAGES {
        for link in page(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            let here = project().join("docs/quick-start").join(file);
            assert!(link.starts_with("https://") || here.exists(), "{name}.md: {link}");
        }
    }
}
