//! The lines that sessions run over: TCP, TLS, POSTs over it, and the loop that moves bytes between them and a pool. Only this module awaits.

mod cookies;
mod driver;
mod endpoint;
mod feed;
mod files;
mod https;
mod stop;
mod stream;
mod tcp;
mod tls;

pub use driver::run;
pub use endpoint::Endpoint;
pub use feed::{Fed, Feed};
pub use files::TlsFiles;
pub use tls::TlsSetup;

#[cfg(test)]
mod tests;
