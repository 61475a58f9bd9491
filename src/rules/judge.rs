//! A profile made ready to judge rows by.

use super::address::Field;
use super::subject::{Subject, contact_fields};
use super::{dns, property, roles, servers, status};
use crate::dataset::{ContactField, DomainField, Row};
use crate::model::{Answer, Confidence, DnsSeen, Finding, FindingSeverity, ObjectKind};
use crate::policy::{Profile, PropertyKind, PropertyOf, Rule};
use std::collections::BTreeSet;

/// A registry's rules, ready for many rows.
#[derive(Debug)]
pub struct Judge<'p> {
    registry: Box<str>,
    pub(super) profile: &'p Profile,
    fields: Vec<Field<'p>>,
}

impl<'p> Judge<'p> {
    /// A judge by `profile`, whose findings name the profile.
    #[must_use]
    pub fn of(profile: &'p Profile) -> Self {
        Self::at(&profile.id, profile)
    }

    /// A judge by `profile`, whose findings name `registry`.
    #[must_use]
    pub fn at(registry: &str, profile: &'p Profile) -> Self {
        let mut names: BTreeSet<&'p str> = contact_fields().collect();
        names.extend(profile.named_tables().map(|(name, _)| name));
        let texts = profile.properties.iter().filter(|(_, p)| p.value.of == PropertyOf::Contact && p.value.kind == PropertyKind::Text);
        names.extend(texts.map(|(key, _)| key.as_str()));
        let fields = names.into_iter().map(|name| Field::of(name, profile)).collect();
        Self { registry: registry.into(), profile, fields }
    }

    /// Everything that the registry would refuse of a contact, or that is doubtful in it, in the order of [`Finding::order`]. Nothing is
    /// said of a contact where the registry has none.
    #[must_use]
    pub fn contact(&self, row: &Row) -> Vec<Finding> {
        if !self.profile.has_contacts() {
            return Vec::new();
        }
        let (subject, fault) = Subject::contact(row);
        let mut sheet = self.sheet(ObjectKind::Contact, row);
        for field in &self.fields {
            field.judge(&subject, &mut sheet);
        }
        property::judge(PropertyOf::Contact, &subject, fault, &mut sheet);
        status::judge(row.get(ContactField::Statuses.at()), &mut sheet);
        super::privacy::disclosed(&subject, &mut sheet);
        sheet.done()
    }

    /// The same for a domain, as far as its own row tells.
    #[must_use]
    pub fn domain(&self, row: &Row) -> Vec<Finding> {
        self.domain_among(row, |_| 0)
    }

    /// The same for a domain among the contacts of its registry: `ties` tells of a handle what [`Judge::ties`] did of that contact.
    #[must_use]
    pub fn domain_among(&self, row: &Row, ties: impl Fn(&str) -> u8) -> Vec<Finding> {
        let (subject, fault) = Subject::domain(row, DomainField::Properties.at());
        let mut sheet = self.sheet(ObjectKind::Domain, row);
        property::judge(PropertyOf::Domain, &subject, fault, &mut sheet);
        status::judge(row.get(DomainField::Statuses.at()), &mut sheet);
        servers::judge(&subject, &mut sheet);
        if self.profile.has_contacts() {
            roles::judge(&subject, ties, &mut sheet);
        }
        sheet.done()
    }

    /// What the registry's tests of a domain's name servers would find, by what was `seen` of them in the DNS; nothing where it runs none.
    #[must_use]
    pub fn name_servers(&self, domain: &Row, seen: Option<&DnsSeen>) -> Vec<Finding> {
        let mut sheet = self.sheet(ObjectKind::Domain, domain);
        dns::judge(domain, seen, &mut sheet);
        sheet.done()
    }

    /// Which roles a contact must have itself where it is the registrant: one bit for each, none where there is no such role.
    #[must_use]
    pub fn ties(&self, contact: &Row) -> u8 {
        roles::ties(self.profile, &Subject::contact(contact).0)
    }

