//! Sends one request, and tries again until it succeeds, is refused for good, or the call's time is
//! up.

use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;

use super::failure::{self, Class, Failure};
use super::frames::{self, Table, Tables, Unreadable};
use super::io::Io;
use super::options::Options;
use super::query::Query;
use crate::contract::error::Error;
use crate::contract::http::{Authorization, HttpAnswer, HttpRequest, HttpResponse};

/// Where queries are sent.
const QUERY_PATH: &str = "/v2/rest/query";
/// The first pause after a failure that may pass. Each following pause is twice as long.
const PAUSE_MS: u64 = 100;
/// The first pause after the service was out of capacity.
const THROTTLED_PAUSE_MS: u64 = 1_000;
/// The longest pause.
const PAUSE_MS_MAX: u64 = 10_000;
/// The shortest time that one attempt gets, if that much is left.
const ATTEMPT_MS_MIN: u64 = 5_000;
/// The longest time that one attempt gets.
const ATTEMPT_MS_MAX: u64 = 240_000;
/// The most bytes of a response, packed or unpacked: twice what the service puts in a result.
const RESPONSE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// The name of this package, for people who look at the cluster.
const APPLICATION: &str = concat!("langgraph-checkpoint-wasm/", env!("CARGO_PKG_VERSION"));

/// Sends the requests of one call.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) io: Io,
    pub(crate) options: std::rc::Rc<Options>,
    /// When the call gives up, in microseconds since 1970.
    pub(crate) deadline: u64,
    /// LangGraph's name of the call.
    pub(crate) name: &'static str,
}

/// Whether a request may change what is stored: all do but queries.
pub fn changes(request: &HttpRequest) -> bool {
    !request.url.ends_with(QUERY_PATH)
}

/// What a request is, which decides how its response is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A query that returns this many tables.
    Query(usize),
    /// A command that shows something and changes nothing.
    Show,
    /// A command that changes something.
    Command,
    Ingest,
}

impl Kind {
    /// Whether a failed attempt may have changed something.
    fn changes(self) -> bool {
        matches!(self, Self::Command | Self::Ingest)
    }
}

impl Sender {
    /// The sender of a call that starts at this moment.
    pub(crate) fn new(io: Io, options: std::rc::Rc<Options>, name: &'static str) -> Self {
        let deadline = io.now().saturating_add(options.deadline);
        Self { io, options, deadline, name }
    }

    /// Begins the time of a call anew.
    pub(crate) fn begin(&mut self) {
        self.deadline = self.io.now().saturating_add(self.options.deadline);
    }

    /// Runs a query and returns its tables.
    pub(crate) async fn query(&self, query: &Query) -> Result<Result<Vec<Table>, Failure>, Error> {
        let body = query.body(&self.options, self.milliseconds_left());
        self.send(Kind::Query(query.tables()), QUERY_PATH, body, false).await
    }

    /// Runs a command that changes nothing and returns its tables.
    pub(crate) async fn show(&self, text: &str) -> Result<Result<Vec<Table>, Failure>, Error> {
        self.manage(Kind::Show, text).await
    }

    /// Runs a command that changes something and returns its tables.
    pub(crate) async fn command(&self, text: &str) -> Result<Result<Vec<Table>, Failure>, Error> {
        self.manage(Kind::Command, text).await
    }

    async fn manage(&self, kind: Kind, text: &str) -> Result<Result<Vec<Table>, Failure>, Error> {
        let body = json!({ "db": self.options.database, "csl": text }).to_string();
        self.send(kind, "/v1/rest/mgmt", body.into_bytes(), false).await
    }

    /// Streams packed rows into a table.
    pub(crate) async fn stream(
        &self,
        table: &str,
        packed: Vec<u8>,
    ) -> Result<Result<(), Failure>, Error> {
        let path = self.options.ingest_path(table);
        Ok(self.send(Kind::Ingest, &path, packed, true).await?.map(|_| ()))
    }

    async fn send(
        &self,
        kind: Kind,
        path: &str,
        body: Vec<u8>,
        packed: bool,
    ) -> Result<Result<Vec<Table>, Failure>, Error> {
        let mut authorization =
            if self.options.trusted { Authorization::Token } else { Authorization::None };
        let mut maybe_done = false;
        for attempt in 0_u32.. {
            let id = format!("LGW.{};{:016x};{attempt}", self.name, self.io.at().entropy);
            let request = self.request(path, &body, packed, authorization, &id);
            let (class, what) = match self.io.http(request).await? {
                HttpAnswer::Failed(what) => {
                    maybe_done |= kind.changes();
                    let short = what.chars().filter(|c| !c.is_control()).take(60);
                    (Class::Transient, short.collect())
                }
                HttpAnswer::TooLarge => {
                    maybe_done |= kind.changes();
                    (Class::ResultTooLarge, "a response that is too long".to_owned())
                }
                HttpAnswer::Response(response) => {
                    let status = response.status;
                    match read(kind, response) {
                        Ok(tables) => return Ok(Ok(tables)),
                        Err((class, code)) => {
                            maybe_done |= kind.changes() && (status >= 500 || status == 200);
                            (class, format!("status {status} {code}"))
                        }
                    }
                }
            };
            let words = format!("{}, request {id}", what.trim());
            let failure = Failure { class, words, maybe_done };
            match class {
                Class::Unauthorized if authorization == Authorization::Token => {
                    authorization = Authorization::FreshToken;
                    continue;
                }
                Class::Transient | Class::Unreadable | Class::Throttled(_) => {}
                _ => return Ok(Err(failure)),
            }
            let pause = self.pause(class, attempt);
            if self.milliseconds_left() <= pause {
                return Ok(Err(failure));
            }
            self.io.wait(pause.try_into().unwrap_or(u32::MAX)).await?;
        }
        Err(Error::protocol("endless-attempts", "a request was tried without end"))
    }

