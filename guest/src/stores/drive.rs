//! The loop of a host that waits for each need: start a call, do what it needs, advance, until it
//! is done.

use super::Store;
use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::http::{HttpAnswer, HttpRequest, Moment};
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Need, Progress};
use crate::contract::statement::{Batch, RowSet};

/// What such a host does.
pub trait World {
    /// Runs a batch in one transaction, returns one row set per statement.
    fn sql(&mut self, batch: Batch) -> Result<Vec<RowSet>, Error>;

    /// Sends a request.
    fn http(&mut self, request: HttpRequest) -> Result<HttpAnswer, Error>;

    /// Lets so many milliseconds pass.
    fn wait(&mut self, milliseconds: u32);

    /// This moment.
    fn moment(&mut self) -> Moment;
}

/// Drives one call to its outcome.
pub fn drive(store: &Store, call: Call, world: &mut impl World) -> Result<Outcome, Error> {
    let (mut operation, mut progress) = store.start(call, world.moment())?;
    loop {
        let answer = match progress {
            Progress::Done(outcome) => return Ok(outcome),
            Progress::Need(Need::Sql(batch)) => Answer::Sql(world.sql(batch)?),
            Progress::Need(Need::Http(request)) => Answer::Http(world.http(request)?),
            Progress::Need(Need::Wait(milliseconds)) => {
                world.wait(milliseconds);
                Answer::Waited
            }
        };
        progress = operation.advance(answer, world.moment())?;
    }
}
