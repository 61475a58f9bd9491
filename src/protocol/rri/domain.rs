//! What the fields of a domain mean.

use super::sheet::{Sheet, refused};
use super::word::{Key, Kind};
use super::{contact, further};
use crate::base::{DomainName, Handle, Result};
use crate::model::{Date, Domain, HostAttr, Ip, IpVersion, KeyData, NameServers, NsEntry, NsEntryData, RriDomain, SecDnsInfo, StatusValue};
use crate::protocol::epp::field;

/// The most holders, and the most keys.
const MOST: usize = 5;
/// The highest preference of a mail server.
const MOST_PREFERENCE: u16 = 999;

/// Puts a domain's name in both of its forms.
///
/// # Errors
/// Where it is no name at this registry.
pub(super) fn put_name(sheet: &mut Sheet<'_>, name: &DomainName) -> Result<()> {
    let ace = name.as_str().to_ascii_lowercase();
    if ace.len() < 4 || !ace.is_ascii() || !ace.contains('.') {
        return Err(refused("Domain", "is no domain name in A-label form").object(name.as_str()));
    }
    let (unicode, result) = idna::domain_to_unicode(&ace);
    if result.is_err() {
        return Err(refused("Domain", "is no valid internationalised name").object(name.as_str()));
    }
    sheet.put(Key::Domain, unicode);
    sheet.put(Key::Ace, ace);
    Ok(())
}

/// The sheet of a domain to be written.
///
/// # Errors
/// What the registry's schema would refuse.
pub(super) fn write(domain: &RriDomain) -> Result<Sheet<'_>> {
    let mut sheet = Sheet::new(Kind::Domain);
    put_name(&mut sheet, &domain.name)?;
    if domain.holders.is_empty() || domain.holders.len() > MOST {
        return Err(refused("Holder", format!("stands {} times, 1 to {MOST} are allowed", domain.holders.len())));
    }
    let entries = &domain.entries;
    if entries.len() > MOST {
        return Err(refused("NSentry", format!("stands {} times, at most {MOST} are allowed", entries.len())));
    }
    if !entries.is_empty() && !domain.servers.is_empty() {
        return Err(refused("NSentry", "cannot stand beside name servers"));
    }
    if let Some(why) = entries.iter().find_map(|entry| misplaced(entry, &domain.name)) {
        return Err(refused("NSentry", why));
    }
    let roles = [("GeneralRequest", &domain.general_request), ("AbuseContact", &domain.abuse_contact)];
    let handles = domain.holders.iter().map(|h| ("Holder", h)).chain(roles.into_iter().filter_map(|(word, h)| Some((word, h.as_ref()?))));
    for (word, handle) in handles {
        if !contact::is_handle(handle.as_str()) {
            return Err(refused(word, "is no handle of this registry").object(handle.as_str()));
        }
    }
    let hosts = domain.servers.iter().map(|s| ("Nserver", &s.name)).chain(entries.iter().map(|e| ("NSentry", &e.owner)));
    let exchanges =
        entries.iter().filter_map(|e| if let NsEntryData::Mx { exchange, .. } = &e.data { Some(("NSentry", exchange)) } else { None });
    if let Some((word, host)) = hosts.chain(exchanges).find(|(_, host)| !is_host(host.as_str())) {
        return Err(refused(word, "is no host name in A-label form").object(host.as_str()));
    }
    if domain.keys.len() > MOST {
        return Err(refused("Dnskey", format!("stands {} times, at most {MOST} are allowed", domain.keys.len())));
    }
    fill(&mut sheet, domain);
    sheet.check()?;
    Ok(sheet)
}

/// The sheet of a domain as the registry has it, whatever it would refuse today.
pub(super) fn old(domain: &RriDomain) -> Sheet<'_> {
    let mut sheet = Sheet::new(Kind::Domain);
    sheet.put(Key::Domain, domain.name.as_str());
    sheet.put(Key::Ace, domain.name.as_str());
    fill(&mut sheet, domain);
    sheet
}

