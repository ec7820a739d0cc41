//! The guest compiled natively, on a Kusto over HTTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::kusto::{Ended, KustoOptions, Store, Task, TaskProgress};
use langgraph_checkpoint_guest::{
    Answer, Authorization, Call, Error, HttpAnswer, HttpRequest, HttpResponse, Moment, Need,
    Outcome,
};

use crate::caller::Caller;

/// A store on a Kusto.
#[derive(Debug)]
pub struct Kusto {
    store: Store,
    agent: ureq::Agent,
    token: Option<String>,
    /// How many requests were sent since this was last reset.
    pub requests: usize,
    /// How many bytes of bodies were sent since this was last reset.
    pub sent_bytes: usize,
    /// How far this host's clock is ahead, in microseconds.
    pub ahead: i64,
    /// Whether waiting takes no real time.
    pub is_virtual: bool,
}

impl Kusto {
    /// A store with these options.
    pub fn open(options: KustoOptions, token: Option<String>) -> Result<Self, Error> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Ok(Self {
            store: Store::open(KustoOptions { credential: token.is_some(), ..options })?,
            agent: config.build().into(),
            token,
            requests: 0,
            sent_bytes: 0,
            ahead: 0,
            is_virtual: false,
        })
    }

    /// Ingests the waiting rows.
    pub fn flush(&mut self) -> Result<Outcome, Error> {
        self.call(Call::Flush)
    }

    /// When a flush is due.
    pub fn flush_due(&self) -> Option<u64> {
        self.store.flush_due()
    }

    /// Makes a call, and something before each of its requests.
    pub fn beside(
        &mut self,
        call: Call,
        mut before: impl FnMut(&HttpRequest),
    ) -> Result<Outcome, Error> {
        let started = self.store.start(call, self.moment())?;
        self.drive(started, &mut before)
    }

    /// Makes writing calls together.
    pub fn together(&mut self, calls: Vec<Call>) -> Ended {
        let started = self.store.start_together(calls, self.moment()).unwrap();
        self.drive(started, &mut |_| {}).unwrap()
    }

    fn drive<T>(
        &mut self,
        started: (Task<T>, TaskProgress<T>),
        before: &mut dyn FnMut(&HttpRequest),
    ) -> Result<T, Error> {
        let (mut task, mut progress) = started;
        loop {
            let answer = match progress {
                TaskProgress::Done(ended) => return Ok(ended),
                TaskProgress::Need(Need::Http(request)) => {
                    before(&request);
                    Answer::Http(self.send(&request))
                }
                TaskProgress::Need(Need::Wait(milliseconds)) => {
                    if self.is_virtual {
                        self.ahead += i64::from(milliseconds) * 1000;
                    } else {
                        std::thread::sleep(Duration::from_millis(milliseconds.into()));
                    }
                    Answer::Waited
                }
                TaskProgress::Need(Need::Sql(_)) => panic!("a call on Kusto needs no SQL"),
            };
            progress = task.advance(answer, self.moment())?;
        }
    }

    fn send(&mut self, request: &HttpRequest) -> HttpAnswer {
        self.requests += 1;
        self.sent_bytes += request.body.len();
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let mut builder = self.agent.post(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let (Some(token), Authorization::Token | Authorization::FreshToken) =
            (&self.token, request.authorization)
        {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        let sent =
            builder.config().timeout_global(Some(timeout)).build().send(request.body.as_slice());
        let Ok(mut response) = sent else {
            return HttpAnswer::Failed("no response".to_owned());
        };
        let headers = response.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
        });
        let (status, headers) = (response.status().as_u16(), headers.collect());
        match response.body_mut().with_config().limit(request.response_bytes_max).read_to_vec() {
            Ok(body) => HttpAnswer::Response(HttpResponse { status, headers, body }),
            Err(ureq::Error::BodyExceedsLimit(_)) => HttpAnswer::TooLarge,
            Err(_) => HttpAnswer::Failed("cut off".to_owned()),
        }
    }

    fn moment(&self) -> Moment {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        // Spread over all 64 bits. Tests only need entropy that differs each time.
        let count =
            COUNT.fetch_add(1, Ordering::Relaxed).wrapping_add(u64::from(std::process::id()) << 32);
        let entropy = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Moment { now: now.saturating_add_signed(self.ahead), entropy }
    }
}

impl Caller for Kusto {
    fn call(&mut self, call: Call) -> Result<Outcome, guest::Error> {
        self.beside(call, |_| {})
    }
}
