//! The cases of name servers.

use privet::base::HostName;
use privet::model::{HostAttr, Ip, IpVersion, NameServers};
use privet::policy::{Glue, HostModel, Profile};

/// Hosts that every bundled registry with host objects has.
const KNOWN: [&str; 4] = ["ns1.dns-meadow.example", "ns2.dns-meadow.example", "a.ns.quiet-water.test", "b.ns.quiet-water.test"];

/// A delegation as a table has it: names with their addresses, `name=address,address`.
pub(super) struct Delegation {
    /// Which, for a message.
    pub(super) name: String,
    /// The servers.
    pub(super) servers: Vec<String>,
    /// Whether it must be taken, where its making says so.
    pub(super) taken: Option<bool>,
}

/// Every delegation that is tried for the domain `zone`.
pub(super) fn delegations(profile: &Profile, zone: &str) -> Vec<Delegation> {
    let rules = &profile.name_servers;
    let mut out = Vec::new();
    let mut add = |name: &str, servers: Vec<String>, taken| out.push(Delegation { name: name.to_owned(), servers, taken });
    let is_object = profile.hosts.value == HostModel::Objects;
    if is_object {
        for count in 1..=KNOWN.len() {
            add("hosts that are there", KNOWN.iter().take(count).map(|host| (*host).to_owned()).collect(), Some(true));
        }
        for bad in ["one", "a_b.example", "-a.example", "ns.1"] {
            add("a name that no host has", vec![KNOWN[0].to_owned(), bad.to_owned()], Some(false));
        }
        add("a host twice", vec![KNOWN[0].to_owned(); 2], Some(false));
        return out;
    }
    let servers = |count: usize| (1..=count).map(|n| format!("ns{n}.name-servers.example")).collect::<Vec<_>>();
    let (min, max) = (rules.min.as_ref().map_or(1, |rule| usize::from(rule.value)), rules.max.as_ref().map(|rule| usize::from(rule.value)));
    for count in 1..=max.unwrap_or(15) + 2 {
        add("a number of servers", servers(count), Some(count >= min && max.is_none_or(|max| count <= max)));
    }
    let with = |server: &str| {
        let mut all = servers(min.max(2) - 1);
        all.push(server.to_owned());
        all
    };
    let glue = rules.glue.value == Glue::InZone;
    for name in [format!("ns1.{zone}"), zone.to_owned(), format!("a.b.{zone}")] {
        add("in the zone, without an address", with(&name), Some(!glue));
        add("in the zone, with an address", with(&format!("{name}=8.8.8.8")), Some(true));
        add("in the zone, with another address", with(&format!("{name}=2a00:1450::1")), Some(true));
        add("in the zone, with two addresses", with(&format!("{name}=8.8.8.8,2a00:1450::1")), Some(true));
    }
    add("not in the zone, though it ends like it", with(&format!("nsx{zone}")), Some(true));
    add("outside, with an address", with("ns9.name-servers.example=8.8.8.8"), Some(true));
    let public = rules.public_addresses.as_ref().is_some_and(|rule| rule.value);
    for aside in [
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
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "64:ff9b::1",
        "100::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002::1",
        "3fff::1",
        "fc00::1",
        "fe80::1",
        "ff02::1",
    ] {
        add("an address set aside", with(&format!("ns1.{zone}={aside}")), Some(!public));
    }
    for open in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.0.3.1",
        "192.88.98.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2a00::1",
        "2606:4700::1",
        "3fff:1000::1",
    ] {
        add("a public address", with(&format!("ns1.{zone}={open}")), Some(true));
    }
    for bad in ["1.2.3", "1.2.3.256", "1.2.3.4.5", "8.8.8.8/32", "2a00:::1", "text"] {
        add("no address", with(&format!("ns1.{zone}={bad}")), Some(false));
    }
    let label = "a".repeat(63);
    let long = format!("{label}.example");
    for good in ["a-b.example", "1.2.example", "xn--mller-kva.example", "a.b.c.d.e.f.example", long.as_str()] {
        add("a host's name", with(good), Some(true));
    }
    let long = format!("{label}a.example");
    for bad in ["one", "a_b.example", "-a.example", "a-.example", "a..example", "ns.1", "1.2.3.4", "a b.example", long.as_str()] {
        add("a name that no host has", with(bad), Some(false));
    }
    add("a server twice", [servers(min.max(2)), servers(1)].concat(), Some(false));
    out
}

/// Servers as the registry has them.
pub(super) fn hosts_of(profile: &Profile, servers: &[String]) -> NameServers {
    let attr = |server: &String| {
        let (name, addresses) = server.split_once('=').unwrap_or((server, ""));
        let addrs = addresses.split(',').filter(|text| !text.is_empty()).map(|text| Ip { version: IpVersion::of(text), text: text.into() });
        HostAttr { name: HostName::from(name), addrs: addrs.collect() }
    };
    match profile.hosts.value {
        HostModel::Objects => NameServers::Objects(servers.iter().map(|name| HostName::from(name.as_str())).collect()),
        HostModel::Attributes => NameServers::Attributes(servers.iter().map(attr).collect()),
    }
}
