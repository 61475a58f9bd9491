//! Corrections: where the registry and the local records differ, one side is right, per field as the operator says. What masks a
//! registrant is never replaced, identity is never changed, and nothing is shown that was withheld without the person's word.

use super::known::{Asked, Known, column};
use super::lock::{self, Lock};
use super::parts::{ROLES, Taken, both, plain, reason, together};
use super::withhold::mechanism;
use super::{Outcome, Pair, Site};
use crate::base::Result;
use crate::dataset::{Column, ContactField, DomainField, Protection, Row, columns};
use crate::diff::{PrivacySettings, expected_domain, material, withheld};
use crate::model::{FindingSeverity, ObjectKind, Properties, StatusValue};
use crate::plan::basis::{Bases, Decision, Purpose};
use crate::plan::{Basis, BasisKind, Draft, DraftStep, Fact};
use crate::policy::{HostModel, Privacy, RegistrantChange};
use crate::rules::{Judge, OwnData, status_change};
use std::collections::BTreeMap;

const CONTACT: ObjectKind = ObjectKind::Contact;
const DOMAIN: ObjectKind = ObjectKind::Domain;
/// What stands in a value that hides another: the labels of public directories (ICANN's Registration Data Policy, RFC 9537).
const PLACEHOLDERS: [&str; 5] = ["redacted", "data protected", "not disclosed", "statutory masking", "gdpr masked"];

/// Which side is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The local record: the registry is corrected.
    Push,
    /// The registry: the local record is to take it over.
    Take,
    /// Neither: nothing is done.
    Leave,
}

/// Which side is right, by the name of the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directions {
    /// Where nothing else is said.
    pub usual: Direction,
    /// By column.
    pub fields: BTreeMap<String, Direction>,
}

impl Default for Directions {
    fn default() -> Self {
        Self { usual: Direction::Push, fields: BTreeMap::new() }
    }
}

impl Directions {
    /// Whether there is such a column at all.
    #[must_use]
    pub fn is_field(name: &str) -> bool {
        ObjectKind::ALL.iter().any(|kind| columns(*kind).iter().any(|column| column.name == name))
    }

    /// Whether the operator says something of just this column.
    fn names(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    fn of(&self, name: &str) -> Direction {
        let set = self.fields.get(name).copied();
        // The registry alone knows when a registration ends.
        let usual = if name == DomainField::Expires.name() { Direction::Take } else { self.usual };
        set.unwrap_or(usual)
    }
}

/// The recipe asks for consent to locks that the local record wants.
pub(super) fn asks(site: &Site<'_>, pair: Pair<'_>, asked: &mut Asked) {
    let is_missing = pair.remote.is_some_and(|row| matches!(lock::of(site, row), Lock::Missing));
    let wants = is_missing && pair.local.is_some_and(|row| lock::fact().of(DOMAIN, row).is_some());
    if let Some(handle) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())).filter(|_| wants) {
        asked.purpose(handle, Purpose::TransferLock);
    }
}

/// A correction in the making.
struct Sheet<'a> {
    site: &'a Site<'a>,
    kind: ObjectKind,
    remote: &'a Row,
    step: DraftStep,
    /// The object as it would stand.
    wanted: Row,
    fields: Vec<&'static str>,
    basis: Basis,
}

impl<'a> Sheet<'a> {
    fn of(site: &'a Site<'a>, kind: ObjectKind, remote: &'a Row) -> Self {
        let step = DraftStep::update(kind, remote.id());
        Self { site, kind, remote, step, wanted: remote.clone(), fields: Vec::new(), basis: plain(BasisKind::Accuracy) }
    }

    /// Sets a column.
    fn set(&mut self, at: usize, column: &'static Column, value: Option<&str>) {
        self.step = self.step.clone().setting(Fact::column(column.name), self.remote, value.map(ToOwned::to_owned));
        self.wanted = self.wanted.with(&[(at, value)]);
        self.fields.push(column.name);
    }

