//! A deposit in memory, as digests: some hundred bytes for each row.

use super::Out;
use super::normal::{Form, digest, is_masked};
use super::rule::{self, Rule};
use crate::base::{Blame, Exit, Problem, Problems};
use crate::dataset::{ContactColumn, ContactField, Deposit, DepositKind, DomainColumn, DomainField, Row};
use crate::diff::PrivacySettings;
use crate::model::ObjectKind;
use std::collections::{BTreeSet, HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// The most rows of a deposit: all of them are in memory at once.
const MAX_ROWS: u64 = 40_000_000;

/// Fields of a domain: the deposit's column, ours, how they are compared, and whether nothing with us is a value as well.
const DOMAIN: [(DomainColumn, DomainField, Form, bool); 6] = [
    (DomainColumn::Registrant, DomainField::Registrant, Form::List, true),
    (DomainColumn::Admin, DomainField::Admin, Form::List, true),
    (DomainColumn::Tech, DomainField::Tech, Form::List, true),
    (DomainColumn::Billing, DomainField::Billing, Form::List, true),
    (DomainColumn::Ns, DomainField::Ns, Form::List, false),
    (DomainColumn::Expires, DomainField::Expires, Form::Day, false),
];

/// The roles among them.
const ROLES: [DomainColumn; 4] = [DomainColumn::Registrant, DomainColumn::Admin, DomainColumn::Tech, DomainColumn::Billing];

/// A field of a contact: the deposit's columns, how it is compared, and ours in both forms of an address.
struct Compared {
    theirs: &'static [ContactColumn],
    form: Form,
    ours: [&'static [ContactField]; 2],
}

const fn compared(theirs: &'static [ContactColumn], form: Form, int: &'static [ContactField], loc: &'static [ContactField]) -> Compared {
    Compared { theirs, form, ours: [int, loc] }
}

/// Fields of a contact.
const CONTACT: [Compared; 10] = {
    use ContactColumn as C;
    use ContactField as F;
    [
        compared(&[C::Name], Form::Words, &[F::IntName], &[F::LocName]),
        compared(&[C::Org], Form::Words, &[F::IntOrg], &[F::LocOrg]),
        compared(
            &[C::Street, C::Street2, C::Street3],
            Form::Words,
            &[F::IntStreet1, F::IntStreet2, F::IntStreet3],
            &[F::LocStreet1, F::LocStreet2, F::LocStreet3],
        ),
        compared(&[C::City], Form::Words, &[F::IntCity], &[F::LocCity]),
        compared(&[C::State], Form::Words, &[F::IntSp], &[F::LocSp]),
        compared(&[C::Zip], Form::Words, &[F::IntPc], &[F::LocPc]),
        compared(&[C::Country], Form::Words, &[F::IntCc], &[F::LocCc]),
        compared(&[C::Email], Form::Words, &[F::Email], &[]),
        compared(&[C::Phone], Form::Digits, &[F::Voice], &[]),
        compared(&[C::Fax], Form::Digits, &[F::Fax], &[]),
    ]
};

impl Compared {
    /// Its name: that of the first column.
    fn name(&self) -> &'static str {
        self.theirs.first().map_or("", |column| column.name())
    }
}

/// On whose side an object of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The local records.
    Records,
    /// What a registry holds, of what the local records do not have.
    Registry,
}

