//! Rows of the record out of evidence: what each registry's evidence is, and which rows it makes.

use super::Entry;
use super::cells::Filling;
use super::pack::{Activity, RecordPack, Role, Terms};
use crate::base::{Digest, Timestamp};
use crate::compliance::Element;
use crate::model::TlsFacts;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What went over the line of one registry in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Exchanges by command.
    pub commands: BTreeMap<String, u64>,
    /// Bytes of frames sent and received.
    pub bytes: (u64, u64),
    /// When the first command was sent, and the last answer was there.
    pub window: Option<(Timestamp, Timestamp)>,
}

/// A recipient of data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Who; a registry by its configured name.
    pub name: String,
    /// What it is.
    pub category: String,
    /// Its country, where somebody declared it.
    pub country: Option<String>,
    /// By which mechanism data may go there, where somebody declared it.
    pub mechanism: Option<String>,
    /// What shows that a decision or a mechanism covers it.
    pub evidence: Option<String>,
    /// Whether a reason is sealed in the register why a mechanism that is none stands there all the same.
    pub overridden: bool,
    /// Which data it gets, where the register says.
    pub elements: Option<String>,
    /// The case in the register of contracts that it names.
    pub contract: Option<String>,
    /// The number of the transfer impact assessment.
    pub assessment: Option<String>,
    /// Whose processor it is, where it is not the registrar's.
    pub on_behalf_of: Option<String>,
    /// Since when it is planned; nothing where it is active.
    pub planned: Option<Date>,
    /// Whether it stands in the register at all.
    pub registered: bool,
    /// Where all that stands.
    pub source: String,
}

/// A contract of the register that is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Its case.
    pub case: String,
    /// With whom.
    pub party: String,
    /// What for.
    pub kind: String,
    /// The other party's role.
    pub role: String,
    /// Its number and version.
    pub agreement: String,
    /// Which permission for sub-processors it gives, where that is said.
    pub sub_processors: Option<String>,
}

/// What the criteria of an impact assessment came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessed {
    /// Those that are met, by name.
    pub met: Vec<String>,
    /// How many there are.
    pub of: usize,
    /// Whether so many are met that an assessment is to be made.
    pub is_needed: bool,
    /// What was decided, where somebody did.
    pub decision: Option<String>,
    /// Whether somebody said that people are scored, and that decisions are automated.
    pub said: BTreeMap<String, String>,
    /// Of which day the criteria are.
    pub dated: Date,
}

/// What holds for lines by the pack of oversight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRules {
    /// The versions of TLS that may be negotiated.
    pub tls: Vec<String>,
    /// Where that comes from.
    pub citation: String,
}

/// Where data lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What lies there.
    pub what: String,
    /// Where.
    pub path: String,
}

/// What is known of one registry.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The operator's name for it.
    pub registry: String,
    /// Its profile.
    pub profile: String,
    /// What the registry is called.
    pub title: String,
    /// By which name the registrar logs in.
    pub login: String,
    /// Objects of the snapshot by the registrar that sponsors them.
    pub sponsors: BTreeMap<String, u64>,
    /// Host and port.
    pub endpoint: String,
    /// What went over the line.
    pub traffic: Traffic,
    /// The run that saw it, and when it was whole.
    pub run: Option<(String, Timestamp)>,
    /// TLS as it was agreed on.
    pub tls: Option<TlsFacts>,
    /// Contacts.
    pub contacts: u64,
    /// Natural persons, and persons that organisations name, each once, by country (an unknown one is `??`).
    pub subjects: BTreeMap<(bool, String), u64>,
    /// Contacts that have each kind of data.
    pub elements: BTreeMap<Element, u64>,
    /// Contacts with data of Art. 9, Art. 10 and Art. 87, where they were looked for.
    pub special: Option<[u64; 3]>,
    /// Commands of plans that took effect, by what they did and which field they set.
    pub sent: BTreeMap<(&'static str, String), u64>,
    /// Items of ended services.
    pub ended: u64,
    /// Items that are overdue, and the days of the oldest; nothing where nobody looked.
    pub overdue: Option<(u64, i64)>,
    /// The rules that were applied, by cluster: id and period.
    pub limits: BTreeMap<String, Vec<String>>,
    /// Recipients, the registry itself among them.
    pub recipients: Vec<Recipient>,
    /// Recipients that the register has as ended: who, and since when.
    pub former: Vec<(String, Date)>,
    /// Contracts that are in force.
    pub contracts: Vec<Contract>,
    /// Where data lie.
    pub places: Vec<Place>,
    /// How the files of this tool are kept, as observed.
    pub at_rest: Option<String>,
    /// What holds by the consent ledger, in words, with its head.
    pub consent: Option<(String, String)>,
    /// What the register of breaches holds, in words, with its head.
    pub breaches: Option<(String, String)>,
    /// Breaches of which a controller was told.
    pub told: u64,
    /// Requests of data subjects by state, how many are overdue, and the head of their register.
    pub requests: Option<(BTreeMap<String, u64>, u64, String)>,
    /// What the register of officers decided, where it did.
    pub officer: Option<String>,
    /// The criteria of an impact assessment.
    pub assessed: Option<Assessed>,
    /// What holds for lines.
    pub lines: LineRules,
    /// Recipes that a run applies by itself.
    pub applies: Vec<String>,
    /// The rule pack of time limits.
    pub rules: String,
    /// The run that makes the record.
    pub verified: Option<String>,
}

