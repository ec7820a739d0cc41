//! Sends one request through WASI's HTTP and reads the whole response, within a deadline.

use langgraph_checkpoint_guest::{HttpRequest, HttpResponse};

use crate::generated::wasi::http::outgoing_handler;
use crate::generated::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::generated::wasi::io::streams::{OutputStream, StreamError};
use crate::time::{Deadline, TimeIsUp};

/// At most this many bytes of a response are read at a time.
const READ_BYTES: u64 = 256 * 1024;

/// Why there is no response.
pub(crate) enum Failure {
    /// A word or two for people.
    Failed(&'static str),
    /// The response is longer than the request allows.
    TooLarge,
    /// The host does not allow requests to go there.
    NotAllowed,
}

impl From<TimeIsUp> for Failure {
    fn from(_: TimeIsUp) -> Self {
        Self::Failed("no response in time")
    }
}

/// Sends a request, with the token if one is given, and waits for the whole response.
pub(crate) fn send(request: &HttpRequest, token: Option<&str>) -> Result<HttpResponse, Failure> {
    let deadline = Deadline::after(request.timeout_ms);
    let outgoing = outgoing(request, token)?;
    let body = outgoing.body().map_err(|()| Failure::Failed("no body"))?;
    let options = RequestOptions::new();
    let nanoseconds = Some(u64::from(request.timeout_ms) * 1_000_000);
    // A host may not support these; the deadline holds all the same.
    let _ = options.set_connect_timeout(nanoseconds);
    let _ = options.set_first_byte_timeout(nanoseconds);
    let response = outgoing_handler::handle(outgoing, Some(options)).map_err(failure)?;
    // A server may refuse a large body before it has read all of it. So an error while writing the
    // body counts only if there is no response.
    let written = write(body, &request.body, &deadline);
    match (receive(&response, &deadline), written) {
        (Ok(response), _) => read(response, request.response_bytes_max, &deadline),
        (Err(_), Err(Failure::NotAllowed)) => Err(Failure::NotAllowed),
        (Err(failure), _) => Err(failure),
    }
}

fn outgoing(request: &HttpRequest, token: Option<&str>) -> Result<OutgoingRequest, Failure> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.clone(), bytes(value))).collect();
    if !request.body.is_empty() {
        headers.push(("content-length".to_owned(), bytes(&request.body.len().to_string())));
    }
    if let Some(token) = token {
        headers.push(("authorization".to_owned(), bytes(&format!("Bearer {token}"))));
    }
    let headers =
        Fields::from_list(&headers).map_err(|_| Failure::Failed("a header was refused"))?;
    let refused = |()| Failure::Failed("the URL was refused");
    let (scheme, rest) = request.url.split_once("://").ok_or(()).map_err(refused)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    let method = if request.method == "GET" { Method::Get } else { Method::Post };
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method).map_err(refused)?;
    outgoing.set_scheme(Some(&scheme)).map_err(refused)?;
    outgoing.set_authority(Some(authority)).map_err(refused)?;
    outgoing.set_path_with_query(Some(path)).map_err(refused)?;
    Ok(outgoing)
}

fn write(body: OutgoingBody, bytes: &[u8], deadline: &Deadline) -> Result<(), Failure> {
    let broken = |_: StreamError| Failure::Failed("the connection broke off");
    let stream = body.write().map_err(|()| Failure::Failed("no body"))?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = room(&stream, deadline)?;
        let (part, after) = rest.split_at(room.min(rest.len()));
        stream.write(part).map_err(broken)?;
        rest = after;
    }
    stream.flush().map_err(broken)?;
    room(&stream, deadline)?;
    // A stream is a child of its body and must be dropped first.
    drop(stream);
    OutgoingBody::finish(body, None).map_err(failure)
}

/// Waits until there is room to write, and returns how many bytes.
fn room(stream: &OutputStream, deadline: &Deadline) -> Result<usize, Failure> {
    loop {
        match stream.check_write() {
            Ok(0) => deadline.wait_for(&stream.subscribe())?,
            Ok(room) => return Ok(usize::try_from(room).unwrap_or(usize::MAX)),
            Err(_) => return Err(Failure::Failed("the connection broke off")),
        }
    }
}

fn receive(
    response: &FutureIncomingResponse,
    deadline: &Deadline,
) -> Result<IncomingResponse, Failure> {
    deadline.wait_for(&response.subscribe())?;
    match response.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(failure(code)),
        Some(Err(())) | None => Err(Failure::Failed("the response was lost")),
    }
}

fn read(
    response: IncomingResponse,
    most: u64,
    deadline: &Deadline,
) -> Result<HttpResponse, Failure> {
    let status = response.status();
    let headers = response.headers().entries().into_iter();
    let headers =
        headers.map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect();
    let body = response.consume().map_err(|()| Failure::Failed("the response was lost"))?;
    let body = read_body(&body, most, deadline)?;
    Ok(HttpResponse { status, headers, body })
}

fn read_body(body: &IncomingBody, most: u64, deadline: &Deadline) -> Result<Vec<u8>, Failure> {
    let stream = body.stream().map_err(|()| Failure::Failed("the response was lost"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.read(READ_BYTES) {
            Ok(part) if part.is_empty() => deadline.wait_for(&stream.subscribe())?,
            Ok(part) => bytes.extend_from_slice(&part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(Failure::Failed("the response broke off"));
            }
        }
        if bytes.len() as u64 > most {
            return Err(Failure::TooLarge);
        }
    }
}

/// A failure for an error of the host's. The texts in the error are left out, because they may come
/// from elsewhere.
fn failure(code: ErrorCode) -> Failure {
    Failure::Failed(match code {
        ErrorCode::HttpRequestDenied => return Failure::NotAllowed,
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            "the host name was not found"
        }
        ErrorCode::ConnectionRefused | ErrorCode::DestinationUnavailable => {
            "the connection was refused"
        }
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => "no response in time",
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => "TLS failed",
        _ => "the connection broke off",
    })
}
