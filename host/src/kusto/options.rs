//! The options: which cluster, how to write, and how to log in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use langgraph_checkpoint_guest::kusto::connection::{self, ClientSecret, Login};
use langgraph_checkpoint_guest::kusto::{
    ConnectOptions, IngestMode, KustoOptions as OptionsOfStore,
};

use crate::error::Error;

/// How rows reach the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KustoIngestMode {
    /// Streaming ingestion; if the cluster has it off, ingestion commands for a while.
    #[default]
    Auto,
    /// Only streaming ingestion.
    Streaming,
    /// Ingestion commands, for clusters without streaming ingestion.
    Inline,
}

/// A bearer token.
#[derive(Clone)]
pub struct BearerToken {
    /// The token.
    pub value: String,
    /// When it expires; it is replaced five minutes earlier. `None` if that is not known.
    pub expires_at: Option<SystemTime>,
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why there is no token.
pub type CredentialError = Box<dyn std::error::Error + Send + Sync>;

/// Gets bearer tokens for a cluster.
pub trait KustoCredential: Send + Sync {
    /// Returns a token. `fresh` is true if the last one was refused although it had not expired.
    fn token(
        &self,
        fresh: bool,
    ) -> Pin<Box<dyn Future<Output = Result<BearerToken, CredentialError>> + Send + '_>>;
}

/// How to log in.
#[derive(Clone, Default)]
pub enum KustoLogin {
    /// Without a login: for a local server.
    #[default]
    None,
    /// With this bearer token, until it expires.
    Token(String),
    /// As an application with a secret.
    ClientSecret {
        /// The tenant.
        tenant: String,
        /// The application.
        client_id: String,
        /// Its secret.
        secret: String,
    },
    /// With tokens that the embedding provides.
    Credential(Arc<dyn KustoCredential>),
}

impl fmt::Debug for KustoLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Token(_) => f.write_str("Token(..)"),
            Self::ClientSecret { tenant, client_id, secret: _ } => f
                .debug_struct("ClientSecret")
                .field("tenant", tenant)
                .field("client_id", client_id)
                .finish_non_exhaustive(),
            Self::Credential(_) => f.write_str("Credential(..)"),
        }
    }
}

/// The options of a Kusto store. An option that is `None` has the planner's default, which its
/// comment names.
#[derive(Clone, Debug)]
pub struct KustoOptions {
    /// The cluster's URI, such as `https://name.region.kusto.windows.net`.
    pub cluster_uri: String,
    /// The database.
    pub database: String,
    /// How to log in.
    pub login: KustoLogin,
    /// The login endpoint of an application's secret, such as
    /// `https://login.microsoftonline.com`.
    pub authority: Option<String>,
    /// The table of the log. Default: `CheckpointLog`.
    pub table: Option<String>,
    /// How rows reach the store.
    pub ingest_mode: KustoIngestMode,
    /// Write-behind: acknowledge at once, and ingest when this many rows wait. **Rows that are
    /// acknowledged but not flushed are lost with the process.** Default: 1, no write-behind.
    pub batch_size: Option<u32>,
    /// Write-behind: how long rows may wait before they are ingested. Default: 30 seconds.
    pub flush_interval: Option<Duration>,
    /// How long a call may take, with all retries. Default: one minute.
    pub deadline: Option<Duration>,
    /// After how many days the table drops rows. Default: 365.
    pub retention_days: Option<u32>,
    /// How long a read waits, within its deadline, for rows that are not visible yet. Default: one
    /// minute.
    pub visibility_timeout: Option<Duration>,
    /// `delete_thread` also removes the rows, with commands that need an administrator.
    pub admin: bool,
    /// Hosts, beyond the service's own and loopback, that may get the token.
    pub trusted_hosts: Vec<String>,
    /// How many calls may be under way at once; the calls of one thread run one after another.
    /// Default: 8, or 1 with write-behind, so that waiting rows are ingested together.
    pub instances: Option<usize>,
}

impl KustoOptions {
    /// A database of a cluster, without a login and with the defaults.
    pub fn new(cluster_uri: impl Into<String>, database: impl Into<String>) -> Self {
        Self {
            cluster_uri: cluster_uri.into(),
            database: database.into(),
            login: KustoLogin::None,
            authority: None,
            table: None,
            ingest_mode: KustoIngestMode::Auto,
            batch_size: None,
            flush_interval: None,
            deadline: None,
            retention_days: None,
            visibility_timeout: None,
            admin: false,
            trusted_hosts: Vec::new(),
            instances: None,
        }
    }

    /// The options in a Kusto connection string, and defaults for the others.
    pub fn from_connection_string(text: &str) -> Result<Self, Error> {
        let connection = connection::parse(text)?;
        let database = connection.database.ok_or_else(|| {
            Error::invalid(
                "missing-database",
                "the connection string names no database; add Initial Catalog=...",
            )
        })?;
        let login = match connection.login {
            Login::Unspecified => KustoLogin::None,
            Login::Token(token) => KustoLogin::Token(token),
            Login::ClientSecret(ClientSecret { tenant, client_id, secret }) => {
                KustoLogin::ClientSecret { tenant, client_id, secret }
            }
        };
        Ok(Self { login, ..Self::new(connection.cluster_uri, database) })
    }

    /// Whether calls are acknowledged before their rows are ingested.
    pub(super) fn write_behind(&self) -> bool {
        self.batch_size.is_some_and(|rows| rows > 1)
    }

    /// What the planner takes.
    pub(super) fn of_store(&self) -> OptionsOfStore {
        let (store, ..) = self.connect_options(None).into_parts();
        // The credential has not given its token yet.
        let credential = !matches!(self.login, KustoLogin::None);
        OptionsOfStore { credential, ..store }
    }

    /// What the component's `connect` takes.
    pub(super) fn connect_options(&self, token: Option<String>) -> ConnectOptions {
        let milliseconds = |time: Option<Duration>| {
            time.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
        };
        let login = match &self.login {
            KustoLogin::None => Login::Unspecified,
            KustoLogin::Token(token) => Login::Token(token.clone()),
            KustoLogin::ClientSecret { tenant, client_id, secret } => {
                Login::ClientSecret(ClientSecret {
                    tenant: tenant.clone(),
                    client_id: client_id.clone(),
                    secret: secret.clone(),
                })
            }
            KustoLogin::Credential(_) => token.map_or(Login::Unspecified, Login::Token),
        };
        ConnectOptions {
            cluster_uri: self.cluster_uri.clone(),
            database: self.database.clone(),
            login,
            authority: self.authority.clone(),
            table: self.table.clone(),
            ingest_mode: match self.ingest_mode {
                KustoIngestMode::Auto => IngestMode::Auto,
                KustoIngestMode::Streaming => IngestMode::Streaming,
                KustoIngestMode::Inline => IngestMode::Inline,
            },
            batch_size: self.batch_size,
            flush_interval_ms: milliseconds(self.flush_interval),
            deadline_ms: milliseconds(self.deadline),
            retention_days: self.retention_days,
            visibility_timeout_ms: milliseconds(self.visibility_timeout),
            admin: self.admin,
            trusted_hosts: self.trusted_hosts.clone(),
        }
    }
}
