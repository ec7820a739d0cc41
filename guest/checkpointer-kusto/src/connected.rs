//! The store that was chosen, the token for it, and the loop.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::kusto::connection::Login;
use langgraph_checkpoint_guest::kusto::http::{Authorization, HttpAnswer, HttpRequest, Moment};
use langgraph_checkpoint_guest::kusto::token::{self, Token};
use langgraph_checkpoint_guest::kusto::{
    Answer, Need, Operation, Progress, Store, StoreOptions, Unshown,
};
use langgraph_checkpoint_guest::{Call, Error, Fault, Outcome, StoreFault};

use crate::http::{self, Failure};
use crate::time;

/// A token with less than this left, in microseconds, is renewed.
const TOKEN_RESERVE: u64 = 5 * 60 * 1_000_000;

/// A store and how to log in there.
pub(crate) struct Connected {
    store: Store,
    cluster_uri: String,
    authority: Option<String>,
    login: Login,
    token: Option<Token>,
}

impl Connected {
    /// Chooses a store. No request is sent.
    pub(crate) fn open(
        options: StoreOptions,
        login: Login,
        authority: Option<String>,
    ) -> Result<Self, Error> {
        if let Login::ClientSecret(credentials) = &login {
            // What is wrong with them comes up here rather than with the first call.
            token::request(credentials, &options.cluster_uri, authority.as_deref())?;
        }
        let cluster_uri = options.cluster_uri.clone();
        Ok(Self { store: Store::open(options)?, cluster_uri, authority, login, token: None })
    }

    /// The token from now on, where the login is one.
    pub(crate) fn renew_token(&mut self, token: String) -> Result<(), Error> {
        match &mut self.login {
            Login::Token(old) => {
                *old = token;
                Ok(())
            }
            Login::Unspecified | Login::ClientSecret(_) => Err(Error::InvalidInput(Fault {
                code: "no-token-login",
                message: "the login that `connect` was given is no token; connect again with one"
                    .to_owned(),
            })),
        }
    }

    /// Runs a call to its end, after what waits for too long is ingested.
    pub(crate) fn run(&mut self, call: Call) -> Result<Outcome, Error> {
        if self.store.flush_due().is_some_and(|due| due <= time::moment().now) {
            self.flush()?;
        }
        self.drive(|store, at| store.start(call, at))
    }

    /// Ingests all that waits.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.drive(Store::flush).map(|_| ())
    }

    /// When a flush is due.
    pub(crate) fn flush_due(&self) -> Option<u64> {
        self.store.flush_due()
    }

    /// The calls whose rows no query has shown yet.
    pub(crate) fn unshown(&self) -> Vec<Unshown> {
        self.store.unshown()
    }

    /// Calls that another instance has made.
    pub(crate) fn await_shown(&self, calls: Vec<Unshown>) {
        self.store.await_shown(calls);
    }

    /// What the caller should be warned of, once.
    pub(crate) fn take_warning(&self) -> Option<String> {
        self.store.take_warning()
    }

    fn drive(
        &mut self,
        start: impl FnOnce(&Store, Moment) -> Result<(Operation, Progress), Error>,
    ) -> Result<Outcome, Error> {
        let (mut operation, mut progress) = start(&self.store, time::moment())?;
        let mut sent = false;
        loop {
            let answer = match progress {
                Progress::Done(outcome) => return Ok(outcome),
                Progress::AllDone(_) => return Err(no_calls_together()),
                Progress::Need(Need::Wait(milliseconds)) => {
                    time::wait(milliseconds);
                    Answer::Waited
                }
                Progress::Need(Need::Http(request)) => {
                    let answer = self.send(&request).map_err(|error| after(sent, error))?;
                    sent |= !request.is_query();
                    Answer::Http(answer)
                }
            };
            progress = operation.advance(answer, time::moment())?;
        }
    }

    fn send(&mut self, request: &HttpRequest) -> Result<HttpAnswer, Error> {
        let token = match self.token(request.authorization) {
            Err(Error::Unavailable(fault)) => return Ok(HttpAnswer::Failed(fault.fault.message)),
            token => token?,
        };
        answer(http::send(request, token.as_deref()))
    }

    fn token(&mut self, authorization: Authorization) -> Result<Option<String>, Error> {
        let credentials = match (&self.login, authorization) {
            (_, Authorization::None) | (Login::Unspecified, _) => return Ok(None),
            (Login::Token(token), _) => return Ok(Some(token.clone())),
            (Login::ClientSecret(credentials), _) => credentials,
        };
        let fresh = authorization == Authorization::FreshToken;
        let lasts = |token: &&Token| token.expires_at > time::moment().now + TOKEN_RESERVE;
        if let Some(token) = self.token.as_ref().filter(lasts).filter(|_| !fresh) {
            return Ok(Some(token.value.clone()));
        }
        let request = token::request(credentials, &self.cluster_uri, self.authority.as_deref())?;
        let response = match answer(http::send(&request, None))? {
            HttpAnswer::Response(response) => response,
            HttpAnswer::Failed(why) => {
                let message = format!("the login endpoint did not answer: {why}");
                return Err(unavailable(message));
            }
            HttpAnswer::TooLarge => {
                return Err(unavailable("the login endpoint's answer is too long".to_owned()));
            }
        };
        let token = token::read(&response, time::moment())?;
        let value = token.value.clone();
        self.token = Some(token);
        Ok(Some(value))
    }
}

fn answer(
    response: Result<guest::kusto::http::HttpResponse, Failure>,
) -> Result<HttpAnswer, Error> {
    match response {
        Ok(response) => Ok(HttpAnswer::Response(response)),
        Err(Failure::Failed(why)) => Ok(HttpAnswer::Failed(why.to_owned())),
        Err(Failure::TooLarge) => Ok(HttpAnswer::TooLarge),
        Err(Failure::NotAllowed) => Err(Error::Denied(StoreFault {
            fault: Fault {
                code: "request-not-allowed",
                message: "the host does not allow requests to the cluster or its login \
                          endpoint; allow outgoing HTTP there"
                    .to_owned(),
            },
            maybe_stored: false,
        })),
    }
}

/// This component begins one call at a time.
fn no_calls_together() -> Error {
    Error::Protocol(Fault {
        code: "unexpected-outcome",
        message: "one call ended as several; please report it".to_owned(),
    })
}

fn unavailable(message: String) -> Error {
    let fault = Fault { code: "login-unavailable", message };
    Error::Unavailable(StoreFault { fault, maybe_stored: false })
}

/// An error that ends a call between two requests: what was sent before may be stored.
fn after(sent: bool, error: Error) -> Error {
    if sent { error.after_sending() } else { error }
}
