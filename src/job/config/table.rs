//! A cursor over one table of the configuration, in layers: what was given outside, the file, the defaults.
//!
//! Whoever asks for a key thereby makes it known; what nobody asked for is an unknown key.

use super::document::Document;
use super::{Given, Origin, Setting};
use crate::base::{Blame, Digest, Problem, escape_controls};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is gathered while a configuration is read.
pub(super) struct Reading<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// Its faults.
    pub(super) problems: Vec<Problem>,
    /// Digests of the other files that say what a registry takes, in the order in which they were read.
    pub(super) rules: Vec<Digest>,
    /// What can be used but should be known.
    pub(super) warnings: Vec<Problem>,
    /// Every setting that was read.
    pub(super) origins: BTreeMap<String, Setting>,
    /// Whether parts could not be parsed, so that a missing key may not be missing at all.
    pub(super) torn: bool,
    /// Every key that was asked for, with the table it was asked in.
    pub(super) known: BTreeMap<&'static str, String>,
    /// The keys that nobody asked for.
    pub(super) unknown: Vec<Unknown>,
}

/// A key that nobody asked for.
pub(super) struct Unknown {
    /// Its dotted name.
    name: String,
    /// Itself.
    key: String,
    /// Its line.
    line: u64,
    /// The keys that its table may have.
    known: Vec<&'static str>,
}

impl Reading<'_> {
    /// Notes a fault at `name`, in `line` of the file where it has one.
    pub(super) fn fault(&mut self, id: &str, name: &str, line: Option<u64>, what: impl Into<String>, remedy: impl Into<String>) {
        let mut problem = Problem::new(id, Blame::Operator, what, remedy).file(self.path).field(name);
        problem.place.line = line;
        self.problems.push(*problem);
    }

    /// Tells of every unknown key with the one that was meant: of its own table, or else of any other.
    pub(super) fn tell_unknown(&mut self) {
        for Unknown { name, key, line, known } in std::mem::take(&mut self.unknown) {
            let elsewhere = || nearest(&key, self.known.keys().copied()).and_then(|near| Some((near, self.known.get(near)?)));
            let remedy = match (nearest(&key, known.iter().copied()), elsewhere()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some((near, table))) if table.is_empty() => format!("did you mean `{near}`, above the first table?"),
                (None, Some((near, table))) => format!("did you mean `{near}` in [{table}]?"),
                (None, None) => format!("known here: {}", known.join(", ")),
            };
            self.fault("E-config-001", &name, Some(line), format!("there is no key `{key}`"), remedy);
        }
    }
}

/// One source of settings.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    /// Its text and tree.
    pub(super) document: &'a Document<'a>,
    /// What it is.
    pub(super) kind: Kind<'a>,
    /// The directory its relative paths start from.
    pub(super) base: &'a Path,
}

