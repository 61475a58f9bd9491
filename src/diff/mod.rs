//! What a registry holds against what it is expected to hold: typed differences, field by field.

mod bucket;
mod compare;
mod expected;
mod files;
mod hashes;
mod normalise;
mod output;
mod part;
mod summary;
mod tables;

pub use compare::material;
pub use expected::{Hides, PrivacySettings, expected_domain, proxy_contact, proxy_email, proxy_handle, withheld};
pub use files::{DiffSpec, diff_files};
pub use normalise::normalise;
pub use output::{DiffKind, Severity};
pub use part::{Part, put_together};
pub use summary::{DiffSummary, SummaryRow};
pub use tables::{Compared, Expectation, diff, diff_part};
