//! One instance and its worker. Calls wait in a queue and run one after another; the rows of
//! write-behind are ingested on time.
//!
//! The worker continues a call whose caller has gone: an instance that is left in the middle of a
//! call is unusable, and its waiting rows would be lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest::kusto::ConnectOptions;
use langgraph_checkpoint_guest::wit::types::{Page, PutCall};
use langgraph_checkpoint_guest::{
    Call, ChannelHistory, CheckpointTuple, DeltaChannelHistory, GetTuple, Outcome,
    StoredCheckpoint, UnshownCall,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::component::{Instance, KustoComponent};
use super::lost::{Caller, Losses};
use super::options::{BearerToken, KustoLogin, KustoOptions};
use super::outgoing::Outgoing;
use crate::component::failed;
use crate::error::{ComponentError, ComponentErrorKind, Error};

/// A token that expires within this time is renewed.
const TOKEN_RESERVE: Duration = Duration::from_secs(5 * 60);

/// How much longer than its own deadlines a call may take before its instance is dropped.
const GRACE: Duration = Duration::from_secs(15);

/// How many calls a queue holds. Callers of further calls wait for room.
const QUEUE: usize = 64;

/// Calls that an instance has made and no query has shown yet. They outlive the instance.
type Unshown = Arc<Mutex<Vec<UnshownCall>>>;

/// The result of a call.
#[derive(Debug)]
pub(super) enum Reply {
    /// Of a call that returns nothing.
    Done,
    /// Of `put`.
    Stored(StoredCheckpoint),
    /// Of `get_tuple`.
    Found(Option<CheckpointTuple>),
    /// Of `list`.
    Page(Page),
    /// Of `get_delta_channel_history`.
    History(Vec<ChannelHistory>),
    /// Of a call about whole threads.
    Outcome(Outcome),
}

struct Job {
    call: Call,
    caller: Caller,
    /// The calls of other lanes that this request must see.
    awaited: Vec<UnshownCall>,
    reply: oneshot::Sender<Result<Reply, Error>>,
    span: Span,
}

/// The queue of one worker.
#[derive(Debug)]
pub(super) struct Lane {
    jobs: mpsc::Sender<Job>,
    unshown: Unshown,
    worker: JoinHandle<Result<(), Error>>,
}

impl Lane {
    pub(super) fn start(
        component: KustoComponent,
        options: Arc<KustoOptions>,
        outgoing: Outgoing,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let unshown = Unshown::default();
        let worker = Worker {
            component,
            options,
            outgoing,
            instance: None,
            token: None,
            due: None,
            unshown: Arc::clone(&unshown),
            awaited: Vec::new(),
            losses: Losses::default(),
        };
        Self { jobs, unshown, worker: tokio::spawn(worker.run(queue)) }
    }

    /// The ended calls that no query has shown yet.
    pub(super) fn unshown(&self) -> Vec<UnshownCall> {
        self.unshown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a request after those in the queue. It sees the given calls of other lanes.
    pub(super) async fn run(
        &self,
        call: Call,
        caller: Caller,
        awaited: Vec<UnshownCall>,
    ) -> Result<Reply, Error> {
        let name = call.name();
        let span = tracing::info_span!(
            "checkpoint_operation",
            call = name,
            requests = Empty,
            code = Empty
        );
        let (reply, replied) = oneshot::channel();
        let job = Job { call, caller, awaited, reply, span: span.clone() };
        let replied = match self.jobs.send(job).await {
            Ok(()) => replied.await.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        };
        if let Err(error) = &replied {
            span.record("code", error.code());
        }
        replied
    }

    /// Takes no more requests, finishes those in the queue, and ingests the waiting rows.
    pub(super) async fn close(self) -> Result<(), Error> {
        drop(self.jobs);
        self.worker.await.unwrap_or_else(|_| Err(gone()))
    }
}

struct Worker {
    component: KustoComponent,
    options: Arc<KustoOptions>,
    outgoing: Outgoing,
    /// `None` before the first call, and after one that failed in `wasmtime`.
    instance: Option<Instance>,
    token: Option<BearerToken>,
    /// When the waiting rows must be ingested.
    due: Option<SystemTime>,
    unshown: Unshown,
    /// The calls of other lanes that the next call must see.
    awaited: Vec<UnshownCall>,
    losses: Losses,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) -> Result<(), Error> {
        loop {
            let wait = self.due.map(|due| due.duration_since(SystemTime::now()));
            let wait = wait.map(Result::unwrap_or_default);
            let job = tokio::select! {
                job = jobs.recv() => job,
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                    self.flush_in_time().await;
                    continue;
                }
            };
            let Some(Job { call, caller, awaited, reply, span }) = job else { break };
            self.awaited = awaited;
            let replied = match self.losses.tell(&caller) {
                Ok(()) => self.answer(call, &caller).instrument(span.clone()).await,
                Err(lost) => Err(lost),
            };
            if let Some(instance) = &self.instance {
                span.record("requests", instance.take_sent());
            }
            // The caller may have gone.
            let _ = reply.send(replied);
        }
        if self.due.is_some() {
            self.answer(Call::Flush, &Caller::Nobody).await?;
        }
        self.losses.at_the_end()
    }

    /// Nobody waits for this flush, so its failure is only logged. Either the rows still wait, and
    /// the next call reports the failure; or they are lost, and the callers concerned are told.
    async fn flush_in_time(&mut self) {
        let span = tracing::info_span!(
            "checkpoint_operation",
            call = "flush",
            requests = Empty,
            code = Empty
        );
        if let Err(error) = self.answer(Call::Flush, &Caller::Nobody).instrument(span.clone()).await
        {
            span.record("code", error.code());
            tracing::warn!(code = error.code(), "rows that wait could not be ingested");
            self.due = self.instance.is_some().then(|| SystemTime::now() + GRACE);
        }
        if let Some(instance) = &self.instance {
            span.record("requests", instance.take_sent());
        }
    }

    /// Runs a request. If the token was refused, runs it once more with a new token.
    async fn answer(&mut self, call: Call, caller: &Caller) -> Result<Reply, Error> {
        let KustoLogin::Credential(_) = &self.options.login else {
            return self.once(call, caller, false).await;
        };
        let again = call.clone();
        match self.once(call, caller, false).await {
            Err(Error::Denied(store)) if store.fault.code == "store-unauthorized" => {
                self.once(again, caller, true).await
            }
            replied => replied,
        }
    }

    async fn once(&mut self, call: Call, caller: &Caller, fresh: bool) -> Result<Reply, Error> {
        let writes = call.writes();
        let renewed = self.renew_token(fresh).await?;
        let (mut instance, renewed) = match self.instance.take() {
            Some(instance) => (instance, renewed),
            None => (self.connect().await?, None),
        };
        let limit = self.time_limit();
        let entered = self.enter(&mut instance, call, renewed);
        let entered = tokio::time::timeout(limit, entered).await;
        let entered = entered.unwrap_or_else(|elapsed| {
            let message = "the call took longer than its deadline; its instance was replaced";
            Err(ComponentError::new(ComponentErrorKind::Timeout, message, elapsed).into())
        });
        match entered {
            Ok(replied) => {
                self.losses.note(caller, writes, self.due.is_some());
                self.instance = Some(instance);
                replied
            }
            Err(error) => {
                self.losses.lose();
                self.due = None;
                Err(match error {
                    Error::Component(error) if writes && instance.has_sent() => {
                        error.with_unknown_effect().into()
                    }
                    other => other,
                })
            }
        }
    }

    /// Runs a request on an instance. The outer error means that the instance cannot be used again.
    async fn enter(
        &mut self,
        instance: &mut Instance,
        call: Call,
        renewed: Option<String>,
    ) -> Entered<Reply> {
        if let Some(token) = renewed
            && let Err(refused) = instance.renew_token(&token).await?
        {
            self.token = None;
            return Ok(Err(refused));
        }
        instance.await_shown(&std::mem::take(&mut self.awaited)).await?;
        let replied = instance.call(call).await?;
        if self.options.write_behind() {
            self.due = instance.flush_due().await?;
        }
        if let Some(warning) = instance.take_warning().await? {
            tracing::warn!("{warning}");
        }
        // What is acknowledged here must be read from now on, whatever happens to the instance.
        let unshown = instance.unshown().await?;
        *self.unshown.lock().unwrap_or_else(PoisonError::into_inner) = unshown;
        Ok(replied)
    }

    /// The time after which an instance is dropped. The planner ends a call far earlier.
    fn time_limit(&self) -> Duration {
        // Waiting rows may be ingested first, which has its own deadline.
        2 * self.options.deadline.unwrap_or(Duration::from_secs(60)) + GRACE
    }

    async fn connect(&mut self) -> Result<Instance, Error> {
        let mut instance = self.component.instantiate(self.outgoing.counted_anew()).await?;
        let token = self.token.as_ref().map(|token| token.value.clone());
        instance.connect(&self.options.connect_options(token)).await?;
        let unshown = self.unshown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        instance.await_shown(&unshown).await?;
        Ok(instance)
    }

    /// Gets a new token if the embedding provides tokens and the last one was refused or expires
    /// soon.
    async fn renew_token(&mut self, fresh: bool) -> Result<Option<String>, Error> {
        let KustoLogin::Credential(credential) = &self.options.login else { return Ok(None) };
        let lasts = |token: &BearerToken| {
            token.expires_at.is_none_or(|end| end > SystemTime::now() + TOKEN_RESERVE)
        };
        if !fresh && self.token.as_ref().is_some_and(lasts) {
            return Ok(None);
        }
        let token = credential.token(fresh).await.map_err(|_| Error::no_token())?;
        let value = token.value.clone();
        self.token = Some(token);
        Ok(Some(value))
    }
}

