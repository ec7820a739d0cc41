//! LangGraph's methods: what each asks of a store, and what it makes of the answers.
//!
//! Each operation says at its top which rounds it takes. No module here knows a store.

pub(crate) mod ask;
mod delete_thread;
mod delta_history;
mod list;
pub(crate) mod method;
mod page;
mod put;
mod put_writes;
pub(crate) mod row;
mod sizes;
mod tuples;

pub(crate) use row::set;
