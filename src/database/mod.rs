//! Databases of this registrar's: the line to a `PostgreSQL` server, and queries whose rows are written into files.

mod copy;
mod line;
#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod tests;

pub use copy::{CopyLimits, Wanted, copy, try_out};
pub use line::{Line, NoLine, PostgresPlace, ServerTls, told};
