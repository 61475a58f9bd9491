//! Objects out of orders, and back into the lines that answers are written from. An update replaces the whole object.

use super::decode::{Fields, Order};
use crate::base::{DomainName, Handle, HostName, Personal};
use crate::model::{Address, Contact, Domain, HostAttr, Ip, IpVersion, KeyData, NameServers, Phone, PostalForm, PostalInfo, Properties};

/// A line of an object in an answer. Keywords are those of one form, elements those of the other.
pub(super) enum Line {
    /// Keyword, element and value.
    Field(&'static str, &'static str, String),
    /// Keyword, role and handle.
    Role(&'static str, &'static str, String),
    /// Keyword, owner, kind, elements with their values, and the line.
    Entry(&'static str, String, &'static str, Vec<(&'static str, String)>, String),
    /// A verification: keywords, elements and values.
    Part(Vec<(&'static str, &'static str, String)>),
}

/// A verification's fields: property, keyword, element.
const VERIFICATION: [(&str, &str, &str); 7] = [
    ("claim", "VerifiedClaim", "verifiedClaim"),
    ("result", "VerificationResult", "verificationResult"),
    ("reference", "VerificationReference", "verificationReference"),
    ("timestamp", "VerificationTimestamp", "verificationTimestamp"),
    ("evidence", "VerificationEvidence", "verificationEvidence"),
    ("method", "VerificationMethod", "verificationMethod"),
    ("trustFramework", "TrustFramework", "trustFramework"),
];

/// Why no object can be made of an order: the code, and what it is about.
pub(super) type Wrong = (u64, Option<String>);

/// The contact that `order` states; nothing is taken from the one before.
pub(super) fn contact(order: &Order) -> Result<Contact, Wrong> {
    let handle = order.one("handle").map(str::trim).filter(|h| !h.is_empty()).ok_or((63_200_040_610, None))?;
    let mut contact = Contact::bare(Handle::new(handle.to_ascii_uppercase()));
    if order.all("type").count() != 1 {
        return Err((63_200_040_702, Some("PERSON, ORG, REQUEST".to_owned())));
    }
    if order.all("name").count() != 1 {
        return Err((63_200_040_802, None));
    }
    let kind = order.one("type").unwrap_or_default().trim().to_owned();
    if !["PERSON", "ORG", "REQUEST"].contains(&kind.as_str()) {
        return Err((63_200_040_710, Some(kind)));
    }
    let text = |keyword: &str| order.one(keyword).filter(|v| !v.is_empty()).map(Personal::from);
    let mut street: Vec<Personal> = order.all("address").map(Personal::from).collect();
    let further = street.split_off(street.len().min(3));
    contact.postal.push(PostalInfo {
        form: PostalForm::Loc,
        name: text("name"),
        org: text("organisation"),
        addr: Some(Address {
            street,
            city: text("city").unwrap_or_default(),
            sp: None,
            pc: text("postalcode"),
            cc: order.one("countrycode").unwrap_or_default().trim().into(),
        }),
    });
    contact.email = text("email");
    let is_extension = |ext: &str| !ext.is_empty() && ext.bytes().all(|b| b.is_ascii_digit());
    contact.voice = order.one("phone").filter(|v| !v.is_empty()).map(|number| match number.split_once('x') {
        Some((number, ext)) if is_extension(ext) => Phone { number: number.into(), ext: Some(ext.into()) },
        _ => Phone { number: number.into(), ext: None },
    });
    let properties = &mut contact.properties;
    properties.set("type", &kind);
    properties.set("uri-template", order.one("uritemplate").unwrap_or_default());
    for (n, line) in further.iter().enumerate() {
        properties.set(&format!("street.{}", n + 4), line.reveal());
    }
    for (field, keyword) in [("org", "organisation"), ("email", "email")] {
        for (n, value) in order.all(keyword).enumerate().skip(1) {
            properties.set(&format!("{field}.{}", n + 1), value);
        }
    }
    for (n, part) in order.parts.iter().enumerate() {
        let key = if n == 0 { "verification".to_owned() } else { format!("verification.{}", n + 1) };
        properties.set(&key, &verification(part));
    }
    Ok(contact)
}

/// A verification as the text of properties.
fn verification(part: &Fields) -> String {
    let mut text = Properties::new();
    for (property, keyword, _) in VERIFICATION {
        let keyword = keyword.to_ascii_lowercase();
        for (n, (_, value)) in part.iter().filter(|(k, _)| **k == *keyword).enumerate() {
            text.set(&if n == 0 { property.to_owned() } else { format!("{property}.{}", n + 1) }, value);
        }
    }
    text.to_text()
}

/// The domain that `order` states, with its keys; what the registry alone decides is taken from `before`.
pub(super) fn domain(order: &Order, before: &Domain) -> (Domain, Vec<KeyData>) {
    let mut domain = before.clone();
    domain.contacts.clear();
    domain.properties = before.properties.iter().filter(|(key, _)| matches!(*key, "registryLock" | "authInfo1")).collect();
    let handles: Vec<String> = order.all("holder").map(|h| h.trim().to_ascii_uppercase()).collect();
    domain.registrant = handles.first().map(Handle::new);
    for (n, handle) in handles.iter().enumerate().skip(1) {
        domain.properties.set(&format!("registrant.{}", n + 1), handle);
    }
    for (key, keyword) in [("general-request", "generalrequest"), ("abuse-contact", "abusecontact")] {
        domain.properties.set(key, &order.one(keyword).unwrap_or_default().trim().to_ascii_uppercase());
    }
    for (n, entry) in order.all("nsentry").enumerate() {
        domain.properties.set(&if n == 0 { "nsentry".to_owned() } else { format!("nsentry.{}", n + 1) }, entry);
    }
    let server = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let name = HostName::new(words.next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase());
        HostAttr { name, addrs: words.map(|text| Ip { version: IpVersion::of(text), text: text.into() }).collect() }
    };
    domain.ns = NameServers::Attributes(order.all("nserver").map(server).collect());
    let key = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        Some(KeyData {
            flags: words.next()?.parse().ok()?,
            protocol: words.next()?.parse().ok()?,
            alg: words.next()?.parse().ok()?,
            public_key: words.collect::<String>().into(),
        })
    };
    let keys = order.all("dnskey").filter_map(key).collect();
    (domain, keys)
}

