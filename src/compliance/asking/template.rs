//! Templates of messages: a few lines of their own, then the text, in which `{{ … }}` stands for what is known of a message.
//!
//! ```text
//! template: consent-request
//! version: 2026-11-23
//! subject: {{ brand }} asks for your consent
//!
//! Dear {{ name }}, …
//! ```
//!
//! A name that is none is an error, and never an empty place in a message. Nothing is escaped: messages are plain text.

use crate::base::{Blame, Digest, Exit, Problem, Result};
use crate::compliance::record::{Element, Token};
use minijinja::{Environment, UndefinedBehavior, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The most bytes of a template.
pub const MAX_TEMPLATE: u64 = 64 << 10;
/// The most bytes of a message's text.
const MAX_BODY: usize = 128 << 10;
/// The most characters of a message's subject line.
const MAX_SUBJECT: usize = 200;
/// The most steps that one message may take to be written.
const MAX_STEPS: u64 = 100_000;

/// What people are written to for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// They are asked for consent.
    Consent,
    /// A domain of theirs went to another registrar, and still names the provider's contact.
    Transfer,
}

/// The templates that are built in, by occasion and language.
const EMBEDDED: [(Occasion, &str, &str); 4] = [
    (Occasion::Consent, "de", include_str!("templates/consent.de.txt")),
    (Occasion::Consent, "en", include_str!("templates/consent.en.txt")),
    (Occasion::Transfer, "de", include_str!("templates/reminder.de.txt")),
    (Occasion::Transfer, "en", include_str!("templates/reminder.en.txt")),
];

/// What is known of a message; a text that is empty is not known.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Its id.
    pub message: &'a str,
    /// What the person is called: by name or, where there is none, by organisation.
    pub name: &'a str,
    /// Under which brand it is sent.
    pub brand: &'a str,
    /// Who is responsible (GDPR Art. 13(1)(a)).
    pub controller: &'a str,
    /// What it is about.
    pub about: About<'a>,
}

/// What a message is about.
#[derive(Clone, Debug)]
pub enum About<'a> {
    /// Consent, which is asked for.
    Consent {
        /// Who is given the data.
        provider: &'a str,
        /// Where the answer is given.
        link: &'a str,
        /// The orders.
        orders: &'a str,
        /// What stands behind the first dot of their names.
        tlds: &'a str,
        /// The last day on which an order waits for the answer.
        waits_until: &'a str,
        /// What consent is asked for.
        elements: Vec<Element>,
    },
    /// A domain that went to another registrar.
    Transfer {
        /// The domain.
        domain: &'a str,
        /// Who sponsors it.
        registrar: &'a str,
        /// On which day it went.
        since: &'a str,
    },
}

/// A message's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The subject line.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// A template.
pub struct Template {
    /// Its name.
    pub id: Token,
    /// Its version.
    pub version: Token,
    /// The digest of its file.
    pub digest: Digest,
    environment: Environment<'static>,
    /// The line at which the text begins, for what is wrong with it.
    begins: u64,
    file: Box<Path>,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({} {} {})", self.id, self.version, self.digest)
    }
}

impl Template {
    /// The built-in template of a language, where there is one.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds them to having none.
    pub fn embedded(occasion: Occasion, language: &str) -> Option<Result<Self>> {
        let (.., text) = EMBEDDED.iter().find(|(of, known, _)| *of == occasion && *known == language)?;
        Some(Self::parse(occasion, text, Path::new(&format!("{language}.txt (built in)"))))
    }

