//! The store that `connect` chose, its token, and what the drive loop needs from WASI.

use langgraph_checkpoint_guest::kusto::connection::Login;
use langgraph_checkpoint_guest::kusto::token::{self, Token};
use langgraph_checkpoint_guest::kusto::{self, ConnectOptions};
use langgraph_checkpoint_guest::{
    Authorization, Batch, Call, Error, Fault, HttpAnswer, HttpRequest, HttpResponse, Moment,
    Outcome, RowSet, Store, StoreFault, StoreOptions, UnshownCall, World, drive,
};

use crate::http::{self, Failure};
use crate::time;

/// A token is renewed when it has less time left than this, in microseconds.
const TOKEN_RESERVE: u64 = 5 * 60 * 1_000_000;

/// A store, and the login for it.
pub(crate) struct Connected {
    store: Store,
    session: Session,
}

/// The login, and the token got with it.
struct Session {
    cluster_uri: String,
    authority: Option<String>,
    login: Login,
    token: Option<Token>,
}

impl Connected {
    /// Chooses a store. No request is sent.
    pub(crate) fn open(options: ConnectOptions) -> Result<Self, Error> {
        let (options, login, authority) = options.into_parts();
        if let Login::ClientSecret(credentials) = &login {
            // Checked here, so that wrong credentials fail `connect` and not the first call.
            token::request(credentials, &options.cluster_uri, authority.as_deref())?;
        }
        let cluster_uri = options.cluster_uri.clone();
        let store = Store::open(StoreOptions::Kusto(options))?;
        let session = Session { cluster_uri, authority, login, token: None };
        Ok(Self { store, session })
    }

    /// Sets the token for further requests. Fails with `no-token-login` if the login is not a
    /// token.
    pub(crate) fn renew_token(&mut self, token: String) -> Result<(), Error> {
        match &mut self.session.login {
            Login::Token(old) => {
                *old = token;
                Ok(())
            }
            Login::Unspecified | Login::ClientSecret(_) => Err(Error::InvalidInput(Fault {
                code: "no-token-login".to_owned(),
                message: "the login given to `connect` is not a token; connect again with one"
                    .to_owned(),
            })),
        }
    }

    /// Runs a call to its end. Rows that have waited too long are ingested first.
    pub(crate) fn run(&mut self, call: Call) -> Result<Outcome, Error> {
        if self.flush_due().is_some_and(|due| due <= time::moment().now) {
            self.flush()?;
        }
        self.drive(call)
    }

    /// Ingests all rows that wait.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.drive(Call::Flush).map(|_| ())
    }

    /// When a flush is due, in microseconds since 1970; `None` if no row waits.
    pub(crate) fn flush_due(&self) -> Option<u64> {
        self.store.flush_due()
    }

    /// The calls that were sent and that no query has shown yet.
    pub(crate) fn unshown(&self) -> Vec<UnshownCall> {
        self.store.unshown()
    }

    /// Names calls that another instance made.
    pub(crate) fn await_shown(&self, calls: Vec<UnshownCall>) {
        self.store.await_shown(calls);
    }

    /// Takes the warning for the caller, if there is one.
    pub(crate) fn take_warning(&self) -> Option<String> {
        self.store.take_warning()
    }

    fn drive(&mut self, call: Call) -> Result<Outcome, Error> {
        drive(&self.store, call, &mut Requests { session: &mut self.session, sent: false })
    }
}

/// The requests of one call.
struct Requests<'a> {
    session: &'a mut Session,
    /// Whether a request was sent that may have changed something.
    sent: bool,
}

impl World for Requests<'_> {
    fn sql(&mut self, _: Batch) -> Result<Vec<RowSet>, Error> {
        Err(needs_requests_alone())
    }

    fn http(&mut self, request: HttpRequest) -> Result<HttpAnswer, Error> {
        let answer = self.session.send(&request).map_err(|error| after(self.sent, error))?;
        self.sent |= kusto::changes(&request);
        Ok(answer)
    }

    fn wait(&mut self, milliseconds: u32) {
        time::wait(milliseconds);
    }

    fn moment(&mut self) -> Moment {
        time::moment()
    }
}

impl Session {
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

fn answer(response: Result<HttpResponse, Failure>) -> Result<HttpAnswer, Error> {
    match response {
        Ok(response) => Ok(HttpAnswer::Response(response)),
        Err(Failure::Failed(why)) => Ok(HttpAnswer::Failed(why.to_owned())),
        Err(Failure::TooLarge) => Ok(HttpAnswer::TooLarge),
        Err(Failure::NotAllowed) => Err(Error::Denied(StoreFault {
            fault: Fault {
                code: "request-not-allowed".to_owned(),
                message: "the host does not allow requests to the cluster or its login \
                          endpoint; allow outgoing HTTP there"
                    .to_owned(),
            },
            maybe_stored: false,
        })),
    }
}

fn needs_requests_alone() -> Error {
    Error::Protocol(Fault {
        code: "unexpected-need".to_owned(),
        message: "a call on Kusto asked for SQL, which is a defect; please report it".to_owned(),
    })
}

fn unavailable(message: String) -> Error {
    let fault = Fault { code: "login-unavailable".to_owned(), message };
    Error::Unavailable(StoreFault { fault, maybe_stored: false })
}

/// An error between two requests of a call: what was sent before may be stored.
fn after(sent: bool, error: Error) -> Error {
    if sent { error.after_sending() } else { error }
}
