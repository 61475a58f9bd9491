//! What registries hold of registrants, against the bases on which it is given to their provider.

use super::super::super::night::Night;
use super::super::people::Registrant;
use super::{days, rules};
use crate::base::{RegistryId, Result, Timestamp};
use crate::compliance::asking::{BasisMatrix, Ground, Group, Person as PersonKind};
use crate::compliance::exposure::Person;
use crate::compliance::{Element, Fingerprint, Ledger, Standing, State, Subject, fold_group};
use crate::dataset::{DomainField, Records, Snapshot};
use crate::model::ObjectKind;
use crate::plan::{Pair, Sources, pairs};
use crate::report::{ConsentBook, ConsentFinding, ConsentRule};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeSet, HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// What is known of contacts: some bytes for each.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    /// The country of each subject that the ledger has.
    countries: HashMap<Subject, String>,
    /// Contacts that a domain of the local records names.
    used: HashSet<u64>,
    /// When the oldest withdrawal was of which data are still there.
    pub(super) oldest: Option<Timestamp>,
}

fn hash(registry: &str, handle: &str) -> u64 {
    xxh3_64(format!("{registry}\n{handle}").as_bytes())
}

impl Contacts {
    /// Takes in which contacts domains name, and where the subjects are.
    ///
    /// # Errors
    /// `E-parquet-…`; as [`Ledger::subject_of`].
    pub(super) fn countries(&mut self, records: &Records, id: &RegistryId, ledger: &mut Ledger<'_>) -> Result<()> {
        use DomainField as F;
        records.each(id, ObjectKind::Domain, |row| {
            for field in [F::Registrant, F::Admin, F::Tech, F::Billing] {
                let handles = row.get(field.at()).into_iter().flat_map(|all| all.split(';'));
                self.used.extend(handles.map(|handle| hash(id.as_str(), handle)));
            }
            Ok(())
        })?;
        if ledger.subjects().next().is_none() {
            return Ok(());
        }
        records.each(id, ObjectKind::Contact, |row| {
            let Some(person) = Fingerprint::of_row(&row) else { return Ok(()) };
            let Some(subject) = ledger.subject_of(&person)? else { return Ok(()) };
            if let Some(country) = Person::of(&row).value(Element::Country) {
                self.countries.entry(subject).or_insert_with(|| country.to_uppercase());
            }
            Ok(())
        })
    }

    /// Whether a domain of the local records names that contact.
    pub(super) fn is_used(&self, registry: &str, handle: &str) -> bool {
        self.used.contains(&hash(registry, handle))
    }

    /// The country of each subject.
    pub(super) const fn country_of(&self) -> &HashMap<Subject, String> {
        &self.countries
    }
}

/// One registry that has a provider.
pub(super) struct Looking<'a> {
    pub(super) night: &'a Night<'a>,
    pub(super) id: &'a RegistryId,
    pub(super) provider: &'a str,
    pub(super) records: &'a Records,
    pub(super) snapshot: &'a Snapshot,
}

/// A registrant, with what of it is asked.
struct Held<'a> {
    handle: &'a str,
    subject: Option<Subject>,
    kind: PersonKind,
    /// What the local record holds, by which its group is known.
    elements: BTreeSet<Element>,
    /// What the registry holds.
    there: Person<'a>,
}

