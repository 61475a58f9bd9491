//! What an RDAP answer shows of a domain's contacts, and what it says that it does not show (RFC 9537).

use super::{Entity, texts};
use crate::base::Personal;
use crate::model::Element;
use crate::policy::DomainRole;
use serde_json::Value;

/// The most redactions of one answer that are read. There are forty elements.
const MAX_REDACTED: usize = 256;

/// An element that an answer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdapShown {
    /// The role.
    pub role: DomainRole,
    /// The element.
    pub element: Element,
    /// What is shown.
    pub value: Personal,
}

/// How an element was redacted (RFC 9537 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactionMethod {
    /// It is not there.
    Removal,
    /// It is there, and empty.
    EmptyValue,
    /// A part of it is there.
    PartialValue,
    /// Something else is there.
    ReplacementValue,
}

/// An element that an answer says is redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RdapRedacted {
    /// The role.
    pub role: DomainRole,
    /// The element.
    pub element: Element,
    /// How.
    pub method: RedactionMethod,
}

/// The roles that answers name (RFC 9083 §10.2.4).
const ROLES: [(&str, DomainRole); 4] = [
    ("registrant", DomainRole::Registrant),
    ("administrative", DomainRole::Admin),
    ("technical", DomainRole::Tech),
    ("billing", DomainRole::Billing),
];

/// The elements that `entities` show in the roles of a domain.
pub(super) fn shown(entities: &[Entity]) -> Vec<RdapShown> {
    let mut all = Vec::new();
    for entity in entities {
        let roles: Vec<DomainRole> = ROLES
            .iter()
            .filter(|(word, _)| entity.roles.iter().flatten().any(|own| own.eq_ignore_ascii_case(word)))
            .map(|(_, role)| *role)
            .collect();
        if roles.is_empty() {
            continue;
        }
        for (element, value) in elements(&entity.vcard_array) {
            all.extend(roles.iter().map(|role| RdapShown { role: *role, element, value: Personal::from(value.as_str()) }));
        }
    }
    all
}

/// The elements of a jCard (RFC 7095).
fn elements(card: &Value) -> Vec<(Element, String)> {
    let mut out: Vec<(Element, String)> = Vec::new();
    for (name, element) in [("fn", Element::Name), ("org", Element::Organisation), ("email", Element::Email)] {
        out.extend(texts(card, name).map(|text| (element, text.to_owned())));
    }
    for property in properties(card, "tel") {
        let is_fax = property.get(1).and_then(|parameters| parameters.get("type")).is_some_and(|types| {
            let one = |value: &Value| value.as_str().is_some_and(|word| word.eq_ignore_ascii_case("fax"));
            one(types) || types.as_array().is_some_and(|types| types.iter().any(one))
        });
        let number = property.get(3).and_then(Value::as_str).unwrap_or_default();
        // A `tel:` URI (RFC 3966) has its extension behind a semicolon.
        let number = number.strip_prefix("tel:").unwrap_or(number).split(';').next().unwrap_or_default().trim();
        out.extend((!number.is_empty()).then(|| (if is_fax { Element::Fax } else { Element::Voice }, number.to_owned())));
    }
    for property in properties(card, "adr") {
        let part = |n: usize| parts(property.get(3).and_then(|value| value.get(n)));
        for (n, element) in [(2, Element::Street), (3, Element::City), (4, Element::State), (5, Element::PostalCode)] {
            out.extend(part(n).into_iter().map(|text| (element, text)));
        }
        // RFC 8605 §3.1; a country's name in some language cannot be compared with a code.
        let code = property.get(1).and_then(|parameters| parameters.get("cc")).and_then(Value::as_str).map(ToOwned::to_owned);
        let code = code.or_else(|| part(6).into_iter().next()).filter(|code| code.len() == 2);
        out.extend(code.map(|code| (Element::Country, code)));
    }
    out
}

fn properties<'c>(card: &'c Value, name: &'static str) -> impl Iterator<Item = &'c Value> {
    let all = card.get(1).and_then(Value::as_array).into_iter().flatten();
    all.filter(move |p| p.get(0).and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

/// The texts of a part of an address, which may be one or several.
fn parts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        other => other.and_then(one).into_iter().collect(),
    }
}

