//! A scripted Chat Completions server that checks requests strictly: the upstream of the tests.
//!
//! ```text
//! cargo run --example chat_upstream -- --listen 127.0.0.1:0
//! ```
//!
//! It prints one line, `listening on http://127.0.0.1:PORT/v1`, and ends on SIGINT or SIGTERM.
//!
//! * `POST <any prefix>/chat/completions` is checked as the strictest providers do (`strict`). The reply is the next one of
//!   the script (`script`) or, after the last, a tool call and then a text about its result (`improvise`).
//! * `GET <any prefix>/models` lists one model.
//! * `POST /_/script` sets the replies and `GET /_/script` counts those that are left. `GET /_/requests` lists the requests
//!   and `DELETE /_/requests` forgets them. `GET /_/rules` lists the checks and the providers that make them.
//!
//! It is only for tests: it keeps every request in memory and shows it to every client.

mod answer;
mod calls;
mod improvise;
mod script;
mod server;
mod shape;
mod stream;
mod strict;

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: chat_upstream --listen ADDRESS:PORT    (port 0: any free port)";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let listen = match arguments.as_slice() {
        [flag, address] if flag == "--listen" => address.parse::<SocketAddr>(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let outcome = match listen {
        Ok(address) => run(address).await,
        Err(error) => Err(std::io::Error::other(format!("--listen: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_upstream: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: SocketAddr) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/v1", listener.local_addr()?);
    // Each delta is one write, and is sent at once.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("chat_upstream: TCP_NODELAY: {error}");
        }
    });
    // No graceful shutdown, because a waiting stream would keep the process alive.
    tokio::select! {
        outcome = axum::serve(listener, server::router()).into_future() => outcome,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}
