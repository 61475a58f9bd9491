//! RDAP answers about domains of a fleet: most of them as they should be, some with a leak, and some that redact too much.

use crate::base::Timestamp;
use crate::mock::fleet::{Draw, Mask, SyntheticFleet};
use crate::model::{Contact, Domain, Role};
use crate::policy::Privacy;
use crate::synth::registries::provider;
use serde_json::{Value, json};

/// What an answer shows or redacts against what is promised.
pub(super) struct Planted {
    /// The role and the element.
    pub(super) field: &'static str,
    /// Whether it shows what is to be kept back; else it redacts what is to be public.
    pub(super) shows: bool,
}

/// What an answer is to be like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As promised.
    Good,
    /// It shows something.
    Leaks,
    /// It shows something that it says is redacted.
    Claims,
    /// It redacts something.
    Redacts,
}

/// An answer about domain `index`, with what is planted in it; nothing where the domain's registrant breaks a rule, or has a say of its
/// own in what is shown.
pub(super) fn answer(
    fleet: &SyntheticFleet,
    index: u64,
    domain: &Domain,
    today: Timestamp,
    draw: &mut Draw,
) -> Option<(Value, Vec<Planted>)> {
    let registrant = fleet.registrant_of(index)?;
    let person = sound(fleet, registrant)?;
    let kind = match draw.below(6) {
        0 => Kind::Leaks,
        1 => Kind::Claims,
        2 => Kind::Redacts,
        _ => Kind::Good,
    };
    let (mut card, mut planted, mut redacted) = (Card::default(), Vec::new(), Vec::new());
    let mut entities = Vec::new();
    match (fleet.profile().privacy.value, fleet.mask_at(index)) {
        (Privacy::ProxyContact, Mask::None) if person.disclose.is_none() => {
            card.public(&person);
            redacted.extend(["Registrant Name", "Registrant Street", "Registrant City", "Registrant Postal Code", "Registrant Phone"]);
            match kind {
                Kind::Leaks => {
                    let voice = card.voice(&person).then_some(Planted { field: "registrant.voice", shows: true });
                    planted.extend(voice);
                    redacted.retain(|name| *name != "Registrant Phone");
                    if let Some(tech) = technician(fleet, domain) {
                        let mut card = Card::default();
                        planted.extend(card.voice(&tech).then_some(Planted { field: "tech.voice", shows: true }));
                        entities.push(json!({ "objectClassName": "entity", "roles": ["technical"], "vcardArray": card.done() }));
                    }
                }
                Kind::Claims => planted.extend(card.street(&person).then_some(Planted { field: "registrant.street", shows: true })),
                Kind::Redacts if card.country.take().is_some() => {
                    redacted.push("Registrant Country");
                    planted.push(Planted { field: "registrant.country", shows: false });
                }
                Kind::Redacts | Kind::Good => {}
            }
        }
        (Privacy::ProxyContact, Mask::V2) if !fleet.is_bare_domain(index) => {
            card.provider(domain.name.as_str());
            if matches!(kind, Kind::Leaks | Kind::Claims) {
                card.email = person.email.as_ref().map(|email| email.reveal().to_owned());
                planted.push(Planted { field: "registrant.email", shows: true });
            }
        }
        (Privacy::Disclose, _) if person.disclose == Some(fleet.withholding(&person)) => {
            // Name and e-mail address are shown of everybody.
            card.name(&person);
            card.email = person.email.as_ref().map(|email| email.reveal().to_owned());
            redacted.extend(["Registrant Street", "Registrant Phone"]);
            if matches!(kind, Kind::Leaks | Kind::Claims) {
                planted.extend(card.voice(&person).then_some(Planted { field: "registrant.voice", shows: true }));
            }
        }
        (Privacy::Disclose, Mask::None) if person.disclose.is_none() && !fleet.is_withheld(registrant) => {
            card.name(&person);
            card.street(&person);
            card.public(&person);
            if kind == Kind::Redacts {
                redacted.push("Registrant Email");
                planted.push(Planted { field: "registrant.email", shows: false });
            } else {
                card.email = person.email.as_ref().map(|email| email.reveal().to_owned());
            }
        }
        (Privacy::Consent, _) if is_withheld_by_consent(&person) => {
            if matches!(kind, Kind::Leaks | Kind::Claims) {
                planted.extend(card.voice(&person).then_some(Planted { field: "registrant.voice", shows: true }));
            }
        }
        _ => return None,
    }
    entities.insert(0, json!({ "objectClassName": "entity", "roles": ["registrant"], "vcardArray": card.done() }));
    let registrar = json!(["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Hedgerow Names"]]]);
    entities.insert(0, json!({ "objectClassName": "entity", "roles": ["registrar"], "vcardArray": registrar }));
    let redacted: Vec<Value> = redacted.into_iter().map(|name| json!({ "name": { "type": name }, "method": "removal" })).collect();
    let json = json!({
        "objectClassName": "domain",
        "rdapConformance": ["rdap_level_0", "redacted"],
        "ldhName": domain.name.as_str(),
        "entities": entities,
        "events": [{ "eventAction": "last update of RDAP database", "eventDate": today.to_string() }],
        "redacted": redacted,
    });
    Some((json, planted))
}

