//! The words below every layer: identifiers, masked values, time, digests, problems, exits, and the one writer of files.

mod clock;
mod digest;
mod entropy;
mod event;
mod exit;
mod files;
mod ids;
mod masked;
mod problem;
mod sealing;
mod stop;

pub use clock::{Clock, Moment, SystemClock, Timestamp};
pub use digest::{Digest, RowDigest, hex, row_digest};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use event::{Event, Events, Quiet};
pub use exit::Exit;
pub use files::{
    AtomicFile, Lock, StateDir, create_private_dir, may_write, place_tree, read_capped, remove_tree, write_atomic, write_public,
};
pub use ids::{ClTrid, DomainName, ExchangeId, Handle, HostName, RegistryId, RunId};
pub use masked::{Personal, Secret, escape_controls, revealed};
pub use problem::{Blame, Place, Problem, Problems, Result};
pub use sealing::{ObjectKey, ObjectRef, Sealed, ValueDigest};
pub use stop::{PauseFlag, Permit, StopToken};
