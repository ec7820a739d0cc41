//! Values: split at boundaries, stored in chunks, joined and verified.
//!
//! A value's bytes are never changed: what comes back is what went in, byte for byte.

pub(crate) mod base;
pub(crate) mod build;
pub(crate) mod hash;
pub(crate) mod join;
pub(crate) mod piece;
pub(crate) mod refs;
pub(crate) mod shared;
pub(crate) mod split;