/// What is wrong with an object: the rule, the field and the words.
type Wrong = (&'static Rule, &'static str, &'static str);

struct Domain {
    fields: [u64; DOMAIN.len()],
    is_ours: bool,
}

struct Contact {
    fields: [u64; CONTACT.len()],
    /// Fields that are not compared, as bits: they were told as masked, or all are the provider's.
    told: u16,
}

/// A deposit.
pub(super) struct Deposited {
    /// How many rows it has.
    pub(super) rows: u64,
    kind: DepositKind,
    domains: HashMap<u64, Domain>,
    contacts: HashMap<u64, Contact>,
    domain_columns: BTreeSet<&'static str>,
    contact_columns: BTreeSet<&'static str>,
    /// The top-level domains that it has names of.
    tlds: HashSet<Box<str>>,
}

impl Deposited {
    /// Reads a deposit, and tells what is wrong with it by itself.
    ///
    /// # Errors
    /// What is wrong with its files; `E-escrow-006` where it has too many rows.
    pub(super) fn read(deposit: &Deposit, provider: Option<&PrivacySettings>, out: &mut Out) -> Result<Self, Problems> {
        let (domain_columns, contact_columns, tlds) = (BTreeSet::new(), BTreeSet::new(), HashSet::new());
        let (domains, contacts) = (HashMap::new(), HashMap::new());
        let mut all = Self { rows: 0, kind: deposit.kind, domains, contacts, domain_columns, contact_columns, tlds };
        all.contact_columns = deposit.each_contact(|(.., values)| all.take_contact(values, provider, out))?;
        all.domain_columns = deposit.each_domain(|(.., values)| all.take_domain(values, out))?;
        if all.rows > MAX_ROWS {
            let what = format!("the deposit has more than {MAX_ROWS} rows");
            let problem = Problem::new("E-escrow-006", Blame::Input, what, "hold parts of it against the records, each with its digests");
            return Err(problem.exit(Exit::InputIncomplete).into());
        }
        Ok(all)
    }

    fn take_contact(&mut self, values: &[Option<&str>], provider: Option<&PrivacySettings>, out: &mut Out) {
        self.rows += 1;
        let value = |column: ContactColumn| values.get(column.at()).copied().flatten();
        let Some(handle) = value(ContactColumn::Handle).map(str::trim).filter(|_| self.rows <= MAX_ROWS) else { return };
        let mut contact = Contact { fields: [0; CONTACT.len()], told: 0 };
        for (n, (field, slot)) in CONTACT.iter().zip(&mut contact.fields).enumerate() {
            let parts = || field.theirs.iter().filter_map(|column| value(*column));
            *slot = digest(field.form, parts());
            if parts().any(is_masked) {
                contact.told |= 1 << n;
                let what = "the value is masked, and should be deposited as it is";
                out.add(rule::MASKED.broken("", ObjectKind::Contact, handle, field.name(), what));
            }
        }
        let of_provider = provider.and_then(|provider| {
            let domain = value(ContactColumn::Email).and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain.to_lowercase());
            let is_name = value(ContactColumn::Name).is_some_and(|name| name.trim().eq_ignore_ascii_case(&provider.name));
            if domain.as_deref() == Some(provider.email_domain.as_str()) { Some("email") } else { is_name.then_some("name") }
        });
        if let Some(field) = of_provider {
            contact.told = u16::MAX;
            let what = "these are the privacy provider's data: deposit its customer's, or tell customers conspicuously that they are not";
            out.add(rule::PROVIDER.broken("", ObjectKind::Contact, handle, field, what));
        }
        if self.contacts.insert(xxh3_64(handle.as_bytes()), contact).is_some() {
            out.add(rule::TWICE.broken("", ObjectKind::Contact, handle, "handle", "the handle stands twice in the deposit"));
        }
    }

    fn take_domain(&mut self, values: &[Option<&str>], out: &mut Out) {
        self.rows += 1;
        let value = |column: DomainColumn| values.get(column.at()).copied().flatten();
        let Some(name) = value(DomainColumn::Name).map(a_labels).filter(|_| self.rows <= MAX_ROWS) else { return };
        self.tlds.insert(tld(&name).into());
        for role in ROLES {
            let handles = value(role).unwrap_or_default().split([';', ',', ' ']).filter(|handle| !handle.is_empty());
            if handles.into_iter().any(|handle| !self.contacts.contains_key(&xxh3_64(handle.as_bytes()))) {
                let what = "the deposit has no row of the handle that is named";
                out.add(rule::NO_HANDLE.broken("", ObjectKind::Domain, &name, role.name(), what));
            }
        }
        let fields = DOMAIN.map(|(column, _, form, _)| digest(form, value(column)));
        if self.domains.insert(xxh3_64(name.as_bytes()), Domain { fields, is_ours: false }).is_some() {
            out.add(rule::TWICE.broken("", ObjectKind::Domain, &name, "domain", "the domain stands twice in the deposit"));
        }
    }

    /// What the deposit says otherwise of a domain of ours.
    pub(super) fn domain(&mut self, row: &Row, side: Side) -> Vec<Wrong> {
        let Some(domain) = self.domains.get_mut(&xxh3_64(row.id().as_bytes())) else {
            let is_missing = self.kind == DepositKind::Full && self.is_deposited(tld(row.id()));
            let what = match side {
                Side::Records => "the domain is missing in the deposit",
                Side::Registry => "the domain is missing in the deposit, and in the local records: the registry holds it for us",
            };
            return if is_missing { vec![(&rule::MISSING, "domain", what)] } else { Vec::new() };
        };
        domain.is_ours = true;
        let mut wrong = Vec::new();
        for ((column, field, form, is_whole), theirs) in DOMAIN.iter().zip(&domain.fields) {
            let ours = digest(*form, row.get(field.at()));
            if self.domain_columns.contains(column.name()) && *theirs != ours && (ours != 0 || *is_whole) {
                wrong.push(differs(side, column.name(), *theirs, ours != 0));
            }
        }
        wrong
    }

    /// What the deposit says otherwise of a contact of ours. That it has no row of it is told of the domains that name it.
    pub(super) fn contact(&self, row: &Row, side: Side) -> Vec<Wrong> {
        let Some(contact) = self.contacts.get(&xxh3_64(row.id().as_bytes())) else { return Vec::new() };
        let mut wrong = Vec::new();
        for (n, (field, theirs)) in CONTACT.iter().zip(&contact.fields).enumerate() {
            if contact.told & (1 << n) != 0 || !self.contact_columns.contains(field.name()) {
                continue;
            }
            let ours = field.ours.map(|fields| digest(field.form, fields.iter().filter_map(|field| row.get(field.at()))));
            let is_there = ours.iter().any(|ours| *ours != 0);
            let is_same = if is_there { *theirs != 0 && ours.contains(theirs) } else { *theirs == 0 };
            if !is_same {
                wrong.push(differs(side, field.name(), *theirs, is_there));
            }
        }
        wrong
    }

    /// Whether a registrar deposits names below a top-level domain: those with two letters are countries', with which ICANN's agreement
    /// has nothing to do, and so may be those in other scripts.
    fn is_deposited(&self, tld: &str) -> bool {
        self.tlds.contains(tld) || (tld.len() > 2 && !tld.starts_with("xn--"))
    }

    /// Tells which domains of the deposit are nobody's of ours.
    ///
    /// # Errors
    /// As [`Deposited::read`].
    pub(super) fn not_ours(&mut self, deposit: &Deposit, out: &mut Out) -> Result<(), Problems> {
        deposit.each_domain(|(.., values)| {
            let Some(name) = values.get(DomainColumn::Name.at()).copied().flatten().map(a_labels) else { return };
            let Some(domain) = self.domains.get_mut(&xxh3_64(name.as_bytes())).filter(|domain| !domain.is_ours) else { return };
            // Told once, even where it stands there twice.
            domain.is_ours = true;
            let what = "neither the local records nor a registry have the domain for us";
            out.add(rule::NOT_OURS.broken("", ObjectKind::Domain, &name, "domain", what));
        })?;
        Ok(())
    }
}

/// That the deposit has another value than a side of ours.
fn differs(side: Side, field: &'static str, theirs: u64, is_there: bool) -> Wrong {
    let rule = match side {
        Side::Records => &rule::NOT_AS_RECORDS,
        Side::Registry => &rule::NOT_AS_REGISTRY,
    };
    let what = match (side, theirs != 0, is_there) {
        (Side::Records, false, _) => "the deposit leaves out what the local records have",
        (Side::Records, true, false) => "the deposit has a value, and the local records have none",
        (Side::Records, true, true) => "the deposit has another value than the local records",
        (Side::Registry, false, _) => "the deposit leaves out what the registry holds",
        (Side::Registry, true, false) => "the deposit has a value, and the registry holds none",
        (Side::Registry, true, true) => "the deposit has another value than the registry holds",
    };
    (rule, field, what)
}

/// A name as its A-labels in lower case, or as it stands where it is none.
fn a_labels(name: &str) -> String {
    let name = name.trim().trim_end_matches('.');
    idna::domain_to_ascii_strict(name).unwrap_or_else(|_| name.to_lowercase())
}

fn tld(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}
