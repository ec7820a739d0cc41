//! What a saver remembers of the values that it stored and read last.
//!
//! A value's parts are compared with a copy of what serializing them read. What is unchanged is
//! neither serialized nor stored again; what was read before is made again from the copy.

mod kinds;
mod memory;
mod parts;
mod snapshot;
mod tracked;

pub(crate) use memory::{Entry, Memory, Remembering, Revival};
