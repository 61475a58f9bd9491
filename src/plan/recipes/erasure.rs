//! What no service needs and no rule keeps any more: contacts at a registry are deleted, and records are told of.

use super::behind::kept;
use super::known::Asked;
use super::parts::reason;
use super::{Outcome, Pair, Site};
use crate::base::Result;
use crate::dataset::Row;
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::plan::basis::{Bases, Due, Keeping};
use crate::plan::{Basis, BasisKind, DraftStep, Undo};
use jiff::civil::Date;

const CONTACT: ObjectKind = ObjectKind::Contact;

/// A local record that is to be erased in the operator's own database, which this program only reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The contact's handle.
    pub id: Box<str>,
    /// The rule that ends it, or the case of a request.
    pub rule: String,
    /// What set it off.
    pub trigger: &'static str,
    /// By when it is gone.
    pub gone_by: Option<Date>,
}

/// Deletes a contact whose data are to go by both what the records and what the registry have of it, where nothing names it.
pub(super) fn contact(site: &Site<'_>, pair: Pair<'_>, asked: &Asked, bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
    if !site.selection.contact(pair.id()) {
        return Ok(());
    }
    let mut due = None;
    for row in pair.local.into_iter().chain(pair.remote) {
        match bases.keeping(site.registry, row)? {
            Keeping::Needed => return Ok(()),
            Keeping::Kept(bar) => {
                out.leave(warning(site.ours((CONTACT, row.id()), &bar.rule, "", bar.why)));
                return Ok(());
            }
            Keeping::Due(said) => due = due.or(Some(said)),
        }
    }
    let Some(due) = due else { return Ok(()) };
    if let Some(remote) = pair.remote {
        delete(site, remote, asked, &due, out);
    }
    if let Some(local) = pair.local.filter(|local| asked.linked(local.id()) == 0) {
        let Due { rule, gone_by, trigger, .. } = due.clone();
        out.expired.push(Expired { id: local.id().into(), rule, trigger, gone_by });
    }
    Ok(())
}

/// Deletes it at the registry, where the registry may be asked to.
fn delete(site: &Site<'_>, remote: &Row, asked: &Asked, due: &Due, out: &mut Outcome) {
    let at = (CONTACT, remote.id());
    let domains = asked.linked(remote.id());
    if domains > 0 {
        let what = format!("{domains} domains at the registry name this contact still, which it would refuse to delete (2305)");
        return out.leave(site.ours(at, "R-plan-011", "linked", what));
    }
    if let Some(finding) = kept(site, remote, false) {
        return out.leave(finding);
    }
    let by = due.gone_by.map_or_else(String::new, |day| format!(", and are to be gone by {day}"));
    let basis = Basis {
        kind: BasisKind::Expired,
        evidence: vec![format!("{} {}", due.trigger, due.rule)],
        subject: due.subject.clone(),
        purposes: Vec::new(),
    };
    let mut draft = site.draft(at, basis, vec![reason(&due.rule, format!("no service needs the data{by}"))]);
    draft.undo = Undo::Irreversible("what was erased does not come back".to_owned());
    draft.steps.push(DraftStep::delete(CONTACT, remote, false));
    out.drafts.push(draft);
}

/// That data stay is nobody's mistake.
fn warning(finding: Finding) -> Finding {
    Finding { severity: FindingSeverity::Warning, ..finding }
}