    /// Whether any contact can be tied to a role: where none can, nobody need ask.
    #[must_use]
    pub fn has_ties(&self) -> bool {
        self.profile.roles.values().any(|rules| rules.registrant.is_some())
    }

    /// The finding that another handle of the same table differs from this one only in case, at a registry that keeps capitals.
    #[must_use]
    pub fn same_in_capitals(&self, row_id: &str) -> Finding {
        let mut sheet = Sheet { judge: self, object: ObjectKind::Contact, id: row_id, out: Vec::new() };
        let what = "another handle of this table differs from this one only in case, and the registry keeps handles in capitals";
        let basis = Basis::strict("the registry keeps handles in capitals, so both are one contact");
        let finding = sheet.add("R-addr-015", "id".to_owned(), basis, what.to_owned());
        finding.suggestion = Some(row_id.to_uppercase().as_str().into());
        finding.clone()
    }

    /// Whether the registry keeps handles in capitals, however they are sent.
    #[must_use]
    pub const fn folds_handles(&self) -> bool {
        self.profile.quirks.handles_in_capitals
    }

    pub(super) fn sheet<'s>(&'s self, object: ObjectKind, row: &'s Row) -> Sheet<'s, 'p> {
        Sheet { judge: self, object, id: row.id(), out: Vec::new() }
    }
}

/// What a finding rests on.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    severity: FindingSeverity,
    source: &'a str,
    confidence: Confidence,
}

impl<'a> Basis<'a> {
    /// A rule of the profile.
    pub(super) fn of<T>(rule: &'a Rule<T>) -> Self {
        let severity = if rule.is_enforced() { FindingSeverity::Error } else { FindingSeverity::Warning };
        Self { severity, source: &rule.source, confidence: rule.confidence }
    }

    /// A rule of the profile of which one is only told.
    pub(super) fn told<T>(rule: &'a Rule<T>) -> Self {
        Self { severity: FindingSeverity::Warning, ..Self::of(rule) }
    }

    /// A rule of ours: whether the registry has it is not known.
    pub(super) const fn ours(source: &'a str) -> Self {
        Self { severity: FindingSeverity::Warning, source, confidence: Confidence::Inferred }
    }

    /// What no registry can take.
    pub(super) const fn strict(source: &'a str) -> Self {
        Self { severity: FindingSeverity::Error, source, confidence: Confidence::Inferred }
    }
}

/// The findings of one object as they come.
pub(super) struct Sheet<'s, 'p> {
    pub(super) judge: &'s Judge<'p>,
    object: ObjectKind,
    id: &'s str,
    out: Vec<Finding>,
}

impl Sheet<'_, '_> {
    /// Adds a finding, which the caller may tell more of.
    pub(super) fn add(&mut self, rule: &str, field: String, basis: Basis<'_>, what: String) -> &mut Finding {
        let code = self.judge.profile.answers.get(rule);
        let finding = Finding {
            answer: code.map(answer),
            ..Finding::of(rule, (basis.severity, basis.source, basis.confidence), &self.judge.registry, (self.object, self.id), field, what)
        };
        self.out.push_mut(finding)
    }

    /// What the object is.
    pub(super) const fn object(&self) -> ObjectKind {
        self.object
    }

    /// Its id.
    pub(super) const fn id(&self) -> &str {
        self.id
    }

    /// All of them in order. What several tables of a profile say of one place is told once, by the strictest.
    pub(super) fn done(self) -> Vec<Finding> {
        let mut out = self.out;
        if out.len() > 1 {
            out.sort_by(Finding::order);
            out.dedup_by(|next, one| next.field == one.field && next.position == one.position && next.rule == one.rule);
        }
        out
    }
}

/// What the registry would answer, by the code in its profile.
pub(super) fn answer(code: &Rule<String>) -> Answer {
    Answer { code: code.value.as_str().into(), how: code.source.as_str().into(), confidence: code.confidence }
}
