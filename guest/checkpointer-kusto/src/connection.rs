//! The interface `kusto-connection`.

use langgraph_checkpoint_guest as guest;
use langgraph_checkpoint_guest::kusto::connection::{self, ClientSecret, Login};
use langgraph_checkpoint_guest::kusto::{IngestMode, StoreOptions, Unshown};

use crate::connected::Connected;
use crate::generated::exports::langgraph::checkpoint::kusto_connection as wit;
use crate::{CONNECTED, Checkpointer, on_store};

impl wit::Guest for Checkpointer {
    fn parse_connection_string(text: String) -> Result<wit::Connection, wit::Error> {
        let connection = connection::parse(&text)?;
        Ok(wit::Connection {
            cluster_uri: connection.cluster_uri,
            database: connection.database,
            login: connection.login.into(),
        })
    }

    fn connect(options: wit::ConnectOptions) -> Result<(), wit::Error> {
        let login = Login::from(options.login);
        if let Login::Token(token) = &login {
            check(token)?;
        }
        let store = StoreOptions {
            cluster_uri: options.cluster_uri,
            database: options.database,
            table: options.table,
            ingest_mode: match options.ingest_mode {
                wit::IngestMode::Auto => IngestMode::Auto,
                wit::IngestMode::Streaming => IngestMode::Streaming,
                wit::IngestMode::Inline => IngestMode::Inline,
            },
            batch_size: options.batch_size,
            flush_interval_ms: options.flush_interval_ms,
            deadline_ms: options.deadline_ms,
            retention_days: options.retention_days,
            visibility_timeout_ms: options.visibility_timeout_ms,
            admin: options.admin,
            trusted_hosts: options.trusted_hosts,
            credential: !matches!(login, Login::Unspecified),
        };
        let connected = Connected::open(store, login, options.authority)?;
        crate::known::forget_all();
        CONNECTED.set(Some(connected));
        Ok(())
    }

    fn renew_token(token: String) -> Result<(), wit::Error> {
        check(&token)?;
        on_store(|connected| connected.renew_token(token))
    }

    fn setup() -> Result<(), wit::Error> {
        on_store(|connected| connected.run(guest::Call::Setup).map(|_| ()))
    }

    fn flush() -> Result<(), wit::Error> {
        on_store(Connected::flush)
    }

    fn flush_due() -> Option<u64> {
        CONNECTED.with_borrow(|connected| connected.as_ref()?.flush_due())
    }

    fn unshown() -> Vec<wit::UnshownCall> {
        let call = |Unshown { thread_id, rev, rows }| wit::UnshownCall { thread_id, rev, rows };
        CONNECTED.with_borrow(|connected| {
            let calls = connected.as_ref().map(Connected::unshown).unwrap_or_default();
            calls.into_iter().map(call).collect()
        })
    }

    fn await_shown(calls: Vec<wit::UnshownCall>) -> Result<(), wit::Error> {
        let call = |wit::UnshownCall { thread_id, rev, rows }| Unshown { thread_id, rev, rows };
        let calls = calls.into_iter().map(call).collect();
        on_store(|connected| {
            connected.await_shown(calls);
            Ok(())
        })
    }

    fn take_warning() -> Option<String> {
        CONNECTED.with_borrow(|connected| connected.as_ref()?.take_warning())
    }
}

/// Refuses a token that would be no header's value, or more than one.
fn check(token: &str) -> Result<(), guest::Error> {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(guest::Error::InvalidInput(guest::Fault {
        code: "invalid-token",
        message: "the token is empty or holds characters that no bearer token has; pass it as \
                  it was issued"
            .to_owned(),
    }))
}

impl From<wit::Login> for Login {
    fn from(login: wit::Login) -> Self {
        match login {
            wit::Login::Unspecified => Self::Unspecified,
            wit::Login::Token(token) => Self::Token(token),
            wit::Login::ClientSecret(wit::ClientSecret { tenant, client_id, secret }) => {
                Self::ClientSecret(ClientSecret { tenant, client_id, secret })
            }
        }
    }
}

impl From<Login> for wit::Login {
    fn from(login: Login) -> Self {
        match login {
            Login::Unspecified => Self::Unspecified,
            Login::Token(token) => Self::Token(token),
            Login::ClientSecret(ClientSecret { tenant, client_id, secret }) => {
                Self::ClientSecret(wit::ClientSecret { tenant, client_id, secret })
            }
        }
    }
}