    /// The languages of the built-in templates.
    pub fn languages(occasion: Occasion) -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().filter(move |(of, ..)| *of == occasion).map(|(_, language, _)| *language)
    }

    /// The template that `text` of `file` is. It is written once to see that it can be.
    ///
    /// # Errors
    /// `E-template-001` where its first lines are not those of a template, `E-template-002` where the text cannot be read or names what
    /// there is not, each with its line (exit 2).
    pub fn parse(occasion: Occasion, text: &str, file: &Path) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let wrong = |line: u64, what: String| {
            let remedy = "begin with `template: NAME`, `version: VERSION` and `subject: …`, each once, and then an empty line";
            Problem::new("E-template-001", Blame::Operator, what, remedy).file(file).line(line).exit(Exit::Usage)
        };
        if let Some(line) = text.lines().position(|line| line.chars().any(|c| c.is_control() && c != '\t')) {
            return Err(wrong(line as u64 + 1, "the line holds a control character".to_owned()));
        }
        let mut head: BTreeMap<&str, &str> = BTreeMap::new();
        let (mut begins, mut lines) = (0_u64, text.lines());
        for line in lines.by_ref() {
            begins += 1;
            if line.trim().is_empty() {
                break;
            }
            let known = line.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
            match known.filter(|(key, value)| ["template", "version", "subject"].contains(key) && !value.is_empty()) {
                Some((key, value)) if head.insert(key, value).is_none() => {}
                Some((key, _)) => return Err(wrong(begins, format!("`{key}` stands there twice"))),
                None => return Err(wrong(begins, "this line belongs to no template".to_owned())),
            }
        }
        let body = lines.collect::<Vec<_>>().join("\n");
        let needed = |key: &str| head.get(key).copied().ok_or_else(|| wrong(1, format!("`{key}` is missing")));
        let token = |key: &str| {
            let value = needed(key)?;
            let remark = || wrong(1, format!("`{key}` has other characters than letters, digits and ._:/+-, or over {}", Token::MAX));
            Token::read(value).ok_or_else(remark)
        };
        let (id, version, subject) = (token("template")?, token("version")?, needed("subject")?);
        if body.trim().is_empty() {
            return Err(wrong(begins, "there is no text below the first lines".to_owned()));
        }
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(MAX_STEPS));
        let mut template = Self { id, version, digest: Digest::of(text.as_bytes()), environment, begins, file: file.into() };
        for (name, source, at) in [("subject", subject.to_owned(), None), ("body", body, Some(begins))] {
            let added = template.environment.add_template_owned(name, source);
            added.map_err(|e| unfit(&e, &Letter::example(occasion, true), file, at))?;
        }
        for letter in [Letter::example(occasion, true), Letter::example(occasion, false)] {
            template.write(&letter)?;
        }
        Ok(template)
    }

    /// Writes a message.
    ///
    /// # Errors
    /// `E-template-002` where the template names what there is not; `E-template-003` where the subject line has several lines or is too
    /// long, or the text is (exit 2). What the message says stands in none of them.
    pub fn write(&self, letter: &Letter<'_>) -> Result<Written> {
        let known = letter.known();
        let write = |name: &str, at: Option<u64>| {
            let made = self.environment.get_template(name).and_then(|template| template.render(&known));
            made.map_err(|e| unfit(&e, letter, &self.file, at))
        };
        let (subject, body) = (write("subject", None)?, write("body", Some(self.begins))?);
        let refused = |what: &str, remedy: &str| {
            Err(Problem::new("E-template-003", Blame::Operator, what, remedy).file(&self.file).object(letter.message).exit(Exit::Usage))
        };
        let is_line = !subject.trim().is_empty() && subject.chars().count() <= MAX_SUBJECT && !subject.chars().any(char::is_control);
        if !is_line {
            return refused("the subject of a message is no single line of 1 to 200 characters", "let it name less");
        }
        if body.len() > MAX_BODY || body.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return refused("the text of a message is too long, or holds a control character", "see what it names");
        }
        Ok(Written { subject, body: body + "\n" })
    }
}

impl Letter<'_> {
    /// A message by which a template is tried; with everything that may be there, or with nothing of it.
    fn example(occasion: Occasion, is_full: bool) -> Letter<'static> {
        let may = |text: &'static str| if is_full { text } else { "" };
        let about = match occasion {
            Occasion::Consent => About::Consent {
                provider: "provider",
                link: may("https://registrar.example/m-0"),
                orders: may("o-1"),
                tlds: "example",
                waits_until: may("2027-01-31"),
                elements: Element::ALL.to_vec(),
            },
            Occasion::Transfer => About::Transfer { domain: "domain.example", registrar: may("registrar"), since: may("2027-01-31") },
        };
        Letter { message: "m-0", name: "Ada Example", brand: "brand", controller: may("controller"), about }
    }

    /// What a template may name.
    fn known(&self) -> BTreeMap<&'static str, Value> {
        let Self { message, name, brand, controller, about } = self;
        let of = |texts: &[(&'static str, &str)]| texts.iter().map(|(name, text)| (*name, Value::from(*text))).collect::<Vec<_>>();
        let mut known = BTreeMap::from_iter(of(&[("message", message), ("name", name), ("brand", brand), ("controller", controller)]));
        match about {
            About::Consent { provider, link, orders, tlds, waits_until, elements } => {
                let texts = [("provider", *provider), ("link", link), ("orders", orders), ("tlds", tlds), ("waits_until", waits_until)];
                known.extend(of(&texts));
                known.insert("elements", elements.iter().map(|element| element.as_str()).collect());
            }
            About::Transfer { domain, registrar, since } => {
                known.extend(of(&[("domain", domain), ("registrar", registrar), ("since", since)]));
            }
        }
        known
    }
}

/// What the engine says of a template. Its words name variables of the template and no value of a message.
fn unfit(error: &minijinja::Error, letter: &Letter<'_>, file: &Path, begins: Option<u64>) -> Box<Problem> {
    use minijinja::ErrorKind as K;
    let what = match error.kind() {
        K::UndefinedError => "it names what is not known of a message".to_owned(),
        K::OutOfFuel => format!("it takes more than {MAX_STEPS} steps"),
        K::SyntaxError => format!("it cannot be read: {}", error.detail().unwrap_or("a mistake in its signs")),
        K::UnknownFilter | K::UnknownFunction | K::UnknownTest => "it names a filter, a function or a test, and there are none".to_owned(),
        kind => format!("it cannot be written: {kind}"),
    };
    let names: Vec<&str> = letter.known().into_keys().collect();
    let remedy = format!("a template may name: {}", names.join(", "));
    let problem = Problem::new("E-template-002", Blame::Operator, what, remedy).file(file).exit(Exit::Usage);
    match (error.line(), begins) {
        (Some(line), Some(begins)) => problem.line(line as u64 + begins),
        (_, None) => problem.field("subject"),
        (None, _) => problem,
    }
}
