//! The checkpointer on Kusto (Azure Data Explorer). The words are those of `wit/kusto.wit`,
//! where each is documented in full.

pub mod connection;
pub mod http;
pub mod token;
