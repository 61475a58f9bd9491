//! Names, streets and cities of many lands in their own letters and in ASCII, side by side.

use crate::model::PostalForm;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization as _;

/// A word in its own letters and in ASCII.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    /// In its own letters, NFC.
    pub(super) loc: String,
    /// In ASCII.
    pub(super) int: String,
}

impl Word {
    /// The word as `form` writes it.
    pub(super) fn form(&self, form: PostalForm) -> &str {
        match form {
            PostalForm::Int => &self.int,
            PostalForm::Loc => &self.loc,
        }
    }
}

/// A city.
#[derive(Clone, Debug)]
pub(super) struct City {
    /// Its name.
    pub(super) name: Word,
    /// A postal code of it, empty for none.
    pub(super) pc: String,
    /// The state or province, empty for none. The ASCII form drops what is not ASCII.
    pub(super) sp: String,
}

/// A word of no letters, where a list has none.
pub(super) static NO_WORD: Word = Word { loc: String::new(), int: String::new() };
/// A city without a name, where a list has none.
pub(super) static NO_CITY: City = City { name: Word { loc: String::new(), int: String::new() }, pc: String::new(), sp: String::new() };

/// What a land's persons are made of.
#[derive(Clone, Debug)]
pub(super) struct Land {
    /// ISO 3166-1 alpha-2.
    pub(super) cc: String,
    /// The country calling code.
    pub(super) calling: u16,
    /// The script it writes, in lower case.
    pub(super) script: String,
    /// How a name is put together, with `{given}` and `{family}`.
    pub(super) name: Word,
    /// How a street line is put together, with `{street}` and `{n}`.
    pub(super) street: Word,
    /// Given names.
    pub(super) given: Vec<Word>,
    /// Family names.
    pub(super) family: Vec<Word>,
    /// Organisations, with `{family}`.
    pub(super) org: Vec<Word>,
    /// Streets.
    pub(super) streets: Vec<Word>,
    /// Cities.
    pub(super) cities: Vec<City>,
    /// Words for internationalised domain labels.
    pub(super) labels: Vec<String>,
}

/// The lands, in the order of the files. A test reads each file; one that cannot be read is not there.
pub(super) fn lands() -> &'static [Land] {
    static LANDS: LazyLock<Vec<Land>> = LazyLock::new(|| FILES.iter().filter_map(|text| read(text).ok()).flatten().collect());
    &LANDS
}

/// Words for domain labels in ASCII.
pub(super) const LABELS: [&str; 20] = [
    "hedgerow",
    "lindenhof",
    "papermill",
    "quiet-harbour",
    "old-orchard",
    "nordlicht",
    "tea-and-toast",
    "bluebell",
    "kantine",
    "voltwerk",
    "kitelab",
    "brasserie",
    "casa-verde",
    "tidewater",
    "yardbird",
    "mossgarden",
    "atelier",
    "wanderlust",
    "roundabout",
    "gatehouse",
];

const FILES: [&str; 3] = [include_str!("words/latin.toml"), include_str!("words/europe.toml"), include_str!("words/asia.toml")];

/// A file of lands, as it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    land: Vec<Entry>,
}

/// A land, as it is written: words are `loc|int`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    cc: String,
    calling: u16,
    script: String,
    name: Option<String>,
    street: String,
    given: Vec<String>,
    family: Vec<String>,
    org: Vec<String>,
    streets: Vec<String>,
    cities: Vec<String>,
    labels: Vec<String>,
}

fn read(text: &str) -> Result<Vec<Land>, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    Ok(file.land.into_iter().map(land).collect())
}

fn land(entry: Entry) -> Land {
    let words = |list: Vec<String>| list.iter().map(|text| word(text)).collect();
    Land {
        cc: entry.cc,
        calling: entry.calling,
        script: entry.script,
        name: word(entry.name.as_deref().unwrap_or("{given} {family}|{given} {family}")),
        street: word(&entry.street),
        given: words(entry.given),
        family: words(entry.family),
        org: words(entry.org),
        streets: words(entry.streets),
        cities: entry.cities.iter().map(|text| city(text)).collect(),
        labels: entry.labels.iter().map(|text| text.nfc().collect()).collect(),
    }
}

fn word(text: &str) -> Word {
    let (loc, int) = text.split_once('|').unwrap_or((text, text));
    Word { loc: loc.nfc().collect(), int: int.to_owned() }
}

fn city(text: &str) -> City {
    let mut parts = text.split('|');
    let mut next = || parts.next().unwrap_or_default();
    let (loc, int, pc, sp) = (next(), next(), next(), next());
    City { name: Word { loc: loc.nfc().collect(), int: int.to_owned() }, pc: pc.to_owned(), sp: sp.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_reads_and_every_word_has_an_ascii_form() {
        for text in FILES {
            assert!(read(text).is_ok(), "{:?}", read(text).err());
        }
        for land in lands() {
            let words = land.given.iter().chain(&land.family).chain(&land.org).chain(&land.streets).chain([&land.name, &land.street]);
            for word in words.chain(land.cities.iter().map(|c| &c.name)) {
                assert!(word.int.is_ascii() && !word.int.is_empty(), "{word:?}");
                assert!(!word.loc.is_empty(), "{word:?}");
            }
            for list in [&land.given, &land.family, &land.org, &land.streets] {
                assert!(!list.is_empty(), "{}", land.cc);
            }
            assert!(land.cities.iter().all(|c| c.pc.len() <= 16) && !land.cities.is_empty() && !land.labels.is_empty());
            assert!((1..=999).contains(&land.calling));
        }
    }

    #[test]
    fn the_lands_write_many_scripts() {
        let scripts: BTreeSet<&str> = lands().iter().map(|l| l.script.as_str()).collect();
        assert!(scripts.len() >= 15, "{scripts:?}");
    }
}
