//! The cases of contacts: from a profile's tables, what stands at the edge of each rule and beyond it.

use super::draft::{Draft, is_postal, is_property};
use super::vectors::{sample, texts_of, vectors};
use privet::policy::{Check, FieldRules, Line, Profile, PropertyOf};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;

/// A contact with one field changed.
pub(super) struct Case {
    /// Which, for a message.
    pub(super) name: String,
    /// The good contact it departs from, by its place, and in which field.
    pub(super) base: usize,
    pub(super) field: String,
    /// The contact.
    pub(super) draft: Draft,
    /// Whether it must be taken, where its making says so.
    pub(super) taken: Option<bool>,
}

/// Everything that is tried at a registry.
pub(super) struct Cases<'p> {
    profile: &'p Profile,
    /// Whether the bundled registry has a place for properties.
    told: bool,
    seen: BTreeSet<String>,
    /// Tables whose every range was tried: with the first contact for which they hold.
    whole: BTreeSet<String>,
    handles: u32,
    /// The place of the good contact whose cases are made.
    at: usize,
    /// What is sent.
    pub(super) said: Vec<Case>,
    /// What no line can say, with the reason.
    pub(super) unsaid: Vec<(String, &'static str)>,
}

/// Whether the bundled registry of `profile` has a place for properties.
pub(super) fn told(profile: &Profile) -> bool {
    let carries = |uri: &String| ["/extcon-", "/contact-ext-", "fury-2"].iter().any(|part| uri.contains(part));
    profile.line.value == Line::Rri || profile.services.extensions.iter().any(carries)
}

/// How many edges of a set are tried again with other contacts, from its beginning and from its end.
const FEW: usize = 4;

impl<'p> Cases<'p> {
    /// The cases of `profile`.
    pub(super) fn of(profile: &'p Profile) -> Self {
        let (seen, whole) = (BTreeSet::new(), BTreeSet::new());
        let mut cases = Self { profile, told: told(profile), seen, whole, handles: 0, at: 0, said: Vec::new(), unsaid: Vec::new() };
        for (n, base) in Draft::all_of(&profile.id).iter().enumerate() {
            cases.at = n;
            cases.base(n + 1, base);
        }
        let held = |rules: &FieldRules| Draft::all_of(&profile.id).iter().any(|base| base.is(&rules.when));
        let idle: Vec<&String> = profile.fields.iter().filter(|(_, rules)| !held(rules)).map(|(name, _)| name).collect();
        assert!(idle.is_empty(), "{}: no base is such that these tables hold: {idle:?}", profile.id);
        cases
    }

    fn base(&mut self, number: usize, base: &Draft) {
        let base = &self.named(base);
        self.add(format!("base {number}"), "name", base.clone(), Some(true));
        for (table, rules) in &self.profile.fields {
            let field = rules.field.as_deref().unwrap_or(table);
            let whole = base.is(&rules.when) && self.whole.insert(table.clone());
            for (what, values, taken) in self.edges(base, field, rules, whole) {
                let draft = if field == "id" { base.with(field, values) } else { self.named(base).with(field, values) };
                let holds = base.is(&rules.when);
                let taken = match taken {
                    Some(false) if holds => Some(false),
                    _ => self.outcome(base, &draft, field),
                };
                self.add(format!("base {number}, {table}: {what}"), field, draft, taken);
            }
        }
        let contacts = self.profile.properties.iter().filter(|(_, rule)| rule.value.of == PropertyOf::Contact);
        for (key, rule) in contacts {
            let mut texts = texts_of(&rule.value);
            texts.extend(base.first(key).map(|value| (value.to_owned(), Some(true))));
            let may_stand = base.is(&rule.value.when);
            for (text, good) in texts {
                let draft = self.named(base).with(key, vec![text.clone()]);
                let taken = if good == Some(false) || !may_stand { Some(false) } else { None };
                self.add(format!("base {number}, property {key}: `{text}`"), key, draft, taken);
            }
            let taken = (rule.value.required && may_stand).then_some(false);
            let draft = self.named(base).with(key, Vec::new());
            self.add(format!("base {number}, property {key}: none"), key, draft, taken);
        }
        for unknown in ["nonesuch", "name-loc"] {
            self.add(format!("base {number}, property {unknown}"), unknown, base.with(unknown, vec!["1".to_owned()]), Some(false));
        }
    }

