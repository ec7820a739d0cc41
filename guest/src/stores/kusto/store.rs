//! A table of one database, and the calls on it.

use std::rc::Rc;

use super::call;
use super::http::Moment;
use super::io::{Io, Operation, Progress};
use super::memory::{Shared, Unshown, Waiting};
use super::options::{Options, StoreOptions};
use super::send::Sender;
use super::setup;
use super::together;
use crate::contract::call::{Call, Config};
use crate::contract::config;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::operations::method::Method;

/// A table of one database: its options, and what was written and is not flushed yet.
#[derive(Debug)]
pub struct Store {
    options: Rc<Options>,
    pub(super) memory: Shared,
}

impl Store {
    /// A store with these options. Nothing is sent.
    pub fn open(options: StoreOptions) -> Result<Self, Error> {
        Ok(Self { options: Rc::new(Options::checked(options)?), memory: Shared::default() })
    }

    /// Begins a call of LangGraph's.
    pub fn start(&self, mut call: Call, at: Moment) -> Result<(Operation, Progress), Error> {
        let name = name_of(&call);
        let thread_id = thread_of(&call);
        self.check_known(&mut call, thread_id.as_deref(), at);
        let memory = Rc::clone(&self.memory);
        let options = Rc::clone(&self.options);
        match Method::start(call)? {
            None => Operation::start(at, |io| async move {
                let sender = Sender::new(io, options, name);
                setup::check(&sender, &memory).await
            }),
            Some((method, step)) => Operation::start(at, |io| async move {
                let sender = Sender::new(io, options, name);
                call::run(sender, memory, thread_id, method, step).await
            }),
        }
    }

    /// Begins calls of one thread that write and were made at once.
    pub fn write_together(
        &self,
        calls: Vec<Call>,
        at: Moment,
    ) -> Result<(Operation, Progress), Error> {
        let memory = Rc::clone(&self.memory);
        let options = Rc::clone(&self.options);
        Operation::start(at, |io| async move {
            let sender = Sender::new(io, options, "put");
            Ok(together::run(&sender, &memory, calls).await)
        })
    }

    /// Ingests all that waits.
    pub fn flush(&self, at: Moment) -> Result<(Operation, Progress), Error> {
        let memory = Rc::clone(&self.memory);
        let options = Rc::clone(&self.options);
        Operation::start(at, |io: Io| async move {
            let sender = Sender::new(io, options, "flush");
            call::flush(sender, memory).await?;
            Ok(Outcome::Ready)
        })
    }

    /// When `flush` is due, in microseconds since 1970; nothing when no row waits.
    pub fn flush_due(&self) -> Option<u64> {
        let since = self.memory.borrow().waiting_since()?;
        Some(since.saturating_add(self.options.flush_interval))
    }

    /// What is acknowledged and not ingested yet.
    pub fn waiting(&self) -> Waiting {
        self.memory.borrow().unsent()
    }

    /// The calls whose rows no query has shown yet, for an instance that is to take over.
    pub fn unshown(&self) -> Vec<Unshown> {
        self.memory.borrow().calls_unshown()
    }

    /// Calls that another instance has made: what is read of their threads has them, or is refused
    /// as stale.
    pub fn await_shown(&self, calls: Vec<Unshown>) {
        self.memory.borrow_mut().await_shown(calls);
    }

    /// What the caller should be warned of, once.
    pub fn take_warning(&self) -> Option<String> {
        self.memory.borrow_mut().take_warning()
    }

    /// What a caller knows is of use only while the store remembers the thread: the age of its
    /// chunks is remembered here alone. Without it everything is read.
    fn check_known(&self, call: &mut Call, thread_id: Option<&str>, at: Moment) {
        let Call::GetTuple(get) = call else { return };
        let Some(thread_id) = thread_id else { return };
        let age_max = self.options.age_max();
        if self.memory.borrow_mut().thread(thread_id, at.now, age_max).is_none() {
            get.known = None;
        }
    }
}

/// LangGraph's name of a call.
fn name_of(call: &Call) -> &'static str {
    match call {
        Call::Setup => "setup",
        Call::GetTuple(_) => "get_tuple",
        Call::List(_) => "list",
        Call::Put(_) => "put",
        Call::PutWrites(_) => "put_writes",
        Call::DeleteThread(_) => "delete_thread",
        Call::DeltaChannelHistory(_) => "get_delta_channel_history",
    }
}

/// The one thread a call is about. Whether it is acceptable is for the method to say.
pub(super) fn thread_of(call: &Call) -> Option<String> {
    let config: &Config = match call {
        Call::Setup => return None,
        Call::GetTuple(call) => &call.config,
        Call::List(call) => &call.config,
        Call::Put(call) => &call.config,
        Call::PutWrites(call) => &call.config,
        Call::DeleteThread(config) => config,
        Call::DeltaChannelHistory(call) => &call.config,
    };
    config::optional_thread_id(config).ok().flatten()
}
