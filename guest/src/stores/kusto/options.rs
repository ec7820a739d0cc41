//! A store's options, checked once.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use super::connection::{Endpoint, Login};
use super::url::percent_encoded;
use crate::contract::error::Error;

/// The names of the mappings that `provision.kql` makes: the log's, and that of the tombstones.
const MAPPING: &str = "lg_json_v1";
const TOMBSTONE_MAPPING: &str = "lg_json_v2";

/// How rows reach the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(enum))]
#[repr(u8)]
pub enum IngestMode {
    /// Streaming; and for a while inline if the cluster has streaming ingestion off.
    #[default]
    #[cfg_attr(feature = "wasmtime", component(name = "auto"))]
    Auto,
    /// Only streaming ingestion.
    #[cfg_attr(feature = "wasmtime", component(name = "streaming"))]
    Streaming,
    /// Ingestion commands, for clusters without streaming ingestion.
    #[cfg_attr(feature = "wasmtime", component(name = "inline"))]
    Inline,
}

impl IngestMode {
    /// The mode at a position in the list above. Code generated from `wit/` calls it.
    #[doc(hidden)]
    pub fn _lift(place: u8) -> Self {
        match place {
            0 => Self::Auto,
            1 => Self::Streaming,
            _ => Self::Inline,
        }
    }
}

/// The options of a store; `None` means the default. `wit/kusto/connection.wit` documents each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KustoOptions {
    /// The cluster's URI.
    pub cluster_uri: String,
    /// The database.
    pub database: String,
    /// The table that holds the rows; by default `CheckpointLog`.
    pub table: Option<String>,
    /// How rows reach the store.
    pub ingest_mode: IngestMode,
    /// Write-behind: the number of rows that may wait; 1, the default, means no write-behind.
    pub batch_size: Option<u32>,
    /// Write-behind: how long rows may wait, in milliseconds; by default 30,000.
    pub flush_interval_ms: Option<u32>,
    /// The time that a call may take in all, in milliseconds; by default 60,000.
    pub deadline_ms: Option<u32>,
    /// The table drops rows after this many days; by default 365.
    pub retention_days: Option<u32>,
    /// The longest time that a read waits for rows that do not show yet, in milliseconds; by
    /// default 60,000.
    pub visibility_timeout_ms: Option<u32>,
    /// Whether `delete_thread` also removes the rows.
    pub admin: bool,
    /// Hosts that may get the token, in addition to the service's own and loopback.
    pub trusted_hosts: Vec<String>,
    /// Whether there is a token, or a way to get one. If so, the host must be trusted.
    pub credential: bool,
}

/// The options of a component that logs in by itself; `None` means the default.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ConnectOptions {
    /// The cluster's URI.
    #[cfg_attr(feature = "wasmtime", component(name = "cluster-uri"))]
    pub cluster_uri: String,
    /// The database.
    pub database: String,
    /// How to log in.
    pub login: Login,
    /// The login endpoint; by default that of the cluster's cloud.
    pub authority: Option<String>,
    /// The table that holds the rows; by default `CheckpointLog`.
    pub table: Option<String>,
    /// How rows reach the store.
    #[cfg_attr(feature = "wasmtime", component(name = "ingest-mode"))]
    pub ingest_mode: IngestMode,
    /// Write-behind: the number of rows that may wait; 1, the default, means no write-behind.
    #[cfg_attr(feature = "wasmtime", component(name = "batch-size"))]
    pub batch_size: Option<u32>,
    /// Write-behind: how long rows may wait, in milliseconds; by default 30,000.
    #[cfg_attr(feature = "wasmtime", component(name = "flush-interval-ms"))]
    pub flush_interval_ms: Option<u32>,
    /// The time that a call may take in all, in milliseconds; by default 60,000.
    #[cfg_attr(feature = "wasmtime", component(name = "deadline-ms"))]
    pub deadline_ms: Option<u32>,
    /// The table drops rows after this many days; by default 365.
    #[cfg_attr(feature = "wasmtime", component(name = "retention-days"))]
    pub retention_days: Option<u32>,
    /// The longest time that a read waits for rows that do not show yet, in milliseconds; by
    /// default 60,000.
    #[cfg_attr(feature = "wasmtime", component(name = "visibility-timeout-ms"))]
    pub visibility_timeout_ms: Option<u32>,
    /// Whether `delete_thread` also removes the rows.
    pub admin: bool,
    /// Hosts that may get the token, in addition to the service's own and loopback.
    #[cfg_attr(feature = "wasmtime", component(name = "trusted-hosts"))]
    pub trusted_hosts: Vec<String>,
}