/// Puts all but the name.
fn fill(sheet: &mut Sheet<'_>, domain: &RriDomain) {
    let upper = |handle: &Handle| handle.as_str().to_ascii_uppercase();
    domain.holders.iter().for_each(|holder| sheet.put(Key::Holder, upper(holder)));
    domain.general_request.iter().for_each(|handle| sheet.put(Key::GeneralRequest, upper(handle)));
    domain.abuse_contact.iter().for_each(|handle| sheet.put(Key::AbuseContact, upper(handle)));
    for server in &domain.servers {
        let addresses = server.addrs.iter().map(|ip| &*ip.text);
        let all: Vec<&str> = std::iter::once(server.name.as_str()).chain(addresses).collect();
        sheet.put(Key::NameServer, all.join(" "));
    }
    domain.entries.iter().for_each(|entry| sheet.put(Key::NsEntry, entry.to_string()));
    for key in &domain.keys {
        let KeyData { flags, protocol, alg, public_key } = key;
        let owner = &domain.name;
        sheet.put(Key::Dnssec, format!("{owner}. {flags} {protocol} {alg} {public_key}"));
    }
}

/// The whole domain of a sheet, or nothing without a name.
pub(super) fn whole(sheet: &Sheet<'_>) -> Option<RriDomain> {
    let mut domain = RriDomain::bare(name(sheet)?);
    domain.holders = sheet.all(Key::Holder).map(Handle::new).collect();
    domain.general_request = sheet.one(Key::GeneralRequest).map(Handle::new);
    domain.abuse_contact = sheet.one(Key::AbuseContact).map(Handle::new);
    domain.servers = sheet.all(Key::NameServer).filter_map(server).collect();
    domain.keys = sheet.all(Key::Dnssec).filter_map(key).collect();
    domain.entries = sheet.all(Key::NsEntry).filter_map(entry).collect();
    // The registry's own marks, which no update carries.
    let _registrys = [Key::Changed, Key::Provider, Key::RegistryLock, Key::AuthExpire].map(|key| sheet.one(key));
    let _statuses = sheet.all(Key::Status).count();
    domain.unread = sheet.leftovers();
    let counts = [
        (Key::NameServer, domain.servers.len(), "Nserver"),
        (Key::Dnssec, domain.keys.len(), "Dnskey"),
        (Key::NsEntry, domain.entries.len(), "NSentry"),
    ];
    domain.unread.extend(counts.into_iter().filter(|(key, read, _)| sheet.count(*key) > *read).map(|(_, _, word)| word.into()));
    Some(domain)
}