/// The name an order is about, as A-labels.
pub(super) fn name(order: &Order) -> Option<DomainName> {
    let text = order.one("domainace").or_else(|| order.one("domain"))?.trim().trim_end_matches('.').to_lowercase();
    idna::domain_to_ascii(&text).ok().map(DomainName::new)
}

/// `FIELD` and its further values.
fn values<'p>(properties: &'p Properties, field: &'p str, first: usize) -> impl Iterator<Item = &'p str> {
    (first..).map_while(move |n| properties.get(&if n == 1 { field.to_owned() } else { format!("{field}.{n}") }))
}

/// A contact's lines, in the order of the schema.
pub(super) fn contact_lines(contact: &Contact) -> Vec<Line> {
    let mut all = vec![Line::Field("Handle", "handle", contact.id.as_str().to_owned())];
    let mut put = |keyword, element, value: Option<&str>| {
        all.extend(value.filter(|v| !v.is_empty()).map(|value| Line::Field(keyword, element, value.to_owned())));
    };
    let properties = &contact.properties;
    let postal = contact.postal.iter().find(|p| p.form == PostalForm::Loc).or(contact.postal.first());
    let org = postal.and_then(|p| p.org.as_ref()).map(Personal::reveal);
    put("Type", "type", Some(properties.get("type").unwrap_or("PERSON")));
    put("Name", "name", postal.and_then(|p| p.name.as_ref()).map(Personal::reveal));
    org.into_iter().chain(values(properties, "org", 2)).for_each(|value| put("Organisation", "organisation", Some(value)));
    if let Some(addr) = postal.and_then(|p| p.addr.as_ref()) {
        let lines = addr.street.iter().map(Personal::reveal).chain(values(properties, "street", 4));
        lines.for_each(|line| put("Address", "address", Some(line)));
        put("PostalCode", "postalCode", addr.pc.as_ref().map(Personal::reveal));
        put("City", "city", Some(addr.city.reveal()));
        put("CountryCode", "countryCode", Some(&addr.cc));
    }
    let emails = contact.email.iter().map(Personal::reveal).chain(values(properties, "email", 2));
    emails.for_each(|email| put("EMail", "email", Some(email)));
    let phone = contact.voice.as_ref().map(|voice| match &voice.ext {
        Some(ext) => format!("{}x{}", voice.number.reveal(), ext.reveal()),
        None => voice.number.reveal().to_owned(),
    });
    put("Phone", "phone", phone.as_deref());
    put("URI-Template", "uri-template", properties.get("uri-template"));
    put("Changed", "changed", contact.updated.as_ref().or(contact.created.as_ref()).map(|d| &*d.raw));
    put("RegAccId", "regAccId", contact.sponsor.as_deref());
    for text in values(properties, "verification", 1) {
        let text = Properties::read(text).unwrap_or_default();
        let fields = VERIFICATION.iter().flat_map(|(property, keyword, element)| {
            values(&text, property, 1).map(|value| (*keyword, *element, value.to_owned())).collect::<Vec<_>>()
        });
        all.push(Line::Part(fields.collect()));
    }
    all
}

