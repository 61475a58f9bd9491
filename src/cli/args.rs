//! What can be typed. Nothing here opens a file.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints")]

mod consent;
mod mock;
mod register;
mod report;
mod simulate;
mod subject;

pub(super) use consent::{Consent, ConsentAdd, ConsentWho};
pub(super) use mock::{MOCK, Mock, Serve};
pub(super) use register::{Breach, Register, RegisterAdd, Registers};
pub(super) use report::Report;
pub(super) use simulate::{SIMULATE, Simulate};
pub(super) use subject::{SubjectVerb, SubjectWho};

use crate::diff::Part;
use crate::job::config::Dns;
use crate::plan::Recipe;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Compare what domain registries hold with a registrar's own records, and leave the evidence
///
/// Data goes to standard output, talk to standard error.
#[derive(Debug, Parser)]
#[command(name = "privet", version, max_term_width = 100, disable_help_subcommand = true, after_help = EXITS)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What an exit code means, for `privet --help`.
const EXITS: &str = "\
Exit codes:
   0  done                              31  a registry could not be reached
   1  a bug of Privet's                 32  input incomplete
   2  usage or configuration            33  local storage failed
  10  changes pending (--fail-on)       34  a registry refused the login
  11  findings (--fail-on)              40  stopped, the same command goes on
  20  a gate refused                    50  some changes failed
  21  plan stale; plan or proof altered 51  outcomes unknown: privet reconcile
  30  another run holds the lock        60  a report could not be written

Examples:
  privet demo                           try it on this machine alone
  privet init . && privet check         start with your own registries
  privet run --fail-on changes          the nightly job";

/// What every verb takes.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Global {
    /// The configuration [default: $PRIVET_CONFIG, or privet.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Log lines on standard error, in place of talk and progress
    #[arg(long, global = true, value_enum, default_value_t = Log::Off)]
    pub(super) log: Log,
    /// End with 10 or 11 where there is something to act on
    #[arg(long, global = true, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub(super) fail_on: Vec<FailOn>,
    /// More log lines; twice for every exchange
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Only results, warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Neither bars nor progress lines
    #[arg(long, global = true)]
    pub(super) no_progress: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs; `privet schema` has the forms
    Json,
    /// For spreadsheets, where the verb prints one table
    Csv,
    /// One JSON object a line, where the verb prints the events of a ledger
    Ndjson,
    /// For build servers, where the verb prints findings
    Junit,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    /// One line of text an event
    Text,
    /// One JSON object an event
    Json,
    /// None
    Off,
}

/// How a plan is applied, for `privet apply --help`.
const APPLY: &str = "\
What is sent is recorded first, and read back afterwards. Where no answer comes, the object is read, and nothing is sent again unless
it stands as before. Ctrl-C ends the run once what was sent is settled; the same command goes on with it.

Example:
  privet apply lock.plan --digest 3f6c0a91be27";

/// What is changed, for `privet password --help`.
const PASSWORD: &str = "\
A new password is drawn, and on disk before it is sent. Where the answer is lost, the new one is tried once, then the old one once, and
no more: the same command settles it later. Of other programs that use the account nothing is known: `account = \"exclusive\"` in the
configuration says that there are none.

Example:
  privet password example";

/// What is brought where, for `privet archive --help`.
const ARCHIVE: &str = "\
The bucket of [objects] comes to hold what is here: what is not there is put, what went here by its rules or was redacted goes there too.
What this machine does not know any more stays until its own rule says that it must go. `privet run` does the same at its end.

Example:
  privet archive --format json";

