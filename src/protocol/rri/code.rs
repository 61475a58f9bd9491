//! Message codes: what the eleven digits ask of a client. The words that go with them may change, the codes do not.

use crate::model::{ResultCode, RriClass, RriCode};

/// What a code asks of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Nothing: it goes with a success.
    Information,
    /// Nothing yet: more than 60 % of the day's quota is used.
    QuotaShare,
    /// To stop until the quota begins anew.
    QuotaExhausted,
    /// To pause for 120 s with one session fewer.
    AccessLimit,
    /// A new session.
    NotLoggedIn,
    /// To correct this program: the request should not have been sent like this.
    Ours,
    /// The same again, later.
    Later,
    /// To correct the account: it may not ask for this.
    NotAllowed,
    /// The object is not there.
    Missing,
    /// The object's state forbids it.
    State,
    /// The request's values are refused.
    Refused,
    /// To look at the object: the registry's technique failed.
    Technical,
}

use Meaning::{
    AccessLimit, Information, Later, Missing, NotAllowed, NotLoggedIn, Ours, QuotaExhausted, QuotaShare, Refused, State, Technical,
};

/// Codes with a meaning that their position does not tell.
const TABLE: &[(u64, Meaning)] = &[
    (13_000_000_011, Information),
    (13_000_000_022, QuotaShare),
    (13_350_000_001, Information),
    (16_000_063_119, Information),
    (16_330_088_732, Information),
    (16_350_000_040, Information),
    (16_350_000_041, Information),
    (33_000_000_022, QuotaShare),
    (33_300_102_900, Refused),
    (33_300_102_912, Information),
    (46_000_108_827, Information),
    (53_000_000_008, QuotaExhausted),
    (53_000_000_012, Later),
    (53_000_020_002, NotAllowed),
    (53_000_060_009, Missing),
    (53_000_080_002, Refused),
    (53_000_080_011, State),
    (53_000_080_013, Information),
    (53_000_080_015, Information),
    (53_300_081_600, Refused),
    (53_300_100_021, Later),
    (53_300_102_902, Refused),
    (53_300_102_912, Refused),
    (55_000_000_002, AccessLimit),
    (63_000_000_006, Ours),
    (63_000_000_007, Ours),
    (63_200_020_603, NotAllowed),
    (63_200_040_610, Refused),
    (63_200_040_702, Refused),
    (63_200_040_710, Refused),
    (63_200_040_802, Refused),
    (63_200_040_810, Refused),
    (63_200_041_010, Refused),
    (63_300_062_009, Missing),
    (83_000_000_000, Ours),
    (83_000_000_010, NotLoggedIn),
];

/// What `code` asks for: by the table, otherwise by its class.
#[must_use]
pub fn meaning(code: RriCode) -> Meaning {
    let listed = TABLE.binary_search_by_key(&code.0, |(number, _)| *number).ok().and_then(|at| TABLE.get(at));
    listed.map_or_else(
        || match code.class() {
            RriClass::Success | RriClass::Warning => Information,
            RriClass::Failed | RriClass::Temporary | RriClass::Permanent => Refused,
            RriClass::Technical | RriClass::Unheard => Technical,
        },
        |(_, meaning)| *meaning,
    )
}

/// The code of EPP that comes nearest to a failure with `code`.
pub(super) fn as_result(code: RriCode) -> ResultCode {
    match meaning(code) {
        QuotaExhausted => ResultCode(2104),
        AccessLimit => ResultCode(2308),
        NotLoggedIn => ResultCode::USE_ERROR,
        Ours => ResultCode(2001),
        NotAllowed => ResultCode::AUTHORIZATION,
        Missing => ResultCode::DOES_NOT_EXIST,
        State => ResultCode(2304),
        Refused => ResultCode(2306),
        Information | QuotaShare | Later | Technical => ResultCode::FAILED,
    }
}

/// Reads a code: eleven digits.
pub(super) fn read(text: &str) -> Option<RriCode> {
    let text = text.trim();
    let is_code = text.len() == 11 && text.bytes().all(|b| b.is_ascii_digit());
    is_code.then(|| text.parse().ok().map(RriCode)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_holds_eleven_digits() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        assert!(TABLE.iter().all(|(code, _)| read(&code.to_string()).is_some()));
    }

    #[test]
    fn an_unlisted_code_is_classed_by_its_first_digit() {
        let of = |digit: u64| meaning(RriCode(digit * 10_000_000_000 + 99_999));
        assert_eq!([1, 3, 4].map(of), [Information; 3]);
        assert_eq!([2, 5, 6].map(of), [Refused; 3]);
        assert_eq!([7, 8, 9, 0].map(of), [Technical; 4]);
        for text in ["", "1300000001", "130000000111", "1300000001x", "+3000000001"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
