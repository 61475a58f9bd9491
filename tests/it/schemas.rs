//! Every command that `encode` accepts validates against the published schemas, whatever its fields hold.
//!
//! The schemas are no part of this project: their folder is `PRIVET_XSD`, or `../shared/xsd` beside the package. Without them, or without
//! xmllint, the tests say so and pass.
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use privet::base::{ClTrid, DomainName, Handle, HostName, Personal, Secret};
use privet::model::*;
use privet::protocol::epp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

mod extensions;

/// The schema of every command, and xmllint; or why there is none.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment where the schemas are")]
fn schema() -> Result<PathBuf, String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/xsd");
    let schema = std::env::var("PRIVET_XSD").map_or(beside, PathBuf::from).join("all-ietf.xsd");
    if !schema.is_file() {
        return Err(format!("{} is not there (set PRIVET_XSD)", schema.display()));
    }
    match Process::new("xmllint").arg("--version").output() {
        Ok(_) => Ok(schema),
        Err(e) => Err(format!("xmllint cannot be run: {e} (package libxml2-utils)")),
    }
}

/// Runs xmllint once over all of `documents`, and tells what it says against them.
pub(crate) fn complaints(schema: &Path, documents: &[Vec<u8>]) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut paths = Vec::new();
    for (n, document) in documents.iter().enumerate() {
        let path = dir.path().join(format!("{n}.xml"));
        let mut file = std::fs::File::options().write(true).create_new(true).open(&path).expect("a new file");
        file.write_all(document).expect("a document written");
        paths.push(path);
    }
    let told = Process::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).args(&paths).output().expect("xmllint");
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    let fine = said.lines().filter(|line| line.ends_with(" validates")).count();
    if fine == documents.len() && told.status.success() {
        return String::new();
    }
    said.lines().filter(|line| !line.ends_with(" validates")).collect::<Vec<_>>().join("\n")
}

/// Text that nobody should send.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "[ \\t\\r\\n]{0,5}",
        "[ab \\t\\n]{1,20}",
        "[<>&\"'\\]]{1,8}",
        "[a-z]{250,260}",
        "é{250,260}",
        "[\u{0}-\u{20}a]{1,5}",
        "[\u{7f}-\u{a0}]{1,5}",
        "[\u{fff0}-\u{ffff}]{1,4}",
        "[\u{10000}-\u{10ffff}]{1,20}",
        "[+.0-9-]{1,20}",
        "[a-zA-Z0-9:/.%#?@\\[\\]{}-]{1,20}",
        Just("]]>".to_owned()),
    ]
}

/// Mostly `usual`, at times something nasty.
fn text(usual: &'static str) -> BoxedStrategy<String> {
    let usual = proptest::string::string_regex(usual).expect("a pattern");
    prop_oneof![30 => usual, 1 => nasty()].boxed()
}

fn personal(usual: &'static str) -> impl Strategy<Value = Personal> {
    text(usual).prop_map(Personal::new)
}

fn boxed(usual: &'static str) -> impl Strategy<Value = Box<str>> {
    text(usual).prop_map(Into::into)
}

fn handle() -> impl Strategy<Value = Handle> {
    text("[A-Za-z0-9é&-]{3,16}").prop_map(Handle::new)
}

fn name() -> impl Strategy<Value = DomainName> {
    text("[a-z0-9]{1,20}\\.(example|[é]{2,9})").prop_map(DomainName::new)
}

fn host() -> impl Strategy<Value = HostName> {
    text("ns[0-9]\\.[a-z0-9]{1,20}\\.example").prop_map(HostName::new)
}

fn auth() -> impl Strategy<Value = AuthInfo> {
    let password = (text("[ -~é]{0,20}"), option::weighted(0.2, boxed("[A-Z0-9_]{1,80}-[A-Z]{1,8}")));
    prop_oneof![
        18 => password.prop_map(|(pw, roid)| AuthInfo::Password { pw: Secret::new(pw), roid }),
        1 => Just(AuthInfo::Null),
        1 => Just(AuthInfo::Extended),
    ]
}

fn status_value() -> impl Strategy<Value = StatusValue> {
    prop_oneof![20 => proptest::sample::select(StatusValue::KNOWN), 1 => nasty().prop_map(|s| StatusValue::read(&s))]
}

fn client_status() -> impl Strategy<Value = StatusValue> {
    prop_oneof![8 => Just(StatusValue::CLIENT_UPDATE_PROHIBITED), 1 => status_value()]
}