    fn request(
        &self,
        path: &str,
        body: &[u8],
        packed: bool,
        authorization: Authorization,
        id: &str,
    ) -> HttpRequest {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            header("accept", "application/json"),
            header("accept-encoding", "gzip"),
            header("content-type", "application/json; charset=utf-8"),
            header("x-ms-app", APPLICATION),
            header("x-ms-client-request-id", id),
            header("x-ms-version", "2024-12-12"),
        ];
        if packed {
            headers.push(header("content-encoding", "gzip"));
        }
        // One attempt that hangs must leave time for another.
        let left = self.milliseconds_left();
        let timeout = (left * 2 / 3).max(ATTEMPT_MS_MIN).min(left).clamp(1, ATTEMPT_MS_MAX);
        HttpRequest {
            method: "POST".to_owned(),
            url: self.options.url(path),
            headers,
            body: body.to_vec(),
            authorization,
            timeout_ms: timeout.try_into().unwrap_or(u32::MAX),
            response_bytes_max: RESPONSE_BYTES_MAX,
        }
    }

    /// The time left for the call, in milliseconds.
    pub(crate) fn milliseconds_left(&self) -> u64 {
        self.deadline.saturating_sub(self.io.now()) / 1000
    }

    /// The pause before the next attempt, in milliseconds. It grows with each attempt, and has a
    /// random part, so that calls that were refused together do not come back together.
    fn pause(&self, class: Class, attempt: u32) -> u64 {
        let (first, least) = match class {
            Class::Throttled(seconds) => (THROTTLED_PAUSE_MS, seconds.unwrap_or_default()),
            _ => (PAUSE_MS, 0),
        };
        let pause = first.saturating_mul(1 << attempt.min(16)).min(PAUSE_MS_MAX);
        let pause = pause + self.io.at().entropy % (pause / 2 + 1);
        // The service may name less than is needed, even 0.
        pause.max(u64::from(least) * 1000)
    }
}

/// The tables of a response, or the class of its error with the service's code.
fn read(kind: Kind, mut response: HttpResponse) -> Result<Vec<Table>, (Class, String)> {
    // Clients that unpack a body may keep the header, so the bytes decide.
    if response.body.starts_with(&[0x1f, 0x8b]) {
        response.body = match unpacked(&response.body, RESPONSE_BYTES_MAX) {
            Ok(Some(body)) => body,
            Ok(None) => return Err((Class::ResultTooLarge, "too long".to_owned())),
            Err(_) => return Err((Class::Transient, "cut off".to_owned())),
        };
    }
    if !(200..300).contains(&response.status) {
        let (class, refusal) = failure::of_response(&response, kind == Kind::Ingest);
        return Err((class, refusal.code));
    }
    let tables = match kind {
        Kind::Query(expected) => frames::frames(&response.body, expected),
        Kind::Show | Kind::Command => frames::tables(&response.body),
        Kind::Ingest => frames::ingested(&response.body),
    };
    match tables {
        Ok(Tables::Whole(tables)) => Ok(tables),
        // A proxy may have answered, or the response broke off.
        Err(Unreadable) => Err((Class::Unreadable, "unreadable".to_owned())),
        Ok(Tables::Failed(refusal)) => {
            let class = match failure::of_refusal(&refusal) {
                // The query was accepted and then failed: try again, unless the service says it is
                // permanent.
                Class::Permanent if refusal.permanent.is_none() => Class::Transient,
                class => class,
            };
            Err((class, refusal.code))
        }
    }
}

/// Unpacks a body; `None` if it has more than `most` bytes.
fn unpacked(body: &[u8], most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut whole = Vec::new();
    GzDecoder::new(body).take(most.saturating_add(1)).read_to_end(&mut whole)?;
    Ok(Some(whole).filter(|whole| whole.len() as u64 <= most))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_body_is_unpacked_up_to_a_limit_and_no_further() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&[b' '; 100_000]).unwrap();
        let body = encoder.finish().unwrap();
        assert_eq!(unpacked(&body, 100_000).unwrap().map(|body| body.len()), Some(100_000));
        assert_eq!(unpacked(&body, 99_999).unwrap(), None);
        assert!(unpacked(&body[..20], 100_000).is_err());
    }
}