/// What makes a run end with another code than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Differences between registries and records (10)
    Changes,
    /// Findings, warnings too (11)
    Findings,
    /// Findings that are errors (11); `validate` does so by itself
    Errors,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Leave a commented privet.toml and a small example
    #[command(after_help = "Example:\n  privet init /etc/privet")]
    Init {
        /// The directory; nothing in it is overwritten
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Look at configuration, credentials, certificates, greetings, clock and disk; change nothing
    Check(Which),
    /// Read what the registries hold into a snapshot
    #[command(args_conflicts_with_subcommands = true, after_help = PULL)]
    Pull {
        /// Something else than what the registries hold
        #[command(subcommand)]
        what: Option<Pull>,
        #[command(flatten)]
        which: Which,
        /// Ask each registry at most N questions in a day of its own, what earlier runs of that day asked included
        #[arg(long, value_name = "N")]
        budget: Option<u64>,
        /// Begin no further question at this time on the registry's own clock (UTC where its profile names no zone)
        #[arg(long, value_name = "HH:MM", value_parser = time)]
        until: Option<jiff::civil::Time>,
    },
    /// Compare the newest snapshot with the local records
    Diff {
        #[command(flatten)]
        which: Which,
        /// Compare one part of the buckets, as several machines do: 2/8 is the second of eight; `merge` puts them together
        #[arg(long, value_name = "K/N", value_parser = part)]
        part: Option<Part>,
    },
    /// Give an account that is ours alone a new password
    #[command(after_help = PASSWORD)]
    Password {
        /// The registry, as the configuration names it
        #[arg(value_name = "ID")]
        registry: String,
        #[command(flatten)]
        places: Places,
    },
    /// Bring snapshots and reports to object storage
    #[command(after_help = ARCHIVE)]
    Archive(Places),
    /// Put the parts of a diff together, that several machines made of the same records and snapshots
    Merge {
        /// The report folders of `diff --part`
        #[arg(required = true, value_name = "DIR")]
        dirs: Vec<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Leave a letter for each registrant whose domain went to another registrar and still names the provider's contact
    #[command(after_help = REMIND)]
    Remind {
        /// The brand in whose words, where there are several
        #[arg(long, value_name = "BRAND")]
        brand: Option<String>,
        #[command(flatten)]
        places: Places,
    },
    /// Tell what each registry would refuse of the local records, or of its newest snapshot, and why
    #[command(after_help = VALIDATE)]
    Validate {
        #[command(flatten)]
        which: Which,
        /// The local records (the default)
        #[arg(long, conflicts_with = "snapshot")]
        records: bool,
        /// What the registries held in their newest snapshots
        #[arg(long)]
        snapshot: bool,
        /// The name servers of domains too, as `pull dns` observed them
        #[arg(long)]
        dns: bool,
        /// Print what could stand instead; suggestions are personal data, and masked without this
        #[arg(long)]
        show_suggestions: bool,
    },
    /// Plan changes from the newest snapshots and the local records; nothing is sent
    #[command(after_help = PLAN)]
    Plan {
        /// What for
        #[arg(value_parser = recipes())]
        recipe: Recipe,
        /// Only these objects: registry=ID, domain=NAME, handle=HANDLE, or file=PATH with one a line; may be given several times
        #[arg(long, value_name = "WHAT")]
        select: Vec<String>,
        #[command(flatten)]
        planning: Planning,
        /// The day on which what is unlocked is locked again
        #[arg(long, value_name = "YYYY-MM-DD")]
        relock: Option<jiff::civil::Date>,
        #[command(flatten)]
        places: Places,
    },
    /// Show a plan, personal data masked
    #[command(after_help = "Example:\n  privet show plan.ndjson | less")]
    Show {
        /// The plan
        plan: PathBuf,
        /// Show personal data too; who asked stands in the journal
        #[arg(long, requires = "by")]
        unmasked: bool,
        /// Who asks
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        places: Places,
    },
    /// Sign off the plan of a digest
    #[command(after_help = "Example:\n  privet approve plan.ndjson --digest 3f9a1c07d2b4 --by \"N. N.\"")]
    Approve {
        /// The plan
        plan: PathBuf,
        /// The digest that was reviewed, or its first 12 digits at least
        #[arg(long, value_name = "DIGEST")]
        digest: String,
        /// Who approves
        #[arg(long, value_name = "NAME")]
        by: String,
        #[command(flatten)]
        places: Places,
    },
    /// Carry out a plan, and go on with one that was stopped
    #[command(after_help = APPLY)]
    Apply {
        /// The plan
        plan: PathBuf,
        /// The digest of what was reviewed, at least its first 12 digits
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
        /// Begin nothing new while this file is there
        #[arg(long, value_name = "FILE")]
        pause_file: Option<PathBuf>,
        /// End as at Ctrl-C once this file is there
        #[arg(long, value_name = "FILE")]
        stop_file: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Settle what is unknown of a run by reading; nothing is sent
    #[command(after_help = "Example:\n  privet reconcile 3f6c0a91be27")]
    Reconcile {
        /// The run: its plan's id, at least its first 12 digits
        run: String,
        /// End the run there, where nothing is unknown or pending any more: what was not begun never will be
        #[arg(long)]
        give_up: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Plan what takes an applied run back; it is reviewed and applied like any other plan
    #[command(after_help = "Example:\n  privet rollback 3f6c0a91be27 --out back.plan --allow unlock --reason \"locked by mistake\"")]
    Rollback {
        /// The run: its plan's id, at least its first 12 digits
        run: String,
        #[command(flatten)]
        planning: Planning,
        #[command(flatten)]
        places: Places,
    },
    /// The nightly job: lock, check, pull, diff, report
    #[command(after_help = "Example:\n  privet run --format json --fail-on changes")]
    Run(Which),
    /// What registrants said about the use of their data
    Consent {
        /// What to do
        #[command(subcommand)]
        what: Consent,
    },
    #[command(flatten)]
    Registers(Registers),
    /// Where a person's data stand, what they get of it, and what is erased
    Subject {
        /// What to do
        #[command(subcommand)]
        what: SubjectVerb,
    },
    /// Write reports from what is on disk
    Report {
        /// Which
        #[command(subcommand)]
        what: Report,
    },
    /// Hold a report folder against its proof, offline, with the public key alone
    #[command(after_help = VERIFY)]
    Verify {
        /// The folder of a run
        dir: PathBuf,
        /// The public key: a file, or the text name+hash+base64
        #[arg(long, value_name = "KEY")]
        key: String,
        /// Show, too, that the log only grew since this older run
        #[arg(long, value_name = "OLDER_DIR")]
        since: Option<PathBuf>,
        /// The leaves of the log, where the older run lies further back than the proof reaches
        #[arg(long, value_name = "FILE", requires = "since")]
        leaves: Option<PathBuf>,
    },
    /// Serve one bundled registry over TLS, for this or any other EPP client
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = MOCK)]
    Mock {
        /// Something else than serving
        #[command(subcommand)]
        what: Option<Mock>,
        /// How it is served
        #[command(flatten)]
        serve: Serve,
    },
    /// Run the nightly job against bundled registries on this machine; nothing else is needed
    Demo {
        /// Where everything is left
        #[arg(long, value_name = "DIR", default_value = "reports/demo")]
        out: PathBuf,
        /// Contacts over all registries
        #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(10..=100_000_000))]
        contacts: u64,
        /// Equal seeds give equal data
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
    },
    /// Print what may be done at each registry, and how that is known
    Registries,
    /// Predict hours, nights and what limits them for a fleet, in virtual time; nothing is sent
    #[command(after_help = SIMULATE)]
    Simulate(Box<Simulate>),
    /// Print the JSON Schemas of what Privet writes
    Schema {
        /// One of them; all, where none is named
        name: Option<String>,
    },
    /// Settings and where they come from
    Config {
        /// What to do
        #[command(subcommand)]
        what: Config,
    },
    /// Print a completion script
    #[command(after_help = "Example:\n  privet completions bash > ~/.local/share/bash-completion/completions/privet")]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one for each verb
    #[command(after_help = "Example:\n  privet man ~/.local/share/man/man1")]
    Man {
        /// The directory
        dir: PathBuf,
    },
    /// The store with journal, vault and ledgers
    Store {
        /// What to do
        #[command(subcommand)]
        what: Store,
    },
    /// Look into protocol frames
    Frame {
        /// What to do
        #[command(subcommand)]
        what: Frame,
    },
}

const PULL: &str = "\
An interrupted pull goes on where it was.

With --budget or --until the newest snapshot is refreshed as far as that goes: what changed in the local records first, then \
what the snapshot does not hold, then what was observed longest ago. All else is taken over with its own time of observation. \
Where there is no whole snapshot yet, several such pulls complete one; a pull without bounds begins anew what is older than a day.

Examples:
  privet pull --registry example
  privet pull --registry example-de --budget 20000 --until 06:00";

const PLAN: &str = "\
A plan without any change is a plan, too. With --fail-on changes a plan that has some ends with 10; where a gate refuses, or something \
is left out for want of consent, it ends with 20, and the plan tells which. Where a run had verified what is planned now, it ends with 11: \
the registry has lost it, or somebody took it back.

What can be let pass: count, share, age, shrunken, change-of-registrant; delete, unlock, reveal, registrant, name-servers.

Examples:
  privet plan privacy --select registry=example --out privacy.plan
  privet plan unlock --select domain=example.org --relock 2027-01-31 --allow unlock --reason \"transfer asked for\"
  privet plan corrections --select file=names.txt --fail-on changes";

const REMIND: &str = "\
Which domains these are stands in `reminders.csv` of `privet report protection`. The letters are all in `reminders.ndjson` of the outbox, \
one a line: message, registry, domain, brand, language, template, to, subject_line, body, created. Privet sends none. A letter has the \
same id every day, so send each id once; it is gone as soon as the domain names our contact no more. Ends with 11 where a registrant \
stands in the records no more, or has no address.

Example:
  privet remind --brand own";

/// How a plan is made, whatever for.
#[derive(Debug, clap::Args)]
pub(super) struct Planning {
    /// Where the plan is left [default: plan.ndjson in the run's report folder]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Let a gate or a protected kind of change pass; may be given several times
    #[arg(long, value_name = "KIND", requires = "reason")]
    pub(super) allow: Vec<String>,
    /// Why; it stands in the plan
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Who plans; nobody approves a plan of their own
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
}

/// `privet pull …` other than from registries.
#[derive(Debug, Subcommand)]
pub(super) enum Pull {
    /// Ask the name servers of every domain what `validate --dns` judges; the registries themselves are left alone
    #[command(after_help = PULL_DNS)]
    Dns {
        #[command(flatten)]
        which: Which,
        /// The resolver that finds name servers, in the place of the configuration's
        #[arg(long, value_name = "IP[:PORT]", value_parser = resolver)]
        resolver: Option<SocketAddr>,
        /// Domains as the registries held them in their newest snapshots, in the place of the local records
        #[arg(long)]
        snapshot: bool,
    },
}

const PULL_DNS: &str = "\
Name servers are found by the resolver and then asked themselves, at each of their addresses: SOA, NS, MX and CNAME of the domain. \
No resolver is asked unless you name it, here or below [dns] in the configuration. One that is stopped begins anew.

Example:
  privet pull dns --resolver 192.0.2.53 --registry example-it && privet validate --dns --registry example-it";

/// Which registries a verb works on.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Which {
    /// Only this registry; may be given several times
    #[arg(long, value_name = "ID")]
    pub(super) registry: Vec<String>,
    #[command(flatten)]
    pub(super) places: Places,
}

