//! The measured processes: starts and stops them, and reads their CPU time and memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Process(Child);

impl Process {
    /// Starts it, with its output in `log`.
    pub fn start(command: &mut Command, log: &Path) -> std::io::Result<Self> {
        let output = std::fs::File::create(log)?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
        Ok(Self(child))
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).unwrap_or_default()
    }

    /// CPU time of all its threads, as the scheduler counts it: in nanoseconds, not in ticks.
    pub fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.0.id()));
        let nanoseconds = threads.into_iter().flatten().flatten().filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = self.read("status");
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = kilobytes.and_then(|text| text.trim().strip_suffix(" kB"));
        number.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() * 1024
    }

    /// Waits until the process is idle. Otherwise its remaining work would disturb the next measurement.
    pub async fn quiet(&self) {
        const STEP: Duration = Duration::from_millis(20);
        let limit = Instant::now() + Duration::from_secs(5);
        let mut before = self.cpu();
        while Instant::now() < limit {
            tokio::time::sleep(STEP).await;
            let now = self.cpu();
            if now.saturating_sub(before) < STEP / 20 {
                return;
            }
            before = now;
        }
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
