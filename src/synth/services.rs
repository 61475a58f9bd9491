//! The services a registrar has sold for its domains.

use crate::dataset::SERVICES;
use crate::mock::fleet::{Draw, Mask};
use jiff::{Span, civil};

/// A row of the services table, in the order of its columns.
pub(super) struct Service {
    cells: [String; SERVICES.len()],
}

impl Service {
    /// The service of `domain`, which hides its registrant by `mask` on the day `today`, or would if it had not `ended`; many domains
    /// without a mask have none.
    pub(super) fn of(domain: &str, mask: Mask, ended: bool, today: civil::Date, draw: &mut Draw) -> Option<Self> {
        let n = draw.below(1000);
        let mut days = |from: i64, span: u64| from + i64::try_from(draw.below(span)).unwrap_or_default();
        let (privacy, start, end, reason) = match mask {
            _ if ended => {
                let reason = if n < 500 { "cancelled" } else { "expired" };
                (if mask == Mask::V1 { "v1" } else { "v2" }, days(-900, 400), Some(days(-400, 400)), reason)
            }
            // An end that lies ahead changes nothing yet.
            Mask::V1 | Mask::V2 => {
                let end = (n < 200).then(|| days(800, 700));
                (if mask == Mask::V1 { "v1" } else { "v2" }, days(-900, 870), end, "")
            }
            Mask::None if n < 100 => ("none", days(-900, 870), None, ""),
            Mask::None if n < 160 => ("v2", days(-900, 400), Some(days(-400, 400)), if n < 130 { "cancelled" } else { "expired" }),
            Mask::None if n < 170 => ("v1", days(-900, 400), Some(days(-400, 400)), "migrated"),
            Mask::None if n < 180 => ("v2", days(500, 200), None, ""),
            Mask::None => return None,
        };
        let day = |offset: i64| today.saturating_add(Span::new().days(offset)).to_string();
        let tld = domain.split_once('.').map_or("", |(_, tld)| tld);
        let end = end.map(day).unwrap_or_default();
        let cells = [domain.to_owned(), "hedge-privacy".to_owned(), tld.to_owned(), privacy.to_owned(), day(start), end, reason.to_owned()];
        Some(Self { cells })
    }

    /// The cells, in order.
    pub(super) fn cells(&self) -> [&str; SERVICES.len()] {
        self.cells.each_ref().map(String::as_str)
    }
}