impl ConnectOptions {
    /// The options of the store, the login, and the login endpoint.
    pub fn into_parts(self) -> (KustoOptions, Login, Option<String>) {
        let store = KustoOptions {
            cluster_uri: self.cluster_uri,
            database: self.database,
            table: self.table,
            ingest_mode: self.ingest_mode,
            batch_size: self.batch_size,
            flush_interval_ms: self.flush_interval_ms,
            deadline_ms: self.deadline_ms,
            retention_days: self.retention_days,
            visibility_timeout_ms: self.visibility_timeout_ms,
            admin: self.admin,
            trusted_hosts: self.trusted_hosts,
            credential: !matches!(self.login, Login::Unspecified),
        };
        (store, self.login, self.authority)
    }
}

/// A day in microseconds.
const DAY: u64 = 86_400_000_000;

const TABLE: &str = "CheckpointLog";
/// The endings of the names that `provision.kql` gives to what it makes beside a table. A table
/// with such a name could clash with what another table has beside it.
const DERIVED: [&str; 8] = [
    "_LatestCheckpoints",
    "_LatestState",
    "_LiveCheckpoints",
    "_LiveWrites",
    "_New",
    "_NewTombstones",
    "_ThreadElements",
    "_Tombstones",
];
const TABLE_BYTES_MAX: usize = 64;
const DATABASE_BYTES_MAX: usize = 1024;

/// The options, checked and complete. Times are in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The cluster's URI, without a slash at the end.
    pub(crate) cluster_uri: String,
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) ingest_mode: IngestMode,
    pub(crate) batch_rows: usize,
    pub(crate) flush_interval: u64,
    pub(crate) deadline: u64,
    pub(crate) retention: u64,
    pub(crate) visibility_timeout: u64,
    pub(crate) admin: bool,
    /// Whether the cluster's host may get the token.
    pub(crate) trusted: bool,
    /// Whether queries ask for strong consistency.
    pub(crate) says_consistency: bool,
}

impl Options {
    pub(crate) fn checked(options: KustoOptions) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(&options.cluster_uri)?;
        let table = checked_table(options.table)?;
        let database = options.database;
        if database.is_empty()
            || database.len() > DATABASE_BYTES_MAX
            || database.chars().any(char::is_control)
        {
            return Err(Error::invalid(
                "invalid-database",
                "the database's name is empty, too long or has control characters; pass the name \
                 of the database that has the table",
            ));
        }
        let counts = [
            ("batch_size", options.batch_size),
            ("flush_interval", options.flush_interval_ms),
            ("deadline", options.deadline_ms),
            ("retention_days", options.retention_days),
            ("visibility_timeout", options.visibility_timeout_ms),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == Some(0)) {
            return Err(Error::invalid(
                "invalid-option",
                format!("the option {name} is 0; pass more, or leave it out for the default"),
            ));
        }
        let trusted = endpoint.may_have_token(&options.trusted_hosts);
        if options.credential && !trusted {
            return Err(Error::invalid(
                "untrusted-host",
                "there is a credential, and the cluster's host may not get its token: use https, \
                 and if you trust a host that is not one of the service's own, name it among the \
                 trusted hosts",
            ));
        }
        let ms = |given: Option<u32>, default: u32| u64::from(given.unwrap_or(default)) * 1000;
        Ok(Self {
            trusted,
            says_consistency: !endpoint.is_fabric(),
            cluster_uri: endpoint.origin,
            database,
            table,
            ingest_mode: options.ingest_mode,
            batch_rows: options.batch_size.unwrap_or(1) as usize,
            flush_interval: ms(options.flush_interval_ms, 30_000),
            deadline: ms(options.deadline_ms, 60_000),
            retention: u64::from(options.retention_days.unwrap_or(365)) * DAY,
            visibility_timeout: ms(options.visibility_timeout_ms, 60_000),
            admin: options.admin,
        })
    }

    /// Whether calls are acknowledged before their rows are ingested.
    pub(crate) fn write_behind(&self) -> bool {
        self.batch_rows > 1
    }

    /// After how many days the table drops rows, as the options say.
    pub(crate) fn retention_days(&self) -> u64 {
        self.retention / DAY
    }

    /// In microseconds since 1970: the table drops rows sent before this time.
    pub(crate) fn dropped_before(&self, now: u64) -> u64 {
        now.saturating_sub(self.retention)
    }

    /// The age, in microseconds, up to which a chunk may be referred to without being sent again.
    pub(crate) fn age_max(&self) -> u64 {
        self.retention / 2
    }

    /// The URL of a path on the cluster.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.cluster_uri)
    }

    /// The ingestion mapping of a table. That of the tombstones has another name than the log's:
    /// with an older one, a tombstone of a checkpoint would hide its whole thread.
    pub(crate) fn mapping(&self, table: &str) -> &'static str {
        if table == self.table { MAPPING } else { TOMBSTONE_MAPPING }
    }

    /// The path and query for streaming ingestion into a table.
    pub(crate) fn ingest_path(&self, table: &str) -> String {
        format!(
            "/v1/rest/ingest/{}/{}?streamFormat=MultiJSON&mappingName={}",
            percent_encoded(&self.database),
            percent_encoded(table),
            self.mapping(table),
        )
    }
}

