//! The drive loop for a host that blocks on each need: start a call, do what it needs, advance,
//! until it is done.

use super::Store;
use crate::contract::call::Call;
use crate::contract::error::Error;
use crate::contract::http::{HttpAnswer, HttpRequest, Moment};
use crate::contract::outcome::Outcome;
use crate::contract::progress::{Answer, Need, Progress};
use crate::contract::statement::{Batch, RowSet};

/// What the host of a drive loop does.
pub trait World {
    /// Runs a batch in one transaction and returns one row set per statement, in order.
    fn sql(&mut self, batch: Batch) -> Result<Vec<RowSet>, Error>;

    /// Sends a request and returns its answer.
    fn http(&mut self, request: HttpRequest) -> Result<HttpAnswer, Error>;

    /// Lets this many milliseconds pass.
    fn wait(&mut self, milliseconds: u32);

    /// The current time, and 64 new random bits.
    fn moment(&mut self) -> Moment;
}

/// Drives one call to its outcome. Returns the first error of the operation or of the host.
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