    /// `draft` with a handle of its own, unless its registry gives them in a form of its own.
    fn named(&mut self, draft: &Draft) -> Draft {
        let given = Draft::all_of(&self.profile.id).iter().any(|base| base.first("id").is_some());
        if given {
            return draft.clone();
        }
        self.handles += 1;
        draft.with("id", vec![format!("CONF-{:06}", self.handles)])
    }

    /// Adds a case, or says why the line has no words for it.
    fn add(&mut self, name: String, field: &str, draft: Draft, taken: Option<bool>) {
        if field != "id" && !self.seen.insert(format!("{:?}", draft.with("id", Vec::new()))) {
            return;
        }
        match self.unsayable(field, &draft) {
            Some(why) => self.unsaid.push((name, why)),
            None => self.said.push(Case { name, base: self.at, field: field.to_owned(), draft, taken }),
        }
    }

    /// Why the line cannot say what `draft` has in `field`.
    fn unsayable(&self, field: &str, draft: &Draft) -> Option<&'static str> {
        let profile = self.profile;
        let rri = profile.line.value == Line::Rri;
        let values = draft.values(field);
        let blank = |c: char| matches!(c, '\t' | '\n' | '\r');
        let edged = |value: &String| value.trim() != value.as_str();
        let known = profile.properties.get(field);
        if rri && matches!(field, "fax" | "sp" | "form") {
            return Some("RRI has no place for it");
        }
        if values.iter().any(|value| value.contains(blank)) {
            return Some("white space on the line is a blank, whatever it was");
        }
        if rri && values.iter().any(edged) {
            return Some("blanks at the ends of a line are not the value's");
        }
        if field == "id" && profile.quirks.registry_assigns_handles {
            return Some("the registry gives handles itself");
        }
        if values.len() > 1 && !matches!(field, "street" | "form") && !(rri && matches!(field, "org" | "email" | "name")) {
            return Some("the schema has one place for it");
        }
        let tables = || profile.fields.iter().filter(|(name, rules)| rules.field.as_ref().unwrap_or(name) == field).map(|(_, rules)| rules);
        let decided = |rules: &FieldRules| draft.is(&rules.when) && rules.when.iter().any(|w| is_property(&w.field));
        if !is_property(field) && !self.told && tables().any(decided) {
            return Some("a property decides, and the bundled registry does not know the extension that carries it");
        }
        if !is_property(field) {
            return None;
        }
        if values.iter().any(|value| !value.is_empty() && value.trim().is_empty()) {
            return Some("no table has a property of blanks");
        }
        if !self.told {
            return Some("the bundled registry does not know the extension that carries it");
        }
        match known {
            None => Some("the extension has no place for a key that it does not know"),
            Some(_) if field == "verification" => Some("a block of the registry's, and no value"),
            Some(rule) if rule.source.contains("told by the registry") => Some("told by the registry alone"),
            _ => None,
        }
    }

    /// What a change of `field` comes to as far as the tables say it without code: nothing where something else may have a say.
    fn outcome(&self, base: &Draft, draft: &Draft, field: &str) -> Option<bool> {
        let others = |w: &privet::policy::When| w.field == field;
        let rules = || self.profile.fields.values();
        let mentioned = rules().any(|r| r.when.iter().any(others) || r.equals.as_ref().is_some_and(|e| e.value == field))
            || self.profile.properties.values().any(|p| p.value.when.iter().any(others));
        let mut certain = !mentioned && !is_property(field) && field != "form";
        let values: Vec<String> = draft.values(field).iter().map(|value| value.nfc().collect()).collect();
        let tables = self.profile.fields.iter().filter(|(name, rules)| rules.field.as_ref().unwrap_or(name) == field);
        for (_, rules) in tables.filter(|(_, rules)| draft.is(&rules.when)) {
            let present: Vec<String> = values.iter().map(|v| self.as_kept(field, v)).filter(|v| !v.is_empty()).collect();
            let breaks = |value: &String| {
                let count = u32::try_from(value.chars().count()).expect("short");
                let set = rules.characters.as_ref().map(|rule| &self.profile.characters[&rule.value].value);
                rules.length.as_ref().is_some_and(|b| count < b.value.min || b.value.max.is_some_and(|max| count > max))
                    || rules.pattern.as_ref().is_some_and(|p| !p.value.matches(value))
                    || rules.choices.as_ref().is_some_and(|c| !c.value.contains(value))
                    || set.is_some_and(|set| !value.chars().all(|c| set.ranges().iter().any(|r| r.first <= c && c <= r.last)))
            };
            let count = u32::try_from(present.len()).expect("few");
            let many = rules.occurs.as_ref().is_some_and(|b| b.value.max.is_some_and(|max| count > max));
            let missing = rules.required.as_ref().is_some_and(|rule| rule.value) && present.iter().all(|value| value.trim().is_empty());
            if missing || many || present.iter().any(breaks) {
                return Some(false);
            }
            certain &= rules.equals.is_none() && (rules.check.is_none() || values == base.values(field));
        }
        certain.then_some(true)
    }

    /// A value as the registry keeps it.
    fn as_kept(&self, field: &str, value: &str) -> String {
        let value = if matches!(field, "pc" | "cc" | "voice" | "fax" | "email" | "id") { value.trim() } else { value };
        if field == "id" && self.profile.quirks.handles_in_capitals { value.to_uppercase() } else { value.to_owned() }
    }

    /// Values at the edges of a table, each with what it is and what must become of it where the table holds;
    /// `whole` with every range and every code there is.
    fn edges(&mut self, base: &Draft, field: &str, rules: &FieldRules, whole: bool) -> Vec<(String, Vec<String>, Option<bool>)> {
        let mut out: Vec<(String, Vec<String>, Option<bool>)> = Vec::new();
        let now: Vec<String> = base.values(field).to_vec();
        let value = base.first(field).map_or_else(|| sample(field), str::to_owned);
        // The first value of several is changed.
        let first = |text: String| std::iter::once(text).chain(now.iter().skip(1).cloned()).collect::<Vec<_>>();
        if rules.required.is_some() && field != "form" {
            let refused = rules.required.as_ref().filter(|rule| rule.value).map(|_| false);
            out.push(("none".to_owned(), Vec::new(), refused));
            out.push(("an empty one".to_owned(), vec![String::new()], refused));
            out.push(("a blank".to_owned(), vec![" ".to_owned()], refused));
        }
        if let Some(rule) = &rules.length {
            let (min, max) = (rule.value.min as usize, rule.value.max.map(|max| max as usize));
            let counts = [max.map(|max| (max, None)), max.map(|max| (max + 1, Some(false))), Some((min.max(1), None))];
            for (count, taken) in counts.into_iter().flatten().chain((min > 1).then(|| (min - 1, Some(false)))) {
                let value = if field == "id" { self.named(base).first("id").unwrap_or("CONF-1").to_owned() } else { value.clone() };
                out.push((format!("{count} characters"), first(stretched(&value, count, field)), taken));
            }
            if is_postal(field)
                && let Some(max) = max
            {
                // After NFC each pair is one character.
                let decomposed = "e\u{301}".repeat(max);
                out.push((format!("{max} characters, decomposed"), first(decomposed), None));
                out.push((format!("{} characters, decomposed", max + 1), first("e\u{301}".repeat(max + 1)), Some(false)));
            }
        }
        if let Some(rule) = &rules.pattern {
            let shorter: String = value.chars().take(value.chars().count().saturating_sub(1)).collect();
            let behind: String = value.chars().skip(1).collect();
            let all = [
                value.clone(),
                format!("{value}!"),
                format!("!{value}"),
                shorter,
                behind,
                value.to_lowercase(),
                value.to_uppercase(),
                format!("{value}1"),
                format!("1{value}"),
                format!("{value}x1"),
                format!("{value}xa"),
                format!("{value} {value}"),
                format!("{value}&#039;s"),
                format!("{value} & Co"),
                format!("{value} && Co"),
                format!("{value} &&# Co"),
                "12345".to_owned(),
                "1234".to_owned(),
                "123456".to_owned(),
                "1234 AB".to_owned(),
                "1234AB".to_owned(),
                "0234AB".to_owned(),
                "n.a.".to_owned(),
                "ftp://example.org/".to_owned(),
                "mailto:a@example.org".to_owned(),
                "https://".to_owned(),
                "http://x".to_owned(),
                "+39.1".to_owned(),
                "+3900.1".to_owned(),
                "+33.112345678".to_owned(),
                "0039.1".to_owned(),
                "+39 02 1234".to_owned(),
            ];
            for text in all {
                let taken = (!rule.value.matches(&self.as_kept(field, &text))).then_some(false).filter(|_| !text.is_empty());
                out.push((format!("the pattern with `{text}`"), first(text), taken));
            }
        }
        if let Some(rule) = &rules.choices {
            for choice in &rule.value {
                out.push((format!("the choice {choice}"), vec![choice.clone()], None));
            }
            let others = rule.value.iter().take(2).flat_map(|c| [c.to_lowercase(), format!("{c}x"), c.to_uppercase()]);
            for other in others.chain(["none".to_owned(), "XX".to_owned()]).filter(|other| !rule.value.contains(other)) {
                // A form that is none of the schema's has no name in our types.
                if field != "form" {
                    out.push((format!("no choice: {other}"), vec![other], Some(false)));
                }
            }
            if field == "form" {
                for forms in [&["int"][..], &["loc"], &["int", "loc"], &[]] {
                    let forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
                    let bad = forms.is_empty() || forms.iter().any(|form| !rule.value.contains(form));
                    out.push((format!("forms {forms:?}"), forms, bad.then_some(false)));
                }
            }
        }
        if let Some(rule) = &rules.characters {
            let set = &self.profile.characters[&rule.value].value;
            let edges = edges_of(set.ranges());
            let few = edges.len().saturating_sub(FEW);
            let chosen = edges.into_iter().enumerate().filter(|(n, _)| whole || *n < FEW || *n >= few).map(|(_, edge)| edge);
            for (c, inside) in chosen {
                let value = if field == "id" { self.named(base).first("id").unwrap_or("CONF-1").to_owned() } else { value.clone() };
                let Some(text) = put_inside(&value, c) else {
                    let name = format!("{field}: U+{:04X}", u32::from(c));
                    self.unsaid.push((name, "it does not stay as it is in NFC"));
                    continue;
                };
                let folded = field == "id" && self.profile.quirks.handles_in_capitals && c.is_lowercase();
                out.push((format!("U+{:04X}", u32::from(c)), first(text), (!inside && !folded).then_some(false)));
            }
        }
        if let Some(rule) = &rules.occurs {
            let (min, max) = (rule.value.min as usize, rule.value.max.map(|max| max as usize));
            for (count, taken) in max.into_iter().flat_map(|max| [(max, None), (max + 1, Some(false))]).chain([(min, None)]) {
                out.push((format!("{count} times"), vec![value.clone(); count], taken));
            }
        }
        if let Some(rule) = &rules.equals {
            let other = base.first(&rule.value).unwrap_or("Mario").to_owned();
            out.push(("another than it must be".to_owned(), vec![format!("{other}x")], Some(false)));
            out.push(("what it must be".to_owned(), vec![other], None));
        }
        if let Some(rule) = &rules.check {
            let (good, bad) = vectors(rule.value);
            out.extend(good.into_iter().map(|text| (format!("the check with `{text}`"), first(text), None)));
            out.extend(bad.into_iter().map(|text| (format!("the check with `{text}`"), first(text), Some(false))));
            if rule.value == Check::Country && whole {
                let letters = || 'A'..='Z';
                let pairs = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
                out.extend(pairs.map(|cc| (format!("the country {cc}"), vec![cc], None)));
            }
            if rule.value == Check::Phone && whole {
                let codes = (0..1000).map(|n| n.to_string()).chain((0..100).map(|n| format!("0{n}")));
                out.extend(codes.map(|code| (format!("the country code {code}"), vec![format!("+{code}.12345")], None)));
            }
        }
        out
    }
}

