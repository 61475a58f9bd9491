//! One full change of a contact, as Privet's command and written by hand in two other ways.

use crate::measure::Outcome;
use privet::base::{ClTrid, Handle, Personal, Secret};
use privet::model::{
    Address, AuthInfo, Command, ContactChange, ContactUpdate, Disclose, Phone, PostalForm, PostalInfo, Status, StatusValue, Transform,
};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::hint::black_box;

const ID: &str = "HEDGE-4711";
const NAME: &str = "Ottilie Ligustrum";
const ORG: &str = "Heckenbau Ligustrum & Soehne";
const STREETS: [&str; 2] = ["Buchsbaumallee 17", "Hinterhaus, 2. Stock"];
const CITY: &str = "Gartenstadt";
const SP: &str = "Brandenburg";
const PC: &str = "01234";
const CC: &str = "DE";
const VOICE: (&str, &str) = ("+49.555012345", "17");
const FAX: &str = "+49.555012346";
const EMAIL: &str = "ottilie@ligustrum.example";
const PASSWORD: &str = "2fooBAR.and-more";
const TRID: &str = "privet-bench-000017";
const ADD: &str = "clientDeleteProhibited";
const REM: &str = "clientTransferProhibited";

/// The change as Privet's users have it.
pub fn command() -> (Command, ClTrid) {
    let some = |text: &str| Some(Personal::from(text));
    let addr =
        Address { street: STREETS.map(Personal::from).to_vec(), city: Personal::from(CITY), sp: some(SP), pc: some(PC), cc: CC.into() };
    let change = ContactChange {
        postal: vec![PostalInfo { form: PostalForm::Int, name: some(NAME), org: some(ORG), addr: Some(addr) }],
        voice: Some(Phone { number: VOICE.0.into(), ext: some(VOICE.1) }),
        fax: Some(Phone { number: FAX.into(), ext: None }),
        email: some(EMAIL),
        auth: Some(AuthInfo::Password { pw: Secret::new(PASSWORD), roid: None }),
        disclose: Some(Disclose { flag: false, voice: true, email: true, ..Disclose::default() }),
        ..ContactChange::default()
    };
    let update = ContactUpdate {
        id: Handle::from(ID),
        add: vec![Status::from(StatusValue::read(ADD))],
        rem: vec![StatusValue::read(REM)],
        chg: Some(change),
    };
    (Command::Transform(Box::new(Transform::ContactUpdate(update))), ClTrid::from(TRID))
}

