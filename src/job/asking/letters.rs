//! In which words people are written to: templates by brand and language.

use super::super::config::{Brand, Config};
use crate::base::{Blame, Exit, Problem, Result, read_capped};
use crate::compliance::asking::{MAX_TEMPLATE, Occasion, Template};
use std::collections::BTreeMap;
use std::path::Path;

/// By which rule a message's language was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum LanguageBy {
    /// It is the one that the order names.
    Order,
    /// It is the one that the order names, without its region.
    WithoutRegion,
    /// There is no template in the language that the order names: it is the brand's own.
    NoTemplate,
    /// The order names none: it is the brand's own.
    Brand,
}

/// The words of one brand.
pub(super) struct Words<'c> {
    /// The brand.
    pub(super) brand: &'c Brand,
    templates: BTreeMap<String, Template>,
}

/// The words of all brands.
pub(super) struct Letters<'c> {
    brands: BTreeMap<&'c str, Words<'c>>,
}

impl<'c> Letters<'c> {
    /// Reads every template for that occasion that the configuration names.
    ///
    /// # Errors
    /// `E-template-…`, `E-file-…` (exit 2); `E-asking-003` where a brand has no template in its own language.
    pub(super) fn read(config: &'c Config, occasion: Occasion) -> Result<Self> {
        let mut brands = BTreeMap::new();
        for (name, brand) in &config.brands {
            let mut templates = BTreeMap::new();
            let own = match occasion {
                Occasion::Consent => &brand.templates,
                Occasion::Transfer => &brand.reminders,
            };
            for (language, path) in own {
                templates.insert(language.clone(), template(occasion, path)?);
            }
            if templates.is_empty() {
                for language in Template::languages(occasion) {
                    templates.extend(Template::embedded(occasion, language).transpose()?.map(|template| (language.to_owned(), template)));
                }
            }
            if !templates.contains_key(&brand.language) {
                let what = format!("the brand `{name}` has no template in `{}`, its own language", brand.language);
                let remedy = "add one beside its others, or name as `language` one that has a template";
                return Err(Problem::new("E-asking-003", Blame::Operator, what, remedy).file(&config.path).exit(Exit::Usage));
            }
            brands.insert(name.as_str(), Words { brand, templates });
        }
        Ok(Self { brands })
    }

    /// The words of the brand that an order names or, where it names none, of the only one that there is.
    ///
    /// # Errors
    /// `E-asking-004` (exit 32) where there is no such brand, or several and none is named.
    pub(super) fn of(&self, brand: Option<&str>) -> Result<(&'c str, &Words<'c>)> {
        let known: Vec<&str> = self.brands.keys().copied().collect();
        let found = match (brand, known.as_slice()) {
            (Some(brand), _) => self.brands.get_key_value(brand),
            (None, [only]) => self.brands.get_key_value(*only),
            (None, _) => None,
        };
        found.map(|(name, words)| (*name, words)).ok_or_else(|| {
            let what = match brand {
                Some(brand) => format!("there is no brand `{}`", crate::base::escape_controls(brand)),
                None if known.is_empty() => "no brand is configured, so that there are no words to write in".to_owned(),
                None => "no brand is named, and there are several".to_owned(),
            };
            let remedy = format!("add [messages.BRAND], or name one in the order, or with `--brand`; configured: {}", known.join(", "));
            Problem::new("E-asking-004", Blame::Operator, what, remedy).exit(Exit::InputIncomplete)
        })
    }
}

impl Words<'_> {
    /// The template in the language that an order names or, where there is none, the one in the brand's own.
    pub(super) fn template(&self, language: Option<&str>) -> Option<(&str, LanguageBy, &Template)> {
        let wanted = language.map(str::to_ascii_lowercase);
        let wanted = wanted.as_deref();
        let primary = wanted.and_then(|tag| tag.split('-').next());
        let own = if wanted.is_some() { LanguageBy::NoTemplate } else { LanguageBy::Brand };
        let ways = [(wanted, LanguageBy::Order), (primary, LanguageBy::WithoutRegion), (Some(self.brand.language.as_str()), own)];
        ways.into_iter().find_map(|(tag, by)| {
            let (tag, template) = self.templates.get_key_value(tag?)?;
            Some((tag.as_str(), by, template))
        })
    }
}

fn template(occasion: Occasion, path: &Path) -> Result<Template> {
    let text = String::from_utf8(read_capped(path, MAX_TEMPLATE)?);
    let text = text.map_err(|_| {
        Problem::new("E-template-001", Blame::Operator, "the template is not UTF-8", "save it as UTF-8").file(path).exit(Exit::Usage)
    })?;
    Template::parse(occasion, &text, path)
}