    /// The draft, where something is set and the registry's rules have nothing against it.
    fn end(self, out: &mut Outcome) {
        let at = (self.kind, self.remote.id());
        if self.step.is_idle() {
            return;
        }
        let judge = Judge::at(self.site.registry, self.site.profile);
        let findings = match self.kind {
            ObjectKind::Contact => judge.contact(&self.wanted),
            ObjectKind::Domain => judge.domain(&self.wanted),
        };
        let errors: Vec<_> = findings.into_iter().filter(|finding| finding.severity == FindingSeverity::Error).collect();
        if !errors.is_empty() {
            return errors.into_iter().for_each(|finding| out.leave(finding));
        }
        let mut step = self.step;
        for column in resting(self.site, self.kind, &self.fields) {
            step = step.resting_on(Fact::column(column), self.remote);
        }
        let reasons = self.fields.iter().map(|field| reason("changed", format!("{field} differs from the local record"))).collect();
        let mut draft: Draft = self.site.draft(at, self.basis, reasons);
        draft.steps.push(step);
        out.drafts.push(draft);
    }
}

/// The columns that a change of `fields` sends along as they stand, and so rests on: an address goes whole, a number with its extension,
/// and everything does where the registry removes what an update leaves out.
fn resting(site: &Site<'_>, kind: ObjectKind, fields: &[&'static str]) -> Vec<&'static str> {
    if kind == DOMAIN {
        return vec![DomainField::Registrant.name()];
    }
    let all = columns(kind).iter().map(|column| column.name).filter(|name| Fact::column(name).is_of(kind));
    if site.profile.quirks.update_replaces_all {
        return all.collect();
    }
    let is_postal = |name: &str, form: &str| name.starts_with(form) && !name.ends_with("_name") && !name.ends_with("_org");
    let is_number = |name: &str, of: &str| name.strip_suffix("_x").unwrap_or(name) == of;
    let whole = |name: &&str| {
        let goes_with = |field: &&str| {
            ["int_", "loc_"].iter().any(|form| is_postal(name, form) && is_postal(field, form))
                || ["voice", "fax"].iter().any(|of| is_number(name, of) && is_number(field, of))
        };
        fields.iter().any(goes_with)
    };
    all.filter(whole).collect()
}

/// Corrects a contact.
pub(super) fn contact(site: &Site<'_>, pair: Pair<'_>, asked: &Asked, bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
    let Some((local, remote)) = pair.local.zip(pair.remote).filter(|_| site.selection.contact(pair.id())) else { return Ok(()) };
    let at = (CONTACT, local.id());
    let is_hidden = asked.is_hidden(local.id()) && site.profile.privacy.value == Privacy::Disclose;
    let expected = if is_hidden { withheld(local, site.profile) } else { local.clone() };
    let differing = material(CONTACT, &expected, remote);
    if differing.is_empty() {
        return Ok(());
    }
    if let Some(what) = masked(site.settings, remote, local) {
        let forbidden = site.settings.and_then(|settings| Judge::at(site.registry, site.profile).proxy(local, &own_data(settings)));
        out.leave(forbidden.unwrap_or_else(|| site.ours(at, "R-plan-003", "", what)));
        return Ok(());
    }
    let mut sheet = Sheet::of(site, CONTACT, remote);
    for (position, column) in differing.into_iter().filter_map(|at| Some((at, columns(CONTACT).get(at)?))) {
        let (ours, theirs) = (expected.get(position), remote.get(position));
        match site.directions.of(column.name) {
            Direction::Leave => {}
            Direction::Take => take(at, column.name, theirs, out),
            Direction::Push => {
                if let Some(finding) = site.barred(at, column.name, "a change of a contact", &site.profile.capabilities.contact_update) {
                    out.leave(finding);
                    return Ok(());
                }
                match column.name {
                    "statuses" => statuses(&mut sheet, ours, out),
                    "properties" => properties(&mut sheet, ours, (local, is_hidden), bases, out)?,
                    "disclose" => disclose(&mut sheet, ours, local, bases, out)?,
                    name if is_identity(site, name) => out.leave(identity(site, at, name)),
                    _ => sheet.set(position, column, ours),
                }
            }
        }
    }
    if let Some(finding) = site.frozen(CONTACT, remote).filter(|_| !sheet.step.is_idle()) {
        out.leave(finding);
        return Ok(());
    }
    sheet.end(out);
    Ok(())
}

