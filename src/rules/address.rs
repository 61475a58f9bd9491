//! Values of single fields against the tables a profile has for them: `R-addr-…`, and what those tables say of properties.

use super::characters::{Set, code_point, name};
use super::checks;
use super::judge::{Basis, Sheet, answer};
use super::postal;
use super::scripts::{Odd, odd_words};
use super::subject::{Place, Subject};
use crate::model::{Finding, PostalForm};
use crate::policy::{FieldRules, Profile, Rule, When};
use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// How many choices a message lists.
const LISTED: usize = 12;

/// One field of a contact, and every table that speaks of it.
#[derive(Debug)]
pub(super) struct Field<'p> {
    name: &'p str,
    place: Place,
    tables: Vec<Table<'p>>,
    /// The registry's code for the field, where a table has none of its own.
    code: Option<&'p Rule<String>>,
    /// Whether handles are looked at in capitals.
    in_capitals: bool,
}

/// One table of a profile.
#[derive(Debug)]
struct Table<'p> {
    rules: &'p FieldRules,
    when: Vec<(Place, &'p When)>,
    characters: Option<(&'p Rule<String>, Set<'p>)>,
}

/// In which way a value is not as it should be.
#[derive(Clone, Copy)]
enum Broken {
    Required,
    Length,
    Occurs,
    Pattern,
    Choices,
    Characters,
    Equals,
}

/// Where a value stands that is being judged.
struct At<'a> {
    subject: &'a Subject<'a>,
    form: Option<PostalForm>,
    /// The number of the value, from 1.
    number: usize,
}