/// A contact as the registry holds it, where it breaks no rule.
fn sound(fleet: &SyntheticFleet, index: u64) -> Option<Contact> {
    let (_, flaw) = fleet.flawed_person_at(index);
    flaw.is_none().then(|| fleet.contact_at(index))
}

/// The one technical contact of a domain, where there is one that has no say of its own and is not another person's mask.
fn technician(fleet: &SyntheticFleet, domain: &Domain) -> Option<Contact> {
    let mut all = domain.contacts.iter().filter(|contact| contact.role == Some(Role::Tech));
    let contact = all.next().filter(|_| all.next().is_none())?;
    let index = fleet.index_of(&contact.handle)?;
    sound(fleet, index).filter(|contact| contact.disclose.is_none())
}

fn is_withheld_by_consent(person: &Contact) -> bool {
    person.properties.get("entityType") == Some("1") && person.properties.get("consentForPublishing") == Some("false")
}

/// A jCard (RFC 7095) in the making.
#[derive(Default)]
struct Card {
    name: Option<String>,
    org: Option<String>,
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    code: Option<String>,
    country: Option<String>,
    voice: Option<String>,
    email: Option<String>,
}

impl Card {
    /// What everybody sees of a generic TLD's registrant.
    fn public(&mut self, person: &Contact) {
        let info = person.postal.first();
        let text = |value: Option<&crate::base::Personal>| value.map(|text| text.reveal().to_owned());
        self.org = info.and_then(|info| text(info.org.as_ref()));
        let addr = info.and_then(|info| info.addr.as_ref());
        self.state = addr.and_then(|addr| text(addr.sp.as_ref()));
        self.country = addr.map(|addr| addr.cc.to_string());
    }

    fn name(&mut self, person: &Contact) {
        self.name = person.postal.first().and_then(|info| info.name.as_ref()).map(|name| name.reveal().to_owned());
    }

    /// Whether there is a first line of a street.
    fn street(&mut self, person: &Contact) -> bool {
        let street = person.postal.first().and_then(|info| info.addr.as_ref()?.street.first());
        self.street = street.map(|street| street.reveal().to_owned());
        self.street.is_some()
    }

    /// Whether there is a telephone.
    fn voice(&mut self, person: &Contact) -> bool {
        self.voice = person.voice.as_ref().map(|voice| voice.number.reveal().to_owned());
        self.voice.is_some()
    }

    /// The provider's data set.
    fn provider(&mut self, domain: &str) {
        let p = provider();
        self.email = Some(format!("{domain}@{}", p.email_domain)).filter(|_| domain.len() <= 64);
        *self = Self {
            name: Some(p.name),
            org: Some(p.org),
            street: Some(p.street1),
            city: Some(p.city),
            state: None,
            code: Some(p.pc),
            country: Some(p.cc),
            voice: Some(p.voice),
            email: self.email.take(),
        };
    }

    fn done(self) -> Value {
        let mut all = vec![json!(["version", {}, "text", "4.0"]), json!(["fn", {}, "text", self.name.unwrap_or_default()])];
        all.extend(self.org.map(|org| json!(["org", {}, "text", org])));
        let (street, city) = (self.street.unwrap_or_default(), self.city.unwrap_or_default());
        let (state, code) = (self.state.unwrap_or_default(), self.code.unwrap_or_default());
        let parameters = self.country.map_or_else(|| json!({}), |country| json!({ "cc": country }));
        all.push(json!(["adr", parameters, "text", ["", "", street, city, state, code, ""]]));
        all.extend(self.voice.map(|voice| json!(["tel", { "type": ["voice"] }, "uri", format!("tel:{voice}")])));
        all.extend(self.email.map(|email| json!(["email", {}, "text", email])));
        json!(["vcard", all])
    }
}
