//! The cells of a row, one by one: what was observed where it was, what was declared where nothing is observed, and what would fill the rest.

use super::Entry;
use super::build::Evidence;
use super::declaration::{is_none, of_third};
use super::pack::{Activity, RecordPack, RoleEntry};
use super::transfer::Cover;
use crate::base::Timestamp;
use crate::compliance::Element;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// One row on its way.
pub(super) struct Filling<'a> {
    pub(super) pack: &'a RecordPack,
    pub(super) seen: &'a Evidence,
    pub(super) declared: &'a BTreeMap<String, String>,
    pub(super) activity: &'a Activity,
    /// What the role matrix says of the registry.
    pub(super) entry: Option<&'a RoleEntry>,
    pub(super) now: Timestamp,
    pub(super) day: Date,
}

impl Filling<'_> {
    pub(super) fn cell(&self, field: &str) -> Entry {
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
            "elements" => self.of_run(self.elements()),
            "special" => match seen.special {
                Some([health, criminal, national]) => {
                    let [health, criminal, national] = [health, criminal, national].map(|n| self.pack.masked(n));
                    self.of_run(format!("contacts with data of Art. 9: {health}; Art. 10: {criminal}; Art. 87: {national}"))
                }
                None => Entry::missing("run `privet report exposure`, which looks for them"),
            },
            "source" => Entry::computed(&*activity.source, self.source()),
            "recipients" => {
                let of = |r: &super::Recipient| r.on_behalf_of.as_ref().map_or_else(String::new, |whose| format!(" of {whose}"));
                let name = |r: &super::Recipient| format!("{} ({}{})", r.name, r.category, of(r));
                self.of_run(some(seen.recipients.iter().map(name), "none"))
            }
            "recipient_elements" => self.of_run(self.given()),
            "sent" => {
                let all = seen.sent.iter().map(|((turn, field), n)| format!("{turn} {field} {}", self.pack.masked(*n)));
                Entry::observed(some(all, "nothing was sent by a plan"), "the journal of applied plans", self.now)
            }
            "seen" => self.when(),
            "third_country" | "mechanism" | "safeguard" | "transfer_assessment" => self.transfer(field),
            "volume" => {
                let (out, back) = seen.traffic.bytes;
                let frames: u64 = seen.traffic.commands.values().sum();
                let country =
                    seen.recipients.first().and_then(|itself| itself.country.as_deref()).unwrap_or("a country that is not declared");
                let people = self.pack.tens(seen.subjects.values().sum());
                self.of_run(format!(
                    "{frames} exchanges, {out} bytes sent, {back} bytes received; data of {people} people are in {country}"
                ))
            }
            "limits" => {
                let all = activity.clusters.iter().filter_map(|cluster| {
                    let rules = seen.limits.get(&**cluster).filter(|rules| !rules.is_empty())?;
                    Some(format!("{cluster}: {}", rules.join(", ")))
                });
                Entry::computed(some(all, "no rule bears on these data here"), seen.rules.clone())
            }
            "adherence" => match seen.overdue {
                Some((0, _)) => Entry::computed("nothing is overdue", seen.rules.clone()),
                Some((n, days)) => Entry::computed(format!("{n} items are overdue, the oldest for {days} days"), seen.rules.clone()),
                None => Entry::missing("run `privet report retention`"),
            },
            "adherence_reason" if seen.overdue.is_some_and(|(n, _)| n == 0) => {
                Entry::not_applicable("nothing is overdue", seen.rules.clone())
            }
            "policy" => Entry::computed(seen.rules.clone(), "the retention rule pack"),
            "security" => self.security(),
            "storage" => {
                let all = seen.places.iter().map(|place| format!("{}: {}", place.what, place.path));
                let hosted = seen.recipients.iter().filter(|one| one.category == "hosting" && one.on_behalf_of.is_none());
                let hosted = hosted
                    .map(|one| format!("hosted by {} in {}", one.name, one.country.as_deref().unwrap_or("a country that is not declared")));
                Entry::computed(some(all.chain(hosted), "nowhere"), "privet.toml; register of recipients")
            }
            "basis" => Entry::computed(&*activity.basis, self.source()),
            "condition" if seen.special.is_some_and(|[health, criminal, _]| health + criminal == 0) => {
                Entry::not_applicable("no such data were found", self.source())
            }
            "representative" if !self.declared.contains_key(field) && of_third(self.pack, self.declared) == Some(false) => {
                Entry::not_applicable("the registrar is established in the European Economic Area", "privet.toml, controller.established")
            }
            "dpia" => self.assessment(),
            "requests" => self.requests(),
            "consent" => self.ledger(seen.consent.as_ref(), "the consent ledger is empty"),
            "breaches" => self.ledger(seen.breaches.as_ref(), "the register of breaches is empty"),
            "evidence" => match &seen.run {
                Some((run, at)) => Entry::observed(format!("run {run}, whole at {}", minute(*at)), format!("snapshot of {run}"), *at),
                None => Entry::missing("run `privet pull`"),
            },
            "verified" => match &seen.verified {
                Some(run) => {
                    let told = format!("this run, {run}, at {}; it is no person's sign-off, which stands under `review`", minute(self.now));
                    Entry::computed(told, format!("run {run}"))
                }
                None => Entry::missing("run `privet report record`"),
            },
            "registrar_id" => self.registrar(),
            "on_behalf_of" => self.principal(),
            "contract" => self.contracts(),
            "instruction" => self.instruction(),
            "sub_processors" => self.sub_processors(),
            "breach_notices" => {
                let told = match seen.told {
                    0 => "no controller was told of a breach".to_owned(),
                    n => format!("controllers were told of {n}"),
                };
                Entry::observed(told, "register of breaches", self.now)
            }
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

    /// Two counts have a sum that other cells come near to: beside one that is not told the other is not told exactly either.
    fn subjects(&self) -> String {
        let of = |natural: bool| self.seen.subjects.iter().filter(|((is, _), _)| *is == natural).map(|(_, n)| n).sum::<u64>();
        let counts = [of(true), of(false)];
        let is_few = |n: u64| n > 0 && n < self.pack.small;
        let told = |n: u64| match n {
            n if is_few(n) || !counts.into_iter().any(is_few) => self.pack.masked(n),
            n => self.pack.tens(n),
        };
        let [natural, named] = counts.map(told);
        format!("registrants and contacts: {natural} natural persons, {named} named by organisations")
    }

    /// People by country. Where the sum of those who are few would tell each of them, the next country goes with them.
    fn counts(&self) -> String {
        let mut by_country: BTreeMap<&str, u64> = BTreeMap::new();
        for ((_, country), n) in &self.seen.subjects {
            *by_country.entry(country).or_default() += n;
        }
        let (mut few, mut large): (Vec<_>, Vec<_>) = by_country.into_iter().partition(|(_, n)| *n < self.pack.small);
        let sum: u64 = few.iter().map(|(_, n)| n).sum();
        let is_told = few.len() == 1 || sum == few.len() as u64 || sum == few.len() as u64 * (self.pack.small - 1);
        if let Some(at) = large.iter().enumerate().min_by_key(|(_, (_, n))| *n).map(|(at, _)| at).filter(|_| !few.is_empty() && is_told) {
            few.push(large.remove(at));
        }
        let mut all: Vec<String> = large.into_iter().map(|(country, n)| format!("{country} {n}")).collect();
        if !few.is_empty() {
            all.push(format!("{} countries with few", few.len()));
        }
        some(all, "none")
    }

    /// Kinds of data with how many contacts have them. A share beside a count that is not told would tell it, as the sum is known.
    fn elements(&self) -> String {
        let all = self.seen.contacts;
        let told = Element::ALL.iter().filter_map(|element| {
            let n = *self.seen.elements.get(element).filter(|n| **n > 0)?;
            let count = self.pack.masked_of(n, all);
            let share = if count == n.to_string() { format!(" ({} %)", n * 100 / all.max(1)) } else { String::new() };
            Some(format!("{} {count}{share}", element.as_str()))
        });
        some(told, "none held")
    }

    /// Which data which recipient gets: the registry what it holds, the others what the register says.
    fn given(&self) -> String {
        let held = self.seen.elements.iter().filter(|(_, n)| **n > 0).map(|(element, _)| element.as_str());
        let held = held.collect::<Vec<_>>().join(", ");
        let itself = format!("{}: {}", self.seen.registry, if held.is_empty() { "none" } else { &held });
        let others = self.seen.recipients.iter().skip(1).map(|one| {
            let told = one.elements.as_ref().map_or_else(|| "not told by the register".to_owned(), |all| all.replace(';', ", "));
            format!("{}: {told}", one.name)
        });
        some(std::iter::once(itself).chain(others), "")
    }

    /// When recipients were seen, since when others are planned, and when others ended.
    fn when(&self) -> Entry {
        let seen = match self.seen.traffic.window {
            Some((first, last)) => format!("{} seen {} to {}", self.seen.registry, minute(first), minute(last)),
            None => "no exchange in this period".to_owned(),
        };
        let planned = self.seen.recipients.iter().filter_map(|one| Some(format!("{} planned since {}", one.name, one.planned?)));
        let former = self.seen.former.iter().map(|(name, day)| format!("{name} ended {day}"));
        self.of_run(some(std::iter::once(seen).chain(planned).chain(former), ""))
    }

    /// The cells on transfers. What nobody declared is unknown, which is not none.
    fn transfer(&self, field: &str) -> Entry {
        let adequacy = &self.pack.adequacy;
        if let Some(one) = self.seen.recipients.iter().find(|one| one.country.is_none()) {
            return Entry::missing(format!("declare the country of {}: `privet recipient add`", one.name));
        }
        let third = self.seen.recipients.iter().filter(|one| one.country.as_deref().is_some_and(|country| adequacy.is_third(country)));
        let third: Vec<_> = third.map(|one| (one, self.pack.cover(one, self.day))).collect();
        if field == "third_country" {
            let told = third.iter().map(|(one, _)| format!("{} ({})", one.name, one.country.as_deref().unwrap_or_default()));
            let source = format!("register of recipients; EEA as of {}", adequacy.dated());
            return Entry::computed(some(told, "none: every recipient is in the European Economic Area"), source);
        }
        if third.is_empty() {
            return Entry::not_applicable("no transfer to a third country", "register of recipients");
        }
        let source = format!("register of recipients; decisions as of {}", adequacy.dated());
        match field {
            "mechanism" => match third.iter().find(|(_, (cover, _))| !cover.holds() && *cover != Cover::Overridden) {
                Some((one, (_, why))) => Entry::missing(format!("{}: {why}", one.name)),
                None => Entry::computed(
                    some(third.iter().map(|(one, (cover, by))| format!("{}: {}, {by}", one.name, cover.as_str())), ""),
                    source,
                ),
            },
            "safeguard" => documents(third.iter().map(|(one, _)| (one.name.as_str(), one.evidence.as_deref())), "evidence", self.now),
            // A decision needs no assessment of its own.
            _ => {
                let assessed = third.iter().filter(|(_, (cover, _))| *cover != Cover::Decision);
                documents(assessed.map(|(one, _)| (one.name.as_str(), one.assessment.as_deref())), "assessment", self.now)
            }
        }
    }

    fn security(&self) -> Entry {
        let Some(tls) = &self.seen.tls else {
            return Entry::missing("run `privet run`: no run of this registry left what TLS agreed on");
        };
        let whose = |whose: &str| tls.certificates.iter().filter(|one| *one.whose == *whose).map(|one| one.not_after).min();
        let until = |who: &str, named: &str| whose(who).map(|at| format!("{named} certificate until {}", at.strftime("%Y-%m-%d")));
        let line = format!("{} with {}, key exchange {}", tls.version, tls.cipher, tls.group);
        let checked = format!("{} certificates checked", tls.certificates.len());
        let parts = [Some(line), Some(checked), until("registry", "the registry's"), until("ours", "our own"), self.seen.at_rest.clone()];
        self.of_run(some(parts.into_iter().flatten(), ""))
    }

    fn assessment(&self) -> Entry {
        let said = self.declared.get("dpia");
        match &self.seen.assessed {
            Some(one) => {
                let needed = if one.is_needed { "an assessment is to be made" } else { "nothing asks for an assessment" };
                let decided =
                    said.or(one.decision.as_ref()).map_or_else(|| "nobody decided on it".to_owned(), |said| format!("declared: {said}"));
                let met = if one.met.is_empty() { String::new() } else { format!(" ({})", one.met.join(", ")) };
                let told = format!("{} of {} criteria are met{met}: {needed}; {decided}", one.met.len(), one.of);
                Entry::computed(told, format!("oversight pack of {}; privet.toml, controller.dpia, oversight.assessment", one.dated))
            }
            None => self.declared("dpia").unwrap_or_else(|| Entry::missing("decide, and declare it: see the sheet of triggers")),
        }
    }

    fn requests(&self) -> Entry {
        let Some((states, overdue, head)) = &self.seen.requests else {
            return Entry::observed("the register of requests is empty", "the store", self.now);
        };
        let told = states.iter().map(|(state, n)| format!("{state} {}", self.pack.masked(*n)));
        Entry::observed(format!("{}; overdue {}", some(told, "none"), self.pack.masked(*overdue)), head.clone(), self.now)
    }

    fn registrar(&self) -> Entry {
        if self.seen.login.is_empty() {
            return self.declared("registrar_id").unwrap_or_else(|| Entry::missing("run `privet pull`"));
        }
        let sponsors = self.seen.sponsors.iter().map(|(name, n)| format!("{name} sponsors {n}"));
        let objects = some(sponsors, "no object names its sponsor");
        self.of_run(format!("login {}; {objects}", self.seen.login))
    }

    /// Whom the registrar works for here, which the role matrix alone says.
    fn principal(&self) -> Entry {
        let Some(entry) = self.entry.filter(|entry| !entry.of.is_empty()) else {
            return Entry::not_applicable("the registrar decides for itself here", self.source());
        };
        let itself = self.seen.recipients.first();
        let told = if &*entry.of == "the registry" {
            let place =
                itself.and_then(|one| one.country.as_deref()).or_else(|| self.pack.operator(&self.seen.profile).map(|one| &*one.country));
            format!("{}, {}", self.seen.title, place.unwrap_or("country not declared"))
        } else {
            let known = self.seen.recipients.iter().find(|one| one.name == *entry.of);
            let place = known.and_then(|one| one.country.as_deref()).unwrap_or("country not declared");
            format!("{}, {place}", entry.of)
        };
        Entry::computed(told, format!("{}; {}", self.source(), entry.citation))
    }

    fn contracts(&self) -> Entry {
        let told = |one: &super::Contract| format!("{} ({}, {}): {}", one.party, one.kind, one.role, one.agreement);
        if self.seen.contracts.is_empty() {
            return self.declared("contract").unwrap_or_else(|| Entry::missing("tell the register: `privet contract add signed`"));
        }
        Entry::observed(some(self.seen.contracts.iter().map(told), ""), "register of contracts", self.now)
    }

    /// The contract with the registry, whose instructions are followed.
    fn instruction(&self) -> Entry {
        let own = self.seen.contracts.iter().filter(|one| one.party == self.seen.registry);
        let own: Vec<String> = own.map(|one| format!("contract {}: {}", one.case, one.agreement)).collect();
        if own.is_empty() {
            return self.declared("instruction").unwrap_or_else(|| {
                Entry::missing(format!("tell the register: `privet contract add signed --set party={}`", self.seen.registry))
            });
        }
        Entry::observed(own.join("; "), format!("register of contracts; {}", self.source()), self.now)
    }

    /// Whoever else handles the data by contract, and which permission that contract has. Somebody else's processors are theirs.
    fn sub_processors(&self) -> Entry {
        let of_contract = self.seen.contracts.iter().filter(|one| matches!(&*one.role, "processor" | "sub-processor"));
        let told = of_contract.map(|one| {
            let permission = one.sub_processors.as_deref().unwrap_or("not said");
            format!("{} ({}), permission for others: {permission}", one.party, one.agreement)
        });
        let bare = self.seen.recipients.iter().filter(|one| {
            matches!(&*one.category, "escrow" | "relay" | "verification" | "hosting")
                && one.on_behalf_of.is_none()
                && !self.seen.contracts.iter().any(|c| c.party == one.name)
        });
        let all: Vec<String> =
            told.chain(bare.map(|one| format!("{} ({}), no contract in the register", one.name, one.category))).collect();
        if all.is_empty()
            && let Some(declared) = self.declared("sub_processors").filter(|entry| !is_none(&entry.value))
        {
            return declared;
        }
        Entry::observed(some(all, "none"), "registers of contracts and recipients", self.now)
    }
}

impl RecordPack {
    /// A count of people of which the tens are told alone; one under ten as [`Self::masked`].
    pub(super) fn tens(&self, n: u64) -> String {
        if n < 10 { self.masked(n) } else { format!("{} or more", n / 10 * 10) }
    }
}

/// The documents of recipients; those that lack one keep the cell from being whole.
fn documents<'r>(all: impl Iterator<Item = (&'r str, Option<&'r str>)>, column: &str, now: Timestamp) -> Entry {
    let mut told = Vec::new();
    for (name, document) in all {
        match document {
            Some(document) => told.push(format!("{name}: {document}")),
            None => return Entry::missing(format!("name it for {name}: `privet recipient add changed --set {column}=…`")),
        }
    }
    if told.is_empty() {
        return Entry::not_applicable("decisions on adequacy need none", "register of recipients");
    }
    Entry::observed(told.join("; "), "register of recipients", now)
}

/// All of them, or the words for none.
pub(super) fn some(all: impl IntoIterator<Item = String>, none: &str) -> String {
    let all: Vec<String> = all.into_iter().collect();
    if all.is_empty() { none.to_owned() } else { all.join("; ") }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
