//! The lines that sessions run over: TCP, TLS, and the loop that moves bytes between them and a pool. Only this module awaits.

mod driver;
mod stop;
mod tcp;
mod tls;

pub use driver::{Endpoint, run};
pub use tls::{TlsFiles, TlsSetup};

#[cfg(test)]
mod tests;