/// The plainest way: constants appended, values escaped.
pub fn append(out: &mut Vec<u8>) {
    macro_rules! put {
        ($($piece:expr),+) => { out.extend_from_slice(concat!($($piece),+).as_bytes()) };
    }
    macro_rules! leaf {
        ($name:literal, $value:expr) => {
            put!("<contact:", $name, ">");
            escape(black_box($value), out);
            put!("</contact:", $name, ">");
        };
    }
    out.clear();
    put!(r#"<?xml version="1.0" encoding="UTF-8" standalone="no"?><epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><command><update>"#);
    put!(r#"<contact:update xmlns:contact="urn:ietf:params:xml:ns:contact-1.0">"#);
    leaf!("id", ID);
    put!(r#"<contact:add><contact:status s=""#);
    escape(black_box(ADD), out);
    put!(r#""/></contact:add><contact:rem><contact:status s=""#);
    escape(black_box(REM), out);
    put!(r#""/></contact:rem><contact:chg><contact:postalInfo type="int">"#);
    leaf!("name", NAME);
    leaf!("org", ORG);
    put!("<contact:addr>");
    for street in STREETS {
        leaf!("street", street);
    }
    leaf!("city", CITY);
    leaf!("sp", SP);
    leaf!("pc", PC);
    leaf!("cc", CC);
    put!(r#"</contact:addr></contact:postalInfo><contact:voice x=""#);
    escape(black_box(VOICE.1), out);
    put!(r#"">"#);
    escape(black_box(VOICE.0), out);
    put!("</contact:voice>");
    leaf!("fax", FAX);
    leaf!("email", EMAIL);
    put!("<contact:authInfo>");
    leaf!("pw", PASSWORD);
    put!(r#"</contact:authInfo><contact:disclose flag="0"><contact:voice/><contact:email/></contact:disclose>"#);
    put!("</contact:chg></contact:update></update><clTRID>");
    escape(black_box(TRID), out);
    put!("</clTRID></command></epp>");
}

/// Appends `text` with markup escaped.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'&' | b'<' | b'>' | b'"')) {
        let (plain, behind) = rest.split_at(at);
        out.extend_from_slice(plain);
        out.extend_from_slice(match behind[0] {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            _ => b"&quot;",
        });
        rest = &behind[1..];
    }
    out.extend_from_slice(rest);
}

/// quick-xml's way: its Writer over the same buffer, its escaping.
pub fn write(out: &mut Vec<u8>) -> Outcome<()> {
    out.clear();
    let mut writer = Writer::new(out);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), Some("no"))))?;
    let w = &mut writer;
    open(w, "epp", &[("xmlns", "urn:ietf:params:xml:ns:epp-1.0")])?;
    open(w, "command", &[])?;
    open(w, "update", &[])?;
    open(w, "contact:update", &[("xmlns:contact", "urn:ietf:params:xml:ns:contact-1.0")])?;
    leaf(w, "contact:id", &[], ID)?;
    open(w, "contact:add", &[])?;
    empty(w, "contact:status", &[("s", ADD)])?;
    close(w, "contact:add")?;
    open(w, "contact:rem", &[])?;
    empty(w, "contact:status", &[("s", REM)])?;
    close(w, "contact:rem")?;
    open(w, "contact:chg", &[])?;
    open(w, "contact:postalInfo", &[("type", "int")])?;
    leaf(w, "contact:name", &[], NAME)?;
    leaf(w, "contact:org", &[], ORG)?;
    open(w, "contact:addr", &[])?;
    for street in STREETS {
        leaf(w, "contact:street", &[], street)?;
    }
    leaf(w, "contact:city", &[], CITY)?;
    leaf(w, "contact:sp", &[], SP)?;
    leaf(w, "contact:pc", &[], PC)?;
    leaf(w, "contact:cc", &[], CC)?;
    close(w, "contact:addr")?;
    close(w, "contact:postalInfo")?;
    leaf(w, "contact:voice", &[("x", VOICE.1)], VOICE.0)?;
    leaf(w, "contact:fax", &[], FAX)?;
    leaf(w, "contact:email", &[], EMAIL)?;
    open(w, "contact:authInfo", &[])?;
    leaf(w, "contact:pw", &[], PASSWORD)?;
    close(w, "contact:authInfo")?;
    open(w, "contact:disclose", &[("flag", "0")])?;
    empty(w, "contact:voice", &[])?;
    empty(w, "contact:email", &[])?;
    close(w, "contact:disclose")?;
    close(w, "contact:chg")?;
    close(w, "contact:update")?;
    close(w, "update")?;
    leaf(w, "clTRID", &[], TRID)?;
    close(w, "command")?;
    close(w, "epp")
}

type Sink<'o> = Writer<&'o mut Vec<u8>>;
type Attributes<'a> = &'a [(&'a str, &'a str)];

fn tag<'a>(name: &'a str, attributes: Attributes<'a>) -> BytesStart<'a> {
    let start = BytesStart::new(name);
    if attributes.is_empty() { start } else { start.with_attributes(attributes.iter().map(|&(key, value)| (key, black_box(value)))) }
}

fn open(w: &mut Sink<'_>, name: &str, attributes: Attributes<'_>) -> Outcome<()> {
    Ok(w.write_event(Event::Start(tag(name, attributes)))?)
}

fn empty(w: &mut Sink<'_>, name: &str, attributes: Attributes<'_>) -> Outcome<()> {
    Ok(w.write_event(Event::Empty(tag(name, attributes)))?)
}

fn close(w: &mut Sink<'_>, name: &str) -> Outcome<()> {
    Ok(w.write_event(Event::End(BytesEnd::new(name)))?)
}

fn leaf(w: &mut Sink<'_>, name: &str, attributes: Attributes<'_>, text: &str) -> Outcome<()> {
    open(w, name, attributes)?;
    w.write_event(Event::Text(BytesText::new(black_box(text))))?;
    close(w, name)
}