/// `value` made `count` characters long: without blanks, by its last character. Handles differ at their ends.
fn stretched(value: &str, count: usize, field: &str) -> String {
    let mut chars: Vec<char> = value.chars().filter(|c| *c != ' ').collect();
    let last = chars.last().copied().unwrap_or('a');
    if field == "id" && chars.len() > count {
        return chars.split_off(chars.len() - count).into_iter().collect();
    }
    chars.resize(count, last);
    chars.into_iter().collect()
}

/// The characters at the edges of each range, and whether the set has them.
fn edges_of(ranges: &[privet::policy::CodePoints]) -> Vec<(char, bool)> {
    let mut all = BTreeSet::new();
    for range in ranges {
        let (first, last) = (u32::from(range.first), u32::from(range.last));
        all.extend([first.wrapping_sub(1), first, last, last + 1]);
    }
    let has = |c: char| ranges.iter().any(|range| range.first <= c && c <= range.last);
    all.into_iter().filter_map(char::from_u32).filter(|c| is_xml(*c)).map(|c| (c, has(c))).collect()
}

/// Whether XML can carry a character (XML 1.0 §2.2).
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// `c` within `value`, where both stay as they are in NFC.
fn put_inside(value: &str, c: char) -> Option<String> {
    let mut text: Vec<char> = value.chars().collect();
    text.insert(1.min(text.len()), c);
    let text: String = text.into_iter().collect();
    (text.nfc().eq(text.chars())).then_some(text)
}
