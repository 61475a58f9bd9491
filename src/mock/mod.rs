//! The bundled registries: a registry's behaviour without a line, and a TLS server around it. Decoding commands and encoding answers
//! is this module's own code, so that client and server cannot share one mistake.
//!
//! ```text
//!   socket ─ frame ─► decode ─► core ─► registry ─► encode ─ payload ─► faults ─ deliveries ─► socket
//! ```
//!
//! Everything but `server` is without I/O: bytes and the time go in, bytes and lines for the disk come out.

mod announce;
mod check;
mod conduct;
mod core;
mod damage;
mod decode;
mod dns_check;
mod effect;
mod encode;
mod faults;
pub mod fleet;
mod holdings;
mod identity;
mod journal;
mod knobs;
mod later;
mod life;
mod messages;
mod points;
mod registry;
mod rri;
mod run;
mod sans;
mod server;
mod subject;
mod tongue;
mod transfer;
mod update;

pub use journal::Committed;
pub use knobs::{FaultSpec, IdleAnswer, Knobs, OverLimit};
pub use sans::{Effected, Held, Objects, Reply, Sans, Visit};
pub use server::{Options, Served, start};

#[cfg(test)]
mod tests;
