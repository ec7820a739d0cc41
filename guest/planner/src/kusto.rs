//! The shell of `wit/kusto.wit`: conversions around the guest's store, and nothing else.

use std::cell::RefCell;

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::kusto;

use crate::Planner;
use crate::generated::exports::langgraph::checkpoint::kusto as wit;
use crate::wit as operations;

/// The resource behind `store`.
pub(crate) struct Store(kusto::Store);

/// The resource behind `operation`.
pub(crate) struct Operation(RefCell<kusto::Operation>);

impl wit::Guest for Planner {
    type Operation = Operation;
    type Store = Store;

    fn parse_connection_string(text: String) -> Result<wit::Connection, wit::Error> {
        let kusto::connection::Connection { cluster_uri, database, login } =
            kusto::connection::parse(&text)?;
        Ok(wit::Connection { cluster_uri, database, login: login.into() })
    }

    fn token_request(
        credentials: wit::ClientSecret,
        cluster_uri: String,
        authority: Option<String>,
    ) -> Result<wit::HttpRequest, wit::Error> {
        let wit::ClientSecret { tenant, client_id, secret } = credentials;
        let credentials = kusto::connection::ClientSecret { tenant, client_id, secret };
        Ok(kusto::token::request(&credentials, &cluster_uri, authority.as_deref())?.into())
    }

    fn read_token(response: wit::HttpResponse, at: wit::Moment) -> Result<wit::Token, wit::Error> {
        let kusto::token::Token { value, expires_at } =
            kusto::token::read(&response.into(), at.into())?;
        Ok(wit::Token { value, expires_at })
    }
}

type Started = Result<(wit::Operation, wit::Progress), wit::Error>;

fn started(started: Result<(kusto::Operation, kusto::Progress), guest::Error>) -> Started {
    let (operation, progress) = started?;
    Ok((wit::Operation::new(Operation(RefCell::new(operation))), progress.into()))
}

impl Store {
    fn start(&self, call: guest::Call, at: wit::Moment) -> Started {
        started(self.0.start(call, at.into()))
    }
}

impl wit::GuestStore for Store {
    fn open(options: wit::StoreOptions) -> Result<wit::Store, wit::Error> {
        Ok(wit::Store::new(Self(kusto::Store::open(options.into())?)))
    }

    fn setup(&self, at: wit::Moment) -> Started {
        self.start(guest::Call::Setup, at)
    }

    fn get_tuple(&self, call: operations::GetTupleCall, at: wit::Moment) -> Started {
        self.start(guest::Call::GetTuple(call.into()), at)
    }

    fn list(&self, call: operations::ListCall, at: wit::Moment) -> Started {
        self.start(guest::Call::List(call.into()), at)
    }

    fn put(&self, call: operations::PutCall, at: wit::Moment) -> Started {
        self.start(guest::Call::Put(call.into()), at)
    }

    fn put_writes(&self, call: operations::PutWritesCall, at: wit::Moment) -> Started {
        self.start(guest::Call::PutWrites(call.into()), at)
    }

    fn delete_thread(&self, thread: operations::Config, at: wit::Moment) -> Started {
        self.start(guest::Call::DeleteThread(thread.into()), at)
    }

    fn delta_channel_history(
        &self,
        call: operations::DeltaChannelHistoryCall,
        at: wit::Moment,
    ) -> Started {
        self.start(guest::Call::DeltaChannelHistory(call.into()), at)
    }

    fn write_together(&self, calls: Vec<wit::WriteCall>, at: wit::Moment) -> Started {
        let call = |call| match call {
            wit::WriteCall::Put(call) => guest::Call::Put(call.into()),
            wit::WriteCall::PutWrites(call) => guest::Call::PutWrites(call.into()),
        };
        started(self.0.write_together(calls.into_iter().map(call).collect(), at.into()))
    }

    fn flush(&self, at: wit::Moment) -> Started {
        started(self.0.flush(at.into()))
    }

    fn flush_due(&self) -> Option<u64> {
        self.0.flush_due()
    }

    fn waiting(&self) -> wit::Waiting {
        let kusto::Waiting { checkpoints, writes, threads } = self.0.waiting();
        wit::Waiting { checkpoints, writes, threads }
    }

    fn unshown(&self) -> Vec<wit::UnshownCall> {
        let call =
            |kusto::Unshown { thread_id, rev, rows }| wit::UnshownCall { thread_id, rev, rows };
        self.0.unshown().into_iter().map(call).collect()
    }

