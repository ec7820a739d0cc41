//! The stores: what each makes of what an operation asks.

#[cfg(feature = "kusto")]
pub mod kusto;
pub(crate) mod sqlite;
