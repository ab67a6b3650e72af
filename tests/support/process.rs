//! Child processes that end with the test, and waits with a limit.

use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The limit for the start of a server. A loaded machine compiles a Wasm module slowly.
pub const START: Duration = Duration::from_secs(60);

/// The limit for the end of a server.
const END: Duration = Duration::from_secs(10);

/// The root of the repository.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the project")
}

/// The directory of this build, such as `target/debug`: a test program is `deps/NAME-HASH` below it.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("the directory of the profile").to_owned()
}

/// A directory for files that are large, or that must not be in the directory for temporary files.
pub fn scratch() -> PathBuf {
    let directory = profile().with_file_name("tmp");
    std::fs::create_dir_all(&directory).expect("a directory for files");
    directory
}

/// The program of an example.
pub fn example(name: &str) -> PathBuf {
    let binary = profile().join("examples").join(name);
    assert!(binary.exists(), "{} is missing: run `cargo build --workspace --examples`", binary.display());
    binary
}

/// Removes the variables that cargo sets for a test. A cargo inside the command would see a changed environment, and
/// rebuild what depends on it.
pub fn without_cargo(command: &mut Command) -> &mut Command {
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"];
    for (name, _) in std::env::vars() {
        if told.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// A process that is killed when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub log: PathBuf,
}

impl Process {
    /// Starts it with its output in a file, because a pipe that is not read would block it.
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let output = File::create(&log).expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { child, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn logged(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Polls until there is a result. Panics if the process has ended or the time is over.
    pub async fn until<T, F: Future<Output = Option<T>>>(
        &mut self,
        what: &str,
        mut ask: impl FnMut() -> F,
    ) -> T {
        let begin = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if let Some(status) = self.child.try_wait().expect("the state of a child") {
                panic!("{what}: the process ended ({status}):\n{}", self.logged());
            }
            assert!(begin.elapsed() < START, "{what}: not within {START:?}:\n{}", self.logged());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets the process end by itself, so that it can write its remaining output.
    pub fn terminate(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let begin = Instant::now();
        while asked.as_ref().is_ok_and(std::process::ExitStatus::success)
            && self.is_running()
            && begin.elapsed() < END
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }

    pub fn kill(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
