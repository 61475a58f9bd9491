//! Other ways to write the same value: what a comparison must not take for a difference.

use super::record::Record;
use crate::dataset::{Column, Kind, columns};
use crate::mock::fleet::Draw;
use crate::model::ObjectKind;
use crate::policy::{FieldRules, Profile};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;

/// What a registry's rules leave of the ways to write a value.
pub(super) struct Ways {
    /// Whether countries stay as they are: other rules go by them, and one in small letters would break those as well.
    keeps_country: bool,
    /// Columns of words that blanks more than there were would take out of their shape.
    shaped: BTreeSet<&'static str>,
}

impl Ways {
    /// What `profile` leaves.
    pub(super) fn of(profile: &Profile) -> Self {
        let goes_by_country =
            |(field, rules): (&str, &FieldRules)| rules.rule.is_some() && (field == "cc" || rules.when.iter().any(|w| w.field == "cc"));
        let is_copied = |field: &str| profile.fields.values().filter_map(|rules| rules.equals.as_ref()).any(|other| other.value == field);
        let is_shaped = |rules: &FieldRules| rules.pattern.is_some() || rules.choices.is_some() || rules.equals.is_some();
        let has_shape = |column: &&Column| {
            let field = column.name.split_once('_').map_or(column.name, |(_, field)| field.trim_end_matches(char::is_numeric));
            field == "pc" || is_copied(field) || profile.tables(field).any(is_shaped)
        };
        Self {
            keeps_country: profile.named_tables().any(goes_by_country),
            shaped: columns(ObjectKind::Contact).iter().filter(has_shape).map(|column| column.name).collect(),
        }
    }
}

/// Rewrites some fields of `record`, each so that it still means the same.
pub(super) fn rewrite(record: &mut Record, object: ObjectKind, ways: &Ways, draw: &mut Draw) {
    for (at, column) in columns(object).iter().enumerate() {
        if draw.chance(350) && !(column.kind == Kind::Country && ways.keeps_country) {
            // Letters may come apart anywhere.
            let variant = draw.below(if column.kind == Kind::Text && ways.shaped.contains(column.name) { 1 } else { 3 });
            record.edit(at, |value| rewritten(value, column.kind, variant));
            // `ok` says that there is no other status: writing it or not is a matter of taste.
            if column.kind == Kind::Statuses && record.get(at).is_empty() && variant == 0 {
                record.set(at, "ok".to_owned());
            }
        }
    }
}

/// `value`, which holds something of `kind`, in another of its shapes.
fn rewritten(value: &str, kind: Kind, variant: u64) -> String {
    match (kind, variant) {
        (Kind::Text, 0) => value.nfd().collect(),
        (Kind::Text, 1) => value.replacen(' ', "  ", 1),
        (Kind::Text, _) => format!("{value} "),
        (Kind::Country, _) => value.to_ascii_lowercase(),
        (Kind::Phone, 0) => value.replace('.', " "),
        (Kind::Phone, _) => grouped(value, if variant == 1 { ' ' } else { '-' }),
        (Kind::Email, 0) => with_domain(value, str::to_ascii_uppercase),
        (Kind::Email, _) => with_domain(value, |domain| idna::domain_to_unicode(domain).0),
        (Kind::NameServers, 0) => each_host(value, |host| format!("{host}.")),
        (Kind::NameServers, 1) => each_host(value, str::to_ascii_uppercase),
        (Kind::NameServers | Kind::Handles | Kind::Statuses, _) => reversed(value),
        (Kind::Day, 0) => format!("{value}T12:30:00Z"),
        (Kind::Day, 1) => format!("{value} 08:15:00"),
        (Kind::Day | Kind::Handle | Kind::Disclose | Kind::Properties, _) => value.to_owned(),
    }
}

/// `+49.5551234` as people write it: `+49 555 1234`.
fn grouped(phone: &str, separator: char) -> String {
    match phone.split_once('.') {
        Some((country, number)) => match number.split_at_checked(3) {
            Some((area, rest)) if !rest.is_empty() => format!("{country} {area}{separator}{rest}"),
            _ => format!("{country} {number}"),
        },
        None => phone.to_owned(),
    }
}

/// `email` with its domain rewritten; the local part belongs to the mail server and is never touched.
fn with_domain(email: &str, edit: impl FnOnce(&str) -> String) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", edit(domain)),
        None => email.to_owned(),
    }
}

/// `ns` with each host name rewritten; addresses stay.
fn each_host(ns: &str, edit: impl Fn(&str) -> String) -> String {
    let one = |entry: &str| match entry.split_once('=') {
        Some((host, addresses)) => format!("{}={addresses}", edit(host)),
        None => edit(entry),
    };
    ns.split(';').map(one).collect::<Vec<_>>().join(";")
}

/// The members of a set in the opposite order.
fn reversed(set: &str) -> String {
    set.rsplit(';').collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_are_those_of_real_records() {
        for (value, kind, want) in [
            ("Jörg", Kind::Text, ["Jo\u{308}rg", "Jörg", "Jörg "]),
            ("Am Mühlbach 3", Kind::Text, ["Am Mu\u{308}hlbach 3", "Am  Mühlbach 3", "Am Mühlbach 3 "]),
            ("DE", Kind::Country, ["de", "de", "de"]),
            ("+49.5551234567", Kind::Phone, ["+49 5551234567", "+49 555 1234567", "+49 555-1234567"]),
            (
                "A.b@xn--bcherwurm-q9a.example",
                Kind::Email,
                ["A.b@XN--BCHERWURM-Q9A.EXAMPLE", "A.b@bücherwurm.example", "A.b@bücherwurm.example"],
            ),
            (
                "a.nz=192.0.2.1,192.0.2.2;b.nz",
                Kind::NameServers,
                ["a.nz.=192.0.2.1,192.0.2.2;b.nz.", "A.NZ=192.0.2.1,192.0.2.2;B.NZ", "b.nz;a.nz=192.0.2.1,192.0.2.2"],
            ),
            ("2027-03-01", Kind::Day, ["2027-03-01T12:30:00Z", "2027-03-01 08:15:00", "2027-03-01"]),
        ] {
            for (variant, want) in (0..).zip(want) {
                assert_eq!(rewritten(value, kind, variant), want);
            }
        }
    }
}