/// The elements that the member `redacted` names: by the names that ICANN's profile has for them, else by their paths.
pub(super) fn redacted(member: &Value) -> Vec<RdapRedacted> {
    member.as_array().into_iter().flatten().take(MAX_REDACTED).flat_map(one).collect()
}

fn one(entry: &Value) -> Vec<RdapRedacted> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    // RFC 9537 §4.2: removal is what an entry without a method means.
    let method = match text("method") {
        None | Some("removal") => RedactionMethod::Removal,
        Some("emptyValue") => RedactionMethod::EmptyValue,
        Some("partialValue") => RedactionMethod::PartialValue,
        Some("replacementValue") => RedactionMethod::ReplacementValue,
        Some(_) => return Vec::new(),
    };
    let name = entry.get("name").and_then(|name| name.get("type").or_else(|| name.get("description"))).and_then(Value::as_str);
    let by_path = || ["prePath", "postPath", "replacementPath"].into_iter().find_map(|key| of_path(text(key)?));
    let (role, elements) = match name.and_then(of_name) {
        Some((role, element)) => (role, vec![element]),
        None => match by_path() {
            Some(found) => found,
            None => return Vec::new(),
        },
    };
    elements.into_iter().map(|element| RdapRedacted { role, element, method }).collect()
}

/// The role and the element that a name says, as `Registrant Street` or `Tech Email`.
fn of_name(name: &str) -> Option<(DomainRole, Element)> {
    let name = name.trim().to_ascii_lowercase();
    let (role, rest) = name.split_once(' ')?;
    let role = match role {
        "registrant" => DomainRole::Registrant,
        "admin" | "administrative" => DomainRole::Admin,
        "tech" | "technical" => DomainRole::Tech,
        "billing" => DomainRole::Billing,
        _ => return None,
    };
    let element = match rest.trim() {
        "name" => Element::Name,
        "organization" | "organisation" => Element::Organisation,
        "street" => Element::Street,
        "city" => Element::City,
        "state" | "province" | "state/province" => Element::State,
        "postal code" => Element::PostalCode,
        "country" => Element::Country,
        "phone" => Element::Voice,
        "fax" => Element::Fax,
        "email" => Element::Email,
        _ => return None,
    };
    Some((role, element))
}