    fn await_shown(&self, calls: Vec<wit::UnshownCall>) {
        let call =
            |wit::UnshownCall { thread_id, rev, rows }| kusto::Unshown { thread_id, rev, rows };
        self.0.await_shown(calls.into_iter().map(call).collect());
    }

    fn take_warning(&self) -> Option<String> {
        self.0.take_warning()
    }
}

impl wit::GuestOperation for Operation {
    fn advance(&self, answer: wit::Answer, at: wit::Moment) -> Result<wit::Progress, wit::Error> {
        Ok(self.0.borrow_mut().advance(answer.into(), at.into())?.into())
    }
}

impl From<wit::Moment> for kusto::http::Moment {
    fn from(at: wit::Moment) -> Self {
        Self { now: at.now, entropy: at.entropy }
    }
}

impl From<wit::StoreOptions> for kusto::StoreOptions {
    fn from(options: wit::StoreOptions) -> Self {
        Self {
            cluster_uri: options.cluster_uri,
            database: options.database,
            table: options.table,
            ingest_mode: match options.ingest_mode {
                wit::IngestMode::Auto => kusto::IngestMode::Auto,
                wit::IngestMode::Streaming => kusto::IngestMode::Streaming,
                wit::IngestMode::Inline => kusto::IngestMode::Inline,
            },
            batch_size: options.batch_size,
            flush_interval_ms: options.flush_interval_ms,
            deadline_ms: options.deadline_ms,
            retention_days: options.retention_days,
            visibility_timeout_ms: options.visibility_timeout_ms,
            admin: options.admin,
            trusted_hosts: options.trusted_hosts,
            credential: options.credential,
        }
    }
}

impl From<kusto::connection::Login> for wit::Login {
    fn from(login: kusto::connection::Login) -> Self {
        use kusto::connection::{ClientSecret, Login};
        match login {
            Login::Unspecified => Self::Unspecified,
            Login::Token(token) => Self::Token(token),
            Login::ClientSecret(ClientSecret { tenant, client_id, secret }) => {
                Self::ClientSecret(wit::ClientSecret { tenant, client_id, secret })
            }
        }
    }
}

impl From<kusto::Progress> for wit::Progress {
    fn from(progress: kusto::Progress) -> Self {
        match progress {
            kusto::Progress::Need(kusto::Need::Http(request)) => {
                Self::Need(wit::Need::Http(request.into()))
            }
            kusto::Progress::Need(kusto::Need::Wait(milliseconds)) => {
                Self::Need(wit::Need::Wait(milliseconds))
            }
            kusto::Progress::Done(outcome) => Self::Done(outcome.into()),
            kusto::Progress::AllDone(ended) => {
                let ended = ended.into_iter().map(|one| Ok(one?.into()));
                Self::AllDone(ended.collect())
            }
        }
    }
}

impl From<wit::Answer> for kusto::Answer {
    fn from(answer: wit::Answer) -> Self {
        use kusto::http::HttpAnswer;
        match answer {
            wit::Answer::Http(wit::HttpAnswer::Response(response)) => {
                Self::Http(HttpAnswer::Response(response.into()))
            }
            wit::Answer::Http(wit::HttpAnswer::Failed(what)) => {
                Self::Http(HttpAnswer::Failed(what))
            }
            wit::Answer::Http(wit::HttpAnswer::TooLarge) => Self::Http(HttpAnswer::TooLarge),
            wit::Answer::Waited => Self::Waited,
        }
    }
}

impl From<wit::HttpResponse> for kusto::http::HttpResponse {
    fn from(response: wit::HttpResponse) -> Self {
        Self { status: response.status, headers: response.headers, body: response.body }
    }
}

impl From<kusto::http::HttpRequest> for wit::HttpRequest {
    fn from(request: kusto::http::HttpRequest) -> Self {
        use kusto::http::Authorization;
        Self {
            method: request.method.to_owned(),
            url: request.url,
            headers: request.headers,
            body: request.body,
            authorization: match request.authorization {
                Authorization::None => wit::Authorization::None,
                Authorization::Token => wit::Authorization::Token,
                Authorization::FreshToken => wit::Authorization::FreshToken,
            },
            timeout_ms: request.timeout_ms,
            response_bytes_max: request.response_bytes_max,
        }
    }
}
