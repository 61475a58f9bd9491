//! The verbs of the consent ledger.

use super::{Places, Which};
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

/// `privet consent …`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Consent {
    /// Take events from CSV, NDJSON or Parquet into the ledger; the same event is taken once
    #[command(after_help = CONSENT_IMPORT)]
    Import {
        /// The files, by their extensions; without any, the table [records.consent] of the configuration
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Take the good rows although others are bad
        #[arg(long)]
        skip_bad: bool,
        #[command(flatten)]
        places: Places,
    },
    /// Take one event
    #[command(after_help = CONSENT_ADD)]
    Add(Box<ConsentAdd>),
    /// Print what holds for a contact or a domain's registrant, or for how many what holds; --format csv or ndjson for the events
    Show {
        #[command(flatten)]
        who: ConsentWho,
        #[command(flatten)]
        places: Places,
    },
    /// Make the messages that ask registrants for consent because of orders; what was asked before is not asked again
    #[command(after_help = CONSENT_ASK)]
    Ask(Which),
    /// Take down that messages of the outbox were sent
    #[command(after_help = CONSENT_SENT)]
    Sent {
        /// The files, by their extensions
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        places: Places,
    },
}

/// Whose events a verb works on.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct ConsentWho {
    /// At this registry
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) registry: Option<String>,
    /// The contact of this handle in the local records
    #[arg(long, value_name = "H")]
    pub(in crate::cli) handle: Option<String>,
    /// The registrant of this domain in the local records
    #[arg(long, value_name = "D", conflicts_with = "handle")]
    pub(in crate::cli) domain: Option<String>,
    /// The subject of this id
    #[arg(long, value_name = "ID", conflicts_with_all = ["handle", "domain", "registry"])]
    pub(in crate::cli) subject: Option<String>,
}

/// One event. Its words are checked where rows of files are, too.
#[derive(Clone, Debug, ClapArgs)]
#[command(group(clap::ArgGroup::new("whose").args(["handle", "domain", "subject"]).required(true)))]
pub(in crate::cli) struct ConsentAdd {
    #[command(flatten)]
    pub(in crate::cli) who: ConsentWho,
    /// What happened
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) event: String,
    /// For what; empty for every purpose
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) purpose: Option<String>,
    /// When [default: now]
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) at: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) expires: Option<String>,
    /// Which data, joined by `;`; empty for all
    #[arg(long, value_name = "WORDS")]
    pub(in crate::cli) elements: Option<String>,
    /// Who is given the data, for provider-data
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) provider: Option<String>,
    /// Which group of data; empty for all the provider's
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) group: Option<String>,
    /// The version of the terms of service
    #[arg(long, value_name = "VERSION")]
    pub(in crate::cli) terms: Option<String>,
    /// The notice that was shown
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) notice: Option<String>,
    /// Its version
    #[arg(long, value_name = "VERSION")]
    pub(in crate::cli) notice_version: Option<String>,
    /// Its language
    #[arg(long, value_name = "TAG")]
    pub(in crate::cli) notice_language: Option<String>,
    /// The digest of its text
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) notice_digest: Option<String>,
    /// How it was said
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) method: Option<String>,
    /// Who said it
    #[arg(long, value_name = "WORD")]
    pub(in crate::cli) by: Option<String>,
    /// The event's own id [default: by what it tells]
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) record_id: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) places: Places,
}

const CONSENT_IMPORT: &str = "\
One event a row. Columns: event and at; then, where a file has them, record_id, purpose, elements, expires, terms, notice, \
notice_version, notice_language, notice_digest, method, by, message_id, and provider and group for provider-data; and the subject, as registry and handle of a contact in the \
local records, as first, last, organisation, country and email, or as subject, by the id of an export.

Words:
  event    requested, given, refused, withdrawn, renewed, terms-accepted,
           restricted, restriction-lifted, objected, objection-lifted
  purpose  privacy-proxy, transfer-lock, publication, provider-data; empty for all
  elements name, organisation, street, city, state, postal-code, country,
           voice, fax, email; joined by `;`, empty for all
  method   page, api, terms, email, phone, paper
  by       registrant, representative, reseller, registrar, authority

Bad rows are told with file and line, and end with 32; nothing is taken then, without --skip-bad.

Example:
  privet consent import consent.csv";

const CONSENT_ADD: &str = "\
The words are those of `privet consent import --help`. People are named by handle, domain or id alone, since arguments are no place \
for names and addresses.

Example:
  privet consent add --registry example --handle C-100 --event withdrawn --purpose publication --by registrant --method phone";

const CONSENT_ASK: &str = "\
Reads the orders below [records.orders], the ledger and the pack of bases, and leaves messages in `outbox` of the state directory, one a \
line of NDJSON: message, subject, provider, groups, orders, brand, language, template, to, subject_line, body, created. Privet sends none. \
Triggers within a minute of the first are one message. Where there is nothing new, nothing is written.

An order whose name is registered at once goes on with placeholders; one that waits for consent lapses at the end of its tenth day; where \
the provider informs, there is no message. What is not known is blocked and told, and ends with 20.

Example:
  privet consent ask";

const CONSENT_SENT: &str = "\
One message a row. Columns: message and sent_at; then, where a file has them, source_message_id, the id that it was sent by, and to, the \
address that it was sent to. A request stands in the ledger from then on. A message that was sent twice, or to another address than the \
registrant's own, is told and ends with 11. Bad rows are told with file and line, and end with 32; nothing is taken then.

Example:
  privet consent sent sent.csv";