impl<'p> Field<'p> {
    /// The field `name` with its tables, those without conditions first.
    pub(super) fn of(name: &'p str, profile: &'p Profile) -> Self {
        let mut rules: Vec<&'p FieldRules> = profile.tables(name).collect();
        rules.sort_by_key(|rules| !rules.when.is_empty());
        let table = |rules: &'p FieldRules| {
            let set = |rule: &'p Rule<String>| profile.characters.get(&rule.value).map(|set| (rule, Set::of(&set.value)));
            let when = rules.when.iter().map(|when| (Place::of_contact(&when.field), when)).collect();
            Table { rules, when, characters: rules.characters.as_ref().and_then(set) }
        };
        Self {
            name,
            place: Place::of_contact(name),
            code: rules.iter().find_map(|rules| rules.code.as_ref()),
            tables: rules.into_iter().map(table).collect(),
            in_capitals: profile.quirks.handles_in_capitals,
        }
    }

    /// Judges every value of the field.
    pub(super) fn judge(&self, subject: &Subject<'_>, sheet: &mut Sheet<'_, '_>) {
        let mut forms = subject.forms();
        match (self.place, forms.next()) {
            (Place::Address(_), Some(first)) => {
                self.judge_in(subject, Some(first), sheet);
                forms.for_each(|form| self.judge_in(subject, Some(form), sheet));
            }
            _ => self.judge_in(subject, None, sheet),
        }
    }

    fn judge_in(&self, subject: &Subject<'_>, form: Option<PostalForm>, sheet: &mut Sheet<'_, '_>) {
        let (mut count, mut filled) = (0, false);
        for (number, value) in subject.values(self.place, self.name, form) {
            count += 1;
            filled |= !value.trim_ascii().is_empty();
            self.value(&At { subject, form, number }, value, sheet);
        }
        for table in self.holding(subject, form) {
            let mut tell = |broken, basis, what| {
                self.tell(table, broken, self.path(form, None), basis, what, sheet);
            };
            if let Some(rule) = table.rules.required.as_ref().filter(|rule| rule.value && !filled) {
                tell(Broken::Required, Basis::of(rule), "a value is required".to_owned());
            }
            if let Some(rule) = &table.rules.occurs {
                let (min, max) = (rule.value.min as usize, rule.value.max.map(|max| max as usize));
                match max {
                    Some(0) if count > 0 => tell(Broken::Occurs, Basis::of(rule), "the field may not stand here".to_owned()),
                    Some(max) if count > max => tell(Broken::Occurs, Basis::of(rule), format!("stands {count} times, at most {max}")),
                    // That nothing is there at all is told by what requires it.
                    _ if (1..min).contains(&count) => {
                        tell(Broken::Occurs, Basis::of(rule), format!("stands {count} times, at least {min}"));
                    }
                    _ => {}
                }
            }
        }
    }

    /// The tables whose conditions hold.
    fn holding(&self, subject: &Subject<'_>, form: Option<PostalForm>) -> impl Iterator<Item = &Table<'p>> {
        let holds = move |(place, when): &(Place, &When)| when.holds(subject.value(*place, &when.field, form));
        self.tables.iter().filter(move |table| table.when.iter().all(holds))
    }

    /// Judges one value: its normal form, and then that form's length, shape and characters.
    fn value(&self, at: &At<'_>, raw: &str, sheet: &mut Sheet<'_, '_>) {
        let path = || self.path(at.form, Some(at.number));
        let mut text = if raw.is_ascii() || is_nfc(raw) { Cow::Borrowed(raw) } else { Cow::Owned(raw.nfc().collect::<String>()) };
        if let Cow::Owned(nfc) = &text {
            let basis = Basis::ours("UAX #15, Unicode 18.0; registries compare and show NFC, and we send it");
            let finding = sheet.add("R-addr-007", path(), basis, "the value is not in normal form C".to_owned());
            let differs = nfc.chars().zip(raw.chars()).position(|(one, other)| one != other).unwrap_or_default();
            point_at(finding, differs + 1, nfc.chars().nth(differs));
            finding.suggestion = Some(nfc.as_str().into());
        }
        // A token has no blanks at its ends, whoever reads it (XML Schema, whiteSpace=collapse).
        if self.place.is_token() && text.trim().len() < text.len() {
            text = Cow::Owned(text.trim().to_owned());
        }
        // Nothing but blanks is nothing on the line; where that is not enough, what requires a value tells it.
        if text.is_empty() {
            return;
        }
        if self.place == Place::Id && self.in_capitals {
            text = Cow::Owned(text.to_uppercase());
        }
        for table in self.holding(at.subject, at.form) {
            self.value_by(table, at, &text, sheet);
        }
        if !text.is_ascii() && self.place.is_words() {
            odd(&text, path, sheet);
        }
        if self.name == "pc" {
            self.postal_code(at, &text, sheet);
        }
    }

    /// Judges a value in NFC by one table.
    fn value_by(&self, table: &Table<'_>, at: &At<'_>, text: &str, sheet: &mut Sheet<'_, '_>) {
        let rules = table.rules;
        let path = || self.path(at.form, Some(at.number));
        let mut well = true;
        if let Some(rule) = &rules.length {
            let (min, max) = (rule.value.min as usize, rule.value.max.map_or(usize::MAX, |max| max as usize));
            // Bytes are at least as many as characters, and at most four times.
            if text.len() > max || text.len() < min.saturating_mul(4) {
                let count = text.chars().count();
                let bound = if count > max { Some(("most", max)) } else { Some(("least", min)).filter(|_| count < min) };
                if let Some((word, bound)) = bound {
                    self.tell(table, Broken::Length, path(), Basis::of(rule), format!("{count} characters, at {word} {bound}"), sheet);
                    well = false;
                }
            }
        }
        // What has not the length has not the form, and what has not the form is not looked into.
        if let Some(rule) = rules.pattern.as_ref().filter(|rule| well && !rule.value.matches(text)) {
            let what = format!("the value is not of the form `{}`", rule.value.as_str());
            let finding = self.tell(table, Broken::Pattern, path(), Basis::of(rule), what, sheet);
            let upper = text.trim().to_uppercase();
            finding.suggestion = Some(upper).filter(|upper| rule.value.matches(upper)).map(|upper| upper.as_str().into());
            well = false;
        }
        if let Some(rule) = rules.choices.as_ref().filter(|rule| well && !rule.value.iter().any(|choice| choice == text)) {
            let what = format!("the value is none of {}", listed(&rule.value));
            let finding = self.tell(table, Broken::Choices, path(), Basis::of(rule), what, sheet);
            finding.suggestion = rule.value.iter().find(|choice| choice.eq_ignore_ascii_case(text.trim())).map(|c| c.as_str().into());
            well = false;
        }
        if let Some((rule, set)) = table.characters.as_ref().filter(|(_, set)| !set.contains_all(text)) {
            for (position, run) in set.refused(text) {
                let first = run.chars().next();
                let many = run.chars().count();
                let more = if many > 1 { format!(" and {} more behind it", many - 1) } else { String::new() };
                let called = first.map_or_else(String::new, |c| format!("{} {}", code_point(c), name(c)));
                let what = format!("the set `{}` does not have {called}{more}", rule.value);
                let finding = self.tell(table, Broken::Characters, path(), Basis::of(rule), what, sheet);
                point_at(finding, position as usize, first);
                finding.suggestion = set.instead_of(run).map(|text| text.as_str().into());
            }
        }
        if let Some(rule) = &rules.equals {
            let other = at.subject.value(Place::of_contact(&rule.value), &rule.value, at.form);
            if other.is_some_and(|other| !other.nfc().eq(text.chars())) {
                self.tell(table, Broken::Equals, path(), Basis::of(rule), format!("the value must be that of `{}`", rule.value), sheet);
            }
        }
        if let Some(rule) = rules.check.as_ref().filter(|_| well)
            && let Err(fault) = checks::run(rule.value, text)
        {
            let number = rules.rule.as_deref().unwrap_or_else(|| checks::rule(rule.value, self.place == Place::Property));
            let finding = sheet.add(number, path(), Basis::of(rule), format!("the value {}", fault.what));
            self.answered(finding, table);
            finding.suggestion = fault.suggestion.map(|text| text.as_str().into());
        }
    }

    /// Adds a finding of `table`.
    fn tell<'s>(
        &self,
        table: &Table<'_>,
        broken: Broken,
        path: String,
        basis: Basis<'_>,
        what: String,
        sheet: &'s mut Sheet<'_, '_>,
    ) -> &'s mut Finding {
        let finding = sheet.add(table.rules.rule.as_deref().unwrap_or_else(|| broken.rule(self.place)), path, basis, what);
        self.answered(finding, table);
        finding
    }

    fn answered(&self, finding: &mut Finding, table: &Table<'_>) {
        if let Some(code) = table.rules.code.as_ref().or(self.code).filter(|_| finding.answer.is_none()) {
            finding.answer = Some(answer(code));
        }
    }

    /// Warns of a postal code that its country does not have, where the profile has no word of its own on that country's.
    fn postal_code(&self, at: &At<'_>, text: &str, sheet: &mut Sheet<'_, '_>) {
        let spoken = self.holding(at.subject, at.form).any(|table| table.rules.rule.as_deref() == Some("R-addr-010"));
        let country = at.subject.value(Place::of_contact("cc"), "cc", at.form);
        if let Some(country) = country.filter(|country| !spoken && postal::fits(country, text) == Some(false)) {
            let basis = Basis::ours("addressing guides of the Universal Postal Union, as of 2025; the registry may not look");
            let what =
                format!("no postal code of {country} has this form; known are `{}` (9: a digit, A: a letter)", postal::forms(country));
            sheet.add("R-addr-010", self.path(at.form, Some(at.number)), basis, what);
        }
    }

    /// The field as findings name it.
    fn path(&self, form: Option<PostalForm>, number: Option<usize>) -> String {
        let mut path = match (self.place, form) {
            (Place::Property, _) => format!("properties.{}", self.name),
            (Place::Address(_), Some(form)) => format!("{}.{}", form.as_str(), self.name),
            _ => self.name.to_owned(),
        };
        // The lines of a street are always counted; of other fields there is mostly one.
        if let Some(number) = number.filter(|n| self.place != Place::Form && (self.name == "street" || *n > 1)) {
            path.push_str(&format!("[{number}]"));
        }
        path
    }
}