/// What a layer is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// Options and variables.
    Given(&'a [Given]),
    /// The operator's file.
    File(&'a Path),
    /// Our defaults.
    Default,
}

/// A table of one name in all layers that have it, the strongest first.
pub(super) struct Table<'a> {
    /// Its dotted name, empty for the root.
    pub(super) name: String,
    /// Its line in the file, where it stands there.
    pub(super) line: Option<u64>,
    /// With the name that each layer has for it: a registry's table stands over the one that holds for all.
    layers: Vec<(Layer<'a>, &'a DeTable<'a>, String)>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
}

/// A value that was found.
#[derive(Clone)]
pub(super) struct Found<'a> {
    /// The dotted name it was asked for by.
    pub(super) name: String,
    /// The dotted name it stands under.
    at: String,
    /// The layer it is from.
    pub(super) layer: Layer<'a>,
    /// The line, from 1.
    pub(super) line: u64,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    /// The root.
    pub(super) fn root(layers: &[Layer<'a>]) -> Self {
        let layers = layers.iter().map(|l| (*l, &l.document.root, String::new())).collect();
        Self { name: String::new(), line: None, layers, known: Vec::new() }
    }

    /// The value of `key` from the strongest layer that has it.
    pub(super) fn find(&mut self, key: &'static str) -> Option<Found<'a>> {
        self.known.push(key);
        let name = self.dotted(key);
        self.layers.iter().find_map(|(layer, table, own)| entry(*layer, table, key, (&name, own)))
    }

    /// Takes `key` for known: it is read elsewhere.
    pub(super) fn know(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// The value of `key`, where it must be given.
    pub(super) fn need(&mut self, reading: &mut Reading<'_>, key: &'static str, example: &str) -> Option<Found<'a>> {
        let found = self.find(key);
        if found.is_none() && !reading.torn {
            reading.fault(
                "E-config-014",
                &self.dotted(key),
                self.line,
                format!("`{key}` is missing"),
                format!("add it, as in `{key} = {example}`"),
            );
        }
        found
    }

    /// The table under `key`; empty where no layer has it.
    pub(super) fn child(&mut self, reading: &mut Reading<'_>, key: &'static str) -> Self {
        self.known.push(key);
        self.below(reading, key)
    }

    /// Every entry of the file's own table, which names things of the operator's choosing.
    pub(super) fn entries(&mut self, reading: &mut Reading<'_>) -> Vec<(String, u64, Self)> {
        let own: Vec<_> =
            self.own().flat_map(|(l, t)| t.iter().map(move |(k, _)| (k.get_ref().to_string(), l.document.line(k.span().start)))).collect();
        own.into_iter().map(|(key, line)| (key.clone(), line, self.below(reading, &key))).collect()
    }

    /// The same table with the layers of `weaker` below its own.
    pub(super) fn over(mut self, weaker: &Self) -> Self {
        self.layers.extend(weaker.layers.iter().cloned());
        self
    }

    /// Whether no layer has it.
    pub(super) fn is_absent(&self) -> bool {
        self.layers.is_empty()
    }

    /// Takes note of every key of the file that nobody asked for.
    pub(super) fn finish(mut self, reading: &mut Reading<'_>) {
        self.known.dedup();
        let mut unknown = Vec::new();
        for (layer, table) in self.own() {
            for (key, value) in table.iter().filter(|(k, _)| !self.known.contains(&k.get_ref().as_ref())) {
                let line = layer.document.line(key.span().start);
                let (name, key) = (self.dotted(key.get_ref()), key.get_ref().to_string());
                if (is_secret(&key) || is_secret(&self.name)) && matches!(value.get_ref(), DeValue::String(_)) {
                    reading.fault("E-config-005", &name, Some(line), INLINE, KEEP);
                } else {
                    unknown.push(Unknown { name, key, line, known: self.known.clone() });
                }
            }
        }
        reading.unknown.extend(unknown);
        for key in self.known {
            reading.known.entry(key).or_insert_with(|| self.name.clone());
        }
    }

    /// The name of `key` in this table.
    pub(super) fn dotted(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The operator's own layer of it.
    fn own(&self) -> impl Iterator<Item = (Layer<'a>, &'a DeTable<'a>)> {
        let mut seen = false;
        // With defaults of the same file below it, only the first of them is this table.
        self.layers
            .iter()
            .map(|(l, t, _)| (*l, *t))
            .filter(move |(l, _)| matches!(l.kind, Kind::File(_)) && !std::mem::replace(&mut seen, true))
    }

    fn below(&self, reading: &mut Reading<'_>, key: &str) -> Self {
        let name = self.dotted(key);
        let mut table = Self { name: name.clone(), line: None, layers: Vec::new(), known: Vec::new() };
        for (layer, outer, own) in &self.layers {
            let Some(found) = entry(*layer, outer, key, (&name, own)) else { continue };
            match found.value.get_ref() {
                DeValue::Table(inner) => {
                    if matches!(layer.kind, Kind::File(_)) {
                        table.line.get_or_insert(found.line);
                    }
                    table.layers.push((*layer, inner, found.at));
                }
                _ => found.wrong(reading, "a table"),
            }
        }
        table
    }
}

impl Found<'_> {
    /// A text.
    pub(super) fn text(&self, reading: &mut Reading<'_>) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) if text.is_empty() => self.refuse(reading, "a text that is not empty"),
            DeValue::String(text) => self.keep(reading, text.to_string()),
            _ => self.refuse(reading, "a text in quotes"),
        }
    }

    /// A text, told of only as a fault: for what may be a secret.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::String(_))
    }

    /// A path, taken from its layer's directory.
    pub(super) fn path(&self, reading: &mut Reading<'_>) -> Option<PathBuf> {
        self.text(reading).map(|text| self.layer.base.join(text))
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, reading: &mut Reading<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let wanted = match (range.start(), range.end()) {
            (only, end) if only == end => format!("{only}"),
            (start, end) => format!("a whole number from {start} to {end}"),
        };
        let DeValue::Integer(digits) = self.value.get_ref() else { return self.refuse(reading, &wanted) };
        match u32::from_str_radix(digits.as_str(), digits.radix()).ok().filter(|n| range.contains(n)) {
            Some(number) => self.keep(reading, number),
            None => self.refuse(reading, &wanted),
        }
    }

    /// A share: a number from 0 to 1, without 0 itself where `positive`.
    pub(super) fn share(&self, reading: &mut Reading<'_>, positive: bool) -> Option<f64> {
        let number = self.decimal();
        match number.filter(|n| (0.0..=1.0).contains(n) && (!positive || *n > 0.0)) {
            Some(share) => self.keep(reading, share),
            None => self.refuse(reading, if positive { "a number over 0 and up to 1" } else { "a number from 0 to 1" }),
        }
    }

    /// The number it is, whatever its range.
    pub(super) fn decimal(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Float(digits) => digits.as_str().parse::<f64>().ok(),
            DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str().parse::<f64>().ok(),
            _ => None,
        }
    }

    /// One of `choices`.
    pub(super) fn choice<T: Copy>(&self, reading: &mut Reading<'_>, choices: &[(&str, T)]) -> Option<T> {
        let chosen = match self.value.get_ref() {
            DeValue::String(text) => choices.iter().find(|(name, _)| *name == text.as_ref()),
            _ => None,
        };
        match chosen {
            Some((_, value)) => self.keep(reading, *value),
            None => {
                let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
                self.refuse(reading, &format!("one of {}", names.join(", ")))
            }
        }
    }

    /// A list of texts, at least one.
    pub(super) fn texts(&self, reading: &mut Reading<'_>) -> Option<Vec<String>> {
        let DeValue::Array(items) = self.value.get_ref() else { return self.refuse(reading, "a list of texts") };
        let texts: Option<Vec<String>> = items.iter().map(|i| i.get_ref().as_str().filter(|t| !t.is_empty()).map(str::to_owned)).collect();
        match texts.filter(|t| !t.is_empty()) {
            Some(texts) => self.keep(reading, texts),
            None => self.refuse(reading, "a list of texts that is not empty"),
        }
    }

    /// A list of texts, which may be empty.
    pub(super) fn texts_if_any(&self, reading: &mut Reading<'_>) -> Option<Vec<String>> {
        let is_empty = matches!(self.value.get_ref(), DeValue::Array(items) if items.is_empty());
        if is_empty { self.keep(reading, Vec::new()) } else { self.texts(reading) }
    }

    /// A table from texts to texts.
    pub(super) fn pairs(&self, reading: &mut Reading<'_>) -> Option<BTreeMap<String, String>> {
        let DeValue::Table(table) = self.value.get_ref() else { return self.refuse(reading, "a table of texts") };
        let pair = |(k, v): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &std::borrow::Cow<'_, str> = k.get_ref();
            v.get_ref().as_str().map(|v| (key.to_string(), v.to_owned()))
        };
        match table.iter().map(pair).collect::<Option<BTreeMap<_, _>>>() {
            Some(pairs) => self.keep(reading, pairs),
            None => self.refuse(reading, "a table of texts"),
        }
    }

    /// Notes that the value is not `wanted`.
    pub(super) fn wrong(&self, reading: &mut Reading<'_>, wanted: &str) {
        let shown = match self.value.get_ref() {
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            _ if is_secret(&self.name) => "a value that is not shown".to_owned(),
            _ => format!("`{}`", self.source().chars().take(60).collect::<String>()),
        };
        reading.fault("E-config-003", &self.at, self.file_line(), format!("{shown} cannot be used here"), format!("give {wanted}"));
    }

    /// Where the value came from.
    pub(super) fn origin(&self) -> Origin {
        match self.layer.kind {
            Kind::Default => Origin::Default,
            Kind::File(path) => Origin::File { path: path.to_owned(), line: self.line },
            Kind::Given(given) => given.iter().find(|g| g.key == self.name).map_or(Origin::Default, |g| g.origin.clone()),
        }
    }

    /// The line in the operator's file, where it is from there.
    pub(super) fn file_line(&self) -> Option<u64> {
        matches!(self.layer.kind, Kind::File(_)).then_some(self.line)
    }

    /// Takes note of the setting, and gives `value`.
    #[expect(clippy::unnecessary_wraps, reason = "the twin of `refuse`, in the arms of one match")]
    pub(super) fn keep<T>(&self, reading: &mut Reading<'_>, value: T) -> Option<T> {
        reading.origins.insert(self.name.clone(), Setting { value: self.source(), origin: self.origin() });
        Some(value)
    }

    /// The value as it stands in its text, on one line.
    fn source(&self) -> String {
        let text = self.layer.document.text.get(self.value.span()).unwrap_or_default();
        escape_controls(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn refuse<T>(&self, reading: &mut Reading<'_>, wanted: &str) -> Option<T> {
        self.wrong(reading, wanted);
        None
    }
}

/// What is said of a secret in the file.
pub(super) const INLINE: &str = "a secret stands in the configuration itself";
/// What to do about it.
pub(super) const KEEP: &str = "move it to a file of mode 0600 and write `{ file = \"…\" }`, or `{ credential = \"…\" }`; then change it, since copies of this file may exist";

/// The known word that is most like `word`, where one is like it at all.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let scored = known.map(|k| (strsim::jaro_winkler(word, k), k)).filter(|(score, _)| *score >= 0.75);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}

/// Whether a key is named like a secret's.
fn is_secret(name: &str) -> bool {
    let name = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let whole = ["pw", "pin_code", "auth"];
    let part = ["passw", "passphrase", "secret", "token", "auth_info", "authinfo", "api_key"];
    whole.contains(&name.as_str()) || part.iter().any(|p| name.contains(p))
}

/// The value of `key` in `table`, which is asked for as `name` and is called `own` in this layer.
fn entry<'a>(layer: Layer<'a>, table: &'a DeTable<'a>, key: &str, (name, own): (&str, &str)) -> Option<Found<'a>> {
    let (at, value) = table.iter().find(|(k, _)| k.get_ref() == key)?;
    let at_name = if own.is_empty() { key.to_owned() } else { format!("{own}.{key}") };
    Some(Found { name: name.to_owned(), at: at_name, layer, line: layer.document.line(at.span().start), value })
}
