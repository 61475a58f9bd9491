//! Statuses: what stands on an object, and what a change may do: `R-stat-…`.

use super::judge::{Basis, Judge, Sheet};
use crate::model::{Finding, ObjectKind, StatusValue};
use crate::policy::{Profile, StatusUse};

/// What keeps a client from adding (or else removing) a status; nothing where it may.
#[must_use]
pub fn status_change(profile: &Profile, kind: ObjectKind, status: &str, adding: bool) -> Option<Finding> {
    let judge = Judge::of(profile);
    let row = crate::dataset::Row::new("", []);
    let mut sheet = judge.sheet(kind, &row);
    let field = format!("statuses.{}", crate::base::escape_controls(status));
    let doing = if adding { "be added" } else { "be removed" };
    let Some(rule) = profile.statuses.of(kind).get(status) else {
        if is_computed(status) {
            let basis = Basis::strict("RFC 5731 §2.3, RFC 5733 §2.2: the registry sets it by itself");
            return Some(sheet.add("R-stat-002", field, basis, format!("the status cannot {doing} by a client")).clone());
        }
        return Some(unknown(field, &mut sheet).clone());
    };
    let (number, what) = match (rule.value, adding) {
        (StatusUse::Settable, _) | (StatusUse::Removable, false) => return None,
        (StatusUse::Removable | StatusUse::Reported, _) => {
            ("R-stat-003", format!("the status may {doing} only by an operation that names its order"))
        }
        (StatusUse::Never, _) => ("R-stat-002", format!("the status cannot {doing} by a client here")),
        (StatusUse::Unknown, _) => ("R-stat-001", "what may be done with the status is not known here, so nothing is".to_owned()),
    };
    Some(sheet.add(number, field, Basis::of(rule), what).clone())
}

/// Judges the statuses of an object, joined by `;`.
pub(super) fn judge(text: Option<&str>, sheet: &mut Sheet<'_, '_>) {
    let (profile, kind) = (sheet.judge.profile, sheet.object());
    for status in text.unwrap_or_default().split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let field = || format!("statuses.{}", crate::base::escape_controls(status));
        let is_client = StatusValue::read(status).is_client();
        match profile.statuses.of(kind).get(status) {
            None if is_computed(status) && !(kind == ObjectKind::Domain && status == "linked") => {}
            // The server's own are the server's to set.
            None if status.starts_with("server") && StatusValue::read(status).is_known() => {}
            None => {
                unknown(field(), sheet);
            }
            Some(rule) if !is_client || rule.value == StatusUse::Settable => {}
            Some(rule) => match rule.value {
                StatusUse::Settable => {}
                StatusUse::Never => {
                    let what = "the registry does not have this status, or no client may have set it".to_owned();
                    sheet.add("R-stat-002", field(), Basis::of(rule), what);
                }
                StatusUse::Removable | StatusUse::Reported => {
                    let what = "the status stands by an order, and is told of; nothing changes it but an operation that names the order"
                        .to_owned();
                    sheet.add("R-stat-003", field(), Basis::told(rule), what);
                }
                StatusUse::Unknown => {
                    let what = "whether the registry has this status is not known".to_owned();
                    sheet.add("R-stat-001", field(), Basis::of(rule), what);
                }
            },
        }
    }
}

fn unknown<'s>(field: String, sheet: &'s mut Sheet<'_, '_>) -> &'s mut Finding {
    let source = format!("the statuses of profile `{}`", sheet.judge.profile.id);
    sheet.add("R-stat-001", field, Basis::ours(&source), "the registry is not known to have this status".to_owned())
}

/// Whether registries set the status by themselves.
fn is_computed(status: &str) -> bool {
    matches!(status, "ok" | "linked" | "inactive") || (status.starts_with("pending") && StatusValue::read(status).is_known())
}