/// The table's name, or the default. Fails with `invalid-table`.
fn checked_table(table: Option<String>) -> Result<String, Error> {
    let table = table.unwrap_or_else(|| TABLE.to_owned());
    let mut letters = table.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first
        || !letters.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        || table.len() > TABLE_BYTES_MAX
    {
        return Err(Error::invalid(
            "invalid-table",
            "the table's name is not a letter or _ followed by at most 63 letters, digits \
             and _; pass such a name, or none for CheckpointLog",
        ));
    }
    if let Some(ending) = DERIVED.iter().find(|ending| table.ends_with(**ending)) {
        return Err(Error::invalid(
            "invalid-table",
            format!(
                "the table's name ends with {ending}, as do names that provision.kql gives to \
                 what it makes beside a table; pass another name"
            ),
        ));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> KustoOptions {
        KustoOptions {
            cluster_uri: "https://a.kusto.windows.net".to_owned(),
            database: "db".to_owned(),
            ..KustoOptions::default()
        }
    }

    fn code(options: KustoOptions) -> Option<String> {
        Options::checked(options).err().map(|error| error.code().to_owned())
    }

    #[test]
    fn a_credential_is_for_a_host_that_may_get_it_and_for_no_other() {
        let of = |cluster_uri: &str, credential| {
            let cluster_uri = cluster_uri.to_owned();
            let trusted_hosts = vec!["kusto.example".to_owned()];
            code(KustoOptions { cluster_uri, credential, trusted_hosts, ..options() })
        };
        for uri in ["https://a.kusto.windows.net", "https://kusto.example", "http://localhost:80"] {
            assert_eq!(of(uri, true), None, "{uri}");
        }
        for uri in
            ["https://elsewhere.example", "http://kusto.example", "http://a.kusto.windows.net"]
        {
            assert_eq!(of(uri, true).as_deref(), Some("untrusted-host"), "{uri}");
            assert_eq!(of(uri, false), None, "{uri}");
        }
    }

    #[test]
    fn a_log_has_no_name_that_another_log_gives_to_what_is_its_own() {
        let of = |table: &str| code(KustoOptions { table: Some(table.to_owned()), ..options() });
        for ending in DERIVED {
            assert_eq!(of(&format!("Log{ending}")).as_deref(), Some("invalid-table"), "{ending}");
        }
        assert_eq!((of("Tombstones"), of("Log_Tombstones_2"), of("Log")), (None, None, None));
    }

    #[test]
    fn a_count_of_nothing_is_refused_by_its_name() {
        let zero = Some(0);
        for (name, given) in [
            ("batch_size", KustoOptions { batch_size: zero, ..options() }),
            ("flush_interval", KustoOptions { flush_interval_ms: zero, ..options() }),
            ("deadline", KustoOptions { deadline_ms: zero, ..options() }),
            ("retention_days", KustoOptions { retention_days: zero, ..options() }),
            ("visibility_timeout", KustoOptions { visibility_timeout_ms: zero, ..options() }),
        ] {
            let error = Options::checked(given).unwrap_err();
            assert_eq!(error.code(), "invalid-option");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
