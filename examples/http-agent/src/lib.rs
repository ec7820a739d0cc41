//! An agent that is a component and serves HTTP. It keeps what it is told, thread by thread;
//! where its checkpoints go is for those to say who compose or run it.
//!
//! | request | does | answer |
//! | --- | --- | --- |
//! | `POST /threads/{id}` with a text | adds a message to the thread | all of its messages |
//! | `GET /threads/{id}` | | the messages; `[]` if there are none |
//!
//! Answers are JSON. An error is `{"code": ..., "message": ...}`: 500 with the store's code, 404
//! for another path, and of the other statuses those that fit. After a 500 of a `POST` the message
//! may have been stored.
//!
//! ```text
//! cargo xtask component
//! cargo run -p example-http-host -- target/components/http-agent.wasm threads.db 127.0.0.1:8080
//! curl -d "it rains" http://127.0.0.1:8080/threads/oslo
//! ```

#![allow(unsafe_code, reason = "the generated exports are `unsafe extern` functions")]

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from wit/, where the documentation is"
)]
mod generated {
    wit_bindgen::generate!({
        // WASI is in wit/kusto/deps. Any other 0.2 does, such as the one of the crate `wasi`.
        path: ["../../wit/checkpoint", "../../wit/kusto"],
        inline: "
            package example:http-agent;

            world served {
                include langgraph:checkpoint/agent@0.1.0;
                include wasi:http/proxy@0.2.0;
            }
        ",
        world: "example:http-agent/served",
        generate_all,
    });
}

mod http;
mod thread;

use generated::langgraph::checkpoint::types::Error;
use generated::wasi::http::types::{IncomingRequest, Method, ResponseOutparam};
use serde_json::{Value, json};

struct Agent;

impl generated::exports::wasi::http::incoming_handler::Guest for Agent {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        match answer(request) {
            Ok(messages) => http::respond(response, 200, &Value::Array(messages)),
            Err(Refusal { status, code, message }) => {
                http::respond(response, status, &json!({"code": code, "message": message}));
            }
        }
    }
}

/// The messages of the thread that the request names, after it.
fn answer(request: IncomingRequest) -> Result<Vec<Value>, Refusal> {
    let path = request.path_with_query().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let thread_id = path
        .strip_prefix("/threads/")
        .filter(|id| !id.is_empty() && !id.contains('/'))
        .ok_or_else(|| Refusal::new(404, "no-such-path", "ask for /threads/{id}"))?;
    match request.method() {
        Method::Get => thread::messages(thread_id),
        Method::Post => thread::add(thread_id, &http::text(&request)?),
        _ => Err(Refusal::new(405, "no-such-method", "a thread is read by GET, added to by POST")),
    }
}

/// Why there is no answer.
struct Refusal {
    /// Of HTTP.
    status: u16,
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let (status, fault) = match error {
            // The path's text is the thread's id.
            Error::InvalidInput(fault) => (400, fault),
            Error::Corrupt(fault) | Error::UnsupportedFormat(fault) | Error::Protocol(fault) => {
                (500, fault)
            }
            Error::Storage(store) | Error::Unavailable(store) | Error::Denied(store) => {
                (500, store.fault)
            }
        };
        Self { status, code: fault.code, message: fault.message }
    }
}

generated::export!(Agent with_types_in generated);
