//! Tables of Kusto.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use langgraph_checkpoint_guest::kusto::connection::{Endpoint, is_loopback};
use langgraph_checkpoint_host::{
    BearerToken, CredentialError, Error, KustoCheckpointer, KustoComponent, KustoCredential,
    KustoIngestMode, KustoLogin, KustoOptions, Limits,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::Checkpoints;
use crate::errors::raised;
use crate::interpreter::attached;
use crate::options::{COUNT, Options, SECONDS, TEXT, TEXTS, YES_OR_NO};
use crate::process::Process;
use crate::store::Store;

/// What is known of a cluster before anything is sent: the scope of its tokens, and whether it is
/// on this machine and needs none. Fails with `invalid-cluster-uri`.
#[pyfunction]
pub(crate) fn kusto_cluster(options: &Bound<'_, PyDict>) -> PyResult<(String, bool)> {
    let uri = Options(options).get("cluster_uri", &TEXT)?;
    let cluster = Endpoint::parse(&uri).map_err(|error| raised(options.py(), &error.into()))?;
    Ok((format!("{}/.default", cluster.origin), is_loopback(&cluster.host)))
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
    let given = Options(options);
    let ingest_modes = [
        ("auto", KustoIngestMode::Auto),
        ("streaming", KustoIngestMode::Streaming),
        ("inline", KustoIngestMode::Inline),
    ];
    let login = match token {
        Some(token) => KustoLogin::Credential(Arc::new(Credential(token))),
        None => KustoLogin::None,
    };
    let options = KustoOptions {
        login,
        table: given.optional("table", &TEXT)?,
        ingest_mode: given.one_of("ingest_mode", &ingest_modes)?,
        batch_size: given.optional("batch_size", &COUNT)?,
        flush_interval: given.optional("flush_interval", &SECONDS)?,
        deadline: given.optional("deadline", &SECONDS)?,
        retention_days: given.optional("retention_days", &COUNT)?,
        visibility_timeout: given.optional("visibility_timeout", &SECONDS)?,
        admin: given.get("admin", &YES_OR_NO)?,
        trusted_hosts: given.get("trusted_hosts", &TEXTS)?,
        ..KustoOptions::new(given.get("cluster_uri", &TEXT)?, given.get("database", &TEXT)?)
    };
    let process = Process::current(py)?;
    let opened = {
        let _inside = process.runtime.enter();
        component().and_then(|component| KustoCheckpointer::open(component, options))
    };
    let checkpointer = opened.map_err(|error| raised(py, &error))?;
    Ok(Store::new(process, Checkpoints::Kusto(Box::new(checkpointer)), None))
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