/// A domain's lines, in the order of the schema.
pub(super) fn domain_lines(domain: &Domain, keys: &[KeyData]) -> Vec<Line> {
    let name = domain.name.as_str();
    let (unicode, _) = idna::domain_to_unicode(name);
    let mut all = vec![Line::Field("Domain", "handle", unicode), Line::Field("Domain-Ace", "ace", name.to_owned())];
    let properties = &domain.properties;
    let is_delegated = !domain.ns.is_empty() || properties.get("nsentry").is_some();
    all.push(Line::Field("Status", "status", if is_delegated { "connect" } else { "free" }.to_owned()));
    let holders = domain.registrant.iter().map(Handle::as_str).chain(values(properties, "registrant", 2));
    all.extend(holders.map(|handle| Line::Role("Holder", "holder", handle.to_owned())));
    for (keyword, role, key) in
        [("General-Request", "generalrequest", "general-request"), ("AbuseContact", "abusecontact", "abuse-contact")]
    {
        all.extend(properties.get(key).map(|handle| Line::Role(keyword, role, handle.to_owned())));
    }
    let owner = format!("{name}.");
    let servers: Vec<HostAttr> = match &domain.ns {
        NameServers::Attributes(servers) => servers.clone(),
        NameServers::Objects(names) => names.iter().map(|name| HostAttr { name: name.clone(), addrs: Vec::new() }).collect(),
    };
    for HostAttr { name, addrs } in servers {
        let host = format!("{name}.");
        let addresses: Vec<String> = addrs.iter().map(|ip| ip.text.to_string()).collect();
        let line = std::iter::once(host.clone()).chain(addresses.iter().cloned()).collect::<Vec<_>>().join(" ");
        let parts = std::iter::once(("nameserver", host)).chain(addresses.into_iter().map(|text| ("address", text))).collect();
        all.push(Line::Entry("Nserver", owner.clone(), "NS", parts, line));
    }
    for key in keys {
        let parts = [
            ("flags", key.flags.to_string()),
            ("protocol", key.protocol.to_string()),
            ("algorithm", key.alg.to_string()),
            ("publicKey", key.public_key.to_string()),
        ];
        let line = format!("{owner} {} {} {} {}", key.flags, key.protocol, key.alg, key.public_key);
        all.push(Line::Entry("Dnskey", owner.clone(), "DNSKEY", parts.to_vec(), line));
    }
    for entry in values(properties, "nsentry", 1) {
        all.extend(record(entry));
    }
    all.extend(properties.get("registryLock").map(|lock| Line::Field("RegistryLock", "registryLock", lock.to_owned())));
    all.extend(properties.get("authInfo1").map(|day| Line::Field("AuthInfoExpire", "authInfo1Expire", day.to_owned())));
    all.extend(domain.sponsor.as_ref().map(|sponsor| Line::Field("RegAccId", "regAccId", sponsor.to_string())));
    let changed = domain.updated.as_ref().or(domain.created.as_ref());
    all.extend(changed.map(|date| Line::Field("Changed", "changed", date.raw.to_string())));
    all
}

/// A record that the registry serves: `example.de. IN A 192.0.2.1`.
fn record(text: &str) -> Option<Line> {
    let words: Vec<&str> = text.split_ascii_whitespace().filter(|word| *word != "IN").collect();
    let (owner, kind, parts) = match words.as_slice() {
        [owner, "A", address] => (owner, "A", vec![("address", (*address).to_owned())]),
        [owner, "AAAA", address] => (owner, "AAAA", vec![("address", (*address).to_owned())]),
        [owner, "MX", preference, host] => (owner, "MX", vec![("preference", (*preference).to_owned()), ("exchange", (*host).to_owned())]),
        _ => return None,
    };
    Some(Line::Entry("NSentry", (*owner).to_owned(), kind, parts, text.to_owned()))
}
