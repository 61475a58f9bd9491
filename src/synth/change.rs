//! Material changes of a local record, each told as the difference that a comparison has to find.

use super::record::Record;
use super::truth::Changed;
use crate::dataset::{ContactField, DomainField, Row};
use crate::mock::fleet::Draw;
use crate::model::ObjectKind;
use crate::policy::Profile;
use jiff::civil;

/// What may be changed in a contact's record.
#[derive(Clone, Copy)]
pub(super) struct ContactRules<'p> {
    /// The registry's profile, no rule of which a change may break.
    profile: &'p Profile,
    /// Whether its disclose statement may differ, and elements may be missing on one side. Where a privacy service decides on the
    /// statement, neither may: what it has to name follows from what the record has.
    free: bool,
}

impl<'p> ContactRules<'p> {
    /// The rules of `profile`.
    pub(super) const fn of(profile: &'p Profile, free: bool) -> Self {
        Self { profile, free }
    }

    /// Whether the registry wants that field, by some rule or other.
    fn wants(&self, field: &str) -> bool {
        self.profile.tables(field).any(|rules| rules.required.as_ref().is_some_and(|rule| rule.value))
    }

    /// Whether what the field may hold depends on others.
    fn is_bound(&self, field: &str) -> bool {
        self.profile.tables(field).any(|rules| !rules.when.is_empty())
    }

    /// Whether other rules rest on that field.
    fn is_read(&self, field: &str) -> bool {
        self.profile.named_tables().any(|(name, rules)| {
            let is_compared = rules.equals.as_ref().is_some_and(|other| other.value == field || name == field);
            is_compared || rules.when.iter().any(|when| when.field == field)
        })
    }
}

/// What may be changed in a domain's record.
pub(super) struct DomainRules<'a> {
    /// Whether its contacts may differ: only where no privacy service stands in their place.
    pub(super) roles: bool,
    /// Status values that the registry takes from its clients.
    pub(super) statuses: &'a [&'a str],
    /// The handle of some other contact of the registry.
    pub(super) other: &'a str,
    /// The fewest name servers of a domain that has any.
    pub(super) servers: u8,
}

/// Columns of words that another person's record has as well.
const WORDS: [ContactField; 12] = [
    ContactField::IntName,
    ContactField::IntOrg,
    ContactField::IntStreet1,
    ContactField::IntCity,
    ContactField::IntPc,
    ContactField::IntCc,
    ContactField::LocName,
    ContactField::LocOrg,
    ContactField::LocStreet1,
    ContactField::LocCity,
    ContactField::LocPc,
    ContactField::LocCc,
];

/// Columns of which local records may know nothing.
const OPTIONAL: [ContactField; 6] = [
    ContactField::IntStreet2,
    ContactField::IntSp,
    ContactField::LocStreet2,
    ContactField::LocSp,
    ContactField::VoiceX,
    ContactField::FaxX,
];

/// Changes one to three fields of a contact's record, whose object the registry has as `held`; words come from `other`'s.
pub(super) fn contact(record: &mut Record, held: &Row, other: &Record, rules: ContactRules<'_>, draw: &mut Draw) -> Vec<Changed> {
    use ContactField as F;
    let mut changes: Vec<(F, String)> = Vec::new();
    for field in WORDS {
        let (ours, theirs) = (record.get(field.at()), other.get(field.at()));
        // What another person has may not fit this one's country, nor what the registry makes of it.
        let name = field.name().split_once('_').map_or("", |(_, name)| name);
        let same_land = [ContactField::IntCc, ContactField::LocCc].iter().all(|cc| record.get(cc.at()) == other.get(cc.at()));
        let has_code = !record.get(if field == ContactField::IntCc { ContactField::IntPc } else { ContactField::LocPc }.at()).is_empty();
        if rules.is_read(name) || (name == "pc" && !same_land) || (name == "cc" && has_code) {
            continue;
        }
        if !ours.is_empty() && !theirs.is_empty() && ours != theirs {
            changes.push((field, theirs.to_owned()));
        }
    }
    let phone = |number: &str, last: u64| {
        let kept = number.get(..number.len().saturating_sub(2)).unwrap_or_default();
        let new = format!("{kept}{last:02}");
        if new == number { format!("{kept}{:02}", (last + 1) % 100) } else { new }
    };
    for field in [F::Voice, F::Fax] {
        let last = draw.below(100);
        if !record.get(field.at()).is_empty() {
            changes.push((field, phone(record.get(field.at()), last)));
        }
    }
    changes.push((F::Email, format!("new.{}", record.get(F::Email.at()))));
    let may_lack = |f: &F| !rules.wants(f.name().split_once('_').map_or("", |(_, name)| name));
    changes.extend(OPTIONAL.into_iter().filter(|f| !record.get(f.at()).is_empty() && may_lack(f)).map(|f| (f, String::new())));
    for status in rules.profile.settable(ObjectKind::Contact) {
        changes.push((F::Statuses, toggled(record.get(F::Statuses.at()), status)));
    }
    if rules.free {
        let disclose = record.get(F::Disclose.at());
        if !disclose.is_empty() {
            changes.push((F::Disclose, String::new()));
            let flipped = if disclose.starts_with('0') { '1' } else { '0' };
            changes.push((F::Disclose, format!("{flipped}{}", disclose.get(1..).unwrap_or_default())));
        }
        // An element which one side lacks altogether.
        if !record.get(F::Fax.at()).is_empty() && record.get(F::FaxX.at()).is_empty() {
            changes.push((F::Fax, String::new()));
        }
        if record.get(F::Voice.at()).is_empty() && !rules.is_bound("voice") {
            changes.push((F::Voice, "+49.5559876543".to_owned()));
        }
    }
    plant(record, held, changes, F::at, F::name, draw)
}

