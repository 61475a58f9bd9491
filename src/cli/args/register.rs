//! The verbs of the registers, one as the other: their words stand in the registers themselves.

use super::Places;
use crate::compliance::register::{Kind, Use, register};
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// The registers, each with its verbs.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Registers {
    /// Withholding of registrants' contact details at a registry
    #[command(after_help = words("withholding"))]
    Withholding {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Requests of data subjects: access, erasure, restriction and others
    #[command(after_help = words("request"))]
    Request {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Disclosure of registrants' data to third parties
    #[command(after_help = words("disclosure"))]
    Disclosure {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Breaches of personal data, and what may be one
    #[command(after_help = words("breach"))]
    Breach {
        /// What to do
        #[command(subcommand)]
        what: Breach,
    },
    /// Holds, which keep data from being erased
    #[command(after_help = words("hold"))]
    Hold {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Contracts with registries, resellers and other recipients
    #[command(after_help = words("contract"))]
    Contract {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Recipients of data, where they are, and by which mechanism data may go there
    #[command(after_help = words("recipient"))]
    Recipient {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Notices that registrants were shown
    #[command(after_help = words("notice"))]
    Notice {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Policies, and when they are looked at again
    #[command(after_help = words("policy"))]
    Policy {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Training of staff, and when it is due again
    #[command(after_help = words("training"))]
    Training {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Verification of registrants' data
    #[command(after_help = words("verification"))]
    Verification {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Windows in which a protected domain is unlocked for a time
    #[command(after_help = words("window"))]
    Window {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// Messages to protected registrants by form or relay address, and whether these work
    #[command(after_help = words("relay"))]
    Relay {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
    /// The decision on a data protection officer
    #[command(after_help = words("officer"))]
    Officer {
        /// What to do
        #[command(subcommand)]
        what: Register,
    },
}

impl Registers {
    /// Whether its cases are printed.
    pub(in crate::cli) const fn is_shown(&self) -> bool {
        let (Self::Withholding { what }
        | Self::Request { what }
        | Self::Disclosure { what }
        | Self::Breach { what: Breach::Register(what) }
        | Self::Hold { what }
        | Self::Contract { what }
        | Self::Recipient { what }
        | Self::Notice { what }
        | Self::Policy { what }
        | Self::Training { what }
        | Self::Verification { what }
        | Self::Window { what }
        | Self::Relay { what }
        | Self::Officer { what }) = self
        else {
            return false;
        };
        matches!(what, Register::Show { .. })
    }

    /// The register's name, and what is done with it.
    pub(in crate::cli) fn parts(self) -> (&'static str, Breach) {
        let (name, what) = match self {
            Self::Breach { what } => return ("breach", what),
            Self::Withholding { what } => ("withholding", what),
            Self::Request { what } => ("request", what),
            Self::Disclosure { what } => ("disclosure", what),
            Self::Hold { what } => ("hold", what),
            Self::Contract { what } => ("contract", what),
            Self::Recipient { what } => ("recipient", what),
            Self::Notice { what } => ("notice", what),
            Self::Policy { what } => ("policy", what),
            Self::Training { what } => ("training", what),
            Self::Verification { what } => ("verification", what),
            Self::Window { what } => ("window", what),
            Self::Relay { what } => ("relay", what),
            Self::Officer { what } => ("officer", what),
        };
        (name, Breach::Register(what))
    }
}

/// What is done with the register of breaches.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Breach {
    /// What is done with every register
    #[command(flatten)]
    Register(Register),
    /// Raise what a report found that may be a breach, and disclosures without a grant, as candidates; each is raised once
    Candidates {
        /// The folder of `privet report exposure` or of `privet report consent`
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        #[command(flatten)]
        places: Places,
    },
}

/// What is done with a register.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Register {
    /// Take events from CSV, NDJSON or Parquet; the same event is taken once
    #[command(after_help = "One event a row. Bad rows are told with file and line, and end with 32; nothing is taken then, without \
                            --skip-bad.\nThe register's help has its columns and words.")]
    Import {
        /// The files, by their extensions
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Take the good rows although others are bad
        #[arg(long)]
        skip_bad: bool,
        #[command(flatten)]
        places: Places,
    },
    /// Take one event
    Add(Box<RegisterAdd>),
    /// Print what the cases come to; --format csv or ndjson for their events, as they can be imported again
    Show {
        /// This case alone
        #[arg(long, value_name = "ID")]
        case: Option<String>,
        /// Those alone that are open
        #[arg(long)]
        open: bool,
        /// Those alone of which a deadline is overdue
        #[arg(long)]
        overdue: bool,
        /// Show sealed texts too, but for those that are kept apart
        #[arg(long, requires = "case")]
        unmasked: bool,
        /// Count working days by the public holidays of this country [default: Monday to Friday]
        #[arg(long, value_name = "CC")]
        country: Option<String>,
        #[command(flatten)]
        places: Places,
    },
}

/// One event. Its words are checked where rows of files are, too.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct RegisterAdd {
    /// What happened
    #[arg(value_name = "EVENT")]
    pub(in crate::cli) event: String,
    /// In which case
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) case: String,
    /// When [default: now]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// A value; may be given several times
    #[arg(long = "set", value_name = "COLUMN=VALUE", value_parser = pair)]
    pub(in crate::cli) values: Vec<(String, String)>,
    /// A text, which is sealed, from a file; may be given several times
    #[arg(long = "text", value_name = "COLUMN=FILE", value_parser = pair)]
    pub(in crate::cli) texts: Vec<(String, String)>,
    /// At this registry
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) registry: Option<String>,
    /// Of the contact of this handle in the local records
    #[arg(long, value_name = "H")]
    pub(in crate::cli) handle: Option<String>,
    /// Of the registrant of this domain in the local records
    #[arg(long, value_name = "D", conflicts_with = "handle")]
    pub(in crate::cli) domain: Option<String>,
    /// Of the subject of this id
    #[arg(long, value_name = "ID", conflicts_with_all = ["handle", "domain", "registry"])]
    pub(in crate::cli) subject: Option<String>,
    /// The event's own id [default: by what it tells]
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) record_id: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) places: Places,
}

pub(super) fn pair(text: &str) -> Result<(String, String), &'static str> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("wanted: COLUMN=VALUE")
}

/// The events and columns of a register, for its help.
fn words(name: &str) -> String {
    let Some(register) = register(name) else { return String::new() };
    let events: Vec<&str> = register.events.iter().map(|event| &*event.name).collect();
    let whose = match register.subject {
        Use::Needed => {
            "The subject is named once for a case: by `registry` and `handle` of a contact in the local records, by `first`, \
                        `last`, `organisation`, `country` and `email`, or by `subject`, its id.\n\n"
        }
        Use::May => {
            "A subject may be named: by `registry` and `handle` of a contact in the local records, by `first`, `last`, \
                     `organisation`, `country` and `email`, or by `subject`, its id.\n\n"
        }
        Use::None => "",
    };
    let columns = register.columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Token => "number or version".to_owned(),
            Kind::Word => column.words.join(", "),
            Kind::Time => "time".to_owned(),
            Kind::Date => "day".to_owned(),
            Kind::Number => "whole number".to_owned(),
            Kind::Country => "country".to_owned(),
            Kind::Elements => "kinds of data, joined by `;`".to_owned(),
            Kind::Counts => "numbers by country: DE:12;FR:3".to_owned(),
            Kind::Text if column.apart => "text, sealed apart and only ever counted".to_owned(),
            Kind::Text => "text, sealed".to_owned(),
        };
        format!("  {}: {} ({kind})", column.name, column.about)
    });
    let columns: Vec<String> = columns.collect();
    format!("Events: {}\n\n{whose}Columns besides record_id, case, event and at:\n{}", events.join(", "), columns.join("\n"))
}
