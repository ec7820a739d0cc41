//! Calls that write and were made together: their rows are sent in one ingest, and one look for a
//! tombstone acknowledges all puts of a thread.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{self, Call};
use super::failure::Class;
use super::ingest::{Broken, ingest};
use super::memory::Shared;
use super::row::{CHUNK, LogRow, hash_text};
use super::send::Sender;
use super::write::{Attempt, PUTTING, Tombstones, WRITING};
use crate::contract::config::thread_of;
use crate::contract::error::Error;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::operations::ask::{Ask, NewCheckpoint, NewWrites, Step};
use crate::operations::method::{Begun, Method};

/// A call that is ready to write.
struct Member {
    position: usize,
    call: Call,
    method: Method,
    write: Write,
}

enum Write {
    Put(NewCheckpoint),
    PutWrites(NewWrites),
}

/// The results of calls that were made together, in their order.
pub type Ended = Vec<Result<Outcome, Error>>;

/// The result of each call by its position.
type ByPosition = BTreeMap<usize, Result<Outcome, Error>>;

/// Runs calls to their ends. Their order is kept as far as one relies on another.
pub(super) async fn run(
    sender: &Sender,
    shared: &Shared,
    calls: Vec<crate::contract::call::Call>,
) -> Ended {
    let mut ended = ByPosition::new();
    let mut group = Vec::new();
    for (position, call) in calls.into_iter().enumerate() {
        let begun = begin(sender, shared, call, position, &mut group, &mut ended).await;
        match begun {
            Ok(Some(member)) => group.push(member),
            Ok(None) => {}
            Err(error) => {
                ended.insert(position, Err(error));
            }
        }
        if sender.options.write_behind() {
            // With write-behind the call sends nothing, so there is nothing to share.
            alone(std::mem::take(&mut group), &mut ended).await;
        }
    }
    write(sender, shared, group, &mut ended).await;
    ended.into_values().collect()
}

/// Runs a call up to its write. If it must first read what the group may write, the group is
/// written before. Returns `None` if the call has ended without a write.
async fn begin(
    sender: &Sender,
    shared: &Shared,
    call: crate::contract::call::Call,
    position: usize,
    group: &mut Vec<Member>,
    ended: &mut ByPosition,
) -> Result<Option<Member>, Error> {
    let thread_id = thread_of(&call);
    let Begun::Method(mut method, mut step) = Method::start(call)? else {
        return Err(Error::protocol(
            "no-write",
            "only calls of `put` and `put_writes` can be made together; begin this one alone",
        ));
    };
    let mut call = Call::new(sender.clone(), shared.clone(), thread_id);
    loop {
        let asks = match step {
            Step::Done(outcome) => {
                ended.insert(position, Ok(outcome));
                return Ok(None);
            }
            Step::Ask(asks) => asks,
        };
        let mut sets = Vec::with_capacity(asks.len());
        for ask in asks {
            match ask {
                Ask::Put(new) => {
                    return Ok(Some(Member { position, call, method, write: Write::Put(new) }));
                }
                Ask::PutWrites(new) => {
                    return Ok(Some(Member {
                        position,
                        call,
                        method,
                        write: Write::PutWrites(new),
                    }));
                }
                ask => {
                    if matches!(ask, Ask::Channels { .. }) {
                        write(sender, shared, std::mem::take(group), ended).await;
                    }
                    sets.push(RowSet { rows: call.answer(ask).await? });
                }
            }
        }
        step = method.advance(&sets)?;
    }
}

