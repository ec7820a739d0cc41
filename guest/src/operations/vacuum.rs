//! `vacuum`: gives free pages of a file back, one transaction in each call.
//!
//! 1. Read how many pages are free, and whether the file can give them back.
//! 2. Give some back.
//!
//! A crash before the commit leaves them free in the file.

use super::list;
use super::row::rows;
use super::set;
use crate::contract::call::Vacuum as Call;
use crate::contract::error::Error;
use crate::contract::lifecycle::Work;
use crate::contract::outcome::Outcome;
use crate::contract::statement::RowSet;
use crate::format::{FORMAT, decode, encode};
use crate::operations::ask::{Ask, Step};

/// At most this many pages are given back in one transaction: about 1 MB, in a few milliseconds.
const PAGES_MAX: u64 = 256;

/// What SQLite calls `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: i64 = 2;

/// A vacuum under way.
#[derive(Debug)]
pub(super) struct Vacuum {
    /// How many pages may still be given back.
    remaining: u64,
    /// The bytes given back by the calls before this one.
    bytes: u64,
    /// The file as it was read.
    before: Option<Pages>,
}

/// How far a vacuum has come, as a host carries it: format, pages left, and bytes given back.
type Resume = (u8, u64, u64);

/// The pages of a file.
#[derive(Clone, Copy, Debug)]
struct Pages {
    bytes_each: u64,
    all: u64,
    free: u64,
}

impl Vacuum {
    #[inline(never)]
    pub(super) fn start(call: Call) -> Result<(Self, Step), Error> {
        let (remaining, bytes) = match call.resume {
            None => (call.pages.map_or(Ok(i64::MAX as u64), list::limit)?, 0),
            Some(resume) => match decode::<Resume>(&resume) {
                Some((FORMAT, remaining, bytes)) => (remaining, bytes),
                _ => {
                    return Err(Error::protocol(
                        "foreign-resume",
                        "resume was not made by a vacuum of this version; start it anew",
                    ));
                }
            },
        };
        Ok((Self { remaining, bytes, before: None }, Step::ask(Ask::Pages)))
    }

    #[inline(never)]
    pub(super) fn advance(&mut self, sets: &[RowSet]) -> Result<Step, Error> {
        let now = Pages::of(set(sets, 0)?)?;
        let Some(before) = self.before else {
            self.before = Some(now);
            let count = now.free.min(self.remaining).min(PAGES_MAX);
            return match count {
                0 => Ok(Step::Done(Outcome::Worked(self.work(None)))),
                _ => Ok(Step::ask(Ask::GiveBackPages { count })),
            };
        };
        let given_back = before.all.saturating_sub(now.all);
        self.bytes += given_back * before.bytes_each;
        self.remaining = self.remaining.saturating_sub(given_back);
        // Without any progress there is nothing more to give back.
        let is_more = given_back > 0 && now.free > 0 && self.remaining > 0;
        let next = is_more.then(|| encode(&(FORMAT, self.remaining, self.bytes))).transpose()?;
        Ok(Step::Done(Outcome::Worked(self.work(next))))
    }

    fn work(&self, next: Option<Vec<u8>>) -> Work {
        Work { bytes: self.bytes, next, ..Work::default() }
    }
}

impl Pages {
    /// The answer to `Ask::Pages`.
    fn of(set: &RowSet) -> Result<Self, Error> {
        let Some(mut row) = rows(set, "the database's file").next() else {
            return Err(Error::protocol(
                "wrong-row-sets",
                "the numbers of a file's pages have no row; answer with one",
            ));
        };
        let mode = row.integer("auto_vacuum")?;
        let mut count = |column| row.integer(column).map(i64::unsigned_abs);
        let pages =
            Self { bytes_each: count("page_size")?, all: count("pages")?, free: count("free")? };
        if mode == INCREMENTAL {
            return Ok(pages);
        }
        Err(Error::invalid(
            "no-incremental-vacuum",
            format!(
                "the file was made without auto_vacuum = INCREMENTAL, so its {} free pages stay \
                 in it until they are used again; to give them back, run VACUUM",
                pages.free
            ),
        ))
    }
}