fn status() -> impl Strategy<Value = Status> {
    (client_status(), option::weighted(0.3, boxed("[a-z]{2,3}(-[A-Z]{2})?")), option::weighted(0.3, boxed("\\PC{0,40}")))
        .prop_map(|(value, lang, text)| Status { value, lang, text })
}

fn phone() -> impl Strategy<Value = Phone> {
    (personal("(\\+[0-9]{1,3}\\.[0-9]{1,12})?"), option::weighted(0.3, personal("[0-9]{0,5}")))
        .prop_map(|(number, ext)| Phone { number, ext })
}

fn address() -> impl Strategy<Value = Address> {
    (
        vec(personal("\\PC{0,40}"), 0..=3),
        personal("[A-Za-zé ]{1,40}"),
        option::of(personal("\\PC{0,20}")),
        option::of(personal("[A-Z0-9 ]{0,16}")),
        boxed("[A-Z]{2}"),
    )
        .prop_map(|(street, city, sp, pc, cc)| Address { street, city, sp, pc, cc })
}

fn forms(whole: f64) -> impl Strategy<Value = Vec<PostalInfo>> {
    let form = move |form| {
        (option::weighted(whole, personal("[A-Za-z& é]{1,60}")), option::of(personal("\\PC{0,60}")), option::weighted(whole, address()))
            .prop_map(move |(name, org, addr)| PostalInfo { form, name, org, addr })
    };
    prop_oneof![
        4 => form(PostalForm::Int).prop_map(|i| vec![i]),
        2 => form(PostalForm::Loc).prop_map(|l| vec![l]),
        4 => (form(PostalForm::Int), form(PostalForm::Loc)).prop_map(|(i, l)| vec![i, l]),
        1 => vec(form(PostalForm::Int), 0..4),
    ]
}

fn disclose() -> impl Strategy<Value = Disclose> {
    any::<[bool; 10]>().prop_map(|[flag, a, b, c, d, e, f, voice, fax, email]| Disclose {
        flag,
        name: DiscloseForms { int: a, loc: b },
        org: DiscloseForms { int: c, loc: d },
        addr: DiscloseForms { int: e, loc: f },
        voice,
        fax,
        email,
    })
}

fn contact() -> impl Strategy<Value = Contact> {
    (
        handle(),
        forms(0.99),
        option::of(phone()),
        option::of(phone()),
        option::weighted(0.97, personal("[a-z]{1,9}@[a-zé]{1,9}\\.example")),
        option::weighted(0.97, auth()),
        option::of(disclose()),
    )
        .prop_map(|(id, postal, voice, fax, email, auth, disclose)| Contact {
            postal,
            voice,
            fax,
            email,
            auth,
            disclose,
            ..Contact::bare(id)
        })
}

fn contact_update() -> impl Strategy<Value = ContactUpdate> {
    let change = (
        forms(0.5),
        option::of(phone()),
        option::of(phone()),
        option::of(personal("[a-z]{1,9}@x\\.example")),
        option::of(auth()),
        option::of(disclose()),
    )
        .prop_map(|(postal, voice, fax, email, auth, disclose)| ContactChange {
            postal,
            voice,
            fax,
            email,
            auth,
            disclose,
            ..ContactChange::default()
        });
    (handle(), vec(status(), 0..4), vec(client_status(), 0..9), option::weighted(0.8, change))
        .prop_map(|(id, add, rem, chg)| ContactUpdate { id, add, rem, chg })
}

fn name_servers() -> impl Strategy<Value = NameServers> {
    let address = prop_oneof![
        text("192\\.0\\.2\\.[0-9]{1,3}").prop_map(|text| Ip { version: IpVersion::V4, text: text.into() }),
        text("2001:db8::[0-9a-f]{1,4}").prop_map(|text| Ip { version: IpVersion::V6, text: text.into() }),
    ];
    prop_oneof![
        vec(host(), 0..4).prop_map(NameServers::Objects),
        vec((host(), vec(address, 0..3)).prop_map(|(name, addrs)| HostAttr { name, addrs }), 0..3).prop_map(NameServers::Attributes),
    ]
}

fn contacts() -> impl Strategy<Value = Vec<ContactRef>> {
    let known = (proptest::sample::select(&Role::ALL[..]), handle()).prop_map(|(role, handle)| ContactRef::new(role, handle));
    let other = (boxed("(onsite)?"), handle()).prop_map(|(kind, handle)| ContactRef { role: None, kind, handle });
    vec(prop_oneof![20 => known, 1 => other], 0..4)
}

