//! Connection strings, cluster URIs, and which hosts may get a token.
//!
//! A connection string holds secrets, and a broken one may hold them anywhere. So an error names a
//! part by its position or by a known key, never by its text.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

use crate::contract::error::Error;

/// A cloud: its login endpoint, and the suffixes of the service's own clusters in it.
type Cloud = (&'static str, &'static [&'static str]);

const PUBLIC: Cloud = (
    "https://login.microsoftonline.com",
    &[
        ".kusto.azuresynapse.net",
        ".kusto.data.microsoft.com",
        ".kusto.fabric.microsoft.com",
        ".kusto.windows.net",
        ".kustomfa.windows.net",
    ],
);

const CLOUDS: &[Cloud] = &[
    PUBLIC,
    (
        "https://login.microsoftonline.us",
        &[".kusto.usgovcloudapi.net", ".kustomfa.usgovcloudapi.net"],
    ),
    (
        "https://login.partner.microsoftonline.cn",
        &[".kusto.azuresynapse.azure.cn", ".kusto.chinacloudapi.cn", ".kustomfa.chinacloudapi.cn"],
    ),
    (
        "https://login.microsoftonline.eaglex.ic.gov",
        &[".kusto.core.eaglex.ic.gov", ".kustomfa.core.eaglex.ic.gov"],
    ),
    (
        "https://login.microsoftonline.microsoft.scloud",
        &[".kusto.core.microsoft.scloud", ".kustomfa.core.microsoft.scloud"],
    ),
    (
        "https://login.sovcloud-identity.fr",
        &[".kusto.sovcloud-api.fr", ".kustomfa.sovcloud-api.fr"],
    ),
    (
        "https://login.sovcloud-identity.de",
        &[".kusto.sovcloud-api.de", ".kustomfa.sovcloud-api.de"],
    ),
    (
        "https://login.sovcloud-identity.sg",
        &[".kusto.sovcloud-api.sg", ".kustomfa.sovcloud-api.sg"],
    ),
];

/// The suffixes of Microsoft Fabric's clusters.
const FABRIC_SUFFIXES: &[&str] = &[".kusto.data.microsoft.com", ".kusto.fabric.microsoft.com"];

/// What a connection string says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Connection {
    /// `Data Source`: the cluster's URI, without path.
    #[cfg_attr(feature = "wasmtime", component(name = "cluster-uri"))]
    pub cluster_uri: String,
    /// `Initial Catalog`, or the path of `Data Source`.
    pub database: Option<String>,
    /// How to log in.
    pub login: Login,
}

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum Login {
    /// No login is given.
    #[cfg_attr(feature = "wasmtime", component(name = "unspecified"))]
    Unspecified,
    /// With this bearer token.
    #[cfg_attr(feature = "wasmtime", component(name = "token"))]
    Token(String),
    /// As an application with a secret.
    #[cfg_attr(feature = "wasmtime", component(name = "client-secret"))]
    ClientSecret(ClientSecret),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unspecified => f.write_str("Unspecified"),
            Self::Token(_) => f.write_str("Token(..)"),
            Self::ClientSecret(credentials) => credentials.fmt(f),
        }
    }
}

/// An application's credentials.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct ClientSecret {
    /// The tenant: `Authority Id`.
    pub tenant: String,
    /// The application: `Application Client Id`.
    #[cfg_attr(feature = "wasmtime", component(name = "client-id"))]
    pub client_id: String,
    /// Its secret: `Application Key`.
    pub secret: String,
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Reads a Kusto connection string. Fails with `invalid-connection-string`, `unsupported-login` or
/// `invalid-cluster-uri`.
pub fn parse(text: &str) -> Result<Connection, Error> {
    let mut said = Said::default();
    for (at, (key, value)) in parts(text)?.into_iter().enumerate() {
        said.take(at + 1, &key, value)?;
    }
    said.connection()
}

/// The values of the known keys.
#[derive(Default)]
struct Said {
    source: Option<String>,
    database: Option<String>,
    client_id: Option<String>,
    secret: Option<String>,
    tenant: Option<String>,
    token: Option<String>,
}

