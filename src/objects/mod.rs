//! Object storage of this registrar's, S3-compatible: files are put there, listed and removed.

mod bucket;
mod place;

pub use bucket::{Bucket, Put, There};
pub use place::{Encryption, ObjectsPlace, PlaceFault};
