//! What recipes are made of: findings, decisions, and steps that several of them take.

use super::known::{Known, column};
use super::{Expired, Pair, Site};
use crate::base::DomainName;
use crate::dataset::{ContactField, DomainField, Row};
use crate::diff::proxy_handle;
use crate::model::{Confidence, Finding, FindingSeverity, ObjectKind};
use crate::plan::basis::{Bar, Decision};
use crate::plan::{Basis, BasisKind, Draft, Operation, Reason};
use crate::policy::{Capability, Rule};

/// The roles beside the registrant.
pub(super) const ROLES: [DomainField; 3] = [DomainField::Admin, DomainField::Tech, DomainField::Billing];

/// What a recipe made of some objects.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is planned.
    pub drafts: Vec<Draft>,
    /// What is not planned, and why.
    pub left_out: Vec<Finding>,
    /// How many of these for want of a basis.
    pub blocked: u64,
    /// What should be known besides.
    pub told: Vec<Finding>,
    /// What becomes visible.
    pub visible: Vec<Visible>,
    /// What the registrar's own directory must show.
    pub published: Vec<Published>,
    /// What the local records should take over.
    pub taken: Vec<Taken>,
    /// What the local records should not hold any more.
    pub expired: Vec<Expired>,
}

/// What of a domain becomes visible, or stays so, where a mask is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// The domain.
    pub domain: Box<str>,
    /// The role.
    pub role: &'static str,
    /// The contacts that stand in it then, joined by `;`.
    pub handles: String,
    /// What they show: `record` (the local record's contacts), `brand` or `proxy`.
    pub shows: &'static str,
}

/// What the registrar's own directory must show of a domain's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The domain.
    pub domain: Box<str>,
    /// The role.
    pub role: &'static str,
    /// `provider` (the provider's data set), `record` (the contact's own data), or `withheld`.
    pub shows: &'static str,
    /// The contact, where its own data are shown.
    pub handle: Option<Box<str>>,
    /// The relay's address, where the provider's data are shown.
    pub email: Option<String>,
}

/// A value of the registry's that the local records should take over.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// What it is of.
    pub object: ObjectKind,
    /// Its handle or name.
    pub id: Box<str>,
    /// The column.
    pub field: &'static str,
    /// What the registry holds, which may be personal.
    pub value: crate::base::Personal,
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Taken({} {} {})", self.object.as_str(), self.id, self.field)
    }
}

impl Outcome {
    /// Leaves an object out.
    pub(super) fn leave(&mut self, finding: Finding) {
        self.left_out.push(finding);
    }

    /// Leaves an object out for want of a basis.
    pub(super) fn block(&mut self, finding: Finding) {
        self.blocked += 1;
        self.left_out.push(finding);
    }
}

impl Outcome {
    /// Whether anything is to be changed, here or in the records, or to be published.
    pub(super) const fn is_something(&self) -> bool {
        !(self.drafts.is_empty()
            && self.taken.is_empty()
            && self.visible.is_empty()
            && self.published.is_empty()
            && self.expired.is_empty())
    }

    /// Leaves everything out that was to be changed about an object, by a `bar`.
    pub(super) fn hold_back(&mut self, site: &Site<'_>, at: (ObjectKind, &str), bar: &Bar) {
        self.drafts.clear();
        self.visible.clear();
        self.published.clear();
        self.taken.clear();
        self.expired.clear();
        self.block(site.ours(at, &bar.rule, "", bar.why.clone()));
    }

    /// Leaves an operation out that was to be taken back, by a rule.
    pub fn hold(&mut self, site: &Site<'_>, operation: &Operation, rule: &str, why: &str) {
        self.block(site.ours((operation.object.kind, &operation.object.id), rule, "", why));
    }

    /// Adds what some other objects came to.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self { drafts, left_out, blocked, told, visible, published, taken, expired } = other;
        self.drafts.extend(drafts);
        self.left_out.extend(left_out);
        self.blocked += blocked;
        self.told.extend(told);
        self.visible.extend(visible);
        self.published.extend(published);
        self.taken.extend(taken);
        self.expired.extend(expired);
    }
}