/// Settings that win over the configuration's.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Places {
    /// Where snapshots, locks and ledgers are kept [default: $PRIVET_STATE, or the configuration's]
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<String>,
    /// Where reports go [default: $PRIVET_REPORTS, or the configuration's]
    #[arg(long, value_name = "DIR")]
    pub(super) reports: Option<String>,
}

const VALIDATE: &str = "\
Ends with 11 where a finding is an error; with --fail-on findings for a warning too, with --fail-on changes for none.

Examples:
  privet validate --registry example
  privet validate --snapshot --format csv > findings.csv
  privet validate --quiet --format junit > findings.junit.xml";

const VERIFY: &str = "\
Names each file that was altered, is missing, or was added beside. What an erasure altered or removed is told with its signed redaction. \
Ends with 21 where something does not hold, whatever --fail-on says, and with 32 where a part of the proof is missing or cannot be read.

The public key stands in `proof/key.pub` of the state directory, and the leaves of the log in `proof/leaves`. Get the key from there once, \
and keep it apart from the reports.

Example:
  privet verify reports/20261121T020000Z-1f0a9b3c --key privet.pub";

/// `privet config …`.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Print every setting
    Show {
        /// With where it came from
        #[arg(long)]
        origin: bool,
        #[command(flatten)]
        places: Places,
    },
}

