//! The cases: what is asked, what the upstream replies, and what else goes on.

use crate::mock::Reply;
use bytes::Bytes;
use std::time::Duration;
use transponder_benches::{Kind, document, request, stream};

/// One case.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// The length of the request, the last one of a session.
    pub bytes: usize,
    pub load: Load,
    pub says: Says,
    /// Streams that stay open meanwhile, each with an event at every [`BESIDE`].
    pub beside: usize,
}

/// How requests are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// The same request again and again, over this number of connections.
    Connections(usize),
    /// A number of requests over one connection, each longer than the last.
    Session { turns: usize },
}

/// The upstream's reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Document { events: usize },
    Events { kind: Kind, events: usize },
    Paced { events: usize, apart: Duration },
}

pub const BESIDE: Duration = Duration::from_millis(50);
pub const TURNS: usize = 50;

pub const SMALL: &str = "18 kB, JSON";
pub const SMALL_16: &str = "18 kB, JSON, 16 connections";
pub const SMALL_BESIDE: &str = "18 kB, JSON, 64 open streams beside it";
pub const MEDIUM: &str = "120 kB, JSON";
pub const LARGE: &str = "1 MB, JSON";
pub const MEDIUM_200: &str = "120 kB, 200 text events";
pub const FEW: &str = "18 kB, 20 text events";
pub const MANY: &str = "18 kB, 2,000 text events";
pub const CUSTOM_INPUT: &str = "18 kB, 2,000 custom input events";
pub const PACED: &str = "18 kB, 50 text events 20 ms apart";
pub const SESSION: &str = "a session of 50 turns up to 1 MB, 20 text events each";

const fn document_to(name: &'static str, bytes: usize, connections: usize) -> Case {
    let says = Says::Document { events: 20 };
    Case { name, bytes, load: Load::Connections(connections), says, beside: 0 }
}

const fn events_to(name: &'static str, bytes: usize, kind: Kind, events: usize, connections: usize) -> Case {
    let says = Says::Events { kind, events };
    Case { name, bytes, load: Load::Connections(connections), says, beside: 0 }
}

pub const CASES: &[Case] = &[
    document_to(SMALL, 18_000, 1),
    document_to(SMALL_16, 18_000, 16),
    document_to("18 kB, JSON, 256 connections", 18_000, 256),
    Case { beside: 64, ..document_to(SMALL_BESIDE, 18_000, 1) },
    document_to(MEDIUM, 120_000, 1),
    document_to(LARGE, 1_000_000, 1),
    document_to("10 MB, JSON", 10_000_000, 1),
    events_to(MEDIUM_200, 120_000, Kind::Text, 200, 1),
    events_to("120 kB, 200 text events, 16 connections", 120_000, Kind::Text, 200, 16),
    events_to(FEW, 18_000, Kind::Text, 20, 1),
    events_to("18 kB, 200 text events", 18_000, Kind::Text, 200, 1),
    events_to(MANY, 18_000, Kind::Text, 2000, 1),
    events_to("18 kB, 2,000 reasoning events", 18_000, Kind::Reasoning, 2000, 1),
    events_to("18 kB, 2,000 argument events", 18_000, Kind::Arguments, 2000, 1),
    events_to(CUSTOM_INPUT, 18_000, Kind::CustomInput, 2000, 1),
    Case {
        says: Says::Paced { events: 50, apart: Duration::from_millis(20) },
        ..document_to(PACED, 18_000, 1)
    },
    Case { load: Load::Session { turns: TURNS }, ..events_to(SESSION, 1_000_000, Kind::Text, 20, 1) },
];

/// The cases of a quick run, which shows the effect of a change in three minutes and leaves the page alone.
const QUICK: &[&str] = &[SMALL, SMALL_16, LARGE, MEDIUM_200, CUSTOM_INPUT, SESSION];

impl Case {
    pub fn is_quick(&self) -> bool {
        QUICK.contains(&self.name)
    }

    /// The requests, of which the last is the longest.
    pub fn requests(&self) -> Vec<Bytes> {
        let streams = !matches!(self.says, Says::Document { .. });
        let turns = match self.load {
            Load::Connections(_) => 1,
            Load::Session { turns } => turns,
        };
        (1..=turns).map(|turn| request(self.bytes * turn / turns, streams).into()).collect()
    }

    pub fn reply(&self) -> Reply {
        match self.says {
            Says::Document { events } => Reply::Document(document(Kind::Text, events).into()),
            Says::Events { kind, events } => {
                Reply::Events(stream(kind, events).into_iter().map(Bytes::from).collect())
            }
            Says::Paced { events, apart } => Reply::Paced(events, apart),
        }
    }
}