/// The domain in the terms of EPP, with properties for what these have no place for and for what the registry alone decides.
///
/// # Errors
/// Where it has no name.
pub(super) fn shared(sheet: &Sheet<'_>) -> Result<Domain, &'static str> {
    let mut domain = Domain::bare(name(sheet).ok_or("a domain without its name")?);
    domain.statuses = sheet.all(Key::Status).map(|text| StatusValue::read(text.trim()).into()).collect();
    let holders: Vec<String> = sheet.all(Key::Holder).map(str::to_ascii_uppercase).collect();
    domain.registrant = holders.first().map(Handle::new);
    let properties = &mut domain.properties;
    further::put(properties, "registrant", further::SECOND, holders.iter().skip(1).map(String::as_str));
    for (field, key) in [("general-request", Key::GeneralRequest), ("abuse-contact", Key::AbuseContact)] {
        let handles: Vec<String> = sheet.all(key).map(str::to_ascii_uppercase).collect();
        further::put_all(properties, field, handles.iter().map(String::as_str));
    }
    if entries_are_read(sheet) {
        let entries: Vec<String> = sheet.all(Key::NsEntry).filter_map(entry).map(|entry| entry.to_string()).collect();
        further::put_all(properties, "nsentry", entries.iter().map(String::as_str));
    }
    properties.set("registryLock", &sheet.one(Key::RegistryLock).unwrap_or_default().trim().to_ascii_lowercase());
    properties.set("authInfo1", sheet.one(Key::AuthExpire).unwrap_or_default().trim());
    let servers: Vec<HostAttr> = sheet.all(Key::NameServer).filter_map(server).collect();
    if !servers.is_empty() {
        domain.ns = NameServers::Attributes(servers);
    }
    domain.sponsor = sheet.one(Key::Provider).map(Into::into);
    domain.updated = sheet.one(Key::Changed).map(Date::read);
    Ok(domain)
}

/// Whether every record the registry serves itself is one that we know.
fn entries_are_read(sheet: &Sheet<'_>) -> bool {
    sheet.fields.iter().filter(|f| f.word.key == Key::NsEntry).all(|f| entry(&f.text).is_some())
}

/// The keys in the terms of EPP, or nothing where there is none or one cannot be read.
pub(super) fn keys(sheet: &Sheet<'_>) -> Option<SecDnsInfo> {
    let is_readable = sheet.fields.iter().filter(|f| f.word.key == Key::Dnssec).all(|f| key(&f.text).is_some());
    let keys: Vec<KeyData> = if is_readable { sheet.all(Key::Dnssec).filter_map(key).collect() } else { Vec::new() };
    (!keys.is_empty()).then(|| SecDnsInfo { keys, ..SecDnsInfo::default() })
}

/// The name as A-labels in lower case: of the registry's own form of it, or of the other.
pub(super) fn name(sheet: &Sheet<'_>) -> Option<DomainName> {
    let (ace, unicode) = (sheet.one(Key::Ace), sheet.one(Key::Domain));
    ace.or(unicode).map(|text| field::domain_name(bare(text)))
}

/// A name without what may stand around it.
fn bare(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

/// A name server with its glue: `ns1.example.de 192.0.2.1 2001:db8::1`.
fn server(text: &str) -> Option<HostAttr> {
    let mut words = text.split_ascii_whitespace();
    let name = field::host_name(bare(words.next()?));
    Some(HostAttr { name, addrs: words.map(|text| Ip { version: IpVersion::of(text), text: text.into() }).collect() })
}

/// A key: `example.de. 257 3 8 base64`. Blanks inside the base64 are taken out.
fn key(text: &str) -> Option<KeyData> {
    let mut words = text.split_ascii_whitespace();
    let _owner = words.next()?;
    let flags = words.next()?.parse().ok()?;
    let protocol = words.next()?.parse().ok()?;
    let alg = words.next()?.parse().ok()?;
    let public_key: String = words.collect();
    (!public_key.is_empty()).then(|| KeyData { flags, protocol, alg, public_key: public_key.into() })
}

/// A record: `example.de. IN A 192.0.2.1`, `www.example.de. IN AAAA 2001:db8::1` or `*.example.de. IN MX 10 mail.example.net.`.
fn entry(text: &str) -> Option<NsEntry> {
    let mut words = text.split_ascii_whitespace();
    let owner = field::host_name(bare(words.next()?));
    let mut kind = words.next()?;
    if kind.eq_ignore_ascii_case("IN") {
        kind = words.next()?;
    }
    let data = match kind.to_ascii_uppercase().as_str() {
        "A" => NsEntryData::A(words.next()?.parse().ok()?),
        "AAAA" => NsEntryData::Aaaa(words.next()?.parse().ok()?),
        "MX" => NsEntryData::Mx { preference: words.next()?.parse().ok()?, exchange: field::host_name(bare(words.next()?)) },
        _ => return None,
    };
    words.next().is_none().then_some(NsEntry { owner, data })
}

/// Whether a text can be the name of a host, or a wildcard of one.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'*'))
}

/// Why the registry would not serve a record at that domain.
fn misplaced(entry: &NsEntry, domain: &DomainName) -> Option<&'static str> {
    let owner = entry.owner.as_str();
    let is_inside = owner == domain.as_str() || owner.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    let is_wild = owner.starts_with("*.");
    match &entry.data {
        _ if !is_inside => Some("stands outside of the domain"),
        NsEntryData::A(_) | NsEntryData::Aaaa(_) if is_wild => Some("has a wildcard with an address"),
        NsEntryData::Mx { preference, .. } if *preference > MOST_PREFERENCE => Some("has a preference over 999"),
        _ => None,
    }
}
