//! Gates: what of a plan as a whole keeps it from being applied, until somebody gives a reason.

use super::draft::Draft;
use super::header::{GateName, GateVerdict, Recipe};
use super::operation::Turn;
use super::recipes::Site;
use crate::base::{Blame, Problem, Result, Timestamp};
use crate::dataset::DomainField;
use crate::model::{ObjectKind, StatusValue};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// A kind of change, as far as gates tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// An object goes away.
    Delete,
    /// A transfer lock is lifted.
    Unlock,
    /// What masked a person goes away.
    Reveal,
    /// Another registrant.
    Registrant,
    /// Other name servers.
    NameServers,
    /// Anything else.
    Other,
}

impl ChangeKind {
    /// Every kind that can be protected.
    pub const ALL: [Self; 5] = [Self::Delete, Self::Unlock, Self::Reveal, Self::Registrant, Self::NameServers];

    /// The word on the command line and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Unlock => "unlock",
            Self::Reveal => "reveal",
            Self::Registrant => "registrant",
            Self::NameServers => "name-servers",
            Self::Other => "other",
        }
    }

    /// The kinds of change in a draft.
    fn of(recipe: Recipe, draft: &Draft) -> BTreeSet<Self> {
        let lock = StatusValue::CLIENT_TRANSFER_PROHIBITED;
        let mut kinds = BTreeSet::new();
        for step in &draft.steps {
            kinds.extend((step.turn() == Turn::Delete).then_some(Self::Delete));
            for (fact, _, wanted) in step.changed() {
                let is_lock = fact.as_status() == Some(lock.as_str());
                let is_domain = step.object().0 == ObjectKind::Domain;
                let is = |field: DomainField| is_domain && fact.as_str() == field.name();
                let is_role = [DomainField::Registrant, DomainField::Admin, DomainField::Tech, DomainField::Billing].into_iter().any(is);
                // Taking a mask back shows whom it masked.
                kinds.extend((recipe == Recipe::Rollback && is_role).then_some(Self::Reveal));
                kinds.insert(match recipe {
                    _ if is_lock && wanted.is_none() => Self::Unlock,
                    Recipe::PrivacyOff if step.turn() == Turn::Update => Self::Reveal,
                    Recipe::Corrections | Recipe::Rollback if is(DomainField::Registrant) => Self::Registrant,
                    _ if is(DomainField::Ns) => Self::NameServers,
                    _ => Self::Other,
                });
            }
        }
        kinds
    }
}

/// Where gates close.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The most operations at one registry, for objects of one kind.
    pub max_operations: u64,
    /// The largest share of a registry's objects of one kind, 0 to 1.
    pub max_share: f64,
    /// So many operations are never too large a share.
    pub share_floor: u64,
    /// The oldest that a snapshot, or an object in it, may be.
    pub max_age: SignedDuration,
    /// The least share of a registry's domains that the local records must name, 0 to 1.
    pub min_rows_share: f64,
    /// Kinds of change that need a reason.
    pub protected: BTreeSet<ChangeKind>,
}

/// What an operator lets pass all the same, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waivers {
    gates: BTreeSet<GateName>,
    kinds: BTreeSet<ChangeKind>,
    reason: String,
}

impl Waivers {
    /// Reads the names of gates and of kinds of change. Nobody can do without the basis that the gate of consent wants.
    ///
    /// # Errors
    /// `E-plan-011` (exit 2) where a name is none, or no reason is given.
    pub fn read(names: &[String], reason: Option<&str>) -> Result<Self> {
        let mut out = Self { reason: reason.unwrap_or_default().trim().to_owned(), ..Self::default() };
        let gates = GateName::ALL.into_iter().filter(|gate| !matches!(gate, GateName::Consent | GateName::Protected));
        let known: Vec<&str> = gates.clone().map(GateName::as_str).chain(ChangeKind::ALL.map(ChangeKind::as_str)).collect();
        for name in names {
            let gate = gates.clone().find(|gate| gate.as_str() == name);
            let kind = ChangeKind::ALL.into_iter().find(|kind| kind.as_str() == name);
            if gate.is_none() && kind.is_none() {
                let what = format!("`{name}` is nothing that can be let pass");
                return Err(Problem::new("E-plan-011", Blame::Operator, what, format!("known: {}", known.join(", "))));
            }
            out.gates.extend(gate);
            out.kinds.extend(kind);
        }
        if !names.is_empty() && out.reason.is_empty() {
            let what = "nothing is let pass without a reason";
            return Err(Problem::new("E-plan-011", Blame::Operator, what, "add --reason TEXT: it stands in the plan"));
        }
        Ok(out)
    }

    /// The reason that was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        Some(self.reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// Whether a gate is let pass.
    #[must_use]
    pub fn passes(&self, gate: GateName) -> bool {
        self.gates.contains(&gate)
    }
}

/// What a plan came to, as far as gates look at it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    operations: BTreeMap<(String, ObjectKind), u64>,
    kinds: BTreeMap<(String, ChangeKind), u64>,
    /// Registrants that are replaced by the provider's contact.
    replaced: BTreeMap<String, u64>,
    /// Objects that were left out for want of a basis.
    blocked: u64,
}

