//! Finds the exchanges whose headers are held although Envoy will never deliver their body.
//!
//! Without Envoy's `allow_on_headers_stop_iteration`, holding the headers holds the body too: no body callback ever
//! comes, and the request hangs. A filter cannot see that setting. But the first body that arrives while headers are
//! held proves that it is on. From then on a late body means a slow client, whose request must keep its held headers.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long held headers wait for a first byte, until a body has ever arrived.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How often to look for overdue exchanges.
pub const PERIOD: Duration = Duration::from_millis(500);

/// The exchanges whose headers are held, by Envoy's number for the stream.
#[derive(Debug)]
pub struct Watchdog<T> {
    waiting: BTreeMap<u32, (Duration, T)>,
    proven: bool,
}

impl<T> Default for Watchdog<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), proven: false }
    }
}

impl<T> Watchdog<T> {
    /// Watches an exchange whose headers are held from now on.
    pub fn watch(&mut self, id: u32, exchange: T, now: Duration) {
        if !self.proven {
            self.waiting.insert(id, (now, exchange));
        }
    }

    /// A body callback came. If the exchange was watched, held headers do not hold the body.
    pub fn body_came(&mut self, id: u32) {
        if self.waiting.remove(&id).is_some() {
            self.proven = true;
            self.waiting.clear();
        }
    }

    /// The exchange is over, and its stream no longer exists in Envoy.
    pub fn forget(&mut self, id: u32) {
        self.waiting.remove(&id);
    }

    /// Removes and returns the exchanges that have waited too long.
    pub fn overdue(&mut self, now: Duration) -> Vec<(u32, T)> {
        let late = self.waiting.iter().filter(|(_, (since, _))| now.saturating_sub(*since) >= PATIENCE);
        let late: Vec<u32> = late.map(|(id, _)| *id).collect();
        late.into_iter().filter_map(|id| self.waiting.remove(&id).map(|(_, it)| (id, it))).collect()
    }
}