impl Broken {
    /// The number of the general rule for values at `place`.
    const fn rule(self, place: Place) -> &'static str {
        match (place, self) {
            (Place::Property, Self::Required) => "R-prop-002",
            (Place::Property, Self::Occurs) => "R-prop-004",
            (Place::Property, Self::Length | Self::Pattern | Self::Choices | Self::Characters) => "R-prop-003",
            (Place::Id, Self::Pattern | Self::Characters) => "R-addr-015",
            (_, Self::Required) => "R-addr-001",
            (_, Self::Length) => "R-addr-002",
            (_, Self::Occurs) => "R-addr-003",
            (_, Self::Pattern) => "R-addr-004",
            (_, Self::Choices) => "R-addr-005",
            (_, Self::Characters) => "R-addr-006",
            (_, Self::Equals) => "R-prop-008",
        }
    }
}

/// Warns of words that are not what they seem.
fn odd(text: &str, path: impl Fn() -> String, sheet: &mut Sheet<'_, '_>) {
    for (position, c, odd) in odd_words(text) {
        let called = format!("{} {}", code_point(c), name(c));
        let (rule, what, suggestion) = match odd {
            Odd::Homoglyph(latin) => ("R-addr-013", format!("the word reads as a Latin one and has {called} in it"), Some(latin)),
            Odd::Mixed => ("R-addr-014", format!("the word mixes scripts: {called} is of another than the letters before it"), None),
        };
        let finding = sheet.add(rule, path(), Basis::ours("UTS #39, Unicode 18.0"), what);
        point_at(finding, position as usize, Some(c));
        finding.suggestion = suggestion.map(|text| text.as_str().into());
    }
}

/// Names the character at fault.
fn point_at(finding: &mut Finding, position: usize, character: Option<char>) {
    finding.position = u32::try_from(position).ok();
    finding.code_point = character.map(|c| code_point(c).into());
    finding.character = character.map(|c| name(c).into());
}

/// The first of some values, for a message.
pub(super) fn listed(values: &[String]) -> String {
    let shown: Vec<String> = values.iter().take(LISTED).map(|value| format!("`{value}`")).collect();
    let more = values.len().saturating_sub(LISTED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
