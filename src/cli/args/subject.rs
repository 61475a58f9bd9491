//! `privet subject …`.

use super::Places;
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

const FIND: &str = "\
Handles and names of domains are told, and no value of the person. Local records, the newest snapshots, the consent ledger, the
registers and the vault are looked through.

Examples:
  privet subject find --registry example --handle C-100
  privet subject find --text email=address.txt";

const EXPORT: &str = "\
DIR/bundle is for the person: everything in clear, and of nobody else (GDPR Art. 15), with portability/ in it (Art. 20). DIR/audit.json
is for the controller: what was looked through and found, without a value.

Example:
  privet subject export answer-17 --case r-17";

const ERASE: &str = "\
Ends with 20 where a hold stands, or a rule of retention keeps the data. Records and registries are not touched: what stays is told.
The evidence is a folder of its own below the reports, with a proof.

Example:
  privet subject erase --case r-17 --despite d-2026-4 --by dpo";

/// What is done about a person.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SubjectVerb {
    /// Tell where a person's data stand
    #[command(after_help = FIND)]
    Find {
        #[command(flatten)]
        who: SubjectWho,
        #[command(flatten)]
        places: Places,
    },
    /// Write what is held of a person, for that person
    #[command(after_help = EXPORT)]
    Export {
        /// A new folder
        dir: PathBuf,
        #[command(flatten)]
        who: SubjectWho,
        /// Count working days by the public holidays of this country [default: Monday to Friday]
        #[arg(long, value_name = "CC")]
        country: Option<String>,
        #[command(flatten)]
        places: Places,
    },
    /// Erase a person from ledger, registers, vault and the tables of earlier runs, and leave the evidence
    #[command(after_help = ERASE)]
    Erase {
        #[command(flatten)]
        who: SubjectWho,
        /// Although a rule keeps the data: the number of the decision
        #[arg(long, value_name = "REASON")]
        despite: Option<String>,
        /// Who erases, as the evidence is to name them
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        places: Places,
    },
}

/// Who is meant.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct SubjectWho {
    /// The registry of the handle
    #[arg(long, value_name = "ID", requires = "handle")]
    pub(in crate::cli) registry: Option<String>,
    /// Whose contact has this handle
    #[arg(long, value_name = "H")]
    pub(in crate::cli) handle: Option<String>,
    /// The subject of this id in the ledgers
    #[arg(long, value_name = "ID", conflicts_with = "handle")]
    pub(in crate::cli) subject: Option<String>,
    /// A part of the person from a file, or - for standard input: first, last, organisation, country, email; may be given several times
    #[arg(long = "text", value_name = "PART=FILE", value_parser = super::register::pair, conflicts_with_all = ["handle", "subject"])]
    pub(in crate::cli) texts: Vec<(String, String)>,
    /// Whose case in the register of requests this is
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) case: Option<String>,
}