/// A finding about an object at a registry that rests on what this program holds to.
pub(super) fn ours(registry: &str, at: (ObjectKind, &str), rule: &str, field: &str, what: impl Into<String>) -> Finding {
    Finding::of(rule, (FindingSeverity::Error, "what this program never plans", Confidence::Seen), registry, at, field, what.into())
}

impl Site<'_> {
    /// A finding that rests on a rule of the profile.
    pub(super) fn finding<T>(
        &self,
        (object, id): (ObjectKind, &str),
        rule: &str,
        field: &str,
        what: impl Into<String>,
        on: &Rule<T>,
    ) -> Finding {
        Finding { source: on.source.as_str().into(), confidence: on.confidence, ..self.ours((object, id), rule, field, what) }
    }

    /// A finding that rests on what this program holds to.
    pub(super) fn ours(&self, at: (ObjectKind, &str), rule: &str, field: &str, what: impl Into<String>) -> Finding {
        ours(self.registry, at, rule, field, what)
    }

    /// The finding of another judge, told of `object` here.
    pub(super) fn of(&self, (object, id): (ObjectKind, &str), finding: Finding) -> Finding {
        Finding { registry: self.registry.into(), object, id: id.into(), ..finding }
    }

    /// What keeps something from being done that the profile has a capability for; nothing where it may be.
    pub(super) fn barred(&self, at: (ObjectKind, &str), field: &str, what: &str, capability: &Rule<Capability>) -> Option<Finding> {
        match capability.value {
            Capability::Yes => None,
            Capability::No => Some(self.finding(at, "R-plan-001", field, format!("the registry does not allow {what}"), capability)),
            Capability::Unknown => {
                let what = format!("whether the registry allows {what} is not known, and what is not known is not planned");
                Some(self.finding(at, "R-plan-002", field, what, capability))
            }
        }
    }

    /// The finding that a domain that is to be changed was not read at its registry.
    pub(super) fn unread(&self, at: (ObjectKind, &str)) -> Finding {
        let what = "the snapshot does not hold this object, so that nothing is known to rest a change on";
        self.ours(at, "R-plan-006", "state", what)
    }

    /// What keeps the registry from taking an update of an object at all (RFC 5731 §2.3, RFC 5733 §2.2).
    pub(super) fn frozen(&self, kind: ObjectKind, row: &Row) -> Option<Finding> {
        const FREEZE: [&str; 6] =
            ["clientUpdateProhibited", "serverUpdateProhibited", "pendingCreate", "pendingDelete", "pendingTransfer", "pendingUpdate"];
        let (at, source) = match kind {
            ObjectKind::Contact => (ContactField::Statuses.at(), "RFC 5733 §2.2"),
            ObjectKind::Domain => (DomainField::Statuses.at(), "RFC 5731 §2.3"),
        };
        let status = row.get(at).unwrap_or_default().split(';').map(str::trim).find(|status| FREEZE.contains(status))?;
        let what = format!("the registry refuses updates of a {} with the status {status}", kind.as_str());
        Some(Finding { source: source.into(), ..self.ours((kind, row.id()), "R-plan-010", "statuses", what) })
    }

    /// Whether a handle is one of the provider's: a mask of the older service, the domain's proxy contact, or the brand's.
    pub(super) fn is_provider(&self, domain: &str, handle: &str) -> bool {
        let settings = self.settings;
        let named = |of: Option<&crate::base::Handle>| of.is_some_and(|known| known.as_str() == handle);
        self.is_v1(handle) || named(settings.and_then(|s| s.brand_handle.as_ref())) || proxy_handle(&DomainName::new(domain)) == handle
    }

    /// Whether a handle is the older service's mask.
    pub(super) fn is_v1(&self, handle: &str) -> bool {
        self.settings.and_then(|settings| settings.v1_handle.as_ref()).is_some_and(|mask| mask.as_str() == handle)
    }

    /// Who takes a role that would show a protected registrant, and how that is called.
    pub(super) fn remedy(&self, domain: &str) -> (String, &'static str) {
        match self.settings.and_then(|settings| settings.brand_handle.as_ref()) {
            Some(brand) => (brand.as_str().to_owned(), "brand"),
            None => (proxy_handle(&DomainName::new(domain)), "proxy"),
        }
    }

    /// A draft about a domain or a contact, still without steps.
    pub(super) fn draft(&self, object: (ObjectKind, &str), basis: Basis, reasons: Vec<Reason>) -> Draft {
        Draft {
            registry: self.registry.to_owned(),
            object: (object.0, object.1.to_owned()),
            steps: Vec::new(),
            basis,
            undo: crate::plan::Undo::Inverse,
            touches: Vec::new(),
            reasons,
        }
    }
}

