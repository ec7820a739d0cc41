//! Gets a bearer token for an application's secret, with the client-credentials grant of OAuth 2.0.

use std::fmt;

use serde::Deserialize;

use super::connection::{ClientSecret, Endpoint, is_loopback};
use super::url::percent_encoded;
use crate::contract::error::{Error, Fault, StoreFault};
use crate::contract::http::{Authorization, HttpRequest, HttpResponse, Moment};

/// How long the login endpoint may take, in milliseconds.
const TIMEOUT_MS: u32 = 30_000;

/// The longest response, in bytes. A token has a few thousand.
const RESPONSE_BYTES_MAX: u64 = 1024 * 1024;

/// A token is used for at most this many seconds.
const LIFETIME_SECONDS_MAX: u64 = 24 * 60 * 60;

/// A bearer token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub value: String,
    /// When it expires, in microseconds since 1970.
    pub expires_at: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The request that gets a token for a cluster. `authority` is the login endpoint; `None` means
/// that of the cluster's cloud. Fails with `invalid-cluster-uri`, `invalid-authority` or
/// `invalid-tenant`.
///
/// The token is requested for the cluster's own URI, so it is valid for nothing else.
pub fn request(
    credentials: &ClientSecret,
    cluster_uri: &str,
    authority: Option<&str>,
) -> Result<HttpRequest, Error> {
    let cluster = Endpoint::parse(cluster_uri)?;
    let authority = authority.unwrap_or(cluster.authority());
    let login = Endpoint::parse(authority)
        .ok()
        .filter(|login| login.database.is_none() && (login.secure || is_loopback(&login.host)));
    let login = login.ok_or_else(|| {
        Error::invalid(
            "invalid-authority",
            "the login endpoint is not an https URI without a path; pass one such as \
             https://login.microsoftonline.com, or leave it out",
        )
    })?;
    let ClientSecret { tenant, client_id, secret } = credentials;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if tenant.is_empty() || !tenant.chars().all(plain) {
        return Err(Error::invalid(
            "invalid-tenant",
            "the tenant (Authority Id) is neither an id nor a domain name; pass the \
             directory's id",
        ));
    }
    let scope = format!("{}/.default", cluster.origin);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", &scope),
    ];
    let form = form.map(|(name, value)| format!("{name}={}", percent_encoded(value)));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Ok(HttpRequest {
        method: "POST".to_owned(),
        url: format!("{}/{tenant}/oauth2/v2.0/token", login.origin),
        headers: vec![
            header("accept", "application/json"),
            header("content-type", "application/x-www-form-urlencoded"),
        ],
        body: form.join("&").into_bytes(),
        authorization: Authorization::None,
        timeout_ms: TIMEOUT_MS,
        response_bytes_max: RESPONSE_BYTES_MAX,
    })
}

/// The login endpoint's answer if it grants a token.
#[derive(Deserialize)]
struct Granted {
    token_type: String,
    access_token: String,
    expires_in: u64,
}

/// Its answer if it refuses.
#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u64>,
}

/// Reads the token in the response to `request`. Fails with `login-unavailable` or `login-denied`.
pub fn read(response: &HttpResponse, at: Moment) -> Result<Token, Error> {
    match response.status {
        200 => granted(response, at),
        status @ (408 | 429 | 500..) => Err(unavailable(format!(
            "the login endpoint answered with status {status}; try again later"
        ))),
        status => {
            let refused = serde_json::from_slice(&response.body).unwrap_or_default();
            Err(denied(status, &refused))
        }
    }
}

