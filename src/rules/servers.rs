//! Name servers as a domain's row has them: `R-ns-…`. What the DNS itself says of them is judged by a table of observations.

use super::checks::host_name;
use super::judge::{Basis, Sheet};
use super::subject::Subject;
use crate::dataset::DomainField;
use crate::policy::Glue;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Judges the name servers of a domain.
pub(super) fn judge(subject: &Subject<'_>, sheet: &mut Sheet<'_, '_>) {
    let rules = &sheet.judge.profile.name_servers;
    let domain = sheet.id().to_ascii_lowercase();
    let text = subject.row.get(DomainField::Ns.at()).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for (n, server) in text.split(';').map(str::trim).filter(|s| !s.is_empty()).enumerate() {
        count += 1;
        let field = || format!("ns[{}]", n + 1);
        let (name, addresses) = server.split_once('=').unwrap_or((server, ""));
        let name = name.trim().trim_end_matches('.').to_lowercase();
        if host_name(&name).is_none() {
            let what = "this is no host name: labels of letters, digits and hyphens, the last no number".to_owned();
            sheet.add("R-ns-003", field(), Basis::strict("RFC 1123 §2.1, RFC 5891"), what);
        }
        let addresses: Vec<&str> = addresses.split(',').map(str::trim).filter(|a| !a.is_empty()).collect();
        let in_zone = name == domain || name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        let attributes = rules.glue.value == Glue::InZone;
        if in_zone && attributes && addresses.is_empty() {
            let what = "the server stands inside the domain, and needs an address".to_owned();
            sheet.add("R-ns-002", field(), Basis::of(&rules.glue), what);
        }
        if !in_zone && attributes && !addresses.is_empty() {
            let what = "the server stands outside the domain; its addresses are not taken over".to_owned();
            sheet.add("R-ns-006", field(), Basis::told(&rules.glue), what);
        }
        for address in addresses {
            match address.parse::<IpAddr>() {
                Err(_) => {
                    let what = "one of its addresses is none of IPv4 or IPv6".to_owned();
                    sheet.add("R-ns-005", field(), Basis::strict("RFC 5731 §1.1, RFC 5952"), what);
                }
                Ok(ip) => {
                    if let Some(rule) = rules.public_addresses.as_ref().filter(|rule| rule.value && is_reserved(ip)) {
                        let what = "one of its addresses is reserved, and reaches nobody (RFC 6890)".to_owned();
                        sheet.add("R-ns-005", field(), Basis::of(rule), what);
                    }
                }
            }
        }
        if !seen.insert(name) {
            sheet.add("R-ns-004", field(), Basis::strict("a set has nothing twice (RFC 5731 §1.1)"), "the server stands twice".to_owned());
        }
    }
    // A domain without any is not delegated, or has its records at the registry.
    if let Some(rule) = rules.min.as_ref().filter(|rule| count > 0 && count < usize::from(rule.value)) {
        sheet.add("R-ns-001", "ns".to_owned(), Basis::of(rule), format!("{count} name servers, at least {}", rule.value));
    }
    if let Some(rule) = rules.max.as_ref().filter(|rule| count > usize::from(rule.value)) {
        sheet.add("R-ns-001", "ns".to_owned(), Basis::of(rule), format!("{count} name servers, at most {}", rule.value));
    }
}

/// Whether an address has a special purpose (the registries of RFC 6890 as of 2025), so that no public name server has it.
fn is_reserved(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            let global = a & 0xe000 == 0x2000;
            let special = match a {
                0x2001 => b < 0x0200 || b == 0x0db8,
                0x2002 => true,
                0x3fff => b < 0x1000,
                _ => false,
            };
            !global || special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn special_addresses_and_their_neighbours() {
        for reserved in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "64:ff9b::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002::1",
            "3fff::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(is_reserved(reserved.parse().expect("an address")), "{reserved}");
        }
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2a00::1",
            "2606:4700::1",
        ] {
            assert!(!is_reserved(public.parse().expect("an address")), "{public}");
        }
    }
}
