//! What the fuzz targets share: calls, rows, responses and values made from the fuzzer's bytes.

pub mod calls;
pub mod forge;
pub mod parts;
pub mod responses;
pub mod rows;