/// Corrects a domain.
pub(super) fn domain(site: &Site<'_>, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
    // What the registry does not hold, the comparison tells.
    let Some((local, remote)) = pair.remote.and_then(|_| both(site, pair, out)) else { return };
    let at = (DOMAIN, local.id());
    let (expected, _) = expected_domain(site.profile, site.protection(local.id()), site.settings, local.clone());
    let mut sheet = Sheet::of(site, DOMAIN, remote);
    for (position, shown) in material(DOMAIN, &expected, remote).into_iter().filter_map(|at| Some((at, columns(DOMAIN).get(at)?))) {
        let (ours, theirs) = (expected.get(position), remote.get(position));
        let field = std::iter::once(DomainField::Registrant).chain(ROLES).find(|field| field.at() == position);
        if field.is_some() && !site.profile.has_contacts() {
            continue;
        }
        if let Some(field) = field {
            let provider = |row: &Row| column(row, field).iter().any(|handle| site.is_provider(local.id(), handle));
            if provider(remote) || provider(&expected) {
                let what = "the privacy provider stands in this place, or is to: only a recipe for privacy changes that";
                out.leave(site.ours(at, "R-plan-003", shown.name, what));
                continue;
            }
        }
        match site.directions.of(shown.name) {
            Direction::Leave => {}
            Direction::Take => take(at, shown.name, theirs, out),
            Direction::Push => match (field, shown.name) {
                (Some(field), _) => role(&mut sheet, (position, shown), field, (local, ours), known, out),
                (None, "statuses") => domain_statuses(&mut sheet, (local, ours), known, out),
                (None, "ns") if site.profile.hosts.value == HostModel::Objects && !site.directions.names("ns") => {
                    let what = "name servers are objects here, and a snapshot does not tell whether these are: `ns = \"local\"` sets them all the same";
                    out.leave(site.finding(at, "R-plan-020", "ns", what, &site.profile.hosts));
                }
                (None, "ns") => sheet.set(position, shown, ours),
                (None, name) => out.leave(site.ours(at, "R-plan-015", name, "no command sets this: the registry alone does")),
            },
        }
    }
    if let Some(finding) = site.frozen(DOMAIN, remote).filter(|_| !sheet.step.is_idle()) {
        return out.leave(finding);
    }
    sheet.end(out);
}

