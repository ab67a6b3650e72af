//! Two Envoys that share nothing but the store.

use super::stores::{Kind, StoreServer};
use super::{Conversation, model, with_store};
use crate::config;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::own_upstream::OwnUpstream;
use support::{Envoy, Headers, Launch};

const CONVERSATIONS: usize = 200;
const TURNS: usize = 10;

/// How many conversations there are at a time.
const AT_A_TIME: usize = 10;

/// A turn that fails is sent again, as any client would.
#[tokio::test]
async fn turns_alternate_between_replicas_and_nothing_is_lost_doubled_or_foreign() {
    let upstream = OwnUpstream::start_asked(model).await;
    let mut store = StoreServer::start(Kind::Nginx).await;
    let all = Headers::all();
    let mut envoys = Vec::new();
    // The wasm filter and, where Envoy has it, the native one.
    for headers in [all.first(), all.last()].into_iter().flatten() {
        let plugin = config(*headers, json!({"store": {"http": store.settings()}}));
        let bootstrap = with_store(upstream.address, &plugin, *headers, &store.cluster());
        envoys.push(
            Envoy::launch_as(&bootstrap, Launch { workers: 2, quiet: true, ..Launch::default() }).await,
        );
    }
    let (done, again) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let conversation = async |number: usize| {
        let mut conversation = Conversation::new(&envoys[0], number.is_multiple_of(2));
        for turn in 1..=TURNS {
            let told = loop {
                conversation.url =
                    envoys[(number + turn + again.load(Ordering::Relaxed)) % 2].responses_url();
                let before = conversation.previous.clone();
                match conversation.try_turn(&format!("question {turn} of {number}")).await {
                    Ok(told) => break told,
                    Err(_) => conversation.previous = before,
                }
                again.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            };
            // A question, the call with its text, its output, and the answers in between.
            assert_eq!(told, format!("{} messages", 4 * turn - 1));
        }
        done.fetch_add(1, Ordering::Relaxed);
    };
    let conversations = futures_util::stream::iter(0..CONVERSATIONS).map(&conversation);
    let conversations = conversations.buffer_unordered(AT_A_TIME).collect::<Vec<()>>();
    let restarts = async {
        for part in 1..=3 {
            while done.load(Ordering::Relaxed) < part * CONVERSATIONS / 4 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            store.kill();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            store.start_again().await;
        }
    };
    tokio::join!(conversations, restarts);
    assert!(again.load(Ordering::Relaxed) > 0, "the store was down while turns were sent");
    let mut finished = BTreeSet::new();
    for seen in upstream.seen() {
        let Ok(body) = serde_json::from_slice::<Value>(&seen.body) else { continue };
        let messages = body["messages"].as_array().unwrap();
        let questions = messages.iter().filter(|message| message["role"] == "user");
        let words: Vec<_> = questions.map(|message| message["content"].as_str().unwrap()).collect();
        let of = words[0].rsplit_once(' ').unwrap().1;
        for (turn, words) in (1..).zip(&words) {
            assert_eq!(*words, format!("question {turn} of {of}"), "nothing lost, doubled or foreign");
        }
        if words.len() == TURNS {
            finished.insert(of.to_owned());
        }
    }
    assert_eq!(finished.len(), CONVERSATIONS);
    for envoy in envoys {
        envoy.finish();
    }
}
