//! Commands with extensions, held to this project's own schemas of `schemas/vendor`, and to those that registries publish.

use super::*;

/// An entry point for commands with extensions: the core schemas beside `published` and some of EURid's, and this project's own of
/// schemas/vendor.
fn with_vendor(published: &Path, dir: &Path) -> PathBuf {
    let folder = published.parent().expect("a folder");
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/vendor");
    let core = [
        "ietf/eppcom-1.0",
        "ietf/epp-1.0",
        "ietf/host-1.0",
        "ietf/contact-1.0",
        "ietf/domain-1.0",
        "ietf/secDNS-1.1",
        "ietf/rgp-1.0",
        "ietf/fury-2.1",
        "eurid/authInfo-1.1",
        "eurid/registrarHitPoints-1.0",
    ]
    .map(|name| folder.join(format!("{name}.xsd")));
    let mut own: Vec<PathBuf> = std::fs::read_dir(vendor).expect("our schemas").map(|e| e.expect("an entry").path()).collect();
    own.retain(|path| path.extension().is_some_and(|e| e == "xsd"));
    own.sort();
    assert!(own.len() >= 9, "{own:?}");
    let import = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a schema");
        assert!(core.contains(path) || text.contains("not the registry's own schema"), "{} is not marked as ours", path.display());
        let (_, rest) = text.split_once("targetNamespace=\"").expect("a namespace");
        let namespace = rest.split('"').next().expect("a namespace");
        format!("<import namespace=\"{namespace}\" schemaLocation=\"{}\"/>", path.display())
    };
    let imports: String = core.iter().chain(&own).map(import).collect();
    let entry = dir.join("entry.xsd");
    let text = format!("<schema xmlns=\"http://www.w3.org/2001/XMLSchema\">{imports}</schema>");
    privet::base::write_atomic(&entry, text.as_bytes()).expect("written");
    entry
}

/// Keys of properties, each with a pattern of its usual values.
type Keys = &'static [(&'static str, &'static str)];

/// Some of `keys`, mostly with a usual value each, and at times with a key that nobody knows.
fn properties(keys: Keys) -> BoxedStrategy<Properties> {
    let of = |(key, usual): &(&'static str, &'static str)| {
        let key = *key;
        option::weighted(0.9, text(usual)).prop_map(move |value| value.map(|v| (key, v)))
    };
    let all = keys.iter().map(of).collect::<Vec<_>>();
    (all, proptest::bool::weighted(0.03))
        .prop_map(|(pairs, strange)| {
            let mut all = Properties::new();
            pairs.into_iter().flatten().for_each(|(key, value)| all.set(key, &value));
            if strange {
                all.set("nobodyKnows", "x");
            }
            all
        })
        .boxed()
}

const EXTCON: Keys = &[
    ("consentForPublishing", "true|false"),
    ("nationalityCode", "[A-Za-z]{2}"),
    ("entityType", "[1-7]"),
    ("regCode", "[A-Z0-9.]{1,16}"),
    ("schoolCode", "[A-Z0-9]{4,10}"),
];
const CONTACT_EXT: Keys = &[
    ("type", "registrant|tech|onsite"),
    ("vat", "[A-Z0-9]{1,20}"),
    ("lang", "[a-z]{2}"),
    ("whoisEmail", "[a-z]{1,9}@example\\.eu"),
    ("naturalPerson", "true|false"),
    ("countryOfCitizenship", "[A-Z]{2}"),
];
const FURY: Keys = &[("LANGUAGE", "EN|FR"), ("PRIVACY", "PRIVATE|PUBLIC")];

