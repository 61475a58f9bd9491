//! The bundled registries: a registry's behaviour without a line, and a TLS server around it. Decoding commands and encoding answers
//! is this module's own code, so that client and server cannot share one mistake.

pub mod fleet;
