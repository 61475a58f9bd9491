//! The lines that sessions run over: TCP, TLS, and the loop that moves bytes between them and a pool. Only this module awaits.

mod driver;
mod files;
mod stop;
mod tcp;
mod tls;

pub use driver::{Endpoint, run};
pub use files::TlsFiles;
pub use tls::TlsSetup;

#[cfg(test)]
mod tests;
