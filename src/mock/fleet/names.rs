//! Domain names that carry their index, in ASCII and in many scripts.

use super::code::{self, Shuffle};
use super::draw::Draw;
use super::words::{LABELS, lands};
use crate::base::DomainName;

/// The names of one registry's domains.
#[derive(Clone, Debug)]
pub(super) struct Names {
    seed: u64,
    shuffle: Shuffle,
    tlds: Vec<String>,
}

/// Internationalised names of a thousand.
const IDN_PER_MILLE: u64 = 180;

impl Names {
    /// Names below `tlds`.
    pub(super) fn new(seed: u64, tlds: &[String]) -> Self {
        Self { seed, shuffle: Shuffle::new(seed, "names"), tlds: tlds.to_vec() }
    }

    /// The name of domain `index`, in A-label form.
    pub(super) fn name(&self, index: u64) -> DomainName {
        let mut draw = Draw::new(self.seed, "name", index);
        let code = self.shuffle.forward(index);
        let tld = draw.pick(&self.tlds).map_or("invalid", String::as_str);
        let label = idn(code, &mut draw).unwrap_or_else(|| {
            let word = draw.pick(&LABELS).copied().unwrap_or("x");
            format!("{word}-{}", code::write(code).to_ascii_lowercase())
        });
        DomainName::new(format!("{label}.{tld}"))
    }

    /// The index of `name`, or nothing where it is no name of ours.
    pub(super) fn index(&self, name: &str) -> Option<u64> {
        let (label, _) = name.split_once('.')?;
        let code = if label.starts_with("xn--") {
            let (unicode, valid) = idna::domain_to_unicode(label);
            valid.ok()?;
            unicode.rsplit('-').next()?.parse().ok().filter(|code| *code < code::END)?
        } else {
            code::read(label.rsplit('-').next()?)?
        };
        let index = self.shuffle.back(code);
        // The words and the zone must be the index's own too: everything else is a name that was never registered.
        (self.name(index).as_str() == name).then_some(index)
    }
}

/// An internationalised label, for some. Its index is in digits, since letters of two directions may not mix (RFC 5893 §2).
fn idn(code: u64, draw: &mut Draw) -> Option<String> {
    if !draw.chance(IDN_PER_MILLE) {
        return None;
    }
    let word = draw.pick(lands()).and_then(|land| draw.pick(&land.labels))?;
    idna::domain_to_ascii(&format!("{word}-{code}")).ok().filter(|label| label.starts_with("xn--") && label.len() <= 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_go_both_ways(seed: u64, index in 0..10_000_000_u64) {
            let names = Names::new(seed, &["example".to_owned(), "co.nz".to_owned()]);
            let name = names.name(index);
            prop_assert_eq!(names.index(name.as_str()), Some(index));
            prop_assert!(name.as_str().len() <= 64 && name.as_str().split('.').all(|l| (1..=63).contains(&l.len())));
            prop_assert_eq!(names.index(&format!("x{name}")), None);
            prop_assert_eq!(names.index(&name.as_str().to_ascii_uppercase()), None);
        }

        #[test]
        fn any_text_is_looked_up_without_a_panic(text in "(xn--)?\\PC{0,20}(\\.example)?") {
            let _index = Names::new(1, &["example".to_owned()]).index(&text);
        }
    }

    #[test]
    fn every_label_of_every_land_is_used_and_valid() {
        for label in lands().iter().flat_map(|l| &l.labels) {
            let ascii = idna::domain_to_ascii(&format!("{label}-34359738367")).expect("valid under IDNA");
            assert!(ascii.starts_with("xn--") && ascii.len() <= 52, "{label}: {ascii}");
            assert_eq!(idna::domain_to_unicode(&ascii).0, format!("{label}-34359738367"));
        }
    }
}