/// Writes the rows of a group's calls in one ingest.
async fn write(sender: &Sender, shared: &Shared, group: Vec<Member>, ended: &mut ByPosition) {
    if group.len() < 2 {
        return alone(group, ended).await;
    }
    let carried = carried(&group);
    let attempt = |member: &Member| match &member.write {
        Write::Put(new) => member.call.attempt(new, carried.get(&new.thread_id)),
        Write::PutWrites(new) => member.call.writes_attempt(new).map(Some),
    };
    let mut attempts: Vec<_> = group.iter().map(attempt).collect();
    let revs = attempts.iter().flatten().flatten().map(|attempt| attempt.oldest);
    let oldest = revs.min().unwrap_or_default();
    let rows = || attempts.iter().flatten().flatten().flat_map(|attempt| attempt.rows.iter());
    // Chunks come before the rows that refer to them, whichever call has them.
    let is_chunk = |row: &&LogRow| row.kind == CHUNK;
    let (chunks, others): (Vec<_>, Vec<_>) = rows().partition(is_chunk);
    let rows: Vec<LogRow> = chunks.into_iter().chain(others).cloned().collect();
    match ingest(sender, shared, &rows).await {
        // One call may be to blame for all.
        Ok(Err(broken)) if matches!(broken.failure.class, Class::TooLarge | Class::Permanent) => {
            alone(group, ended).await;
        }
        sent => {
            if matches!(sent, Ok(Ok(()))) {
                attempts.iter_mut().flatten().flatten().for_each(|attempt| attempt.lay(shared));
            }
            let is_looked_for = |member: &&Member| match &member.write {
                Write::Put(_) => true,
                Write::PutWrites(new) => !member.call.knows_cut(&new.thread_id),
            };
            let looked_for = group.iter().filter(is_looked_for);
            let mut cuts: Cuts = looked_for.map(|member| (member.thread_id(), None)).collect();
            for (member, attempt) in group.into_iter().zip(attempts) {
                let position = member.position;
                ended.insert(position, finish(member, attempt, oldest, &sent, &mut cuts).await);
            }
            // A failure here is harmless: a later query looks again.
            let _ = Call::new(sender.clone(), shared.clone(), None).look_at_much().await;
        }
    }
}

/// The tombstones of each thread that must be checked; `None` until they are found after the
/// ingest.
type Cuts = BTreeMap<String, Option<Result<Tombstones, Error>>>;

impl Member {
    fn thread_id(&self) -> String {
        match &self.write {
            Write::Put(new) => new.thread_id.clone(),
            Write::PutWrites(new) => new.thread_id.clone(),
        }
    }

    /// The tombstones of the thread; `None` if the thread need not be checked.
    async fn cut(&self, doing: &str, cuts: &mut Cuts) -> Result<Option<Tombstones>, Error> {
        let thread_id = self.thread_id();
        let Some(cut) = cuts.get_mut(&thread_id) else { return Ok(None) };
        let found = match cut {
            Some(found) => found.clone(),
            None => self.call.tombstones_after(doing, &thread_id).await,
        };
        *cut = Some(found.clone());
        found.map(Some)
    }
}

/// The hashes of the chunks that the writes of a group send, by thread.
fn carried(group: &[Member]) -> BTreeMap<String, BTreeSet<String>> {
    let mut carried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for member in group {
        if let Write::PutWrites(new) = &member.write {
            let hashes = new.chunks.iter().map(|chunk| hash_text(&chunk.hash));
            carried.entry(new.thread_id.clone()).or_default().extend(hashes);
        }
    }
    carried
}

type Sent = Result<Result<(), Broken>, Error>;

async fn finish(
    mut member: Member,
    attempt: Result<Option<Attempt>, Error>,
    oldest: i64,
    sent: &Sent,
    cuts: &mut Cuts,
) -> Result<Outcome, Error> {
    let doing = match &member.write {
        Write::Put(_) => PUTTING,
        Write::PutWrites(_) => WRITING,
    };
    let rows = match (attempt?, sent) {
        // The put's guard does not hold.
        (None, _) => Vec::new(),
        (Some(_), Err(error)) => return Err(error.clone().after_sending()),
        (Some(attempt), Ok(Err(Broken { failure, partly }))) => {
            return Err(failure.error(doing, *partly || attempt.stored_before));
        }
        (Some(attempt), Ok(Ok(()))) => {
            member.call.has_sent();
            let tombstones =
                member.cut(doing, cuts).await.map_err(|error| member.call.after(error))?;
            let call = &mut member.call;
            let finished = match member.write {
                Write::PutWrites(new) => {
                    call.finish_writes(new, attempt, tombstones.map(|found| found.cut)).await
                }
                // Its chunks may have been sent with the oldest of these rows.
                Write::Put(new) => {
                    let attempt = Attempt { oldest, ..attempt };
                    call.finish_put(new, attempt, tombstones.unwrap_or_default()).await
                }
            };
            finished.map_err(|error| call.after(error))?
        }
    };
    let step =
        member.method.advance(&[RowSet { rows }]).map_err(|error| member.call.after(error))?;
    call::go_on(member.call, member.method, step).await
}

/// Runs calls one after the other.
async fn alone(group: Vec<Member>, ended: &mut ByPosition) {
    for Member { position, call, method, write } in group {
        let ask = match write {
            Write::Put(new) => Ask::Put(new),
            Write::PutWrites(new) => Ask::PutWrites(new),
        };
        ended.insert(position, call::go_on(call, method, Step::Ask(vec![ask])).await);
    }
}
