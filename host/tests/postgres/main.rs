//! The checkpointer on a real PostgreSQL: that of `POSTGRES_URL`, or one that the tests start.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "component")]
mod agents;
mod calls;
mod connections;
mod evil_agent;
mod proxy;
mod races;
mod restart;
mod rights;
mod server;
mod tls;