fn key_data() -> impl Strategy<Value = KeyData> {
    (any::<u16>(), any::<u8>(), any::<u8>(), boxed("([A-Za-z0-9+/]{4}){1,9}([A-Za-z0-9][AQgw]==|[A-Z][a-z][AEIMQ]=)?"))
        .prop_map(|(flags, protocol, alg, public_key)| KeyData { flags, protocol, alg, public_key })
}

fn ds_data() -> impl Strategy<Value = DsData> {
    (any::<u16>(), any::<u8>(), any::<u8>(), boxed("([0-9A-Fa-f]{2}){1,32}"), option::of(key_data()))
        .prop_map(|(key_tag, alg, digest_type, digest, key)| DsData { key_tag, alg, digest_type, digest, key })
}

fn ds_change() -> impl Strategy<Value = DsChange> {
    let few = |n| {
        (vec(ds_data(), 0..n), vec(key_data(), 0..n))
            .prop_flat_map(|(ds, keys)| prop_oneof![Just((ds.clone(), vec![])), Just((vec![], keys.clone())), Just((ds, keys))])
    };
    let life = prop_oneof![9 => 1..9_999_999_u32, 1 => any::<u32>()];
    (any::<bool>(), proptest::bool::weighted(0.2), few(3), few(3), option::weighted(0.3, life)).prop_map(
        |(urgent, remove_all, (rem_ds, rem_keys), (add_ds, add_keys), max_sig_life)| DsChange {
            urgent,
            remove_all,
            rem_ds,
            rem_keys,
            add_ds,
            add_keys,
            max_sig_life,
        },
    )
}

fn period() -> impl Strategy<Value = Period> {
    (prop_oneof![9 => 1..=99_u8, 1 => any::<u8>()], prop_oneof![Just(PeriodUnit::Years), Just(PeriodUnit::Months)])
        .prop_map(|(count, unit)| Period { count, unit })
}

fn domain_create() -> impl Strategy<Value = DomainCreate> {
    let ds = prop_oneof![
        4 => Just(DsChange::default()),
        3 => vec(ds_data(), 1..3).prop_map(|add_ds| DsChange { add_ds, ..DsChange::default() }),
        1 => ds_change(),
    ];
    (name(), option::of(period()), name_servers(), option::of(handle()), contacts(), auth(), ds)
        .prop_map(|(name, period, ns, registrant, contacts, auth, ds)| DomainCreate { name, period, ns, registrant, contacts, auth, ds })
}

fn domain_update() -> impl Strategy<Value = DomainUpdate> {
    let change =
        || (name_servers(), contacts(), vec(status(), 0..3)).prop_map(|(ns, contacts, statuses)| DomainChange { ns, contacts, statuses });
    let registrant = option::of(text("[A-Z0-9]{0,16}").prop_map(Handle::new));
    let ds = prop_oneof![2 => Just(DsChange::default()), 1 => ds_change()];
    (name(), change(), change(), registrant, option::of(auth()), ds, any::<bool>())
        .prop_map(|(name, add, rem, registrant, auth, ds, restore)| DomainUpdate { name, add, rem, registrant, auth, ds, restore })
}

fn login() -> impl Strategy<Value = Login> {
    let uri = || {
        boxed("(urn:ietf:params:xml:ns:[a-zA-Z:]{1,20}-1\\.[0-9]|https?://[a-z.]{1,20}(:[0-9]{1,4})?/[a-zA-Z0-9/._~!$&'()*+,;=:@-]{0,20})")
    };
    let security =
        (boxed("\\PC{0,20}"), boxed("\\PC{0,20}"), boxed("\\PC{0,20}")).prop_map(|(app, tech, os)| LoginSecurity { app, tech, os });
    let password = || text("[!-~é]{6,16}").prop_map(Secret::new);
    let secured = (option::of(security), text("[!-~]{17,60}")).prop_map(|(s, long)| (s.clone(), s.map(|_| Secret::new(long))));
    (
        boxed("[A-Za-z0-9-]{3,16}"),
        password(),
        option::of(password()),
        boxed("1\\.0"),
        boxed("[a-z]{2,3}(-[A-Za-z0-9]{2,8})?"),
        vec(uri(), 1..5),
        vec(uri(), 0..4),
        secured,
    )
        .prop_map(|(client, password, new_password, version, lang, objects, extensions, (security, long))| Login {
            client,
            password: long.unwrap_or(password),
            new_password,
            version,
            lang,
            objects,
            extensions,
            security,
        })
}

