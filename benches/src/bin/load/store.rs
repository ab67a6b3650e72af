//! The store in Envoy's memory: what it adds to a turn, what it takes when it is full, and a conversation that grows in it.

use crate::case::{Case, Load, Says};
use crate::client::reply;
use crate::envoy::{self, Filter};
use crate::known::WASM;
use crate::measure::measure;
use crate::mock::Mock;
use crate::run::{Figures, median};
use crate::target::Target;
use bytes::Bytes;
use memchr::memmem;
use std::net::SocketAddr;
use std::path::Path;
use transponder_benches::{next_turn, request, stored};

/// What the store may have by default.
const BYTES: usize = 256 << 20;
const RECORDS: usize = 4096;

/// How often it is filled.
const TIMES: usize = 3;

/// The turns of the conversation, the parts in which they are measured, and the length of the user's words in each.
const TURNS: usize = 200;
const PARTS: usize = 5;
const WORDS: usize = 2000;

/// The lengths of the requests.
const SIZES: [usize; 3] = [18_000, 120_000, 1_000_000];

/// The length of a response's id.
const ID: usize = "resp_".len() + 32;

const STORED: (&str, Filter) = ("Transponder, stored", Filter::Stored);
const PLAIN: (&str, Filter) = (WASM, Filter::Wasm { module: "TRANSPONDER_WASM", held: false });

/// Prints the tables.
///
/// # Errors
/// The error of the first request that failed.
pub async fn print(rounds: usize, files: &Path) -> Result<(), String> {
    let mock = Mock::start().await;
    turns(rounds, &mock, files).await?;
    fill(&mock, files).await?;
    grow(&mock, files).await
}

/// A turn that brings the whole conversation, and one that goes on from a response with the same one.
async fn turns(rounds: usize, mock: &Mock, files: &Path) -> Result<(), String> {
    let plain = envoy::start(PLAIN, mock.address, false, files).await;
    let from_store = envoy::start(STORED, mock.address, false, files).await;
    println!(
        "| conversation | p50 without, in ms | from the store | ratio | CPU without, in ms | from the store |"
    );
    println!("|{}", "---|".repeat(6));
    for bytes in SIZES {
        let case = case(bytes);
        let whole = Bytes::from(request(bytes, false));
        let [mut without, mut with] = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            without.push(measure(&case, &plain, mock, case.reply(), std::slice::from_ref(&whole)).await?);
            mock.say(case.reply());
            let id = id_of(from_store.address, stored(&whole)).await?;
            let next = Bytes::from(next_turn(&whole, &id, "Go on."));
            with.push(measure(&case, &from_store, mock, case.reply(), std::slice::from_ref(&next)).await?);
        }
        let ms = |rounds: &[Figures], figure: fn(&Figures) -> f64| {
            median(rounds.iter().map(figure)).unwrap_or(f64::NAN) * 1e3
        };
        let p50 = [&without, &with].map(|rounds| ms(rounds, |figures| figures.p50));
        let cpu = [&without, &with].map(|rounds| ms(rounds, |figures| figures.cpu));
        let [without, with] = p50;
        let ratio = with / without;
        println!(
            "| {} kB | {without:.2} | {with:.2} | {ratio:.2} | {:.2} | {:.2} |",
            bytes / 1000,
            cpu[0],
            cpu[1]
        );
    }
    Ok(())
}

fn case(bytes: usize) -> Case {
    Case { name: "", bytes, load: Load::Connections(1), says: Says::Document { events: 20 }, beside: 0 }
}

/// Sends a request whose response is stored, and returns its id.
async fn id_of(address: SocketAddr, body: Vec<u8>) -> Result<String, String> {
    let reply = reply(address, body.into()).await?;
    let id = memmem::find(&reply, b"resp_").and_then(|at| reply.get(at..at + ID));
    Ok(String::from_utf8_lossy(id.ok_or("a reply without an id")?).into_owned())
}

/// Envoy's resident memory while its store is filled with records of one size.
async fn fill(mock: &Mock, files: &Path) -> Result<(), String> {
    println!(
        "\n| request | records | MB at the start | filled once | twice | three times |\n|{}",
        "---|".repeat(6)
    );
    for size in SIZES {
        mock.say(case(size).reply());
        let envoy = envoy::start(STORED, mock.address, false, files).await;
        let body = stored(&request(size, false));
        let records = RECORDS.min(BYTES / body.len());
        let mut memory = vec![megabytes(&envoy).to_string()];
        for _ in 0..TIMES {
            for _ in 0..records {
                id_of(envoy.address, body.clone()).await?;
            }
            memory.push(megabytes(&envoy).to_string());
        }
        println!("| {} kB | {records} | {} |", body.len() / 1000, memory.join(" | "));
    }
    Ok(())
}

/// One conversation: what its turns take while it grows.
async fn grow(mock: &Mock, files: &Path) -> Result<(), String> {
    let envoy = envoy::start(STORED, mock.address, false, files).await;
    let first = stored(&request(0, false));
    mock.say(case(first.len()).reply());
    let mut id = id_of(envoy.address, first.clone()).await?;
    let words = "word ".repeat(WORDS / "word ".len());
    println!("\n| turns | CPU of a turn, in ms | MB after them |\n|---|---|---|");
    for part in 0..PARTS {
        let turns = TURNS / PARTS;
        let before = envoy.cpu();
        for _ in 0..turns {
            id = id_of(envoy.address, next_turn(&first, &id, &words)).await?;
        }
        let each = (envoy.cpu() - before).as_secs_f64() * 1e3 / turns as f64;
        println!("| {} to {} | {each:.2} | {} |", part * turns + 1, (part + 1) * turns, megabytes(&envoy));
    }
    Ok(())
}

fn megabytes(envoy: &Target) -> u64 {
    envoy.memory().unwrap_or_default() >> 20
}
