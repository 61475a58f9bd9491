//! What a directory shows against what was promised: RDAP answers, with what they say is redacted (RFC 9537).

use super::mask::said;
use super::person::Person;
use super::state::{Exposure, Seen};
use super::words::{Words, plain};
use crate::dataset::{RdapAnswer, RedactionMethod};
use crate::model::Element;
use crate::policy::DomainRole;

/// How an answer contradicts what was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// It shows what was to be kept back.
    Shows,
    /// It keeps back what was to be public.
    Redacts,
}

/// In what an answer contradicts what was `promised` of a role: `people` are those who stand in it, or who are hidden there, and `mask`
/// is the provider's data set where it stands in their place.
///
/// What is to be kept back is shown where a person's own value is there, or any value that is neither the mask's nor said to be a part
/// or a replacement. Of an address the public is told one to forward to (ICANN temporary specification, appendix A §2.5.1), so that it
/// is shown only where it is the person's own, or where the mask's should stand.
pub fn compare(
    role: DomainRole,
    promised: &Exposure,
    answer: &RdapAnswer,
    people: &[Person<'_>],
    mask: Option<&Person<'_>>,
) -> Vec<(Element, Contradiction)> {
    let one = |(element, promised): (Element, Seen)| {
        let values: Vec<String> = answer
            .shown
            .iter()
            .filter(|shown| shown.role == role && shown.element == element)
            .map(|shown| shown.value.reveal())
            .filter(|value| !plain(value).is_empty() && !Words::get().is_placeholder(value))
            .map(|value| said(element, value))
            .collect();
        let held = |person: &Person<'_>, value: &str| person.values(element).any(|(_, own)| said(element, own) == value);
        let is_own = |value: &String| people.iter().any(|person| held(person, value));
        let is_mask = |value: &String| mask.is_some_and(|mask| held(mask, value));
        let method = answer.redacted.iter().find(|one| one.role == role && one.element == element).map(|one| one.method);
        let is_altered = matches!(method, Some(RedactionMethod::PartialValue | RedactionMethod::ReplacementValue));
        if promised.is_kept_back() {
            // A mask may share a country, or a city, with whom it hides.
            let mut shown = values.iter().filter(|value| !is_mask(value));
            let is_forwarded = mask.is_none() && element == Element::Email;
            return shown.any(|value| is_own(value) || !is_altered && !is_forwarded).then_some((element, Contradiction::Shows));
        }
        let is_placeholder = || {
            let mut all = answer.shown.iter().filter(|shown| shown.role == role && shown.element == element);
            all.any(|shown| Words::get().is_placeholder(shown.value.reveal()))
        };
        let is_hidden = values.is_empty() && (method.is_some() || is_placeholder()) || is_altered && !values.iter().any(is_own);
        (promised.is_public() && is_hidden).then_some((element, Contradiction::Redacts))
    };
    promised.iter().filter_map(one).collect()
}
