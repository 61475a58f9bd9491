//! An event on its way into the ledger: read from the values of a row, and told field by field where it is none.

use super::import::COLUMNS;
use super::record::{Actor, Element, Happening, Method, Notice, Purpose, Token};
use super::values::{Doubt, Ids, Values, Who};
use crate::base::{Personal, Timestamp};

/// What can be wrong with rows of consent.
pub(super) static IDS: Ids = Ids {
    shape: "E-consent-010",
    word: "E-consent-011",
    token: "E-consent-012",
    time: "E-consent-013",
    missing: "E-consent-014",
    whose: "E-consent-015",
    too_many: "E-consent-018",
    no_contact: "E-consent-019",
    no_subject: "E-consent-020",
    changed: "E-consent-021",
};

/// An event without its subject's id. What its fields are stands at [`super::Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the record's of the same name")]
pub struct Draft {
    pub who: Who,
    /// Nothing where it follows from what the event tells.
    pub id: Option<Token>,
    pub purpose: Option<Purpose>,
    pub elements: Vec<Element>,
    pub provider: Option<Token>,
    pub group: Option<Token>,
    pub event: Happening,
    pub at: Timestamp,
    pub expires: Option<Timestamp>,
    pub terms: Option<Token>,
    pub notice: Option<Notice>,
    pub method: Option<Method>,
    pub by: Option<Actor>,
    /// The id of the message it came in, in clear.
    pub message: Option<Personal>,
}

impl Draft {
    /// The event that `values` tell, in the order of [`COLUMNS`].
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(values: &[Option<&str>]) -> Result<Self, Vec<Doubt>> {
        let mut row = Values::of(&COLUMNS, values, &IDS, |_| false);
        let who = row.who(true);
        let event = row.word("event", Happening::read, Happening::ALL, Happening::as_str);
        if row.get("event").is_none() {
            row.missing("event", "it is not said what happened");
        }
        let at = row.time("at");
        if row.get("at").is_none() {
            row.missing("at", "it is not said when");
        }
        let purpose = row.word("purpose", Purpose::read, Purpose::ALL, Purpose::as_str);
        let elements = row.elements("elements");
        let (expires, terms, notice) = (row.time("expires"), row.token("terms"), row.notice());
        let method = row.word("method", Method::read, Method::ALL, Method::as_str);
        let by = row.word("by", Actor::read, Actor::ALL, Actor::as_str);
        let (id, message) = (row.token("record_id"), row.get("message_id").map(Personal::new));
        let (provider, group) = (row.token("provider"), row.token("group"));
        if let Some(event) = event {
            row.hold_together(event, at, expires, terms.is_some(), by);
            row.given_to(event, purpose);
        }
        match (who, event, at) {
            (Some(who), Some(event), Some(at)) if row.doubts.is_empty() => {
                Ok(Self { who, id, purpose, elements, provider, group, event, at, expires, terms, notice, method, by, message })
            }
            _ => Err(row.doubts),
        }
    }
}

impl Values<'_> {
    fn notice(&mut self) -> Option<Notice> {
        let id = self.token("notice");
        let [version, language, digest] = ["notice_version", "notice_language", "notice_digest"].map(|field| self.token(field));
        let has_details = version.is_some() || language.is_some() || digest.is_some();
        if id.is_none() && has_details && self.get("notice").is_none() {
            self.tell("E-consent-016", "notice", "something is said of a notice that is not named", "name it");
        }
        id.map(|id| Notice { id, version, language, digest })
    }

    /// Whether a provider and a group stand where there is one, and there alone.
    fn given_to(&mut self, event: Happening, purpose: Option<Purpose>) {
        let is_given = purpose == Some(Purpose::ProviderData);
        for field in ["provider", "group"] {
            if !is_given && self.get(field).is_some() {
                let what = "only data that are given to a provider have one";
                self.tell("E-consent-016", field, what, "leave it empty, or give the purpose `provider-data`");
            }
        }
        let asks = event.is_ground() || matches!(event, Happening::Requested | Happening::Refused);
        if is_given && asks && self.get("provider").is_none() {
            self.tell("E-consent-014", "provider", "it is not said to whom data are given", "name the provider, as the pack of bases does");
        }
        if self.get("group").is_some() && self.get("provider").is_none() {
            self.tell("E-consent-014", "provider", "a group is of a provider, and none is named", "name it");
        }
    }

    /// What only several fields tell.
    fn hold_together(&mut self, event: Happening, at: Option<Timestamp>, expires: Option<Timestamp>, has_terms: bool, by: Option<Actor>) {
        if self.get("purpose").is_none() && !event.may_be_of_all() {
            self.tell(
                "E-consent-014",
                "purpose",
                "it is not said for what",
                "fill it in: only restrictions and objections may be of all purposes",
            );
        }
        if event == Happening::TermsAccepted && !has_terms && self.get("terms").is_none() {
            self.tell("E-consent-016", "terms", "it is not said which terms were accepted", "give their version");
        }
        if expires.is_some() && !event.is_ground() {
            self.tell("E-consent-016", "expires", "only what is given, renewed or accepted expires", "leave it empty");
        }
        if let (Some(at), Some(expires)) = (at, expires)
            && expires <= at
        {
            self.tell("E-consent-016", "expires", "it expires before it begins", "see which of the two times is wrong");
        }
        let is_own = matches!(by, None | Some(Actor::Registrant | Actor::Representative | Actor::Reseller));
        if event.is_ground() && !is_own {
            let what = "nobody but the registrant, or who acts for it, consents or accepts";
            self.tell("E-consent-017", "by", what, "see what the registrant itself said; silence is no consent");
        }
    }
}
