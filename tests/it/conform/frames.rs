//! Commands that change what stands, from what it is to what it is to be.

use crate::raw;
use privet::base::Personal;
use privet::model::{Contact, ContactRef, Domain, NameServers, PostalInfo, Properties};
use privet::policy::{Line, Profile};

/// Keys of NicIT's registrant, which go together.
const REGISTRANT: [&str; 4] = ["nationalityCode", "entityType", "regCode", "schoolCode"];
/// Keys that EURid takes in an update, in the order of its schema.
const CONTACT_EXT: [&str; 5] = ["vat", "lang", "whoisEmail", "naturalPerson", "countryOfCitizenship"];

/// The update that makes the contact `after` of `before`; nothing where they are equal. Only what differs is said, but on the line where
/// all has to be.
pub(super) fn correct(profile: &Profile, before: &Contact, after: &Contact) -> Option<String> {
    if profile.line.value == Line::Rri {
        let (is, next) = (raw::create(profile, before), raw::create(profile, after));
        return (is != next).then(|| next.replacen("Action: CREATE", "Action: UPDATE", 1));
    }
    let mut chg = String::new();
    for info in &after.postal {
        chg.push_str(&postal(before.postal.iter().find(|held| held.form == info.form), info));
    }
    for (name, held, next) in [("voice", &before.voice, &after.voice), ("fax", &before.fax, &after.fax)] {
        let [held, next] = [held, next].map(|phone| phone.as_ref().map(|phone| phone.number.reveal()));
        chg.push_str(&leaf(name, held, next));
    }
    chg.push_str(&leaf("email", text(before.email.as_ref()), text(after.email.as_ref())));
    let extension = extension(profile, &before.properties, &after.properties);
    if chg.is_empty() && extension.is_empty() {
        return None;
    }
    let chg = if chg.is_empty() { chg } else { format!("<contact:chg>{chg}</contact:chg>") };
    let extension = if extension.is_empty() { extension } else { format!("<extension>{extension}</extension>") };
    Some(raw::epp(&format!(
        "<command><update><contact:update xmlns:contact=\"urn:ietf:params:xml:ns:contact-1.0\"><contact:id>{}</contact:id>{chg}\
         </contact:update></update>{extension}<clTRID>raw-3</clTRID></command>",
        after.id.as_str()
    )))
}

fn text(value: Option<&Personal>) -> Option<&str> {
    value.map(Personal::reveal)
}

/// An element where its value differs: an empty one takes the value away.
fn leaf(name: &str, held: Option<&str>, next: Option<&str>) -> String {
    if held == next {
        return String::new();
    }
    format!("<contact:{name}>{}</contact:{name}>", raw::escaped(next.unwrap_or_default()))
}

fn postal(held: Option<&PostalInfo>, next: &PostalInfo) -> String {
    let name = leaf("name", text(held.and_then(|info| info.name.as_ref())), text(next.name.as_ref()));
    let org = leaf("org", text(held.and_then(|info| info.org.as_ref())), text(next.org.as_ref()));
    let mut inner = format!("{name}{org}");
    if let Some(addr) = next.addr.as_ref().filter(|addr| held.and_then(|info| info.addr.as_ref()) != Some(addr)) {
        let some = |name: &str, value: Option<&Personal>| leaf(name, None, text(value));
        let street: String = addr.street.iter().map(|line| some("street", Some(line))).collect();
        let [city, sp, pc] = [some("city", Some(&addr.city)), some("sp", addr.sp.as_ref()), some("pc", addr.pc.as_ref())];
        let cc = leaf("cc", None, Some(&addr.cc));
        inner.push_str(&format!("<contact:addr>{street}{city}{sp}{pc}{cc}</contact:addr>"));
    }
    if inner.is_empty() {
        return inner;
    }
    format!("<contact:postalInfo type=\"{}\">{inner}</contact:postalInfo>", next.form.as_str())
}

/// The extension of an update, in the shape that each registry wants.
fn extension(profile: &Profile, held: &Properties, next: &Properties) -> String {
    let differs = |key: &&&str| held.get(key) != next.get(key);
    let leaves = |keys: &[&str]| -> String {
        keys.iter().filter_map(|key| Some(format!("<{key}>{}</{key}>", raw::escaped(next.get(key)?)))).collect()
    };
    let offers = |part: &str| profile.services.extensions.iter().filter(|uri| uri.contains(part)).max();
    if let Some(uri) = offers("/extcon-") {
        let consent = ["consentForPublishing"].iter().filter(differs).copied().collect::<Vec<_>>();
        let registrant = if REGISTRANT.iter().any(|key| differs(&key)) { leaves(&REGISTRANT) } else { String::new() };
        let registrant = if registrant.is_empty() { registrant } else { format!("<registrant>{registrant}</registrant>") };
        let inner = format!("{}{registrant}", leaves(&consent));
        return if inner.is_empty() { inner } else { format!("<update xmlns=\"{uri}\">{inner}</update>") };
    }
    if let Some(uri) = offers("/contact-ext-") {
        let inner = leaves(&CONTACT_EXT.iter().filter(differs).copied().collect::<Vec<_>>());
        return if inner.is_empty() { inner } else { format!("<update xmlns=\"{uri}\"><chg>{inner}</chg></update>") };
    }
    String::new()
}

/// The update that gives `domain` the contacts of `next`; nothing where they are equal.
pub(super) fn assign(profile: &Profile, domain: &Domain, next: &Domain) -> Option<String> {
    if profile.line.value == Line::Rri {
        // A domain is told as a whole: its name servers are said once more.
        let told = |domain: &Domain, ns: &NameServers| {
            raw::delegate(profile, &Domain { ns: NameServers::Attributes(Vec::new()), ..domain.clone() }, ns)
        };
        return told(next, &domain.ns).filter(|frame| told(domain, &domain.ns).as_ref() != Some(frame));
    }
    let list = |tag: &str, these: &[ContactRef], those: &[ContactRef]| {
        let one = |c: &ContactRef| format!("<domain:contact type=\"{}\">{}</domain:contact>", c.kind, c.handle.as_str());
        let all: String = these.iter().filter(|c| !those.contains(c)).map(one).collect();
        if all.is_empty() { all } else { format!("<domain:{tag}>{all}</domain:{tag}>") }
    };
    let (add, rem) = (list("add", &next.contacts, &domain.contacts), list("rem", &domain.contacts, &next.contacts));
    let chg = if domain.registrant == next.registrant {
        String::new()
    } else {
        let handle = next.registrant.as_ref().map_or("", |handle| handle.as_str());
        format!("<domain:chg><domain:registrant>{handle}</domain:registrant></domain:chg>")
    };
    let changes = format!("{add}{rem}{chg}");
    (!changes.is_empty()).then(|| raw::update("domain", &format!("<domain:name>{}</domain:name>{changes}", domain.name)))
}