impl Tally {
    /// Counts a draft.
    pub fn add(&mut self, recipe: Recipe, site: &Site<'_>, draft: &Draft) {
        *self.operations.entry((draft.registry.clone(), draft.object.0)).or_default() += 1;
        for kind in ChangeKind::of(recipe, draft) {
            *self.kinds.entry((draft.registry.clone(), kind)).or_default() += 1;
        }
        let registrant = DomainField::Registrant.name();
        let replaces = draft.steps.iter().any(|step| step.changed().any(|(fact, _, _)| fact.as_str() == registrant));
        if replaces && matches!(recipe, Recipe::Privacy | Recipe::MigrateV2) && site.profile.has_contacts() {
            *self.replaced.entry(draft.registry.clone()).or_default() += 1;
        }
    }

    /// Counts objects that were left out for want of a basis.
    pub const fn block(&mut self, objects: u64) {
        self.blocked += objects;
    }

    /// How many were.
    #[must_use]
    pub const fn blocked(&self) -> u64 {
        self.blocked
    }
}

/// One registry as gates see it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The operator's name for it.
    pub registry: String,
    /// How many objects it held, contacts and domains.
    pub held: [u64; 2],
    /// How many the local records name.
    pub records: [u64; 2],
    /// When the snapshot was whole.
    pub taken: Timestamp,
}

impl Seen {
    const fn of(&self, kind: ObjectKind) -> (u64, u64) {
        let ([contacts, domains], [our_contacts, our_domains]) = (self.held, self.records);
        match kind {
            ObjectKind::Contact => (contacts, our_contacts),
            ObjectKind::Domain => (domains, our_domains),
        }
    }
}

/// Holds a plan against its gates at `now`.
#[must_use]
pub fn judge(limits: &Limits, waivers: &Waivers, tally: &Tally, seen: &[Seen], now: Timestamp) -> Vec<GateVerdict> {
    let mut out = Vec::new();
    for one in seen {
        let at = |gate| Verdict { gate, registry: &one.registry, kind: None, waivers };
        let text = format!("the snapshot is of {}, and may be {} old", one.taken, hours(limits.max_age));
        out.push(at(GateName::Age).end(now.duration_since(one.taken) <= limits.max_age, text));
        let (held, ours) = one.of(ObjectKind::Domain);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let is_whole = ours as f64 >= held as f64 * limits.min_rows_share && (ours > 0 || held == 0);
        let text = format!(
            "{ours} local records of domains stand against {held} domains at the registry; less than {} of them is taken for a cut input",
            share(limits.min_rows_share)
        );
        out.push(at(GateName::Shrunken).end(is_whole, text));
        for kind in ObjectKind::ALL {
            let Some(count) = tally.operations.get(&(one.registry.clone(), kind)).copied() else { continue };
            let at = |gate| Verdict { gate, registry: &one.registry, kind: Some(kind.as_str()), waivers };
            let text = format!("{count} operations, and at most {} are allowed", limits.max_operations);
            out.push(at(GateName::Count).end(count <= limits.max_operations, text));
            let (held, _) = one.of(kind);
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
            let fits = count <= limits.share_floor || count as f64 <= held as f64 * limits.max_share;
            let text = format!(
                "{count} of {held} objects, and at most {} are allowed, or {} objects",
                share(limits.max_share),
                limits.share_floor
            );
            out.push(at(GateName::Share).end(fits, text));
        }
        for kind in &limits.protected {
            let Some(count) = tally.kinds.get(&(one.registry.clone(), *kind)) else { continue };
            let verdict = Verdict { gate: GateName::Protected, registry: &one.registry, kind: Some(kind.as_str()), waivers };
            out.push(verdict.end(false, format!("{count} operations of the protected kind {}", kind.as_str())));
        }
        let corrected = tally.kinds.get(&(one.registry.clone(), ChangeKind::Registrant)).copied().unwrap_or_default();
        let replaced = tally.replaced.get(&one.registry).copied().unwrap_or_default();
        if corrected + replaced > 0 {
            let text = format!(
                "{corrected} operations give a domain another registrant, and {replaced} put the provider's contact in the registrant's place"
            );
            out.push(at(GateName::ChangeOfRegistrant).end(corrected == 0, text));
        }
    }
    let text = format!("{} objects were left out for want of a basis", tally.blocked);
    out.push(GateVerdict { gate: GateName::Consent, registry: None, kind: None, passed: true, text, allowed_because: None });
    out
}

/// A verdict in the making.
struct Verdict<'a> {
    gate: GateName,
    registry: &'a str,
    kind: Option<&'static str>,
    waivers: &'a Waivers,
}

impl Verdict<'_> {
    fn end(self, fits: bool, text: String) -> GateVerdict {
        let Self { gate, registry, kind, waivers } = self;
        let flag = if gate == GateName::Protected { kind.unwrap_or_default() } else { gate.as_str() };
        let is_waived = waivers.gates.contains(&gate)
            || (gate == GateName::Protected && waivers.kinds.iter().any(|waived| Some(waived.as_str()) == kind));
        let allowed_because = (!fits && is_waived).then(|| waivers.reason.clone());
        let text = if fits { text } else { format!("{text}; --allow {flag} --reason TEXT lets it pass") };
        GateVerdict {
            gate,
            registry: Some(registry.to_owned()),
            kind: kind.map(ToOwned::to_owned),
            passed: fits || is_waived,
            text,
            allowed_because,
        }
    }
}

fn hours(span: SignedDuration) -> String {
    format!("{} h", span.as_hours())
}

fn share(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests;
