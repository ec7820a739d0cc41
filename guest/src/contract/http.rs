//! HTTP requests and responses as data. A body may hold a secret or a value, so `Debug` shows only
//! its length.

#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use std::fmt;

/// What only a host can know: the time, and random bits. A store of SQL uses neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct Moment {
    /// Microseconds since 1970, UTC.
    pub now: u64,
    /// 64 random bits.
    pub entropy: u64,
}

/// Whether a request carries the bearer token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(enum))]
#[repr(u8)]
pub enum Authorization {
    /// It does not carry the token.
    #[cfg_attr(feature = "wasmtime", component(name = "none"))]
    None,
    /// It carries the token if the host has one.
    #[cfg_attr(feature = "wasmtime", component(name = "token"))]
    Token,
    /// It carries a token other than the last one, which was refused: the host must get a new one.
    #[cfg_attr(feature = "wasmtime", component(name = "fresh-token"))]
    FreshToken,
}

/// An HTTP request.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
    /// Whether to add the token.
    pub authorization: Authorization,
    /// The host must give up if the whole response has not arrived after this many milliseconds.
    #[cfg_attr(feature = "wasmtime", component(name = "timeout-ms"))]
    pub timeout_ms: u32,
    /// The greatest length of the response's body, also after the host unpacks it. For a longer one
    /// the host answers `TooLarge`.
    #[cfg_attr(feature = "wasmtime", component(name = "response-bytes-max"))]
    pub response_bytes_max: u64,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("authorization", &self.authorization)
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

/// An HTTP response with its whole body.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(record))]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl HttpResponse {
    /// The value of the first header with this name, in any case; `None` if there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

/// What a host answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "wasmtime", derive(ComponentType, Lift, Lower))]
#[cfg_attr(feature = "wasmtime", component(variant))]
pub enum HttpAnswer {
    /// A response of any status.
    #[cfg_attr(feature = "wasmtime", component(name = "response"))]
    Response(HttpResponse),
    /// No response. A word or two for people, without URL, header or body.
    #[cfg_attr(feature = "wasmtime", component(name = "failed"))]
    Failed(String),
    /// The response has a body that is longer than the request allows.
    #[cfg_attr(feature = "wasmtime", component(name = "too-large"))]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_not_shown() {
        let body = b"a secret".to_vec();
        let request = HttpRequest {
            method: "POST".to_owned(),
            url: "https://host/".to_owned(),
            headers: Vec::new(),
            body: body.clone(),
            authorization: Authorization::None,
            timeout_ms: 1,
            response_bytes_max: 1,
        };
        let response = HttpResponse { status: 200, headers: Vec::new(), body };
        let answer = HttpAnswer::Response(response);
        for text in [format!("{request:?}"), format!("{answer:?}")] {
            assert!(text.contains("body_bytes: 8"), "{text}");
            assert!(!text.contains("secret") && !text.contains("97, 32"), "{text}");
        }
    }

    #[test]
    fn a_header_is_found_whatever_its_case() {
        let headers = vec![("Retry-After".to_owned(), "7".to_owned())];
        let response = HttpResponse { status: 429, headers, body: Vec::new() };
        assert_eq!(response.header("retry-after"), Some("7"));
        assert_eq!(response.header("retry"), None);
    }
}
