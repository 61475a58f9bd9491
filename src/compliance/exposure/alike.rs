//! Contacts that share what only one customer should have (ENM-18): one e-mail address for many names, or one name with many addresses,
//! which looks as if a reseller had put its own data in the place of its customers'. A heuristic.

use super::person::Person;
use super::words::plain;
use crate::model::Element;
use std::collections::HashSet;
use xxhash_rust::xxh3::xxh3_64;

/// What is shared, and what it is shared by: hashes, of which each contact has a few.
#[derive(Clone, Debug, Default)]
pub struct Alike {
    /// Address and name.
    emails: Vec<(u64, u64)>,
    /// Name, and address with postal code.
    names: Vec<(u64, u64)>,
}

/// What is shared by more customers than one has.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    emails: HashSet<u64>,
    names: HashSet<u64>,
}

impl Alike {
    /// Takes a registrant in: 32 bytes.
    pub fn take(&mut self, person: &Person<'_>) {
        let Some((email, name, place)) = keys(person) else { return };
        self.emails.push((email, name));
        self.names.push((name, email ^ place.rotate_left(1)));
    }

    /// Takes over what another took in.
    pub fn extend(&mut self, other: Self) {
        self.emails.extend(other.emails);
        self.names.extend(other.names);
    }

    /// What more than `most` customers share.
    #[must_use]
    pub fn shared(self, most: usize) -> Shared {
        // One name belongs to many people: it takes more of them than an address does.
        Shared { emails: over(self.emails, most), names: over(self.names, most.saturating_mul(2)) }
    }
}

impl Shared {
    /// What of a person is shared: its address or its name.
    #[must_use]
    pub fn of(&self, person: &Person<'_>) -> Option<Element> {
        let (email, name, _) = keys(person)?;
        if self.emails.contains(&email) {
            return Some(Element::Email);
        }
        self.names.contains(&name).then_some(Element::Name)
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.names.is_empty()
    }
}

/// The hashes of a person's address, of what it is called, and of where it is.
fn keys(person: &Person<'_>) -> Option<(u64, u64, u64)> {
    let hash = |text: &str| xxh3_64(plain(text).as_bytes());
    // Punctuation tells mailboxes apart.
    let email = person.value(Element::Email).map(|email| xxh3_64(email.trim().to_lowercase().as_bytes()))?;
    let called = person.organisation().or_else(|| person.value(Element::Name))?;
    let place = person.value(Element::PostalCode).or_else(|| person.value(Element::City)).unwrap_or_default();
    Some((email, hash(called), hash(place)))
}

/// The first of those pairs that stand with more than `most` different seconds.
fn over(mut pairs: Vec<(u64, u64)>, most: usize) -> HashSet<u64> {
    pairs.sort_unstable();
    pairs.dedup();
    let groups = pairs.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > most);
    groups.filter_map(|group| group.first()).map(|(first, _)| *first).collect()
}
