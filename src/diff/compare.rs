//! Two objects of one id, field by field.

use super::normalise::{is_quiet, normalise};
use super::output::Severity;
use crate::dataset::Kind;

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
        let same = normalise(kind, local.unwrap_or_default()) == normalise(kind, remote.unwrap_or_default());
        let severity = if same { Severity::Cosmetic } else { Severity::Material };
        (!same || !is_quiet(kind)).then_some(FieldDifference { at, local, remote, severity })
    })
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
}