impl Said {
    fn take(&mut self, position: usize, key: &str, value: String) -> Result<(), Error> {
        // Case and white space of keys do not matter.
        let key: String = key.chars().filter(|c| !c.is_whitespace()).collect();
        let (field, name) = match key.to_lowercase().as_str() {
            "" | "datasource" | "server" | "addr" | "address" | "networkaddress"
            | "datasourceuri" | "serveruri" | "clusteruri" => (&mut self.source, "Data Source"),
            "initialcatalog" | "database" => (&mut self.database, "Initial Catalog"),
            "applicationclientid" | "appclientid" => (&mut self.client_id, "Application Client Id"),
            "applicationkey" | "appkey" => (&mut self.secret, "Application Key"),
            "authorityid" | "tenantid" | "tid" | "tenant" | "authority" | "domainhint" => {
                (&mut self.tenant, "Authority Id")
            }
            "applicationtoken" | "apptoken" | "usertoken" | "usrtoken" => {
                (&mut self.token, "Application Token or User Token")
            }
            "userid" | "uid" | "user" | "loginhint" | "aaduserid" | "password" | "pwd" => {
                return Err(unsupported_login("a user's name and password"));
            }
            other if other.starts_with("applicationcertificate") || other == "appcert" => {
                return Err(unsupported_login("a certificate"));
            }
            other if IGNORED.contains(&other) => return Ok(()),
            _ => {
                return Err(invalid(format!(
                    "the key of part {position} is not one that a Kusto connection string has; \
                     put a value that holds a semicolon in double quotes"
                )));
            }
        };
        if field.is_some() {
            return Err(invalid(format!("{name} is given twice; give it once")));
        }
        *field = Some(value);
        Ok(())
    }

    fn connection(self) -> Result<Connection, Error> {
        let source = self.source.filter(|source| !source.is_empty()).ok_or_else(|| {
            invalid(
                "there is no Data Source; pass the cluster's URI, such as \
                 https://name.region.kusto.windows.net",
            )
        })?;
        let endpoint = Endpoint::parse(&source)?;
        let database = match (self.database, endpoint.database) {
            (Some(said), Some(of_path)) if said != of_path => {
                return Err(invalid(
                    "Initial Catalog and the path of Data Source name two databases; leave one \
                     out",
                ));
            }
            (said, of_path) => said.or(of_path).filter(|database| !database.is_empty()),
        };
        let login = match (self.token, self.client_id, self.secret, self.tenant) {
            (None, None, None, _) => Login::Unspecified,
            (Some(token), None, None, _) => Login::Token(token),
            (None, Some(client_id), Some(secret), Some(tenant)) => {
                Login::ClientSecret(ClientSecret { tenant, client_id, secret })
            }
            (Some(_), _, _, _) => {
                return Err(invalid(
                    "a token and an application's secret are given; leave one of them out",
                ));
            }
            (None, _, _, _) => {
                return Err(invalid(
                    "an application logs in with all three of Application Client Id, \
                     Application Key and Authority Id; add those that are missing",
                ));
            }
        };
        Ok(Connection { cluster_uri: endpoint.origin, database, login })
    }
}

/// Known keys that are about neither the cluster nor the login. They are ignored.
const IGNORED: &[&str] = &[
    "aadfed",
    "aadfederatedsecurity",
    "accept",
    "applicationnamefortracing",
    "azureregion",
    "enforcemfa",
    "fed",
    "federated",
    "federatedsecurity",
    "queryconsistency",
    "region",
    "streaming",
    "traceappname",
    "traceusername",
    "uncompressed",
    "usernamefortracing",
];

/// The keys and values in order. Only the first part may have no key; it gets the key `""`.
fn parts(text: &str) -> Result<Vec<(String, String)>, Error> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    for position in 1.. {
        rest = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
        if rest.is_empty() {
            break;
        }
        let end = rest.find(';').unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        match head.split_once('=') {
            _ if position == 1 && is_bare(head) => {
                parts.push((String::new(), head.trim().to_owned()));
                rest = tail;
            }
            Some((key, _)) => {
                let after_key = rest.get(key.len() + 1..).unwrap_or_default();
                let (value, after) = value(after_key, position)?;
                parts.push((key.to_owned(), value));
                rest = after;
            }
            None => {
                return Err(invalid(format!(
                    "part {position} has no key; write Key=Value, and put a value that holds a \
                     semicolon in double quotes"
                )));
            }
        }
    }
    Ok(parts)
}

/// Whether the first part is only a cluster's URI.
fn is_bare(head: &str) -> bool {
    let head = head.trim();
    !head.contains('=') || head.starts_with("https://") || head.starts_with("http://")
}

