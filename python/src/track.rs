//! What a saver remembers of the values that it stored and read last.
//!
//! A value's parts are compared with a copy of what serializing them read. What is unchanged is
//! neither serialized nor stored again; what was read before is made again from the copy.

mod found_histories;
mod histories;
mod kinds;
mod memory;
mod pack;
mod parts;
mod snapshot;
mod tracked;

pub(crate) use found_histories::FoundHistories;
pub(crate) use histories::Histories;
pub(crate) use memory::{Entry, Memory, Remembering, Revival, serialized};
