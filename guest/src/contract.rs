//! What crosses between a caller, a planner and a host, as plain data.

pub mod call;
pub(crate) mod config;
pub mod difference;
pub mod error;
pub mod http;
pub mod lifecycle;
pub mod outcome;
pub mod progress;
pub mod statement;
pub mod status;
pub mod whole;