/// `privet store …`.
#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Say that the store was moved to this machine, and that no other copy of it will be used again
    Move(Places),
}

/// `privet frame …`.
#[derive(Debug, Subcommand)]
pub(super) enum Frame {
    /// Print a frame as JSON: what the types hold, what none knows, and the text; personal data masked
    Decode {
        /// The frame's file, or - for standard input
        file: PathBuf,
        /// The dialect it is in
        #[arg(long, value_enum, default_value_t = Dialect::Epp)]
        dialect: Dialect,
        /// Four bytes of length stand before it (RFC 5734 §4)
        #[arg(long)]
        length_prefixed: bool,
        /// Show personal data
        #[arg(long)]
        unmasked: bool,
    },
}

/// Dialects of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Dialect {
    /// EPP (RFC 5730)
    Epp,
}

/// The names of recipes.
fn recipes() -> impl TypedValueParser<Value = Recipe> {
    let names = PossibleValuesParser::new(Recipe::ALL.map(Recipe::as_str));
    names.try_map(|name| Recipe::ALL.into_iter().find(|recipe| recipe.as_str() == name).ok_or("there is no such recipe"))
}

fn time(text: &str) -> Result<jiff::civil::Time, String> {
    let wanted = || "a time of the day, such as 06:00".to_owned();
    if text.len() == 5 { jiff::civil::Time::strptime("%H:%M", text).map_err(|_| wanted()) } else { Err(wanted()) }
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    Dns::resolver(text).ok_or_else(|| "an address, with a port where that is not 53, such as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

fn part(text: &str) -> Result<Part, String> {
    text.parse().map_err(|wanted: &str| wanted.to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|n| (0.0..=1.0).contains(n)).ok_or_else(|| "a number from 0 to 1".to_owned())
}
