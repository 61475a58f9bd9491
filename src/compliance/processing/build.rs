//! Rows of the record out of evidence.

use super::Entry;
use super::pack::{Activity, RecordPack, Role, Terms};
use crate::base::Timestamp;
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Where all that stands.
    pub source: String,
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
    /// Items of ended services.
    pub ended: u64,
    /// Items that are overdue, and the days of the oldest.
    pub overdue: (u64, i64),
    /// The rules that were applied, by cluster: id and period.
    pub limits: BTreeMap<String, Vec<String>>,
    /// Recipients, the registry itself among them.
    pub recipients: Vec<Recipient>,
    /// Where data lie.
    pub places: Vec<Place>,
    /// What holds by the consent ledger, in words, with its head.
    pub consent: Option<(String, String)>,
    /// What the register of breaches holds, in words, with its head.
    pub breaches: Option<(String, String)>,
    /// The rule pack of time limits.
    pub rules: String,
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
    let (role, _) = pack.role(&seen.profile, day);
    let shows = |activity: &&Activity| {
        seen.traffic.commands.keys().any(|command| activity.commands.contains(command.as_str()))
            || (activity.cluster_held.is_some() && seen.ended > 0)
    };
    let row = |activity: &Activity| {
        let filling = Filling { pack, seen, declared, activity, now, day };
        Row {
            role,
            activity: activity.id.to_string(),
            registry: seen.registry.clone(),
            cells: pack.fields.iter().map(|field| filling.cell(&field.id)).collect(),
            terms: activity.dpv.clone(),
            elements: seen.elements.iter().filter(|(_, n)| **n > 0).map(|(element, _)| *element).collect(),
            recipients: seen.recipients.clone(),
        }
    };
    pack.activities.iter().filter(shows).map(row).collect()
}

/// One row on its way.
struct Filling<'a> {
    pack: &'a RecordPack,
    seen: &'a Evidence,
    declared: &'a BTreeMap<String, String>,
    activity: &'a Activity,
    now: Timestamp,
    day: Date,
}