/// A basis that needs no evidence of a person's.
pub(super) const fn plain(kind: BasisKind) -> Basis {
    Basis { kind, evidence: Vec::new(), subject: None, purposes: Vec::new() }
}

/// A reason.
pub(super) fn reason(rule: &str, text: impl Into<String>) -> Reason {
    Reason { rule: rule.to_owned(), text: text.into() }
}

/// One basis of several decisions, all of which have to allow; the rule and the words of the first that does not.
///
/// # Errors
/// That rule and those words.
pub(super) fn together(decisions: impl IntoIterator<Item = Decision>) -> Result<Option<Basis>, (String, String)> {
    let mut out: Option<Basis> = None;
    for decision in decisions {
        match decision {
            Decision::Blocked { rule, why } => return Err((rule, why)),
            Decision::Allowed(found) => match &mut out {
                None => out = Some(found),
                Some(basis) => {
                    basis.evidence.extend(found.evidence);
                    basis.purposes.extend(found.purposes);
                    basis.subject = basis.subject.take().or(found.subject);
                }
            },
        }
    }
    if let Some(basis) = &mut out {
        basis.evidence.sort_unstable();
        basis.evidence.dedup();
    }
    Ok(out)
}

/// What keeps a domain's drafts from being carried out: a bar on its registrant, on a contact that a draft is about, or on one that it
/// puts into a role or takes out of it.
pub(super) fn bar<'k>(pair: Pair<'_>, drafts: &[Draft], known: &'k Known) -> Option<&'k Bar> {
    let registrants = pair.local.into_iter().chain(pair.remote).flat_map(|row| column(row, DomainField::Registrant));
    let contacts = drafts.iter().flat_map(Draft::objects).filter(|(kind, _)| *kind == ObjectKind::Contact).map(|(_, id)| id);
    let steps = drafts.iter().flat_map(|draft| &draft.steps).filter(|step| step.object().0 == ObjectKind::Domain);
    let values = steps.flat_map(|step| step.changed().flat_map(|(_, was, wanted)| was.into_iter().chain(wanted)));
    registrants.chain(contacts).chain(values.flat_map(|value| value.split(';')).map(str::trim)).find_map(|handle| known.bar(handle))
}

/// Whether a domain points at a handle in any role.
pub(super) fn points_at(row: &Row, is_it: impl Fn(&str) -> bool) -> bool {
    std::iter::once(DomainField::Registrant).chain(ROLES).any(|field| column(row, field).into_iter().any(&is_it))
}

/// Both rows of a domain that is to be changed; leaves it out where its registry's is not there.
pub(super) fn both<'a>(site: &Site<'_>, pair: Pair<'a>, out: &mut Outcome) -> Option<(&'a Row, &'a Row)> {
    // What no record of ours names is for the comparison to tell.
    let local = pair.local?;
    let remote = pair.remote;
    if remote.is_none() {
        out.leave(site.unread((ObjectKind::Domain, local.id())));
    }
    Some((local, remote?))
}
