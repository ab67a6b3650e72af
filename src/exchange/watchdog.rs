//! Finds the exchanges whose headers are held although their body will never be shown.
//!
//! Without Envoy's `allow_on_headers_stop_iteration`, holding the headers holds the body too: no body
//! callback ever comes and the request hangs. A filter cannot see that setting. But the first body
//! that does come while headers are held proves that it is on, and then a body that is late is only
//! a slow client's, who must not lose the routing that the held headers are for.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long held headers wait for a first byte, as long as no body has ever come.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How often to look for overdue exchanges.
pub const PERIOD: Duration = Duration::from_millis(500);

/// The exchanges whose headers are held, by the host's number for them. `T` is how to reach one.
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
    /// An exchange's headers are held from now on.
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

    /// The exchange is over; the host must not be asked about it any more.
    pub fn forget(&mut self, id: u32) {
        self.waiting.remove(&id);
    }

    /// Takes out the exchanges that have waited too long.
    pub fn overdue(&mut self, now: Duration) -> Vec<(u32, T)> {
        let late = self.waiting.iter().filter(|(_, (since, _))| now.saturating_sub(*since) >= PATIENCE);
        let late: Vec<u32> = late.map(|(id, _)| *id).collect();
        late.into_iter().filter_map(|id| self.waiting.remove(&id).map(|(_, it)| (id, it))).collect()
    }
}
