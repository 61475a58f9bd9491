//! `privet.toml`: the one file an operator writes. It is read whole, told about whole, and every value knows where it came from.
//!
//! The defaults are a file of the same form (`privet.toml` beside this module), which is also what `privet init` writes.

mod agents;
mod consent;
mod document;
mod gates;
mod init;
mod limits;
mod nightly;
mod objects;
mod origin;
mod packs;
mod proof;
mod read;
mod records;
mod registry;
mod secret;
mod store;
mod table;
mod types;

pub use init::{TEMPLATE, init};
pub use origin::{Given, Origin, Setting};
pub use read::Environment;
pub use secret::{SecretRead, SecretSource};
pub use types::{
    Agent, Applying, Asking, Brand, ByDefault, Config, Database, Dns, Escrow, Gates, Loaded, Nightly, Objects, Poll, Proof, Queried,
    Records, RegistryConfig, Retention, SharedStore,
};