/// The contacts in one of a domain's roles.
fn role(
    sheet: &mut Sheet<'_>,
    (position, shown): (usize, &'static Column),
    field: DomainField,
    (local, ours): (&Row, Option<&str>),
    known: &Known,
    out: &mut Outcome,
) {
    let (site, at) = (sheet.site, (DOMAIN, local.id()));
    let change = &site.profile.change_of_registrant;
    if field == DomainField::Registrant && (change.value != RegistrantChange::Update || ours.is_none()) {
        let what = format!("{}: a correction never changes who holds a domain", procedure(change.value));
        return out.leave(site.finding(at, "R-plan-004", shown.name, what, change));
    }
    if let Some(absent) = column(local, field).into_iter().find(|handle| !known.is_there(handle)) {
        let what = format!("the contact {absent} is not at the registry: create it first");
        return out.leave(site.ours(at, "R-plan-006", shown.name, what));
    }
    sheet.set(position, shown, ours);
}

/// The statuses of a domain: a lock needs consent, and the lock of a protected domain stays.
fn domain_statuses(sheet: &mut Sheet<'_>, (local, ours): (&Row, Option<&str>), known: &Known, out: &mut Outcome) {
    let (site, at, lock) = (sheet.site, (DOMAIN, local.id()), lock::fact());
    let stands = lock.of(DOMAIN, sheet.remote).is_some();
    let wanted = lock.of(DOMAIN, local).is_some();
    let mut skip = Vec::new();
    if stands && !wanted && site.protection(local.id()) == Some(Protection::V2) {
        out.leave(site.ours(at, "RTR-7", "statuses", "a protected domain stays locked; the local record should say so"));
        skip.push(StatusValue::CLIENT_TRANSFER_PROHIBITED);
    }
    if wanted && !stands {
        let registrant = local.get(DomainField::Registrant.at()).unwrap_or_default();
        match together([known.decision(registrant, Purpose::TransferLock)]) {
            Ok(basis) => sheet.basis = basis.unwrap_or_else(|| plain(BasisKind::Accuracy)),
            Err((rule, why)) => {
                out.block(site.ours(at, &rule, "statuses", format!("no transfer lock: {why}")));
                skip.push(StatusValue::CLIENT_TRANSFER_PROHIBITED);
            }
        }
    }
    statuses_but(sheet, ours, &skip, out);
}

fn statuses(sheet: &mut Sheet<'_>, ours: Option<&str>, out: &mut Outcome) {
    statuses_but(sheet, ours, &[], out);
}

/// Adds and removes the statuses that a client may, but for `skip`.
fn statuses_but(sheet: &mut Sheet<'_>, ours: Option<&str>, skip: &[StatusValue], out: &mut Outcome) {
    let (site, kind) = (sheet.site, sheet.kind);
    let at_column = columns(kind).iter().position(|column| column.name == "statuses").unwrap_or(usize::MAX);
    let split = |text: Option<&str>| -> Vec<String> {
        let parts = text.unwrap_or_default().split(';').map(str::trim).filter(|status| status.starts_with("client"));
        parts.map(ToOwned::to_owned).collect()
    };
    let (wanted, held) = (split(ours), split(sheet.remote.get(at_column)));
    let added = wanted.iter().filter(|status| !held.contains(status)).map(|status| (status, true));
    let removed = held.iter().filter(|status| !wanted.contains(status)).map(|status| (status, false));
    let mut stand: Vec<String> = sheet
        .remote
        .get(at_column)
        .unwrap_or_default()
        .split(';')
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    for (status, adding) in added.chain(removed) {
        if skip.iter().any(|skipped| skipped.as_str() == status) {
            continue;
        }
        if let Some(finding) = status_change(site.profile, kind, status, adding) {
            out.leave(site.of((kind, sheet.remote.id()), finding));
            continue;
        }
        let value = adding.then(|| Fact::SET.to_owned());
        sheet.step = sheet.step.clone().setting(Fact::status(status), sheet.remote, value);
        if adding {
            stand.push(status.clone());
        } else {
            stand.retain(|stands| stands != status);
        }
    }
    if !sheet.step.is_idle() && !sheet.fields.contains(&"statuses") {
        sheet.fields.push("statuses");
    }
    stand.sort_unstable();
    let joined = stand.join(";");
    sheet.wanted = sheet.wanted.with(&[(at_column, Some(&joined))]);
}

/// The additional properties that the local record states. What withholds is lifted upon the person's word alone.
fn properties(
    sheet: &mut Sheet<'_>,
    ours: Option<&str>,
    (local, is_hidden): (&Row, bool),
    bases: &mut dyn Bases,
    out: &mut Outcome,
) -> Result<()> {
    let (site, at) = (sheet.site, (CONTACT, local.id()));
    let Ok(stated) = Properties::read(ours.unwrap_or_default()) else {
        out.leave(site.ours(at, "R-prop-001", "properties", "the local record's properties cannot be read"));
        return Ok(());
    };
    let held = sheet.remote.get(ContactField::Properties.at());
    let mut wanted = Properties::read(held.unwrap_or_default()).unwrap_or_default();
    let mechanism = mechanism(site, local);
    for (key, value) in stated.iter() {
        let fact = Fact::property(key);
        let stands = fact.of(CONTACT, sheet.remote);
        if stands.as_deref() == Some(value) {
            continue;
        }
        if is_identity(site, key) {
            out.leave(identity(site, at, key));
            continue;
        }
        if let Some((carrier, _, Some(shows))) = &mechanism
            && *carrier == fact
            && shows == value
        {
            if is_hidden {
                out.leave(site.ours(at, "R-plan-003", fact.as_str(), "a protected registrant stays withheld"));
                continue;
            }
            if !may_show(sheet, local, fact.as_str(), bases, out)? {
                continue;
            }
        }
        sheet.step = sheet.step.clone().setting(fact, sheet.remote, Some(value.to_owned()));
        wanted.set(key, value);
        sheet.fields.push("properties");
    }
    sheet.fields.dedup();
    let text = wanted.to_text();
    sheet.wanted = sheet.wanted.with(&[(ContactField::Properties.at(), Some(&text))]);
    Ok(())
}

/// The disclose statement; a local record without one says nothing of it.
fn disclose(sheet: &mut Sheet<'_>, ours: Option<&str>, local: &Row, bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
    let (site, at) = (sheet.site, (CONTACT, local.id()));
    let Some(ours) = ours else { return Ok(()) };
    if let Some(finding) = site.barred(at, "disclose", "a disclose statement", &site.profile.capabilities.disclose) {
        out.leave(finding);
        return Ok(());
    }
    let held = sheet.remote.get(ContactField::Disclose.at());
    let names = |text: &str| -> Vec<String> {
        let (_, names) = text.split_once(':').unwrap_or_default();
        names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    let hidden = held.filter(|text| text.starts_with("0:")).map(names).unwrap_or_default();
    let stays = ours.starts_with("0:") && hidden.iter().all(|name| names(ours).contains(name));
    if (stays || may_show(sheet, local, "disclose", bases, out)?)
        && let Some(column) = columns(CONTACT).get(ContactField::Disclose.at())
    {
        sheet.set(ContactField::Disclose.at(), column, Some(ours));
    }
    Ok(())
}

/// Whether a contact may be shown that is withheld now: only upon the person's explicit consent.
fn may_show(sheet: &mut Sheet<'_>, local: &Row, field: &str, bases: &mut dyn Bases, out: &mut Outcome) -> Result<bool> {
    let (site, at) = (sheet.site, (CONTACT, local.id()));
    match bases.decide(site.registry, local, Purpose::Publication)? {
        Decision::Allowed(basis) if basis.kind == BasisKind::ExplicitConsent => {
            sheet.basis = basis;
            return Ok(true);
        }
        Decision::Allowed(_) => out.block(site.ours(at, "RTR-6", field, "a person is shown upon explicit consent only")),
        Decision::Blocked { rule, why } => out.block(site.ours(at, &rule, field, format!("stays withheld: {why}"))),
    }
    Ok(false)
}

/// Tells the local records of what the registry holds.
fn take((object, id): (ObjectKind, &str), field: &'static str, value: Option<&str>, out: &mut Outcome) {
    out.taken.push(Taken { object, id: id.into(), field, value: value.unwrap_or_default().into() });
}

/// Why no value of a contact may be corrected: one side shows the provider's data, or a label in the place of a value.
fn masked(settings: Option<&PrivacySettings>, remote: &Row, local: &Row) -> Option<&'static str> {
    let is_label = |text: &str| {
        let text = text.to_lowercase();
        PLACEHOLDERS.iter().any(|label| text.contains(label)) || (!text.is_empty() && text.chars().all(|c| matches!(c, '*' | '•' | '-')))
    };
    let has_label =
        |row: &Row| columns(CONTACT).iter().enumerate().any(|(at, column)| column.personal && row.get(at).is_some_and(is_label));
    let is_provider = |row: &Row| settings.is_some_and(|settings| is_own(settings, row));
    if is_provider(remote) {
        return Some("the registry holds the privacy provider's data here: only a recipe for privacy changes that");
    }
    if has_label(remote) {
        return Some("the registry shows a label in the place of a value: what stands behind it is not known");
    }
    if has_label(local) {
        return Some("the local record has a label in the place of a value, which is nobody's data");
    }
    is_provider(local).then_some("the local record has the privacy provider's data, which stand for nobody")
}

/// Whether a contact is the provider's.
fn is_own(settings: &PrivacySettings, row: &Row) -> bool {
    let relay = row.get(ContactField::Email.at()).and_then(|email| email.rsplit_once('@'));
    settings.v1_handle.as_ref().is_some_and(|mask| mask.as_str() == row.id())
        || relay.is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(settings.email_domain.as_str()))
}

