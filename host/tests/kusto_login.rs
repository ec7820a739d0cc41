//! Tokens, secrets and faults on the local Kusto, which can be told to require tokens. On a
//! cluster, or without any Kusto, the tests print so and do nothing.

#![cfg(feature = "kusto")]

mod support;

use std::fmt::{Debug, Write as _};
use std::future::Future;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_checkpoint_host::{
    BearerToken, CredentialError, Error, KustoCheckpointer, KustoCredential, KustoLogin,
    KustoOptions,
};
use support::{config, kusto_component, put};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A database of the local Kusto.
struct Local {
    cluster_uri: String,
    database: String,
}

impl Local {
    fn new(name: &str) -> Option<Self> {
        let Ok(cluster_uri) = std::env::var("KUSTO_CLUSTER_URI") else {
            eprintln!("skipped: KUSTO_CLUSTER_URI names no cluster");
            return None;
        };
        if !cluster_uri.starts_with("http://127.0.0.1:") {
            eprintln!("skipped: only the local Kusto takes orders");
            return None;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        Some(Self { cluster_uri, database: format!("{name}_{now}") })
    }

    fn options(&self, login: KustoLogin) -> KustoOptions {
        KustoOptions {
            login,
            authority: Some(self.cluster_uri.clone()),
            deadline: Some(Duration::from_secs(3)),
            instances: Some(1),
            ..KustoOptions::new(&self.cluster_uri, &self.database)
        }
    }

    /// Changes a setting of the server for the database.
    fn tell(&self, path: &str, members: &str) {
        let body = format!("{{\"database\":\"{}\",{members}}}", self.database);
        let address = self.cluster_uri.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST /local/{path} HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

fn open(options: KustoOptions) -> KustoCheckpointer {
    KustoCheckpointer::open(kusto_component(), options).unwrap()
}

/// A credential whose first token is not accepted; counts its tokens.
#[derive(Default)]
struct Renewed(AtomicUsize);

impl KustoCredential for Renewed {
    fn token(
        &self,
        fresh: bool,
    ) -> Pin<Box<dyn Future<Output = Result<BearerToken, CredentialError>> + Send + '_>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let value = if fresh { "good-token-hunter2" } else { "stale-token-hunter2" }.to_owned();
        Box::pin(async { Ok(BearerToken { value, expires_at: None }) })
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_kept() {
    let Some(local) = Local::new("renewed") else { return };
    local.tell("settings", r#""tokens":["good-token-hunter2"]"#);
    let credential = Arc::new(Renewed::default());
    let checkpointer = open(local.options(KustoLogin::Credential(credential.clone())));
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
    assert_eq!(credential.0.load(Ordering::Relaxed), 2);
    local.tell("settings", r#""tokens":["another"]"#);
    let error = checkpointer.get_tuple(config("t")).await.unwrap_err();
    assert_eq!(error.code(), "store-unauthorized");
    assert_eq!(credential.0.load(Ordering::Relaxed), 3);
}

fn application(secret: &str) -> KustoLogin {
    KustoLogin::ClientSecret {
        tenant: "contoso".to_owned(),
        client_id: "an-application".to_owned(),
        secret: secret.to_owned(),
    }
}

#[tokio::test]
async fn an_application_logs_in_with_its_secret_and_is_told_when_it_is_wrong() {
    let Some(local) = Local::new("application") else { return };
    local.tell("settings", r#""tokens":[]"#);
    local
        .tell("login", r#""tenant":"contoso","client_id":"an-application","secret":"hunter2 &=%""#);
    let checkpointer = open(local.options(application("hunter2 &=%")));
    checkpointer.put(put("t", None, "c1", "[1]")).await.unwrap();
    assert!(checkpointer.get_tuple(config("t")).await.unwrap().is_some());
    let error =
        open(local.options(application("hunter3"))).get_tuple(config("t")).await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert_eq!(error.code(), "login-denied");
}

/// Everything that any crate reports in spans and events.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Said {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, record: &Record<'_>) {
        record.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn nothing_that_is_said_under_any_fault_holds_a_token() {
    let Some(local) = Local::new("secrets") else { return };
    local.tell("settings", r#""tokens":["token-hunter2"]"#);
    let login = KustoLogin::Token("token-hunter2".to_owned());
    let said = Said::default();
    // For every thread: what other tests of this program say must hold no secret either. A default
    // of this thread alone misses places that another thread has reached without one.
    tracing::subscriber::set_global_default(said.clone()).unwrap();
    let deadline = Some(Duration::from_secs(1));
    let checkpointer = open(KustoOptions { deadline, ..local.options(login.clone()) });
    let mut shown = format!("{checkpointer:?} {login:?} {:?}", local.options(login.clone()));
    let mut failed = 0;
    for kind in ["unauthorized", "forbidden", "cut-before", "cut-after", "partial"] {
        local.tell("faults", &format!(r#""faults":[{{"kind":"{kind}","on":"any"}}]"#));
        let stored = checkpointer.put(put("t", None, kind, "\"value-hunter2\"")).await;
        let found = checkpointer.get_tuple(config("t")).await.map(|_| ());
        for error in [stored.map(|_| ()).err(), found.err()].into_iter().flatten() {
            failed += 1;
            shown.push_str(&format!("{error} {error:?}"));
        }
    }
    assert!(failed >= 8, "{failed} of ten calls failed");
    shown.push_str(&said.0.lock().unwrap());
    assert!(shown.contains("call=\"put\"") && shown.contains("code=\"store-unauthorized\""));
    assert!(!shown.contains("hunter2"), "a secret shows");
}
