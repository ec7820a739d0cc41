//! The interface `connection`.

use langgraph_checkpoint_guest::kusto::ConnectOptions;
use langgraph_checkpoint_guest::kusto::connection::{self, Connection, Login};
use langgraph_checkpoint_guest::{Call, Error, Fault, UnshownCall};

use crate::connected::Connected;
use crate::generated::exports::langgraph::checkpoint_kusto::connection::Guest;
use crate::{CACHE, CONNECTED, Checkpointer, on_store};

impl Guest for Checkpointer {
    fn parse_connection_string(text: String) -> Result<Connection, Error> {
        connection::parse(&text)
    }

    fn connect(options: ConnectOptions) -> Result<(), Error> {
        if let Login::Token(token) = &options.login {
            check(token)?;
        }
        let connected = Connected::open(options)?;
        CACHE.take();
        CONNECTED.set(Some(connected));
        Ok(())
    }

    fn renew_token(token: String) -> Result<(), Error> {
        check(&token)?;
        on_store(|connected| connected.renew_token(token))
    }

    fn setup() -> Result<(), Error> {
        on_store(|connected| connected.run(Call::Setup).map(|_| ()))
    }

    fn flush() -> Result<(), Error> {
        on_store(Connected::flush)
    }

    fn flush_due() -> Option<u64> {
        CONNECTED.with_borrow(|connected| connected.as_ref()?.flush_due())
    }

    fn unshown() -> Vec<UnshownCall> {
        CONNECTED
            .with_borrow(|connected| connected.as_ref().map(Connected::unshown).unwrap_or_default())
    }

    fn await_shown(calls: Vec<UnshownCall>) -> Result<(), Error> {
        on_store(|connected| {
            connected.await_shown(calls);
            Ok(())
        })
    }

    fn take_warning() -> Option<String> {
        CONNECTED.with_borrow(|connected| connected.as_ref()?.take_warning())
    }
}

/// Refuses a token that is not usable as the value of one header.
fn check(token: &str) -> Result<(), Error> {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::InvalidInput(Fault {
        code: "invalid-token".to_owned(),
        message: "the token is empty or holds characters that no bearer token has; pass it as \
                  it was issued"
            .to_owned(),
    }))
}
