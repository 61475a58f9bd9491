//! What the fields of a domain mean.

use super::sheet::{Sheet, refused};
use super::word::{Key, Kind};
use crate::base::{DomainName, Handle, Result};
use crate::model::{ContactRef, Date, Domain, HostAttr, Ip, IpVersion, KeyData, NameServers, RriDomain, SecDnsInfo, StatusValue};
use crate::protocol::epp::field;

/// The most holders, and the most keys.
const MOST: usize = 5;

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
    // The registry's own marks, which no update carries.
    let _registrys = [sheet.one(Key::Changed), sheet.one(Key::Provider)];
    let _statuses = sheet.all(Key::Status).count();
    domain.unread = sheet.leftovers();
    let counts = [(Key::NameServer, domain.servers.len(), "Nserver"), (Key::Dnssec, domain.keys.len(), "Dnskey")];
    domain.unread.extend(counts.into_iter().filter(|(key, read, _)| sheet.count(*key) > *read).map(|(_, _, word)| word.into()));
    Some(domain)
}

/// The domain in the terms of EPP. Holders behind the first are left over.
///
/// # Errors
/// Where it has no name.
pub(super) fn shared(sheet: &Sheet<'_>) -> Result<Domain, &'static str> {
    let mut domain = Domain::bare(name(sheet).ok_or("a domain without its name")?);
    domain.statuses = sheet.all(Key::Status).map(|text| StatusValue::read(text.trim()).into()).collect();
    domain.registrant = sheet.one(Key::Holder).map(|handle| Handle::new(handle.to_ascii_uppercase()));
    let mut refer = |key, kind: &str| {
        domain.contacts.extend(sheet.all(key).map(|handle| ContactRef {
            role: None,
            kind: kind.into(),
            handle: Handle::new(handle.to_ascii_uppercase()),
        }));
    };
    refer(Key::GeneralRequest, "generalrequest");
    refer(Key::AbuseContact, "abusecontact");
    let servers: Vec<HostAttr> = sheet.all(Key::NameServer).filter_map(server).collect();
    if !servers.is_empty() {
        domain.ns = NameServers::Attributes(servers);
    }
    domain.sponsor = sheet.one(Key::Provider).map(Into::into);
    domain.updated = sheet.one(Key::Changed).map(Date::read);
    Ok(domain)
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