pub(super) type Entered<T> = Result<Result<T, Error>, Error>;

impl Instance {
    pub(super) async fn connect(&mut self, options: &ConnectOptions) -> Result<(), Error> {
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        Ok(connection.call_connect(store, options).await.map_err(failed)??)
    }

    async fn renew_token(&mut self, token: &str) -> Entered<()> {
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        let renewed = connection.call_renew_token(store, token).await.map_err(failed)?;
        Ok(renewed.map_err(Error::from))
    }

    async fn unshown(&mut self) -> Result<Vec<UnshownCall>, Error> {
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        Ok(connection.call_unshown(store).await.map_err(failed)?)
    }

    async fn await_shown(&mut self, calls: &[UnshownCall]) -> Result<(), Error> {
        if calls.is_empty() {
            return Ok(());
        }
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        Ok(connection.call_await_shown(store, calls).await.map_err(failed)??)
    }

    async fn flush_due(&mut self) -> Result<Option<SystemTime>, Error> {
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        let due = connection.call_flush_due(store).await.map_err(failed)?;
        Ok(due.map(|due| UNIX_EPOCH + Duration::from_micros(due)))
    }

    async fn take_warning(&mut self) -> Result<Option<String>, Error> {
        let (_running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        Ok(connection.call_take_warning(store).await.map_err(failed)?)
    }

    /// Runs a request. The outer error means that the instance cannot be used again.
    pub(super) async fn call(&mut self, call: Call) -> Entered<Reply> {
        let (running, store, exports) = self.enter();
        let connection = exports.langgraph_checkpoint_kusto_connection();
        let calls = exports.langgraph_checkpoint_checkpointer();
        let replied = match call {
            Call::Flush => {
                connection.call_flush(store).await.map_err(failed)?.map(|()| Reply::Done)
            }
            Call::Setup => {
                connection.call_setup(store).await.map_err(failed)?.map(|()| Reply::Done)
            }
            Call::Put(put) => {
                let Some(put) = PutCall::of(put) else { return Ok(Err(not_whole())) };
                let stored = calls.call_put(store, &put).await.map_err(failed)?;
                stored.map(|stored| Reply::Stored(stored.into()))
            }
            Call::PutWrites(put_writes) => {
                let stored = calls.call_put_writes(store, &put_writes).await.map_err(failed)?;
                stored.map(|()| Reply::Done)
            }
            Call::GetTuple(GetTuple { config, known: _ }) => {
                let found = calls.call_get_tuple(store, &config).await.map_err(failed)?;
                found.map(Reply::Found)
            }
            Call::List(list) => {
                let page = calls.call_list(store, &list).await.map_err(failed)?;
                page.map(Reply::Page)
            }
            Call::DeleteThread(thread) => {
                let deleted = calls.call_delete_thread(store, &thread).await.map_err(failed)?;
                deleted.map(|()| Reply::Done)
            }
            Call::DeltaChannelHistory(DeltaChannelHistory { config, channels, .. }) => {
                let histories = calls
                    .call_get_delta_channel_history(store, &config, &channels)
                    .await
                    .map_err(failed)?;
                histories.map(|all| Reply::History(all.into_iter().map(Into::into).collect()))
            }
            call => {
                drop(running);
                return self.call_on_threads(call).await;
            }
        };
        Ok(replied.map_err(Error::from))
    }

    /// Runs a call about whole threads.
    async fn call_on_threads(&mut self, call: Call) -> Entered<Reply> {
        let (_running, store, exports) = self.enter();
        let lifecycle = exports.langgraph_checkpoint_lifecycle();
        let ended = match call {
            Call::Prune(prune) => {
                let work = lifecycle.call_prune(store, &prune).await.map_err(failed)?;
                work.map(Outcome::Worked)
            }
            Call::CopyThread(copy) => {
                let work = lifecycle.call_copy_thread(store, &copy).await.map_err(failed)?;
                work.map(Outcome::Worked)
            }
            Call::Threads(threads) => {
                let page = lifecycle.call_threads(store, &threads).await.map_err(failed)?;
                page.map(Outcome::Threads)
            }
            Call::Stats(thread) => {
                let stats = lifecycle.call_stats(store, &thread).await.map_err(failed)?;
                stats.map(Outcome::Stats)
            }
            Call::Verify(verify) => {
                let verified = lifecycle.call_verify(store, &verify).await.map_err(failed)?;
                verified.map(Outcome::Verified)
            }
            Call::Export(export) => {
                let exported = lifecycle.call_export(store, &export).await.map_err(failed)?;
                exported.map(Outcome::Exported)
            }
            Call::Diff(diff) => {
                let difference = lifecycle.call_diff(store, &diff).await.map_err(failed)?;
                difference.map(Outcome::Differences)
            }
            // No others come here.
            _ => {
                let message = "only files of SQLite can be vacuumed";
                return Ok(Err(Error::invalid("unsupported-call", message)));
            }
        };
        Ok(ended.map(Reply::Outcome).map_err(Error::from))
    }
}

fn not_whole() -> Error {
    Error::invalid(
        "needs-whole-values",
        "a value of the put refers to a base, which this checkpointer does not support; put whole \
         values",
    )
}

fn gone() -> Error {
    Error::protocol(
        "checkpointer-closed",
        "the checkpointer has been closed, or its runtime has been shut down; open another one",
    )
}
