//! What a call on Kusto does, written as it happens: it asks its host and awaits the answer.
//!
//! There is no runtime behind it. The host's `advance` puts the answer in place and polls once;
//! the call goes on to its next need, or to its end.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::http::{HttpAnswer, HttpRequest, Moment};
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;

/// What an operation asks of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Send the request and answer with `Answer::Http`.
    Http(HttpRequest),
    /// Let so many milliseconds pass and answer with `Answer::Waited`.
    Wait(u32),
}

/// What a host answers, by the case of the need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Of `Need::Http`.
    Http(HttpAnswer),
    /// Of `Need::Wait`.
    Waited,
}

/// How far an operation is.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time is under way, and it is moved a few times"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The host must do something and answer.
    Need(Need),
    /// The end.
    Done(Outcome),
    /// The end of calls that were made together: of each of them.
    AllDone(Vec<Result<Outcome, Error>>),
}

impl From<Outcome> for Progress {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

impl From<Vec<Result<Outcome, Error>>> for Progress {
    fn from(ended: Vec<Result<Outcome, Error>>) -> Self {
        Self::AllDone(ended)
    }
}

/// What a call and its host pass to one another.
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
    /// The moment the host gave last. Its entropy is of use once.
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
            Answer::Waited => Err(mismatched()),
        }
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, milliseconds: u32) -> Result<(), Error> {
        match self.need(Need::Wait(milliseconds)).await {
            Answer::Waited => Ok(()),
            Answer::Http(_) => Err(mismatched()),
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

type Call = Pin<Box<dyn Future<Output = Result<Progress, Error>>>>;

/// One call under way.
pub struct Operation {
    exchange: Rc<RefCell<Exchange>>,
    call: Option<Call>,
}

impl Operation {
    /// Begins a call and runs it to its first need.
    pub(crate) fn start<C, End: Into<Progress>>(
        at: Moment,
        call: impl FnOnce(Io) -> C,
    ) -> Result<(Self, Progress), Error>
    where
        C: Future<Output = Result<End, Error>> + 'static,
    {
        let exchange = Rc::new(RefCell::new(Exchange { need: None, answer: None, at }));
        let call = call(Io { exchange: Rc::clone(&exchange) });
        let call: Call = Box::pin(async { Ok(call.await?.into()) });
        let mut operation = Self { exchange, call: Some(call) };
        let progress = operation.poll()?;
        Ok((operation, progress))
    }

    /// Gives the answer to the last need, gets what comes next.
    pub fn advance(&mut self, answer: Answer, at: Moment) -> Result<Progress, Error> {
        if self.call.is_none() {
            return Err(Error::protocol(
                "ended-operation",
                "an operation was advanced after its end; start another one",
            ));
        }
        {
            let mut exchange = self.exchange.borrow_mut();
            exchange.answer = Some(answer);
            exchange.at = at;
        }
        self.poll()
    }

    fn poll(&mut self) -> Result<Progress, Error> {
        let Some(call) = &mut self.call else {
            return Err(Error::protocol("ended-operation", "an operation has no call"));
        };
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(ended) => {
                self.call = None;
                ended
            }
            Poll::Pending => match self.exchange.borrow_mut().need.take() {
                Some(need) => Ok(Progress::Need(need)),
                None => Err(Error::protocol("no-need", "an operation waits for nothing")),
            },
        }
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("ended", &self.call.is_none()).finish_non_exhaustive()
    }
}

fn mismatched() -> Error {
    Error::protocol(
        "wrong-answer",
        "an operation was answered with something else than it needs; answer by the case of the \
         need",
    )
}
