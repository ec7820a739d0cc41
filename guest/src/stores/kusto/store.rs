//! A table of one database, and the calls on it.

use std::rc::Rc;

use super::call;
use super::io::{Task, TaskProgress};
use super::memory::Shared;
use super::options::{KustoOptions, Options};
use super::send::Sender;
use super::setup;
use super::together::{self, Ended};
use crate::contract::call::Call;
use crate::contract::config::thread_of;
use crate::contract::error::Error;
use crate::contract::http::Moment;
use crate::contract::outcome::Outcome;
use crate::contract::status::{UnshownCall, Waiting};
use crate::operations::method::{Begun, Method};

/// A table of one database: its options, and what the store remembers.
#[derive(Debug)]
pub struct Store {
    options: Rc<Options>,
    pub(super) memory: Shared,
}

impl Store {
    /// Opens a store with these options and checks them. Nothing is sent.
    pub fn open(options: KustoOptions) -> Result<Self, Error> {
        Ok(Self { options: Rc::new(Options::checked(options)?), memory: Shared::default() })
    }

    /// Starts a call. Bad input is refused here, before anything is sent.
    pub fn start(&self, mut call: Call, at: Moment) -> Result<(Task, TaskProgress), Error> {
        let name = call.name();
        let thread_id = thread_of(&call);
        self.check_known(&mut call, thread_id.as_deref(), at);
        let memory = Rc::clone(&self.memory);
        let options = Rc::clone(&self.options);
        let begun = Method::start(call)?;
        Task::start(at, |io| async move {
            let sender = Sender::new(io, options, name);
            match begun {
                Begun::Setup => setup::check(&sender, &memory).await,
                Begun::Flush => {
                    call::flush(sender, memory).await?;
                    Ok(Outcome::Ready(None))
                }
                Begun::Method(method, step) => {
                    call::run(sender, memory, thread_id, method, step).await
                }
            }
        })
    }

    /// Starts calls of one thread that write and were made at once. The rows of all are sent in one
    /// ingest. Ends in the result of each call, in their order.
    pub fn start_together(
        &self,
        calls: Vec<Call>,
        at: Moment,
    ) -> Result<(Task<Ended>, TaskProgress<Ended>), Error> {
        let memory = Rc::clone(&self.memory);
        let options = Rc::clone(&self.options);
        Task::start(at, |io| async move {
            let sender = Sender::new(io, options, "put");
            Ok(together::run(&sender, &memory, calls).await)
        })
    }

    /// When `Call::Flush` is due, in microseconds since 1970; `None` if no row waits.
    pub fn flush_due(&self) -> Option<u64> {
        let since = self.memory.borrow().waiting_since()?;
        Some(since.saturating_add(self.options.flush_interval))
    }

    /// What is lost if the process ends without another flush.
    pub fn waiting(&self) -> Waiting {
        self.memory.borrow().unsent()
    }

    /// The calls that were sent and that no query has shown yet.
    pub fn unshown(&self) -> Vec<UnshownCall> {
        self.memory.borrow().calls_unshown()
    }

    /// Takes the warning for the caller, if there is one.
    pub fn take_warning(&self) -> Option<String> {
        self.memory.borrow_mut().take_warning()
    }

    /// Names calls that another instance made. A read of their threads either includes these calls
    /// or fails with `store-stale`.
    pub fn await_shown(&self, calls: Vec<UnshownCall>) {
        self.memory.borrow_mut().await_shown(calls);
    }

    /// Drops the `known` of a `getTuple` if the store does not remember the thread, because only
    /// the store knows the age of its chunks. Then everything is read.
    fn check_known(&self, call: &mut Call, thread_id: Option<&str>, at: Moment) {
        let Call::GetTuple(get) = call else { return };
        let Some(thread_id) = thread_id else { return };
        let age_max = self.options.age_max();
        if self.memory.borrow_mut().thread(thread_id, at.now, age_max).is_none() {
            get.known = None;
        }
    }
}
