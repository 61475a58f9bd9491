//! Two objects of one id, field by field.

use super::normalise::{is_quiet, normalise};
use super::output::Severity;
use crate::dataset::{Kind, Row, columns};
use crate::model::{ObjectKind, Properties};

/// One field that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldDifference<'a> {
    /// Its position among the compared fields.
    pub(super) at: usize,
    /// What is expected.
    pub(super) local: Option<&'a str>,
    /// What the registry holds.
    pub(super) remote: Option<&'a str>,
    /// Whether it matters.
    pub(super) severity: Severity,
}

/// The fields that differ between `local` and `remote`, both read by position.
pub(super) fn compare<'a>(
    kinds: impl Iterator<Item = Kind>,
    local: impl Fn(usize) -> Option<&'a str>,
    remote: impl Fn(usize) -> Option<&'a str>,
) -> impl Iterator<Item = FieldDifference<'a>> {
    let present = |value: Option<&'a str>| value.filter(|v| !v.is_empty());
    kinds.enumerate().filter_map(move |(at, kind)| {
        let (local, remote) = (present(local(at)), present(remote(at)));
        if local == remote {
            return None;
        }
        let same = match kind {
            // A local record says nothing about the properties it does not state, nor a registry that tells none about any.
            Kind::Properties => local.zip(remote).is_none_or(|(stated, held)| holds(stated, held)),
            _ => normalise(kind, local.unwrap_or_default()) == normalise(kind, remote.unwrap_or_default()),
        };
        let severity = if same { Severity::Cosmetic } else { Severity::Material };
        (!same || !is_quiet(kind)).then_some(FieldDifference { at, local, remote, severity })
    })
}

/// The positions of the fields in which what is expected of an object and what its registry holds differ, and it matters.
#[must_use]
pub fn material(kind: ObjectKind, expected: &Row, held: &Row) -> Vec<usize> {
    let kinds = columns(kind).iter().map(|column| column.kind);
    let all = compare(kinds, |at| expected.get(at), |at| held.get(at));
    all.filter(|difference| difference.severity == Severity::Material).map(|difference| difference.at).collect()
}

/// Whether the properties that `stated` names are those of `held`.
fn holds(stated: &str, held: &str) -> bool {
    match (Properties::read(stated), Properties::read(held)) {
        (Ok(stated), Ok(held)) => stated.hold_in(&held),
        _ => stated == held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn material_cosmetic_and_quiet_are_told_apart() {
        let kinds = [Kind::Text, Kind::Text, Kind::Phone, Kind::Statuses, Kind::Email];
        let local = [Some("a"), Some("b  c"), None, Some("ok"), Some("")];
        let remote = [Some("a"), Some("b c"), Some("+1.2"), None, None];
        let found: Vec<_> = compare(kinds.into_iter(), |n| local[n], |n| remote[n]).map(|d| (d.at, d.severity)).collect();
        assert_eq!(found, [(1, Severity::Cosmetic), (2, Severity::Material)]);
    }

    #[test]
    fn of_properties_those_count_which_the_local_record_states() {
        let found = |local, remote| compare([Kind::Properties].into_iter(), |_| local, |_| remote).map(|d| d.severity).next();
        assert_eq!(found(Some("b=2"), Some("a=1;b=2")), None);
        assert_eq!(found(None, Some("a=1")), None);
        assert_eq!(found(Some("b=2;a=1"), Some("a=1;b=2")), None);
        assert_eq!(found(Some("a=1;b=2"), Some("a=1")), Some(Severity::Material));
        assert_eq!(found(Some("a=1"), None), None);
    }
}