fn own_data(settings: &PrivacySettings) -> OwnData {
    let street = settings.street.first().map_or("", String::as_str);
    OwnData::new(&settings.name, &settings.org, street, &settings.voice, settings.email_domain.as_str())
}

/// Whether a column, or a property, says who the registrant is.
fn is_identity(site: &Site<'_>, name: &str) -> bool {
    let plain = name.strip_prefix("int_").or_else(|| name.strip_prefix("loc_")).unwrap_or(name);
    site.profile.identity_fields.value.iter().any(|field| field == plain)
}

fn identity(site: &Site<'_>, at: (ObjectKind, &str), field: &str) -> crate::model::Finding {
    let way = procedure(site.profile.change_of_registrant.value);
    let what = format!("this says who the registrant is, and no correction changes it; {way}");
    site.finding(at, "R-plan-004", field, what, &site.profile.identity_fields)
}

/// How another holder takes a domain over.
const fn procedure(change: RegistrantChange) -> &'static str {
    match change {
        RegistrantChange::Update => "another holder takes a domain over by an update that names another contact",
        RegistrantChange::UpdateWithAuthInfo => "another holder takes a domain over by an update with new transfer credentials",
        RegistrantChange::Trade => "another holder takes a domain over by a trade",
        RegistrantChange::Operation => "another holder takes a domain over by an operation of its own at the registry",
        RegistrantChange::Unknown => "how another holder takes a domain over is not known here",
    }
}