/// Changes one to three fields of a domain's record, whose object the registry has as `held`.
pub(super) fn domain(record: &mut Record, held: &Row, rules: &DomainRules<'_>, draw: &mut Draw) -> Vec<Changed> {
    use DomainField as F;
    let mut changes: Vec<(F, String)> = Vec::new();
    if rules.roles {
        for field in [F::Registrant, F::Admin, F::Tech, F::Billing] {
            if !record.get(field.at()).split(';').any(|handle| handle == rules.other) {
                changes.push((field, rules.other.to_owned()));
            }
        }
    }
    if let Some(status) = draw.pick(rules.statuses) {
        changes.push((F::Statuses, toggled(record.get(F::Statuses.at()), status)));
    }
    // One name server is added or taken away: where there is none and the registry wants several, one would be too few.
    if rules.servers < 2 || !record.get(F::Ns.at()).is_empty() {
        changes.push((F::Ns, delegated(record.get(F::Ns.at()), draw)));
    }
    if let Ok(date) = record.get(F::Expires.at()).parse::<civil::Date>() {
        let days = i64::try_from(draw.below(400)).unwrap_or_default() + 1;
        changes.push((F::Expires, date.saturating_add(jiff::Span::new().days(days)).to_string()));
    }
    plant(record, held, changes, F::at, F::name, draw)
}

/// Carries out one to three of `changes`, at most one to a field. A new value is in canonical form and differs from the old.
fn plant<F: Copy>(
    record: &mut Record,
    held: &Row,
    mut changes: Vec<(F, String)>,
    at: fn(F) -> usize,
    name: fn(F) -> &'static str,
    draw: &mut Draw,
) -> Vec<Changed> {
    draw.shuffle(&mut changes);
    let wanted = draw.below(3) + 1;
    let mut done: Vec<Changed> = Vec::new();
    for (field, local) in changes {
        if done.len() as u64 == wanted {
            break;
        }
        if done.iter().all(|d| d.field != name(field)) {
            let remote = held.get(at(field)).unwrap_or_default().to_owned();
            record.set(at(field), local.clone());
            done.push(Changed { field: name(field), local, remote });
        }
    }
    done
}

/// `statuses` with `status`, or without it where it is there.
fn toggled(statuses: &str, status: &str) -> String {
    let mut all: Vec<&str> = statuses.split(';').filter(|s| !s.is_empty()).collect();
    match all.iter().position(|s| *s == status) {
        Some(there) => {
            all.remove(there);
        }
        None => all.push(status),
    }
    all.sort_unstable();
    all.join(";")
}

/// Another delegation than `ns`: a host more, a host less, or other glue.
fn delegated(ns: &str, draw: &mut Draw) -> String {
    let mut hosts: Vec<String> = ns.split(';').filter(|h| !h.is_empty()).map(ToOwned::to_owned).collect();
    let glued = hosts.iter_mut().find_map(|h| h.split_once('=').map(|(name, _)| format!("{name}=198.51.100.7")).map(|new| *h = new));
    if glued.is_none() {
        if hosts.len() > 2 && draw.chance(500) {
            hosts.pop();
        } else {
            hosts.push("zz.dns-thicket.example".to_owned());
        }
    }
    hosts.join(";")
}

#[cfg(test)]
mod tests {
    use super::{delegated, toggled};
    use crate::mock::fleet::Draw;

    #[test]
    fn a_change_is_always_a_change() {
        let mut draw = Draw::new(1, "test", 1);
        for ns in ["", "a.example", "a.example;b.example;c.example", "ns1.x.nz=192.0.2.1;ns2.x.nz=192.0.2.2,2001:db8::2"] {
            for _ in 0..20 {
                assert_ne!(delegated(ns, &mut draw), ns);
            }
        }
        assert_eq!(toggled("a;c", "b"), "a;b;c");
        assert_eq!(toggled("a;b;c", "b"), "a;c");
    }
}