impl Looking<'_> {
    /// Looks at every registrant of the local records that the registry holds.
    ///
    /// # Errors
    /// `E-parquet-…`, `E-store-…`, `E-file-…`.
    pub(super) fn look(&self, contacts: &mut Contacts, ledger: &mut Ledger<'_>, book: &mut ConsentBook<'_>) -> Result<()> {
        let (mut tlds, mut names) = (HashMap::<u64, BTreeSet<usize>>::new(), Vec::<String>::new());
        self.records.each(self.id, ObjectKind::Domain, |row| {
            let tld = row.id().split_once('.').map(|(_, tld)| tld);
            let Some((tld, handle)) = tld.zip(row.get(DomainField::Registrant.at())) else { return Ok(()) };
            let at = names.iter().position(|known| known == tld).unwrap_or_else(|| {
                names.push(tld.to_owned());
                names.len() - 1
            });
            tlds.entry(hash(self.id.as_str(), handle)).or_default().insert(at);
            Ok(())
        })?;
        let Self { night, id, records, snapshot, .. } = self;
        let sources = Sources { id, records, snapshot, not_before: Timestamp::MIN, stop: &night.ctx.stop };
        pairs(&sources, ObjectKind::Contact, &mut |pair: Pair<'_>| {
            let Some((local, remote)) = pair.local.zip(pair.remote) else { return Ok(()) };
            let Some(own) = tlds.get(&hash(self.id.as_str(), local.id())) else { return Ok(()) };
            let registrant = Registrant::of(local);
            let subject = registrant.person.as_ref().map(|person| ledger.subject_of(person)).transpose()?.flatten();
            let Registrant { kind, elements, .. } = registrant;
            let held = Held { handle: local.id(), subject, kind, elements, there: Person::of(remote) };
            for tld in own.iter().filter_map(|at| names.get(*at)) {
                self.judge(&held, tld, contacts, ledger, book)?;
            }
            Ok(())
        })
    }

    /// Tells what is amiss with one registrant's data for names of one kind.
    fn judge(&self, held: &Held<'_>, tld: &str, contacts: &mut Contacts, ledger: &Ledger<'_>, book: &mut ConsentBook<'_>) -> Result<()> {
        let (at, matrix) = (self.night.started, &*self.night.loaded.config.asking.matrix);
        let on = at.to_zoned(TimeZone::UTC).date();
        let ground = |element: Element| matrix.cell(self.provider, tld, held.kind, element, on).map(|cell| cell.ground);
        let is_there = |element: &Element| held.there.has(*element);
        let is_real = |element: &Element| is_there(element) && !stands_for(matrix, &held.there, tld, *element, on);
        let of = |wanted: &dyn Fn(Option<Ground>) -> bool, seen: &dyn Fn(&Element) -> bool| -> Vec<Element> {
            Element::ALL.iter().copied().filter(|element| wanted(ground(*element)) && seen(element)).collect()
        };
        let consent = |found: Option<Ground>| found == Some(Ground::Consent);
        let baseless = of(&|found| !matches!(found, Some(Ground::Contract | Ground::Consent)), &is_real);
        // What has no basis is told as that, and is in no group.
        let known = held.elements.iter().copied().filter(|element| ground(*element).is_some_and(|ground| ground != Ground::None));
        let group = matrix.group((self.provider, tld), held.kind, &known.collect(), on).ok();
        let (group, wanted) = group.map_or_else(|| (None, BTreeSet::new()), |(group, wanted)| (Some(group), wanted));
        let events = held.subject.map(|subject| ledger.events(subject)).unwrap_or_default();
        let standing = fold_group(events, self.provider, group.as_ref().map(Group::as_str), at);
        let covers = |element: &Element| standing.state.holds() && (standing.elements.is_empty() || standing.elements.contains(element));
        let telling = Telling { looking: self, held, group: group.as_ref(), tld };
        let lacking = lacking(held, &ground);
        if !lacking.is_empty() {
            telling.tell(book, rules::MINIMUM, format!("{} for .{tld}", lacking.join(", ")))?;
        }
        if !baseless.is_empty() {
            telling.tell(book, rules::NO_BASIS, format!("{} for .{tld}", named(&baseless)))?;
        }
        let uncovered = of(&consent, &|element| is_real(element) && !covers(element));
        if !uncovered.is_empty() {
            self.uncovered(&telling, &standing, &uncovered, contacts, events, book)?;
        }
        let stale = of(&consent, &|element| is_there(element) && !is_real(element) && covers(element));
        if !stale.is_empty() {
            telling.tell(book, rules::STALE, format!("{} for .{tld}: plan an update", named(&stale)))?;
        }
        let is_of = |event: &&crate::compliance::Record| event.provider.as_ref().is_some_and(|own| own.as_str() == self.provider);
        let was_asked = events.iter().any(|event| is_of(&event));
        if was_asked && !wanted.is_empty() && standing.state == State::Unknown {
            telling.tell(book, rules::NEW_ELEMENTS, format!("{} for .{tld} were not asked for", named(&wanted)))?;
        }
        Ok(())
    }

    /// Tells of true data that no consent covers.
    fn uncovered(
        &self,
        telling: &Telling<'_>,
        standing: &Standing,
        elements: &[Element],
        contacts: &mut Contacts,
        events: &[crate::compliance::Record],
        book: &mut ConsentBook<'_>,
    ) -> Result<()> {
        let (at, tld) = (self.night.started, telling.tld);
        if standing.state != State::Withdrawn {
            let what = format!("{} for .{tld}, and the consent is {}", named(elements), standing.state.as_str());
            return telling.tell(book, rules::NO_CONSENT, what);
        }
        let since = events.iter().filter(|event| standing.evidence.contains(&event.id)).map(|event| event.at).max();
        contacts.oldest = [contacts.oldest, since].into_iter().flatten().min();
        let ago = since.map_or(0, |since| days(since, at));
        telling.tell(book, rules::STILL_THERE, format!("{} for .{tld}, withdrawn {ago} days ago", named(elements)))?;
        let on = at.to_zoned(TimeZone::UTC).date();
        match self.night.loaded.config.asking.matrix.erase_days(self.provider, on) {
            Some(most) if ago > i64::from(most) => telling.tell(book, rules::TOO_LATE, format!("{ago} days ago; {most} is the most")),
            _ => Ok(()),
        }
    }
}

