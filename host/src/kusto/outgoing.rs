//! Which requests may be sent: those to the cluster, and to the login endpoint if the component
//! logs in by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use http_body_util::BodyExt;
use langgraph_checkpoint_guest::kusto::connection::Endpoint;
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, Result as HttpResult, WasiBody, WasiHttpHooks,
};

use super::options::{KustoLogin, KustoOptions};
use crate::error::Error;

/// A scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads a caller's URI as the planner reads it.
    fn parse(uri: &str) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(uri)?;
        let authority = endpoint.origin.split_once("://").map_or("", |(_, authority)| authority);
        let port = authority.strip_prefix(&*endpoint.host).and_then(|port| port.strip_prefix(':'));
        let port = port.and_then(|port| port.parse().ok());
        Ok(Self::new(endpoint.secure, endpoint.host, port))
    }

    /// The scheme, host and port of a request. `None` if it lacks one, or has a user or password.
    fn of(uri: &http::Uri) -> Option<Self> {
        let authority = uri.authority()?;
        // A user or password does not change where a URI leads; it can only mislead.
        if authority.as_str().contains('@') {
            return None;
        }
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self::new(secure, authority.host().to_ascii_lowercase(), authority.port_u16()))
    }

    fn new(secure: bool, host: String, port: Option<u16>) -> Self {
        Self { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }) }
    }
}

/// The places that requests may go to, and how many were sent.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    allowed: Arc<[Origin]>,
    sent: Arc<AtomicUsize>,
}

impl Outgoing {
    /// The places that the options name.
    pub(super) fn of(options: &KustoOptions) -> Result<Self, Error> {
        let mut allowed = vec![Origin::parse(&options.cluster_uri)?];
        if matches!(options.login, KustoLogin::ClientSecret { .. }) {
            let cluster = Endpoint::parse(&options.cluster_uri)?;
            let authority = options.authority.as_deref().unwrap_or(cluster.authority());
            allowed.push(Origin::parse(authority)?);
        }
        Ok(Self { allowed: allowed.into(), sent: Arc::default() })
    }

    /// How many requests were sent since this was last called.
    pub(super) fn take_sent(&self) -> usize {
        self.sent.swap(0, Ordering::Relaxed)
    }

    /// Whether a request was sent since then.
    pub(super) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > 0
    }

    /// The same places, with a count of its own.
    pub(super) fn counted_anew(&self) -> Self {
        Self { allowed: Arc::clone(&self.allowed), sent: Arc::default() }
    }

    fn allows(&self, uri: &http::Uri) -> bool {
        Origin::of(uri).is_some_and(|origin| self.allowed.contains(&origin))
    }
}

type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = HttpResult<()>> + Send>);

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = HttpResult<()>> + Send>,
    ) -> Box<dyn Future<Output = HttpResult<Sent>> + Send> {
        if !self.allows(request.uri()) {
            // The address is not logged: the component chose it, and it may contain anything.
            tracing::warn!("a request to a place that is not allowed was refused");
            return Box::new(async { Err(HttpError::HttpRequestDenied) });
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        Box::new(async move {
            let (response, io) = wasmtime_wasi_http::default_send_request(request, options).await?;
            let io: Box<dyn Future<Output = _> + Send> = Box::new(io);
            Ok((response.map(BodyExt::boxed_unsync), io))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(cluster_uri: &str, login: KustoLogin) -> Outgoing {
        let options = KustoOptions { login, ..KustoOptions::new(cluster_uri, "db") };
        Outgoing::of(&options).unwrap()
    }

    fn secret() -> KustoLogin {
        let text = |text: &str| text.to_owned();
        KustoLogin::ClientSecret { tenant: text("t"), client_id: text("i"), secret: text("s") }
    }

    #[test]
    fn only_the_cluster_is_allowed() {
        let outgoing = outgoing("https://A.kusto.windows.net/db", KustoLogin::None);
        let allows = |uri: &str| outgoing.allows(&uri.parse().unwrap());
        assert!(allows("https://a.kusto.windows.net/v2/rest/query"));
        assert!(allows("https://a.KUSTO.windows.net:443/"));
        for uri in [
            "http://a.kusto.windows.net/",
            "https://a.kusto.windows.net:444/",
            "https://b.kusto.windows.net/",
            "https://a.kusto.windows.net.example/",
            "https://a.kusto.windows.net@b.example/",
            "https://user@a.kusto.windows.net/",
            "https://login.microsoftonline.com/t/oauth2/v2.0/token",
            "/v2/rest/query",
        ] {
            assert!(!allows(uri), "{uri}");
        }
    }

    #[test]
    fn a_port_belongs_to_the_place() {
        let outgoing = outgoing("http://127.0.0.1:8080", KustoLogin::None);
        let allows = |uri: &str| outgoing.allows(&uri.parse().unwrap());
        assert!(allows("http://127.0.0.1:8080/v1/rest/mgmt"));
        assert!(!allows("http://127.0.0.1/") && !allows("http://127.0.0.1:8081/"));
        assert!(!allows("https://127.0.0.1:8080/") && !allows("http://localhost:8080/"));
    }

    #[test]
    fn the_login_endpoint_is_allowed_to_a_component_that_logs_in_by_itself() {
        let token = "https://login.microsoftonline.com/t/oauth2/v2.0/token".parse().unwrap();
        let cluster = "https://a.kusto.windows.net";
        assert!(outgoing(cluster, secret()).allows(&token));
        assert!(!outgoing(cluster, KustoLogin::Token("x".to_owned())).allows(&token));
        let there = "https://login.sovcloud-identity.de/t/oauth2/v2.0/token".parse().unwrap();
        let cluster = "https://a.kusto.sovcloud-api.de";
        assert!(outgoing(cluster, secret()).allows(&there));
        assert!(!outgoing(cluster, secret()).allows(&token));
    }
}