impl Filling<'_> {
    fn cell(&self, field: &str) -> Entry {
        let (seen, activity) = (self.seen, self.activity);
        match field {
            "activity" => self.of_run(activity.name.to_string()),
            "commands" => {
                let own = |(command, _): &(&String, &u64)| activity.commands.contains(command.as_str());
                let all = seen.traffic.commands.iter().filter(own).map(|(command, n)| format!("{command} {n}"));
                self.of_run(some(all, "none observed in this period"))
            }
            "purposes" => Entry::computed(&*activity.purposes, self.source()),
            "subjects" => self.of_run(self.subjects()),
            "subject_count" => self.of_run(self.counts()),
            "elements" => {
                let all = Element::ALL.iter().filter_map(|element| {
                    let n = *seen.elements.get(element).filter(|n| **n > 0)?;
                    Some(format!("{} {} ({} %)", element.as_str(), self.masked(n), n * 100 / seen.contacts.max(1)))
                });
                self.of_run(some(all, "none held"))
            }
            "special" => match seen.special {
                Some([health, criminal, national]) => {
                    let [health, criminal, national] = [health, criminal, national].map(|n| self.masked(n));
                    self.of_run(format!("contacts with data of Art. 9: {health}; Art. 10: {criminal}; Art. 87: {national}"))
                }
                None => Entry::missing("run `privet report exposure`, which looks for them"),
            },
            "source" => Entry::computed(&*activity.source, self.source()),
            "recipients" => {
                let name = |r: &Recipient| format!("{} ({})", r.name, r.category);
                self.of_run(some(seen.recipients.iter().map(name), "none"))
            }
            "recipient_elements" => {
                let all = seen.elements.iter().filter(|(_, n)| **n > 0).map(|(element, _)| element.as_str().to_owned());
                self.of_run(format!("{}: {}", seen.registry, some(all, "none")))
            }
            "seen" => match seen.traffic.window {
                Some((first, last)) => self.of_run(format!("{} to {}", minute(first), minute(last))),
                None => self.of_run("no exchange in this period".to_owned()),
            },
            "third_country" => self.third_country(),
            "mechanism" => self.mechanism(),
            "volume" => {
                let (out, back) = seen.traffic.bytes;
                let frames: u64 = seen.traffic.commands.values().sum();
                self.of_run(format!("{frames} exchanges, {out} bytes sent, {back} bytes received"))
            }
            "limits" => {
                let all = activity.clusters.iter().filter_map(|cluster| {
                    let rules = seen.limits.get(&**cluster).filter(|rules| !rules.is_empty())?;
                    Some(format!("{cluster}: {}", rules.join(", ")))
                });
                Entry::computed(some(all, "no rule bears on these data here"), seen.rules.clone())
            }
            "adherence" => match seen.overdue {
                (0, _) => Entry::computed("nothing is overdue", "the retention report of this run"),
                (n, days) => {
                    Entry::computed(format!("{n} items are overdue, the oldest for {days} days"), "the retention report of this run")
                }
            },
            "policy" => Entry::computed(seen.rules.clone(), "the retention rule pack"),
            "security" => match &seen.tls {
                Some(tls) => self.of_run(format!(
                    "{} with {}, key exchange {}; {} certificates checked; files of this tool are private to its account (mode 0600)",
                    tls.version,
                    tls.cipher,
                    tls.group,
                    tls.certificates.len()
                )),
                None => Entry::missing("run `privet run`: no run of this registry left what TLS agreed on"),
            },
            "storage" => {
                let all = seen.places.iter().map(|place| format!("{}: {}", place.what, place.path));
                Entry::computed(some(all, "nowhere"), "privet.toml")
            }
            "basis" => Entry::computed(&*activity.basis, self.source()),
            "condition" if seen.special.is_some_and(|[health, criminal, _]| health + criminal == 0) => {
                Entry::not_applicable("no such data were found", self.source())
            }
            "dpia" => self.declared(field).unwrap_or_else(|| Entry::missing("decide, and declare it: see the sheet of triggers")),
            "consent" => self.ledger(seen.consent.as_ref(), "the consent ledger is empty"),
            "breaches" => self.ledger(seen.breaches.as_ref(), "the register of breaches is empty"),
            "evidence" => match &seen.run {
                Some((run, at)) => Entry::observed(format!("run {run}, whole at {}", minute(*at)), format!("snapshot of {run}"), *at),
                None => Entry::missing("run `privet pull`"),
            },
            _ => self.declared(field).unwrap_or_else(|| Entry::missing(format!("declare it: `{field}` in [controller]"))),
        }
    }

    fn declared(&self, field: &str) -> Option<Entry> {
        self.declared.get(field).map(|value| Entry::declared(value, &format!("controller.{field}")))
    }

    /// What the pull saw, where there was one.
    fn of_run(&self, value: String) -> Entry {
        match &self.seen.run {
            Some((run, at)) => Entry::observed(value, format!("snapshot of {run}"), *at),
            None => Entry::observed(value, "the local records", self.now),
        }
    }

    fn ledger(&self, told: Option<&(String, String)>, none: &str) -> Entry {
        match told {
            Some((words, head)) => Entry::observed(words.clone(), head.clone(), self.now),
            None => Entry::observed(none, "the store", self.now),
        }
    }

    fn source(&self) -> String {
        format!("record pack {} of {}", self.pack.id, self.pack.dated)
    }

    /// A count of people: small ones are not told.
    fn masked(&self, n: u64) -> String {
        if n > 0 && n < self.pack.small { format!("<{}", self.pack.small) } else { n.to_string() }
    }

    fn subjects(&self) -> String {
        let of = |natural: bool| self.seen.subjects.iter().filter(|((is, _), _)| *is == natural).map(|(_, n)| n).sum::<u64>();
        format!("registrants and contacts: {} natural persons, {} named by organisations", self.masked(of(true)), self.masked(of(false)))
    }

    /// People by country. One small country alone would tell its count by the sum, so that the next smallest goes with it.
    fn counts(&self) -> String {
        let mut by_country: BTreeMap<&str, u64> = BTreeMap::new();
        for ((_, country), n) in &self.seen.subjects {
            *by_country.entry(country).or_default() += n;
        }
        let mut large: Vec<(&str, u64)> = by_country.iter().filter(|(_, n)| **n >= self.pack.small).map(|(c, n)| (*c, *n)).collect();
        let small = by_country.len() - large.len();
        if small == 1 {
            let least = large.iter().enumerate().min_by_key(|(_, (_, n))| *n).map(|(at, _)| at);
            if let Some(at) = least {
                large.remove(at);
            }
        }
        let small = by_country.len() - large.len();
        let mut all: Vec<String> = large.into_iter().map(|(country, n)| format!("{country} {n}")).collect();
        if small > 0 {
            all.push(format!("{small} countries with few"));
        }
        some(all, "none")
    }

    /// The countries of recipients. What nobody declared is unknown, which is not none.
    fn third_country(&self) -> Entry {
        let mut third = Vec::new();
        for recipient in &self.seen.recipients {
            match &recipient.country {
                None => return Entry::missing(format!("declare the country of {}: `privet recipient add`", recipient.name)),
                Some(country) if self.pack.adequacy.is_third(country) => third.push(format!("{} ({country})", recipient.name)),
                Some(_) => {}
            }
        }
        let source = format!("register of recipients; EEA as of {}", self.pack.adequacy.dated());
        Entry::computed(some(third, "none: every recipient is in the European Economic Area"), source)
    }

    fn mechanism(&self) -> Entry {
        let mut told = Vec::new();
        for recipient in &self.seen.recipients {
            let Some(country) = &recipient.country else { return Entry::missing(format!("declare the country of {}", recipient.name)) };
            if !self.pack.adequacy.is_third(country) {
                continue;
            }
            let decision = self.pack.adequacy.decision(country, self.day);
            let words = match (decision, &recipient.mechanism, &recipient.evidence) {
                (_, Some(mechanism), _) if mechanism == "privacy_shield" => {
                    return Entry::missing(format!(
                        "{}: the Privacy Shield is no mechanism since 2020-07-16 (CJEU C-311/18): declare another",
                        recipient.name
                    ));
                }
                (Some(("all", citation)), ..) => format!("{}: adequate, {citation}", recipient.name),
                (Some((scope, citation)), _, Some(evidence)) => {
                    format!("{}: adequate for {scope}, {citation}; shown by {evidence}", recipient.name)
                }
                (_, Some(mechanism), _) if mechanism != "adequacy" => format!("{}: {mechanism}", recipient.name),
                _ => {
                    return Entry::missing(format!(
                        "{}: no decision covers it on evidence, and no other mechanism is declared",
                        recipient.name
                    ));
                }
            };
            told.push(words);
        }
        if told.is_empty() {
            return Entry::not_applicable("no transfer to a third country", "register of recipients");
        }
        Entry::computed(told.join("; "), format!("register of recipients; decisions as of {}", self.pack.adequacy.dated()))
    }
}

fn some(all: impl IntoIterator<Item = String>, none: &str) -> String {
    let all: Vec<String> = all.into_iter().collect();
    if all.is_empty() { none.to_owned() } else { all.join("; ") }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
