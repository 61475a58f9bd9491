//! The verbs of reports.

use super::{Places, Which};
use clap::Subcommand;
use std::path::PathBuf;

/// `privet report …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Report {
    /// The report of the newest run
    Run(Which),
    /// What protects registrants, as the registries hold it: locks, leaks through roles, what proxies left behind, the relay's map,
    /// reminders
    Protection(Which),
    /// The registers: which cases are open, what is due, what is amiss
    Registers {
        /// The country whose working days count (ISO 3166-1, two letters); Monday to Friday otherwise
        #[arg(long, value_name = "CC")]
        country: Option<String>,
        #[command(flatten)]
        places: Places,
    },
    /// Whether registrants' data are right, what is withheld, how lines are secured, which product uses which data, what asks for an
    /// impact assessment
    Oversight(Which),
    /// What plans of erasure deleted at registries, what proves it, and what is left
    Erasure(Which),
    /// Consent to what is given to providers: what is given without, what orders do meanwhile, and what came of asking
    Consent(Which),
    /// The record of processing activities (GDPR Art. 30), each cell with how it is known
    Record(Which),
    /// What somebody filled in on the sheet `declared` of a record.xlsx, as the [controller] of privet.toml
    Declared {
        /// The workbook
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// A data escrow deposit against local records and registries: what is missing, too much, another value, or masked
    #[command(after_help = ESCROW)]
    Escrow {
        /// The directory with the files of one deposit, decrypted and unpacked
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        which: Which,
    },
    /// How long is kept what of whom: what is retained, due and overdue, by which rule
    Retention {
        /// Try this rule pack on today's data, in place of the one in force
        #[arg(long, value_name = "FILE")]
        what_if: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// What of registrants the public sees and by what, where that is more or less than was promised, and what is held without need
    Exposure {
        /// Tell as well what this plan would make of it
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
}

const ESCROW: &str = "\
A deposit is CSV files with a header: domains (`…_RDE_…_full…` or `…_inc…`), handles (`…_hdl…`), and the SHA-256 digests of both (`…_hash…`). \
Values are compared and never shown. Where errors are found it ends with 11; --fail-on findings counts warnings too.

Example:
  privet report escrow /srv/escrow/2027-01-31 --registry example-thick";