/// A row of the record.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose record it stands in.
    pub role: Role,
    /// The activity.
    pub activity: String,
    /// The registry.
    pub registry: String,
    /// The cells, in the order of the pack's fields.
    pub cells: Vec<Entry>,
    /// What the activity is in the Data Privacy Vocabulary.
    pub terms: Terms,
    /// The kinds of data that are held.
    pub elements: Vec<Element>,
    /// The recipients.
    pub recipients: Vec<Recipient>,
}

/// The rows for one registry. `declared` has what the configuration says, by field.
#[must_use]
pub fn build(pack: &RecordPack, seen: &Evidence, declared: &BTreeMap<String, String>, now: Timestamp) -> Vec<Row> {
    let day = now.to_zoned(TimeZone::UTC).date();
    let (role, entry) = pack.role(&seen.profile, day);
    let shows = |activity: &&Activity| {
        seen.traffic.commands.keys().any(|command| activity.commands.contains(command.as_str()))
            || (activity.cluster_held.is_some() && seen.ended > 0)
    };
    let row = |activity: &Activity| {
        let filling = Filling { pack, seen, declared, activity, entry, now, day };
        let mut cells: Vec<Entry> = pack.fields.iter().map(|field| filling.cell(&field.id)).collect();
        let number = numbered(pack, activity, seen, &cells);
        if let Some(cell) = pack.place("record_id").and_then(|at| cells.get_mut(at)) {
            *cell = Entry::computed(number, "the cells of this row that no run changes by itself");
        }
        Row {
            role,
            activity: activity.id.to_string(),
            registry: seen.registry.clone(),
            cells,
            terms: activity.dpv.clone(),
            elements: seen.elements.iter().filter(|(_, n)| **n > 0).map(|(element, _)| *element).collect(),
            recipients: seen.recipients.clone(),
        }
    };
    pack.activities.iter().filter(shows).map(row).collect()
}

/// Fields that are another at every run, whatever happened.
const OF_RUNS: [&str; 6] = ["record_id", "seen", "volume", "commands", "evidence", "verified"];

/// The number of a row: a digest of its activity, its registry, and the cells that stay as they are while nothing changes.
fn numbered(pack: &RecordPack, activity: &Activity, seen: &Evidence, cells: &[Entry]) -> String {
    let steady = pack.fields.iter().zip(cells).filter(|(field, _)| !OF_RUNS.contains(&&*field.id) && field.record.is_none());
    let told: Vec<[&str; 3]> = steady.map(|(field, cell)| [&*field.id, cell.status.as_str(), &*cell.value]).collect();
    // As JSON no part can run into the next.
    Digest::of(&serde_json::to_vec(&(&*activity.id, &seen.registry, told)).unwrap_or_default()).short()
}

impl RecordPack {
    /// A count of people: small ones are not told.
    #[must_use]
    pub fn masked(&self, n: u64) -> String {
        if n > 0 && n < self.small { format!("<{}", self.small) } else { n.to_string() }
    }

    /// A count of people out of `all`: where nearly all of them are counted, those who are not are few.
    #[must_use]
    pub fn masked_of(&self, n: u64, all: u64) -> String {
        match all.saturating_sub(n) {
            rest if n >= self.small && rest > 0 && rest < self.small => format!("all but <{}", self.small),
            _ => self.masked(n),
        }
    }
}

impl Row {
    /// The fields that the record of the row's role has, each with its cell.
    pub fn told<'r>(&'r self, pack: &'r RecordPack) -> impl Iterator<Item = (&'r super::Field, &'r Entry)> {
        pack.fields.iter().zip(&self.cells).filter(|(field, _)| field.is_of(self.role))
    }
}