/// The role and the elements that a `JSONPath` leads to (RFC 9535), in the shape in which servers write it: a role and a property of a
/// jCard, each in quotes, and of an address the number of its part. A path to an entity as a whole leads to all its elements.
fn of_path(path: &str) -> Option<(DomainRole, Vec<Element>)> {
    let quoted: Vec<&str> = path.split(['\'', '"']).skip(1).step_by(2).collect();
    let role = ROLES.iter().find(|(word, _)| quoted.contains(word)).map(|(_, role)| *role)?;
    let has = |word: &str| quoted.contains(&word);
    let part = path.rsplit_once("[3][").and_then(|(_, rest)| rest.split(']').next()?.parse::<usize>().ok());
    let elements = if has("fn") {
        vec![Element::Name]
    } else if has("org") {
        vec![Element::Organisation]
    } else if has("email") || has("contact-uri") {
        vec![Element::Email]
    } else if has("tel") {
        vec![if has("fax") { Element::Fax } else { Element::Voice }]
    } else if has("adr") {
        match part {
            Some(2) => vec![Element::Street],
            Some(3) => vec![Element::City],
            Some(4) => vec![Element::State],
            Some(5) => vec![Element::PostalCode],
            Some(6) => vec![Element::Country],
            Some(_) => return None,
            None => vec![Element::Street, Element::City, Element::State, Element::PostalCode, Element::Country],
        }
    } else if path.contains("vcardArray") || !path.trim_end().ends_with(")]") {
        return None;
    } else {
        Element::ALL.to_vec()
    };
    Some((role, elements))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(entry: &Value) -> Vec<(DomainRole, Element, RedactionMethod)> {
        redacted(&json!([entry])).into_iter().map(|one| (one.role, one.element, one.method)).collect()
    }

    #[test]
    fn a_redaction_is_known_by_its_name_or_its_path() {
        use DomainRole::{Admin, Registrant, Tech};
        use RedactionMethod::{EmptyValue, PartialValue, Removal, ReplacementValue};
        let path = |rest: &str| format!("$.entities[?(@.roles[0]=='registrant')]{rest}");
        assert_eq!(told(&json!({ "name": { "description": "Registrant Name" } })), [(Registrant, Element::Name, Removal)]);
        assert_eq!(
            told(&json!({ "name": { "type": "Tech Email" }, "method": "replacementValue" })),
            [(Tech, Element::Email, ReplacementValue)]
        );
        let city =
            json!({ "name": { "type": "City of whom" }, "prePath": path(".vcardArray[1][?(@[0]=='adr')][3][3]"), "method": "emptyValue" });
        assert_eq!(told(&city), [(Registrant, Element::City, EmptyValue)]);
        let fax = json!({ "postPath": path(".vcardArray[1][?(@[1].type=='fax' && @[0]=='tel')]"), "method": "partialValue" });
        assert_eq!(told(&fax), [(Registrant, Element::Fax, PartialValue)]);
        let whole = json!({ "prePath": "$.entities[?(@.roles[0]=='administrative')]" });
        assert_eq!(told(&whole).iter().map(|(role, element, _)| (*role, *element)).collect::<Vec<_>>().len(), Element::ALL.len());
        assert!(told(&json!({ "prePath": "$.entities[?(@.roles[0]=='administrative')]" })).iter().all(|(role, ..)| *role == Admin));
    }

    #[test]
    fn what_is_no_redaction_of_an_element_says_nothing() {
        for entry in [
            json!({ "name": { "type": "Registry Registrant ID" }, "method": "removal" }),
            json!({ "name": { "type": "Registrant Name" }, "method": "magic" }),
            json!({ "prePath": "$.entities[?(@.roles[0]=='registrant')].handle" }),
            json!({ "prePath": "$.entities[?(@.roles[0]=='abuse')].vcardArray[1][?(@[0]=='fn')]" }),
            json!({ "prePath": "$.entities[?(@.roles[0]=='registrant')].vcardArray[1][?(@[0]=='adr')][3][0]" }),
            json!({ "name": "Registrant Name" }),
            json!([]),
            json!("Registrant Name"),
        ] {
            assert_eq!(told(&entry), [], "{entry}");
        }
        assert!(redacted(&json!({ "name": 1 })).is_empty());
        let many = vec![json!({ "name": { "type": "Tech Name" } }); MAX_REDACTED + 9];
        assert_eq!(redacted(&json!(many)).len(), MAX_REDACTED);
    }

    #[test]
    fn a_card_shows_its_elements() {
        let card = json!(["vcard", [
            ["version", {}, "text", "4.0"],
            ["fn", {}, "text", "Ada Ligustrum"],
            ["tel", { "type": ["voice", "work"] }, "uri", "tel:+31.5551234567;ext=12"],
            ["tel", { "type": "FAX" }, "text", "+31.5557654321"],
            ["adr", { "cc": "NL" }, "text", ["", "", ["1 Hedge Lane", "c/o 3"], "Privetville", "", "1000 AA", "Nederland"]],
            ["email", {}, "text", "ada@mail.example"],
            ["org", {}, "text", ""],
        ]]);
        let told = elements(&card);
        let of = |element: Element| told.iter().filter(|(e, _)| *e == element).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
        assert_eq!(of(Element::Street), ["1 Hedge Lane", "c/o 3"]);
        assert_eq!((of(Element::Voice), of(Element::Fax)), (vec!["+31.5551234567"], vec!["+31.5557654321"]));
        assert_eq!((of(Element::Country), of(Element::City), of(Element::State)), (vec!["NL"], vec!["Privetville"], vec![]));
        assert_eq!((of(Element::Organisation), of(Element::PostalCode)), (vec![], vec!["1000 AA"]));
        let odd = json!([
            "vcard",
            [[], 3, ["adr"], ["adr", {}, "text", "in one"], ["tel", 4, 5, 6], ["adr", {}, "text", ["", "", "", "", "", "", "Nederland"]]]
        ]);
        assert!(elements(&odd).is_empty() && elements(&Value::Null).is_empty());
    }
}
