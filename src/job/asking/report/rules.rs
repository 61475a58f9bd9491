//! The numbered rules about consent to what is given to providers, and what each rests on.

use crate::model::FindingSeverity as S;
use crate::report::ConsentRule;

/// Data at a registry that no basis is known for.
pub(super) const NO_BASIS: ConsentRule = ConsentRule {
    id: "R-asking-001",
    about: "data are given for which no basis is known (ENM-1)",
    severity: S::Error,
    source: "GDPR Art. 6(1), and the pack of bases",
};
/// True data at a registry that only consent would allow.
pub(super) const NO_CONSENT: ConsentRule = ConsentRule {
    id: "R-asking-002",
    about: "data are given without the consent that they need (ENM-6)",
    severity: S::Error,
    source: "GDPR Art. 6(1)(a) and Art. 7(1)",
};
/// The same after a withdrawal.
pub(super) const STILL_THERE: ConsentRule = ConsentRule {
    id: "R-asking-003",
    about: "consent was withdrawn, and the data are still there (ENM-7)",
    severity: S::Error,
    source: "GDPR Art. 7(3) and Art. 17(1)(b)",
};
/// A placeholder though consent holds.
pub(super) const STALE: ConsentRule = ConsentRule {
    id: "R-asking-004",
    about: "consent was given, and a placeholder still stands there (ENM-7)",
    severity: S::Warning,
    source: "GDPR Art. 5(1)(d)",
};
/// A withdrawal that was not acted upon in time.
pub(super) const TOO_LATE: ConsentRule = ConsentRule {
    id: "R-asking-005",
    about: "consent was withdrawn longer ago than the provider's time to erase (ENM-3)",
    severity: S::Error,
    source: "the provider's own time, by the pack of bases",
};
/// An order that has waited too long.
pub(super) const LAPSED: ConsentRule = ConsentRule {
    id: "R-asking-006",
    about: "an order waited for consent beyond its tenth day, and is open still (MON-3)",
    severity: S::Error,
    source: "the process of such names, by the pack of bases",
};
/// A second message.
pub(super) const TWICE: ConsentRule = ConsentRule {
    id: "R-asking-007",
    about: "a message was sent twice under the provider's policy (MON-6)",
    severity: S::Warning,
    source: "the provider's policy, by the pack of bases",
};
/// A message to somebody else.
pub(super) const ELSEWHERE: ConsentRule = ConsentRule {
    id: "R-asking-008",
    about: "a message went to another address than the registrant's own (ENM-10)",
    severity: S::Error,
    source: "GDPR Art. 5(1)(f) and Art. 7(1)",
};
/// Data that were not asked for.
pub(super) const NEW_ELEMENTS: ConsentRule = ConsentRule {
    id: "R-asking-009",
    about: "the group of data is another one than was asked for: ask again (ENM-4)",
    severity: S::Warning,
    source: "GDPR Art. 4(11): consent is specific",
};
/// A consent without its proof.
pub(super) const NO_PROOF: ConsentRule = ConsentRule {
    id: "R-asking-010",
    about: "consent holds, and it is not recorded how it was given, or upon which notice",
    severity: S::Warning,
    source: "GDPR Art. 7(1)",
};
/// A link that leads nowhere.
pub(super) const DEAD_LINK: ConsentRule = ConsentRule {
    id: "R-asking-011",
    about: "the link of a message leads nowhere any more, and no answer came (MON-8)",
    severity: S::Warning,
    source: "the life of the provider's links, by the pack of bases",
};
/// An order of which something is not known.
pub(super) const NOT_KNOWN: ConsentRule = ConsentRule {
    id: "R-asking-012",
    about: "an order is blocked, since something is not known of it (MON-1)",
    severity: S::Error,
    source: "the pack of bases: nothing is guessed",
};
/// The least that every contract needs.
pub(super) const MINIMUM: ConsentRule = ConsentRule {
    id: "R-asking-013",
    about: "what every contract needs of a registrant is not whole: name, country, e-mail address (ENM-2)",
    severity: S::Warning,
    source: "the contract's elements, by the pack of bases; that a name has a first and a last part is a guess",
};
/// An order that was carried out without the consent that it waits for.
pub(super) const UNCONSENTED: ConsentRule = ConsentRule {
    id: "R-asking-014",
    about: "an order that waits for consent was carried out, and none was given (MON-3)",
    severity: S::Error,
    source: "the process of such names, by the pack of bases; GDPR Art. 6(1)(a)",
};
/// Nobody told the registrant.
pub(super) const NOT_INFORMED: ConsentRule = ConsentRule {
    id: "R-asking-015",
    about: "nobody is asked because of an order, and no notice is recorded that its registrant was shown (ENM-11, MON-12)",
    severity: S::Warning,
    source: "GDPR Art. 13 and 14",
};
