//! Requests and responses of WASI, as texts.

use serde_json::Value;

use crate::Refusal;
use crate::generated::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::generated::wasi::io::streams::StreamError;

/// The longest message.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// What `blocking-write-and-flush` takes at once.
const WRITE_BYTES_MAX: usize = 4096;

/// The body of a request.
pub(crate) fn text(request: &IncomingRequest) -> Result<String, Refusal> {
    let broken = || Refusal::new(400, "broken-body", "the body ended early");
    let body = request.consume().map_err(|()| broken())?;
    let stream = body.stream().map_err(|()| broken())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(read) => bytes.extend(read),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(broken()),
        }
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Refusal::new(413, "body-too-large", "a message has at most 1 MiB"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Refusal::new(400, "no-text", "the body is not UTF-8"))
}

/// Answers with JSON. One who has gone gets none of it, or a part.
pub(crate) fn respond(out: ResponseOutparam, status: u16, json: &Value) {
    let headers = Fields::new();
    let kind = [b"application/json".to_vec()];
    let described = headers.set("content-type", &kind);
    let response = OutgoingResponse::new(headers);
    let (Ok(()), Ok(()), Ok(body)) = (described, response.set_status_code(status), response.body())
    else {
        return; // The host answers where nothing was set.
    };
    ResponseOutparam::set(out, Ok(response));
    let Ok(stream) = body.write() else { return };
    for part in json.to_string().as_bytes().chunks(WRITE_BYTES_MAX) {
        if stream.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
    drop(stream);
    // An error here would reach nobody: what was sent is cut short.
    let _ = OutgoingBody::finish(body, None);
}
