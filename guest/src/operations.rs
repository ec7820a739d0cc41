//! LangGraph's methods: what each asks of its store, and what it makes of the answers.
//!
//! Each operation lists its rounds in its module's comment. No module here depends on a particular
//! store.

pub(crate) mod ask;
mod copy_thread;
mod delete_thread;
mod delta_history;
mod diff;
mod export;
mod found_thread;
mod list;
mod marks;
pub(crate) mod method;
mod outline;
mod page;
mod plan;
mod prune;
mod put;
mod put_writes;
mod records;
pub(crate) mod row;
mod sizes;
mod sweep;
mod threads;
mod tuples;
mod vacuum;
mod verify;

pub(crate) use row::set;