fn granted(response: &HttpResponse, at: Moment) -> Result<Token, Error> {
    // An error of serde may quote the document, so it is not passed on.
    let granted: Option<Granted> = serde_json::from_slice(&response.body).ok();
    let usable = |granted: &Granted| {
        granted.token_type.eq_ignore_ascii_case("bearer")
            && !granted.access_token.is_empty()
            && granted.access_token.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let granted = granted.filter(usable).ok_or_else(|| {
        unavailable(
            "the login endpoint's answer has no bearer token; check which login endpoint is \
             used"
                .to_owned(),
        )
    })?;
    let lifetime = granted.expires_in.min(LIFETIME_SECONDS_MAX) * 1_000_000;
    Ok(Token { value: granted.access_token, expires_at: at.now.saturating_add(lifetime) })
}

/// Nothing was stored, because the login comes first.
fn unavailable(message: String) -> Error {
    let fault = Fault { code: "login-unavailable".to_owned(), message };
    Error::Unavailable(StoreFault { fault, maybe_stored: false })
}

/// The error for a refusal, with its names and numbers only: its prose is the endpoint's and may
/// contain anything.
fn denied(status: u16, refused: &Refused) -> Error {
    let mut message = format!("the login endpoint refused the application (status {status}");
    let name = &refused.error;
    if (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        message.push_str(&format!(", {name}"));
    }
    for code in refused.error_codes.iter().take(4) {
        message.push_str(&format!(", AADSTS{code}"));
    }
    message.push_str("); check the tenant, the client id, and that the secret has not expired");
    let fault = Fault { code: "login-denied".to_owned(), message };
    Error::Denied(StoreFault { fault, maybe_stored: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://a.kusto.windows.net/db";
    const AT: Moment = Moment { now: 1_000_000, entropy: 0 };

    fn credentials() -> ClientSecret {
        ClientSecret {
            tenant: "contoso.example".to_owned(),
            client_id: "an-id".to_owned(),
            secret: "s&cr=t+ \u{e9}".to_owned(),
        }
    }

    fn response(status: u16, body: &str) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_token_is_asked_for_one_cluster() {
        let request = request(&credentials(), URI, None).unwrap();
        assert_eq!(
            request.url,
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
        );
        assert_eq!((&*request.method, request.authorization), ("POST", Authorization::None));
        assert_eq!(
            String::from_utf8(request.body).unwrap(),
            "grant_type=client_credentials&client_id=an-id&client_secret=s%26cr%3Dt%2B%20%C3%A9\
             &scope=https%3A%2F%2Fa.kusto.windows.net%2F.default"
        );
    }

    #[test]
    fn a_cluster_of_another_cloud_logs_in_there() {
        let of = |host: &str| request(&credentials(), host, None).unwrap().url;
        for (host, login) in [
            ("a.westeurope.kusto.windows.net", "login.microsoftonline.com"),
            ("a.z1.kusto.fabric.microsoft.com", "login.microsoftonline.com"),
            ("a.kusto.usgovcloudapi.net", "login.microsoftonline.us"),
            ("A.KUSTO.CHINACLOUDAPI.CN", "login.partner.microsoftonline.cn"),
            ("a.kusto.sovcloud-api.fr", "login.sovcloud-identity.fr"),
            ("a.kusto.sovcloud-api.de", "login.sovcloud-identity.de"),
            ("a.kustomfa.sovcloud-api.sg", "login.sovcloud-identity.sg"),
            ("kusto.example", "login.microsoftonline.com"),
        ] {
            assert_eq!(of(host), format!("https://{login}/contoso.example/oauth2/v2.0/token"));
        }
    }

    #[test]
    fn a_secret_is_sent_over_https_or_to_this_machine_and_nowhere_else() {
        let to = |authority: &str| {
            request(&credentials(), URI, Some(authority)).map(|request| request.url)
        };
        let path = "/contoso.example/oauth2/v2.0/token";
        let us = "https://login.microsoftonline.us";
        assert_eq!(to(&format!("{us}/")), Ok(format!("{us}{path}")));
        let local = "http://127.0.0.1:8080";
        assert_eq!(to(local), Ok(format!("{local}{path}")));
        for refused in ["http://login.microsoftonline.com", "https://a.b/c", "https://a@b", ""] {
            let error = to(refused).unwrap_err();
            assert_eq!(error.code(), "invalid-authority", "{refused}");
        }
    }

    #[test]
    fn a_tenant_that_would_change_the_path_is_refused() {
        for tenant in ["", "a/b", "..%2f", "a?b", "a b"] {
            let tenant = tenant.to_owned();
            let error = request(&ClientSecret { tenant, ..credentials() }, URI, None).unwrap_err();
            assert_eq!(error.code(), "invalid-tenant");
        }
    }

    #[test]
    fn a_token_is_read_with_its_end() {
        let body = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"abc","more":1}"#;
        let token = read(&response(200, body), AT).unwrap();
        assert_eq!((&*token.value, token.expires_at), ("abc", 3_600_000_000));
        assert!(!format!("{token:?}").contains("abc"));
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        for body in [
            "",
            "<html>",
            r#"{"token_type":"mac","expires_in":1,"access_token":"abc"}"#,
            r#"{"token_type":"Bearer","expires_in":1,"access_token":""}"#,
            r#"{"token_type":"Bearer","expires_in":1,"access_token":"abc\r\nx: y"}"#,
            r#"{"token_type":"Bearer","access_token":"abc"}"#,
        ] {
            let error = read(&response(200, body), AT).unwrap_err();
            assert_eq!(error.code(), "login-unavailable", "{body}");
            assert!(!format!("{error} {error:?}").contains("abc"));
        }
    }

    #[test]
    fn a_refusal_is_told_from_an_outage_and_shows_no_prose() {
        let body = r#"{"error":"invalid_client","error_codes":[7000215],
            "error_description":"the secret hunter2 is wrong"}"#;
        let error = read(&response(401, body), AT).unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("401, invalid_client, AADSTS7000215"), "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let odd = r#"{"error":"HUNTER2 hunter2"}"#;
        assert!(!read(&response(400, odd), AT).unwrap_err().to_string().contains("unter2"));
        for status in [408, 429, 500, 503] {
            let error = read(&response(status, body), AT).unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        }
    }
}
