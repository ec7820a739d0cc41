//! A call on Kusto, written as an async function: it asks its host for something and awaits the
//! answer.
//!
//! There is no async runtime. The host's `advance` puts the answer in place and polls once; the
//! call runs to its next need, or to its end.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::contract::error::Error;
use crate::contract::http::{HttpAnswer, HttpRequest, Moment};
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Need, Progress};

/// What a call and its host pass to each other.
#[derive(Debug)]
struct Exchange {
    need: Option<Need>,
    answer: Option<Answer>,
    at: Moment,
}

/// A call's side.
#[derive(Clone, Debug)]
pub(crate) struct Io {
    exchange: Rc<RefCell<Exchange>>,
}

impl Io {
    /// The moment that the host gave last. Use its entropy only once.
    pub(crate) fn at(&self) -> Moment {
        self.exchange.borrow().at
    }

    /// The time, in microseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.at().now
    }

    /// Sends a request.
    pub(crate) async fn http(&self, request: HttpRequest) -> Result<HttpAnswer, Error> {
        match self.need(Need::Http(request)).await {
            Answer::Http(answer) => Ok(answer),
            _ => Err(Error::wrong_answer()),
        }
    }

    /// Lets this many milliseconds pass.
    pub(crate) async fn wait(&self, milliseconds: u32) -> Result<(), Error> {
        match self.need(Need::Wait(milliseconds)).await {
            Answer::Waited => Ok(()),
            _ => Err(Error::wrong_answer()),
        }
    }

    async fn need(&self, need: Need) -> Answer {
        self.exchange.borrow_mut().need = Some(need);
        std::future::poll_fn(|_| match self.exchange.borrow_mut().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

/// The state of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskProgress<T = Outcome> {
    /// The task needs something from the host, and an answer.
    Need(Need),
    /// The task has ended.
    Done(T),
}

impl From<TaskProgress> for Progress {
    fn from(progress: TaskProgress) -> Self {
        match progress {
            TaskProgress::Need(need) => Self::Need(need),
            TaskProgress::Done(outcome) => Self::Done(outcome),
        }
    }
}

type Call<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// One call under way, or several that were made together.
pub struct Task<T = Outcome> {
    exchange: Rc<RefCell<Exchange>>,
    call: Option<Call<T>>,
}

impl<T> Task<T> {
    /// Starts a call and runs it to its first need.
    pub(crate) fn start<C>(
        at: Moment,
        call: impl FnOnce(Io) -> C,
    ) -> Result<(Self, TaskProgress<T>), Error>
    where
        C: Future<Output = Result<T, Error>> + 'static,
    {
        let exchange = Rc::new(RefCell::new(Exchange { need: None, answer: None, at }));
        let call: Call<T> = Box::pin(call(Io { exchange: Rc::clone(&exchange) }));
        let mut task = Self { exchange, call: Some(call) };
        let progress = task.poll()?;
        Ok((task, progress))
    }

    /// Takes the answer to the last need and returns the next progress. Fails with
    /// `ended-operation` after the end, and with `wrong-answer` if the answer is not of the need's
    /// case.
    pub fn advance(&mut self, answer: Answer, at: Moment) -> Result<TaskProgress<T>, Error> {
        if self.call.is_none() {
            return Err(Error::ended_operation());
        }
        {
            let mut exchange = self.exchange.borrow_mut();
            exchange.answer = Some(answer);
            exchange.at = at;
        }
        self.poll()
    }

    fn poll(&mut self) -> Result<TaskProgress<T>, Error> {
        let Some(call) = &mut self.call else {
            return Err(Error::ended_operation());
        };
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(ended) => {
                self.call = None;
                ended.map(TaskProgress::Done)
            }
            Poll::Pending => match self.exchange.borrow_mut().need.take() {
                Some(need) => Ok(TaskProgress::Need(need)),
                None => Err(Error::protocol("no-need", "an operation waits for nothing")),
            },
        }
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("ended", &self.call.is_none()).finish_non_exhaustive()
    }
}