fn command() -> impl Strategy<Value = Command> {
    let hosts = proptest::sample::select(&[HostsFilter::All, HostsFilter::Delegated, HostsFilter::Subordinate, HostsFilter::None][..]);
    let query = prop_oneof![
        vec(handle(), 0..6).prop_map(Query::ContactCheck),
        (handle(), option::of(auth())).prop_map(|(id, auth)| Query::ContactInfo { id, auth }),
        (handle(), option::of(auth())).prop_map(|(id, auth)| Query::ContactTransfer { id, auth }),
        vec(name(), 0..6).prop_map(Query::DomainCheck),
        (name(), hosts, option::of(auth())).prop_map(|(name, hosts, auth)| Query::DomainInfo { name, hosts, auth }),
        (name(), option::of(auth())).prop_map(|(name, auth)| Query::DomainTransfer { name, auth }),
        host().prop_map(Query::HostInfo),
    ];
    let transform = prop_oneof![
        4 => contact().prop_map(Transform::ContactCreate),
        6 => contact_update().prop_map(Transform::ContactUpdate),
        1 => handle().prop_map(Transform::ContactDelete),
        4 => domain_create().prop_map(Transform::DomainCreate),
        6 => domain_update().prop_map(Transform::DomainUpdate),
        1 => name().prop_map(Transform::DomainDelete),
        1 => (name(), boxed("20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]"), option::of(period()))
            .prop_map(|(name, current_expiry, period)| Transform::DomainRenew { name, current_expiry, period }),
        1 => (name(), option::of(period()), auth()).prop_map(|(name, period, auth)| Transform::DomainTransferRequest { name, period, auth, trade: None }),
    ];
    prop_oneof![
        1 => Just(Command::Hello),
        4 => login().prop_map(|l| Command::Login(Box::new(l))),
        1 => Just(Command::Logout),
        1 => Just(Command::PollRequest),
        2 => boxed("[0-9]{1,20}").prop_map(|id| Command::PollAck { id }),
        8 => query.prop_map(Command::Query),
        18 => transform.prop_map(|t| Command::Transform(Box::new(t))),
    ]
}

#[test]
fn every_accepted_command_validates() {
    const CASES: usize = 3_000;
    const BATCH: usize = 400;
    let schema = match schema() {
        Ok(schema) => schema,
        Err(why) => return println!("skipped: {why}"),
    };
    let mut runner = TestRunner::deterministic();
    let strategy = (command(), option::of(text("[A-Za-z0-9-]{3,64}").prop_map(ClTrid::new)));
    let (mut batch, mut accepted, mut refused) = (Vec::new(), 0_usize, 0_usize);
    for n in 0..CASES {
        let (command, id) = strategy.new_tree(&mut runner).expect("a command").current();
        let mut out = b"before".to_vec();
        match epp::encode(&command, id.as_ref(), &[], &mut out) {
            Ok(()) => {
                accepted += 1;
                batch.push(out.split_off(6));
            }
            Err(why) => {
                refused += 1;
                assert_eq!(out, b"before", "a refused command leaves nothing behind");
                assert!(!why.field.is_empty() && !why.why.is_empty());
            }
        }
        if batch.len() == BATCH || (n + 1 == CASES && !batch.is_empty()) {
            let said = complaints(&schema, &batch);
            assert!(said.is_empty(), "{said}");
            batch.clear();
        }
    }
    println!("{accepted} commands accepted and valid, {refused} refused");
    assert!(accepted > CASES / 3 && refused > CASES / 20, "{accepted} accepted, {refused} refused: the generator is lopsided");
}

#[test]
fn every_golden_frame_of_a_command_validates() {
    let schema = match schema() {
        Ok(schema) => schema,
        Err(why) => return println!("skipped: {why}"),
    };
    // Those of registries' own are held to other schemas.
    let frames = super::wire::golden("request").into_iter().filter(|(name, _)| !name.starts_with("extension/"));
    let frames: Vec<_> = frames.map(|(_, frame)| frame).collect();
    assert!(frames.len() >= 20);
    let said = complaints(&schema, &frames);
    assert!(said.is_empty(), "{said}");
}

#[test]
fn xmllint_would_tell() {
    let Ok(schema) = schema() else { return println!("skipped: see above") };
    let broken = br#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><command><poll op="peek"/></command></epp>"#;
    assert!(complaints(&schema, &[broken.to_vec()]).contains("peek"));
}
