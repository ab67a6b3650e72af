//! Questions to the store of responses, and its answers if they come later.
//!
//! A store over HTTP is only asked, and what it answers is only carried out, in the callback of the root context's timer,
//! which is set for that:
//!
//! * Envoy delivers an answer in a callback of its own, during which the SDK has all streams borrowed. A body that is written
//!   there and is longer than Envoy's buffer makes Envoy call back for the stream, and that ends the process.
//! * A request that the root context has sent outlives the stream. So a record is written, and what became of it counted, even
//!   if the client has gone.

use super::SharedExchange;
use super::apply::{self, Stream, now};
use super::store::EnvoyStore;
use crate::adapter::{self, Direction, Next};
use crate::store::{Answer, Operation, Question};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// The store, and what is under way between it and the streams of one plugin.
#[derive(Debug, Default)]
pub(super) struct Callouts {
    store: EnvoyStore,
    root: u32,
    /// The period of the timer when nothing is to be done here.
    period: Duration,
    jobs: RefCell<VecDeque<Job>>,
    /// Whether the timer's callback comes soon, or is running.
    is_due: Cell<bool>,
    /// The questions that were sent, by Envoy's number for the request, and when to give them up.
    sent: RefCell<BTreeMap<u32, (Asker, Duration)>>,
    /// The streams that have asked, as long as Envoy has them.
    streams: RefCell<BTreeSet<u32>>,
}

/// What the timer's callback does next.
#[derive(Debug)]
enum Job {
    Ask(Asker, Question),
    Answer(Asker, Answer),
}

/// Who has asked what.
#[derive(Debug)]
struct Asker {
    id: u32,
    direction: Direction,
    operation: Operation,
    exchange: SharedExchange,
}

/// As soon as the callback that is running has ended.
const SOON: Duration = Duration::from_millis(1);

/// How often to look for questions that are to be given up.
const PERIOD: Duration = Duration::from_millis(500);

/// How long after its timeout Envoy may still report it. It never does if `proxy_on_http_call_response` is not among the
/// allowed capabilities.
const GRACE: Duration = Duration::from_secs(1);

impl Callouts {
    pub(super) fn new(store: EnvoyStore, root: u32, period: Duration) -> Self {
        Self { store, root, period, ..Self::default() }
    }

    /// Asks for a stream. `None`: the answer comes later.
    pub(super) fn ask(&self, stream: Stream<'_>, question: &Question) -> Option<Answer> {
        use crate::adapter::Message as _;
        if let Ok(answer) = self.store.answer(question, stream.now()) {
            return Some(answer);
        }
        let (operation, _) = question.operation();
        let Stream { id, direction, exchange, .. } = stream;
        self.streams.borrow_mut().insert(id);
        let asker = Asker { id, direction, operation, exchange: Rc::clone(exchange) };
        self.add(Job::Ask(asker, question.clone()));
        self.make_due();
        apply::enter(id);
        None
    }

    /// Envoy has the reply to a request; `None` if there was none.
    pub(super) fn on_reply(&self, number: u32, reply: Option<(u16, Vec<u8>)>) {
        let Some((asker, _)) = self.sent.borrow_mut().remove(&number) else { return };
        let answer = match (&self.store, reply) {
            (EnvoyStore::Http(store), Some((status, body))) => store.answer(asker.operation, status, body),
            _ => Answer::Failed,
        };
        self.add(Job::Answer(asker, answer));
        self.make_due();
    }

    /// Sets the timer, which is the root context's. To set it again would put it off, for ever if there is much to do.
    fn make_due(&self) {
        if !self.is_due.replace(true) {
            apply::enter(self.root);
            apply::set_timer(SOON);
        }
    }

    /// The stream no longer exists in Envoy.
    pub(super) fn forget(&self, id: u32) {
        self.streams.borrow_mut().remove(&id);
    }

    /// Does everything that is to be done. Only the timer's callback may call it.
    pub(super) fn run(&self) {
        self.give_up();
        if self.jobs.borrow().is_empty() {
            return;
        }
        // What is asked meanwhile is done in this callback.
        self.is_due.set(true);
        while let Some(job) = self.next() {
            apply::enter(self.root);
            match job {
                Job::Ask(asker, question) => self.send(asker, &question),
                Job::Answer(asker, answer) => self.deliver(asker, answer),
            }
        }
        let is_idle = self.sent.borrow().is_empty();
        apply::enter(self.root);
        apply::set_timer(if is_idle { self.period } else { PERIOD });
        self.is_due.set(false);
    }

    /// Nothing waits for ever.
    fn give_up(&self) {
        if self.sent.borrow().is_empty() {
            return;
        }
        let now = now();
        let sent = self.sent.take();
        let (waiting, late) = sent.into_iter().partition(|(_, (_, until))| *until > now);
        self.sent.replace(waiting);
        for (asker, _) in BTreeMap::into_values(late) {
            log::error!("the store did not reply in time: is proxy_on_http_call_response allowed?");
            self.add(Job::Answer(asker, Answer::Failed));
        }
    }

    fn add(&self, job: Job) {
        self.jobs.borrow_mut().push_back(job);
    }

    fn next(&self) -> Option<Job> {
        self.jobs.borrow_mut().pop_front()
    }

    fn send(&self, asker: Asker, question: &Question) {
        let EnvoyStore::Http(store) = &self.store else { return };
        match apply::send(&store.cluster, &store.request(question), store.timeout) {
            Some(number) => {
                self.sent.borrow_mut().insert(number, (asker, now() + store.timeout + GRACE));
            }
            None => self.add(Job::Answer(asker, Answer::Failed)),
        }
    }

    /// Carries out what follows from an answer.
    fn deliver(&self, asker: Asker, answer: Answer) {
        let Asker { id, direction, exchange, .. } = asker;
        if !self.has(id) || !apply::enter(id) {
            exchange.borrow_mut().on_answer(answer, now());
            return;
        }
        let (root, exchange) = (self.root, &exchange);
        let stream = Stream { id, root, direction, chunk: 0, now: None, exchange, callouts: self };
        let next = adapter::on_answer(exchange, &stream, answer);
        // A body that is too long for Envoy's buffer has ended the stream.
        if next == Next::Continue && self.has(id) {
            apply::resume(direction);
        }
    }

    fn has(&self, id: u32) -> bool {
        self.streams.borrow().contains(&id)
    }
}
