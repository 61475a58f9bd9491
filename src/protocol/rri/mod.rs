//! DENIC's RRI 5.0: requests into frames, frames into answers, in the XML and in the key/value form.
//!
//! Both forms share one sheet of fields: the tables of `word` say how each field is written in either form, and `request`, `contact`,
//! `domain` and `answer` say once what it means. `change` makes whole objects of changes in the terms that all registries share.

mod answer;
mod change;
mod code;
mod contact;
mod domain;
mod further;
mod kv;
mod request;
mod sheet;
mod word;
mod xml;

pub use answer::{Undecodable, decode, decode_key_value};
pub use change::{complete, reads_first};
pub use code::{Meaning, meaning};
pub use request::{command_name, encode, encode_key_value};

#[cfg(test)]
mod tests;
