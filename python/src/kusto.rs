//! Tables of Kusto.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use langgraph_checkpoint_host::{
    BearerToken, CredentialError, Error, KustoCheckpointer, KustoComponent, KustoCredential,
    KustoIngestMode, KustoLogin, KustoOptions, Limits,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::Checkpoints;
use crate::errors::{Errors, invalid};
use crate::interpreter::attached;
use crate::process::Process;
use crate::store::Store;

/// The options of a saver on Kusto, by the names that Python has for them. `None` is the default.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Options {
    cluster_uri: String,
    database: String,
    table: Option<String>,
    ingest_mode: String,
    batch_size: Option<u32>,
    flush_interval: Option<f64>,
    deadline: Option<f64>,
    retention_days: Option<u32>,
    visibility_timeout: Option<f64>,
    admin: bool,
    trusted_hosts: Vec<String>,
}

/// Opens a table of Kusto. Sends nothing. `token` gives a token and when it expires, in seconds
/// since 1970, or that it does not know; its argument is whether the last token was refused. `None`
/// is for a server that needs no token.
#[pyfunction]
pub(crate) fn open_kusto(
    py: Python<'_>,
    options: &Bound<'_, PyDict>,
    token: Option<Py<PyAny>>,
) -> PyResult<Store> {
    let options: Options = options.extract()?;
    let seconds = |name: &str, seconds: Option<f64>| {
        let whole = |seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|_| {
                let message = format!("{name} has to be a number of seconds, not negative");
                invalid(py, "invalid-option", &message)
            })
        };
        seconds.map(whole).transpose()
    };
    let ingest_mode = match options.ingest_mode.as_str() {
        "auto" => KustoIngestMode::Auto,
        "streaming" => KustoIngestMode::Streaming,
        "inline" => KustoIngestMode::Inline,
        _ => {
            let message = "ingest_mode has to be \"auto\", \"streaming\" or \"inline\"";
            return Err(invalid(py, "invalid-option", message));
        }
    };
    let login = match token {
        Some(token) => KustoLogin::Credential(Arc::new(Credential(token))),
        None => KustoLogin::None,
    };
    let options = KustoOptions {
        login,
        table: options.table,
        ingest_mode,
        batch_size: options.batch_size,
        flush_interval: seconds("flush_interval", options.flush_interval)?,
        deadline: seconds("deadline", options.deadline)?,
        retention_days: options.retention_days,
        visibility_timeout: seconds("visibility_timeout", options.visibility_timeout)?,
        admin: options.admin,
        trusted_hosts: options.trusted_hosts,
        ..KustoOptions::new(options.cluster_uri, options.database)
    };
    let process = Process::current(py)?;
    let opened = {
        let _inside = process.runtime.enter();
        component().and_then(|component| KustoCheckpointer::open(component, options))
    };
    let checkpointer = opened.map_err(|error| Errors::Kusto.raised(py, &error))?;
    Ok(Store::new(process, Errors::Kusto, Checkpoints::Kusto(Box::new(checkpointer)), None))
}

/// What gives tokens, in Python.
struct Credential(Py<PyAny>);

impl KustoCredential for Credential {
    fn token(
        &self,
        fresh: bool,
    ) -> Pin<Box<dyn Future<Output = Result<BearerToken, CredentialError>> + Send + '_>> {
        Box::pin(async move {
            let ask = attached(|py| self.0.clone_ref(py)).ok_or("Python has ended")?;
            // It may take long, and others wait for this thread.
            let given = tokio::task::spawn_blocking(move || {
                attached(|py| ask.call1(py, (fresh,))?.extract::<(String, Option<f64>)>(py))
            });
            let (value, expires_s) = given.await?.ok_or("Python has ended")??;
            let expires = expires_s.and_then(|at| Duration::try_from_secs_f64(at).ok());
            let expires_at = expires.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at));
            Ok(BearerToken { value, expires_at })
        })
    }
}

#[allow(unsafe_code, reason = "the bytes are the ones that the build script compiled")]
fn component() -> Result<KustoComponent, Error> {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/checkpointer-kusto.compiled"));
    // SAFETY: `KustoComponent::precompile_for` of the same version made the bytes for this target,
    // and they are a part of this program.
    unsafe { KustoComponent::from_precompiled(bytes, Limits::default()) }
}