/// Whom something is told of.
struct Telling<'a> {
    looking: &'a Looking<'a>,
    held: &'a Held<'a>,
    group: Option<&'a Group>,
    tld: &'a str,
}

impl Telling<'_> {
    fn tell(&self, book: &mut ConsentBook<'_>, rule: ConsentRule, what: String) -> Result<()> {
        book.finding(&ConsentFinding {
            rule,
            object: "contact",
            id: self.held.handle,
            registry: Some(self.looking.id.as_str()),
            provider: Some(self.looking.provider),
            group: self.group.map(Group::as_str),
            what,
        })
    }
}

/// What is not there of the least that every contract needs.
fn lacking(held: &Held<'_>, ground: &dyn Fn(Element) -> Option<Ground>) -> Vec<&'static str> {
    let is_needed = |element: &Element| ground(*element) == Some(Ground::Contract);
    let needed = [Element::Name, Element::Country, Element::Email].into_iter().filter(is_needed);
    let mut lacking: Vec<&str> = needed.filter(|element| !held.elements.contains(element)).map(Element::as_str).collect();
    // In other scripts a whole name may be one word.
    let is_part = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if held.kind == PersonKind::Individual && held.there.value(Element::Name).is_some_and(is_part) {
        lacking.push("name: a first or a last name alone");
    }
    lacking
}

/// Whether what a registry holds of an element stands for data that nobody consented to.
fn stands_for(matrix: &BasisMatrix, there: &Person<'_>, tld: &str, element: Element, on: Date) -> bool {
    let own = matrix.placeholder(tld, element, on);
    there.is_placeholder(element) || own.is_some_and(|own| there.values(element).all(|(_, value)| value.trim().eq_ignore_ascii_case(own)))
}

fn named<'e>(elements: impl IntoIterator<Item = &'e Element>) -> String {
    elements.into_iter().map(|element| element.as_str()).collect::<Vec<_>>().join(", ")
}
