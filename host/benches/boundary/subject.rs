//! What is measured: one way of storing states, one step at a time.

use std::time::{Duration, Instant};

use langgraph_checkpoint_host::{Checkpointer, Config, Planner, Put, StorageAdapter};
use tokio::runtime::Runtime;

use crate::states::{self, APPENDED};
use crate::tape::Tape;

/// A step: does its work once. Returns how long that took, without the preparation.
pub(crate) type Step = fn(&mut dyn Subject) -> Duration;

/// The steps, by name.
pub(crate) const STEPS: [(&str, Step); 4] = [
    ("append, as edit", |subject| subject.append_edit()),
    ("append, whole", |subject| subject.append_whole()),
    ("put new state", |subject| subject.put_new()),
    ("get", |subject| subject.get()),
];

/// One way of storing states.
pub(crate) trait Subject {
    /// Puts the state and two more messages, as an edit of the state.
    fn append_edit(&mut self) -> Duration;
    /// Puts the state and two more messages, all of it.
    fn append_whole(&mut self) -> Duration;
    /// Puts the state in a thread that has nothing yet.
    fn put_new(&mut self) -> Duration;
    /// Gets the state that was put last.
    fn get(&mut self) -> Duration;
}

/// The thread whose state grows.
pub(crate) const THREAD: &str = "conversation";

/// The thread for new states. It is removed after each step.
pub(crate) const NEW_THREAD: &str = "new conversation";

/// A checkpointer of this crate, and the state that its appends start from.
pub(crate) struct Checkpoints<'a, S> {
    runtime: &'a Runtime,
    checkpointer: Checkpointer<S>,
    tape: Tape,
    state: Vec<String>,
    known: Vec<u8>,
    next: usize,
}

impl<'a, S: StorageAdapter> Checkpoints<'a, S> {
    /// Puts a state of this many messages, appends to it in both ways, and checks what comes back.
    pub(crate) fn new(
        runtime: &'a Runtime,
        planner: Planner,
        storage: S,
        tape: Tape,
        messages: usize,
    ) -> Self {
        let checkpointer = Checkpointer::new(planner, storage);
        let state = states::messages(0, messages);
        let put = states::put(THREAD, None, &id(0), states::whole(states::list(&state)));
        let known = runtime.block_on(checkpointer.put(put)).unwrap().known;
        let mut subject = Self { runtime, checkpointer, tape, state, known, next: messages };
        subject.append_edit();
        subject.check();
        subject.append_whole();
        subject.check();
        subject
    }

    /// Fails if the newest state is not the one that was put last.
    fn check(&self) {
        self.tape.stop();
        let config = Config { thread_id: THREAD.into(), ..Config::default() };
        let tuple = self.runtime.block_on(self.checkpointer.get_tuple(config)).unwrap().unwrap();
        let mut expected = self.state.clone();
        expected.extend(states::messages(self.next - APPENDED, APPENDED));
        let value = &tuple.channel_values[0].value;
        assert!(value.bytes == states::list(&expected), "the state came back changed");
    }

    fn fresh(&mut self) -> Vec<String> {
        let fresh = states::messages(self.next, APPENDED);
        self.next += APPENDED;
        fresh
    }

    fn timed_put(&self, put: Put) -> Duration {
        let begin = Instant::now();
        let stored = self.runtime.block_on(self.checkpointer.put(put));
        let took = begin.elapsed();
        assert!(stored.is_ok());
        took
    }
}

impl<S: StorageAdapter> Subject for Checkpoints<'_, S> {
    fn append_edit(&mut self) -> Duration {
        let fresh = self.fresh();
        let value = states::appended(self.state.len(), &fresh);
        let mut put = states::put(THREAD, Some(&id(0)), &id(self.next), value);
        put.known = Some(self.known.clone());
        self.tape.rewind("append as edit");
        self.timed_put(put)
    }

    fn append_whole(&mut self) -> Duration {
        let fresh = self.fresh();
        let value = states::whole(states::list(&[self.state.as_slice(), &fresh].concat()));
        self.tape.rewind("append whole");
        self.timed_put(states::put(THREAD, Some(&id(0)), &id(self.next), value))
    }

    fn put_new(&mut self) -> Duration {
        let value = states::whole(states::list(&self.state));
        self.tape.rewind("put new state");
        let took = self.timed_put(states::put(NEW_THREAD, None, &id(0), value));
        let config = Config { thread_id: NEW_THREAD.into(), ..Config::default() };
        self.tape.rewind("remove new state");
        self.runtime.block_on(self.checkpointer.delete_thread(config)).unwrap();
        took
    }

    fn get(&mut self) -> Duration {
        let config = Config { thread_id: THREAD.into(), ..Config::default() };
        self.tape.rewind("get");
        let begin = Instant::now();
        let tuple = self.runtime.block_on(self.checkpointer.get_tuple(config)).unwrap();
        let took = begin.elapsed();
        assert!(tuple.is_some());
        took
    }
}

/// The id of the n-th checkpoint.
pub(crate) fn id(number: usize) -> String {
    format!("{number:012}")
}
