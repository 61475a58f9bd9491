//! The registries of the data, by id: how large each is and what its objects look like.

use super::SynthOptions;
use super::former::Periods;
use crate::mock::fleet::{Draw, FleetSettings, Forms, HandleForm, PrivacyShares, Provider};
use jiff::civil;

/// One registry, as data.
pub(super) struct Registry {
    /// Its id. The table is sorted by it.
    pub(super) id: &'static str,
    /// Its profile.
    pub(super) profile: &'static str,
    /// Its part of all contacts; 0 where it has none.
    contacts: u64,
    /// The most contacts it has, where what may be asked in a minute would make a demonstration wait.
    most: u64,
    /// Its domains for each thousand contacts of all registries.
    domains: u64,
    /// Its zones.
    tlds: &'static [&'static str],
    /// Forms of addresses it takes.
    forms: &'static [Forms],
    /// Scripts it takes, all where empty.
    scripts: &'static [&'static str],
    /// Countries of its contacts, all where empty.
    lands: &'static [&'static str],
    /// What its handles begin and end with, and whether their code is decimal.
    handles: (&'static str, &'static str, bool),
    /// Domains of a thousand under privacy v1 and v2.
    privacy: (u16, u16),
    /// Whether there is a list of the names it holds for us.
    pub(super) list: bool,
    /// Which periods data are kept for.
    pub(super) periods: Periods,
    /// Customers of the past, at most.
    pub(super) formers: usize,
    /// How many of them, from the first, the registry holds still.
    pub(super) held: usize,
}

/// The most domains of a registry without contacts: the one there is may be asked five a second, and a demonstration is not to wait.
const MOST_DOMAINS: u64 = 200;

/// Four domains for five contacts, as in the registries of the table that have contacts.
const DOMAINS: [u64; 2] = [4, 5];

/// The registries.
pub(super) const REGISTRIES: [Registry; 9] = [
    Registry {
        id: "afnic",
        profile: "afnic",
        contacts: 1,
        tlds: &["fr", "re"],
        forms: &[Forms::Loc],
        lands: &["FR"],
        handles: ("PV", "-FRNIC", true),
        ..USUAL
    },
    Registry {
        id: "denic",
        profile: "denic",
        contacts: 1,
        most: 50,
        formers: 2,
        held: 0,
        tlds: &["de"],
        forms: &[Forms::Loc],
        scripts: &["latin", "greek", "cyrillic", "han"],
        handles: ("DENIC-99999-", "", false),
        ..USUAL
    },
    Registry { id: "dnsbe", profile: "dnsbe", contacts: 1, tlds: &["be"], forms: &[Forms::Loc], lands: &["NL", "FR", "DE"], ..USUAL },
    Registry {
        id: "eurid",
        profile: "eurid",
        contacts: 2,
        tlds: &["eu"],
        forms: &[Forms::Loc],
        lands: &["DE", "FR", "PL", "ES", "GR", "BG", "IT", "NL", "IS"],
        privacy: (0, 30),
        ..USUAL
    },
    Registry {
        id: "example-minimum",
        profile: "gtld-minimum",
        periods: Periods::Icann,
        formers: 0,
        held: 0,
        domains: 20,
        tlds: &["test"],
        privacy: (0, 100),
        ..USUAL
    },
    Registry {
        id: "example-thick",
        profile: "gtld-thick",
        periods: Periods::Icann,
        contacts: 5,
        tlds: &["example", "shop.example"],
        forms: &[Forms::Int, Forms::Both, Forms::Both, Forms::Loc],
        privacy: (30, 150),
        ..USUAL
    },
    Registry {
        id: "nicit",
        profile: "nicit",
        contacts: 2,
        tlds: &["it"],
        forms: &[Forms::Loc],
        lands: &["IT", "IT", "IT", "FR", "DE", "ES", "GR"],
        ..USUAL
    },
    Registry {
        id: "nz",
        profile: "nz",
        contacts: 2,
        tlds: &["nz", "co.nz", "geek.nz"],
        forms: &[Forms::Loc, Forms::Loc, Forms::Int],
        privacy: (0, 150),
        list: true,
        ..USUAL
    },
    Registry { id: "sidn", profile: "sidn", contacts: 1, tlds: &["nl"], forms: &[Forms::Loc], lands: &["NL", "DE", "FR"], ..USUAL },
];