/// A value, in quotes or not, and the text after it.
fn value(text: &str, position: usize) -> Result<(String, &str), Error> {
    let text = text.trim_start();
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return Ok((value.trim().to_owned(), rest));
    };
    let mut value = String::new();
    let mut inside = text.get(1..).unwrap_or_default();
    while let Some((before, after)) = inside.split_once(quote) {
        value.push_str(before);
        // A doubled quote is one quote of the value.
        if let Some(after) = after.strip_prefix(quote) {
            value.push(quote);
            inside = after;
            continue;
        }
        let after = after.trim_start();
        if after.is_empty() || after.starts_with(';') {
            return Ok((value, after));
        }
        break;
    }
    Err(invalid(format!(
        "the quotes of part {position} do not end before a semicolon; write a quote inside of \
         quotes twice"
    )))
}

/// A cluster's URI, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port, without a slash at the end. Paths are appended to it.
    pub origin: String,
    /// The host, in lower case; an IPv6 address in brackets.
    pub host: String,
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// The database that the path names.
    pub database: Option<String>,
}

impl Endpoint {
    /// Reads a cluster's URI. Without a scheme it is `https`. Fails with `invalid-cluster-uri`.
    ///
    /// Only plain URIs are accepted, so that no HTTP client reads another host from one than this
    /// does.
    pub fn parse(uri: &str) -> Result<Self, Error> {
        let (secure, rest) = match uri.split_once("://") {
            None => (true, uri),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) => return Err(invalid_uri("its scheme is neither https nor http")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
        let name = !host.is_empty() && host.chars().all(plain) && !host.ends_with('.');
        if !name && ipv6(&host).is_none() {
            return Err(invalid_uri("its host is neither a host name nor an address"));
        }
        if host.starts_with("ingest-") {
            return Err(invalid_uri(
                "it is the URI of data management; leave out `ingest-` to get the engine's",
            ));
        }
        let database = path.trim_end_matches('/');
        let plain = |c: char| !c.is_control() && !matches!(c, '/' | '?' | '#' | '%' | '\\');
        if !database.chars().all(plain) {
            return Err(invalid_uri("its path is more than the name of a database"));
        }
        let database = Some(database).filter(|name| !name.is_empty()).map(str::to_owned);
        let scheme = if secure { "https" } else { "http" };
        let origin = match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { origin, host, secure, database })
    }

    /// The login endpoint of the cluster's cloud; the public cloud's if the host is not one of the
    /// service's own.
    pub fn authority(&self) -> &'static str {
        cloud_of(&self.host).map_or(PUBLIC.0, |(authority, _)| authority)
    }

    /// Whether the cluster is an Eventhouse of Microsoft Fabric. Its queries are always consistent,
    /// and a query must not ask for that.
    pub fn is_fabric(&self) -> bool {
        FABRIC_SUFFIXES.iter().any(|suffix| self.host.ends_with(suffix))
    }

    /// Whether a token may be sent there: the host is trusted, and nobody on the way can read the
    /// token. Plain `http` is allowed only for loopback.
    pub fn may_have_token(&self, extra: &[String]) -> bool {
        is_trusted(&self.host, extra) && (self.secure || is_loopback(&self.host))
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), Error> {
    let bracket = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority.rfind(':').filter(|at| *at > bracket) else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(colon);
    let digits = port.get(1..).unwrap_or_default();
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
    match port.flatten() {
        Some(port) => Ok((host, Some(port))),
        None => Err(invalid_uri("its port is not a number up to 65535")),
    }
}

/// Whether a host may get a token: one of the service's own, this machine, or one of `extra`.
pub fn is_trusted(host: &str, extra: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    cloud_of(&host).is_some()
        || is_loopback(&host)
        || extra.iter().any(|named| named.eq_ignore_ascii_case(&host))
}

/// The cloud of a host; `None` if the host is not one of the service's own.
fn cloud_of(host: &str) -> Option<&'static Cloud> {
    let is_one = |suffix: &&str| {
        host.strip_suffix(*suffix).is_some_and(|name| !name.is_empty() && !name.starts_with('.'))
    };
    CLOUDS.iter().find(|(_, suffixes)| suffixes.iter().any(is_one))
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || ipv6(host).is_some_and(|address| address.is_loopback())
}

fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

fn invalid(message: impl fmt::Display) -> Error {
    Error::invalid("invalid-connection-string", format!("the connection string: {message}"))
}

fn unsupported_login(what: &str) -> Error {
    Error::invalid(
        "unsupported-login",
        format!(
            "the connection string says to log in with {what}, which is not supported; use \
             Application Client Id, Application Key and Authority Id, or pass a token"
        ),
    )
}

fn invalid_uri(what: &str) -> Error {
    Error::invalid(
        "invalid-cluster-uri",
        format!(
            "the cluster's URI is not acceptable: {what}; pass one such as \
             https://name.region.kusto.windows.net"
        ),
    )
}

#[cfg(test)]
mod tests;
