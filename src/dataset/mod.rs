//! dataset

mod table;

pub use table::{Column, write_table};