/// What most of them share.
const USUAL: Registry = Registry {
    id: "",
    profile: "",
    contacts: 0,
    most: u64::MAX,
    domains: 0,
    tlds: &[],
    forms: &[],
    scripts: &[],
    lands: &[],
    handles: ("C", "-PV", false),
    privacy: (0, 0),
    list: false,
    periods: Periods::House,
    formers: 7,
    held: 4,
};

/// Of a thousand domains or contacts under privacy v2, those that the registry shows nevertheless.
const BARE_PER_MILLE: u16 = 30;

/// Of a thousand domains without privacy, those whose proxy contact was left behind.
const ORPHANS_PER_MILLE: u16 = 20;

/// Of a thousand contacts or domains, those that break a rule of their registry.
const FLAWS_PER_MILLE: u16 = 40;

/// The settings of `registry`'s fleet.
pub(super) fn settings(registry: &Registry, options: &SynthOptions, today: civil::Date) -> FleetSettings {
    let parts: u64 = REGISTRIES.iter().map(|r| r.contacts).sum();
    // The last of them takes what the division leaves over.
    let before: u64 = REGISTRIES.iter().take_while(|r| r.id != registry.id).map(|r| r.contacts).sum();
    let up_to = |of: u64| part(options.contacts, of, parts);
    let contacts = (up_to(before + registry.contacts) - up_to(before)).min(registry.most);
    let [domains, of] = DOMAINS;
    let (v1_per_mille, v2_per_mille) = registry.privacy;
    let (before_code, after_code, decimal) = registry.handles;
    FleetSettings {
        profile: registry.profile.to_owned(),
        // TOML's integers have 63 bits and a sign.
        seed: Draw::new(options.seed, registry.id, 0).bits() >> 1,
        contacts,
        domains: part(contacts, domains, of) + part(options.contacts, registry.domains, 1000).min(MOST_DOMAINS),
        tlds: registry.tlds.iter().map(|t| (*t).to_owned()).collect(),
        sponsor: SPONSOR.to_owned(),
        today,
        forms: registry.forms.to_vec(),
        scripts: registry.scripts.iter().map(|s| (*s).to_owned()).collect(),
        lands: registry.lands.iter().map(|l| (*l).to_owned()).collect(),
        handles: HandleForm { before: before_code.to_owned(), after: after_code.to_owned(), decimal },
        // Where there are few objects, more of them are flawed, so that every kind of fault comes up.
        flaws_per_mille: if registry.most == u64::MAX { FLAWS_PER_MILLE } else { 10 * FLAWS_PER_MILLE },
        former: if contacts == 0 { 0 } else { registry.held as u64 },
        privacy: Some(PrivacyShares {
            v1_per_mille,
            v2_per_mille,
            bare_per_mille: BARE_PER_MILLE,
            orphans_per_mille: ORPHANS_PER_MILLE,
            provider: provider(),
        }),
    }
}

/// The registrar's account.
pub(super) const SPONSOR: &str = "registrar-1";

/// The privacy provider of all registries.
pub(super) fn provider() -> Provider {
    Provider {
        v1_handle: "PRIVACY-V1".to_owned(),
        name: "Privacy service".to_owned(),
        org: "Hedge Privacy Foundation".to_owned(),
        street1: "1 Hedge Lane".to_owned(),
        city: "Privetville".to_owned(),
        sp: String::new(),
        pc: "1000 AA".to_owned(),
        cc: "NL".to_owned(),
        voice: "+31.5550000000".to_owned(),
        email_domain: "relay.example".to_owned(),
    }
}

/// `whole * parts / of`, rounded down, without overflow.
fn part(whole: u64, parts: u64, of: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(parts) / u128::from(of.max(1))).unwrap_or(u64::MAX)
}