#[test]
fn every_accepted_command_with_an_extension_validates() {
    const CASES: usize = 900;
    let published = match schema() {
        Ok(schema) => schema,
        Err(why) => return println!("skipped: {why}"),
    };
    let dir = tempfile::tempdir().expect("a directory");
    let entry = with_vendor(&published, dir.path());
    let eurid = published.with_file_name("all-eurid.xsd");
    let extdom = "http://www.nic.it/ITNIC-EPP/extdom-2.0";
    let auth_info = "http://www.eurid.eu/xml/epp/authInfo-1.1";
    let tongues: [(&[&str], Keys); 6] = [
        (&["http://www.nic.it/ITNIC-EPP/extcon-1.0", extdom], EXTCON),
        (&["http://www.eurid.eu/xml/epp/contact-ext-1.3", "http://www.eurid.eu/xml/epp/domain-ext-2.5"], CONTACT_EXT),
        (&["http://www.eurid.eu/xml/epp/contact-ext-1.4", "http://www.eurid.eu/xml/epp/domain-ext-2.6", auth_info], CONTACT_EXT),
        (&["urn:ietf:params:xml:ns:fury-2.0"], FURY),
        (&["urn:ietf:params:xml:ns:fury-2.1"], FURY),
        (&[], EXTCON),
    ];
    let mut runner = TestRunner::deterministic();
    for (agreed, keys) in tongues {
        let named: Vec<Box<str>> = agreed.iter().map(|uri| (*uri).into()).collect();
        let change = (properties(keys), option::weighted(0.3, properties(keys))).prop_map(|(properties, removed)| ContactChange {
            properties,
            removed: removed.unwrap_or_default(),
            ..ContactChange::default()
        });
        let order = proptest::sample::select(&[AuthCodeOrder::Request, AuthCodeOrder::Cancel][..]);
        let onsite = || vec((boxed("onsite|reseller"), handle()).prop_map(|(kind, handle)| ContactRef { role: None, kind, handle }), 0..3);
        let onsite = (onsite(), onsite()).prop_map(|(add, rem)| {
            let mut update = DomainUpdate::of(DomainName::new("a.example"));
            (update.add.contacts, update.rem.contacts) = (add, rem);
            update
        });
        let which = proptest::sample::select(&ContactsFilter::ALL[..]);
        let trade = (handle(), text("[!-~]{8,32}")).prop_map(|(registrant, pw)| Trade { registrant, auth: Secret::new(pw) });
        let strategy = prop_oneof![
            4 => (contact(), properties(keys)).prop_map(|(contact, properties)| Transform::ContactCreate(Contact { properties, ..contact })),
            4 => (handle(), change).prop_map(|(id, chg)| {
                Transform::ContactUpdate(ContactUpdate { id, add: Vec::new(), rem: Vec::new(), chg: Some(chg) })
            }),
            1 => onsite.prop_map(Transform::DomainUpdate),
            1 => (name(), order).prop_map(|(name, order)| Transform::DomainAuthCode { name, order }),
            1 => (name(), auth(), trade).prop_map(|(name, auth, trade)| {
                Transform::DomainTransferRequest { name, period: None, auth, trade: Some(trade) }
            }),
        ]
        .prop_map(|t| Command::Transform(Box::new(t)));
        let strategy = prop_oneof![
            12 => strategy,
            1 => (name(), which).prop_map(|(name, which)| Command::Query(Query::DomainContacts { name, which })),
            1 => Just(Command::Query(Query::HitPoints)),
        ];
        let (mut accepted, mut refused) = (Vec::new(), 0_usize);
        for _ in 0..CASES / tongues.len() {
            let command = strategy.new_tree(&mut runner).expect("a command").current();
            let mut out = Vec::new();
            match epp::encode(&command, None, &named, &mut out) {
                Ok(()) => accepted.push(out),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 5 && (agreed.is_empty() || accepted.len() > 40), "{agreed:?}: {} accepted, {refused} refused", accepted.len());
        let said = complaints(&entry, &accepted);
        assert!(said.is_empty(), "{agreed:?}: {said}");
        if keys == CONTACT_EXT {
            let said = complaints(&eurid, &accepted);
            assert!(said.is_empty(), "the registry's own schema: {agreed:?}: {said}");
        }
    }
}

#[test]
fn every_golden_frame_with_an_extension_validates() {
    let published = match schema() {
        Ok(schema) => schema,
        Err(why) => return println!("skipped: {why}"),
    };
    let dir = tempfile::tempdir().expect("a directory");
    let frames = |prefix: &str| {
        let all = super::super::wire::golden("request").into_iter().filter(|(name, _)| name.starts_with(prefix));
        all.map(|(_, frame)| frame).collect::<Vec<_>>()
    };
    let (all, eurid) = (frames("extension/"), frames("extension/eu-"));
    assert!(all.len() > eurid.len() && eurid.len() >= 3);
    let said = complaints(&with_vendor(&published, dir.path()), &all);
    assert!(said.is_empty(), "{said}");
    let said = complaints(&published.with_file_name("all-eurid.xsd"), &eurid);
    assert!(said.is_empty(), "the registry's own schema: {said}");
}
