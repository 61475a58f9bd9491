//! What a fault does to an answer: other bytes, other times, or an end of the line.

use super::core::Answer;
use super::decode::Refusal;
use super::encode::{self, Head};
use super::faults::Fault;
use super::knobs::FaultSpec;
use std::time::Duration;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With TLS's farewell.
    Notify,
    /// Without it.
    Abrupt,
    /// With a TCP reset.
    Reset,
    /// Our side alone: what arrives is still read.
    Half,
}

/// A step of a delivery, behind the one before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sends bytes.
    Bytes(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Ends the connection.
    End(End),
}

/// What becomes of one answer.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// What is sent.
    pub(super) steps: Vec<Step>,
    /// A frame to send behind the next answer's.
    pub(super) held: Option<Vec<u8>>,
    /// Whether the registry forgets the login.
    pub(super) forgets_login: bool,
}

/// Between parts of a frame that are to arrive apart.
const GAP: Duration = Duration::from_millis(3);
/// How long an answer waits for company.
const COMPANY: Duration = Duration::from_millis(25);

/// `payload` behind a length that counts `counted` bytes of its own: four in EPP (RFC 5734 §4).
fn headed(payload: &[u8], counted: usize) -> Vec<u8> {
    with_length(payload, u32::try_from(payload.len() + counted).unwrap_or(u32::MAX))
}

fn with_length(payload: &[u8], length: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 4);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// What `spec` makes of `payload`, the honest answer, behind a length that counts `counted` bytes of its own; `previous` is the
/// identifier of the command before.
pub(super) fn damage(spec: &FaultSpec, answer: &Answer, payload: &[u8], previous: Option<&str>, counted: usize) -> Delivery {
    let framed = |payload: &[u8]| headed(payload, counted);
    let text = std::str::from_utf8(payload).unwrap_or_default();
    let steps = match spec.fault {
        Fault::NoGreeting => Vec::new(),
        Fault::GreetingCut | Fault::CutFrame => {
            let frame = framed(payload);
            vec![Step::Bytes(frame.get(..frame.len() / 2).unwrap_or_default().to_vec()), Step::End(End::Notify)]
        }
        Fault::CloseAfterTls | Fault::CloseAfterLogin | Fault::Cut => vec![Step::End(End::Notify)],
        Fault::NoCloseNotify => vec![Step::End(End::Abrupt)],
        Fault::Reset => vec![Step::End(End::Reset)],
        Fault::HalfClose => vec![Step::End(End::Half)],
        Fault::Split13 => split(&framed(payload), 1),
        Fault::Split22 => split(&framed(payload), 2),
        Fault::ByteByByte => dripped(&framed(payload), Duration::ZERO),
        Fault::SlowLoris => dripped(&framed(payload), spec.delay.unwrap_or(Duration::from_secs(10))),
        Fault::Together => vec![Step::Pause(COMPANY), Step::Bytes(framed(payload))],
        Fault::Late => vec![Step::Pause(spec.delay.unwrap_or(Duration::from_mins(1))), Step::Bytes(framed(payload))],
        Fault::Tarpit => vec![Step::Pause(spec.delay.unwrap_or(Duration::from_secs(2))), Step::Bytes(framed(payload))],
        Fault::Ownerless => {
            let ghost = with_trid(text, Some("NOBODY-ASKED"));
            vec![Step::Bytes([framed(payload), framed(ghost.as_bytes())].concat())]
        }
        Fault::Twice => vec![Step::Bytes([framed(payload), framed(payload)].concat())],
        Fault::Swapped => return Delivery { held: Some(framed(payload)), ..Delivery::default() },
        Fault::Length0 => vec![Step::Bytes(with_length(payload, 0))],
        Fault::Length1 => vec![Step::Bytes(with_length(payload, 1))],
        Fault::Length4 => vec![Step::Bytes(with_length(payload, 4))],
        Fault::LengthGiga => vec![Step::Bytes(with_length(payload, 1 << 30))],
        Fault::LengthMost => vec![Step::Bytes(with_length(payload, u32::MAX))],
        Fault::LengthShort => vec![Step::Bytes(with_length(payload, u32::try_from(payload.len()).unwrap_or(u32::MAX)))],
        Fault::Code1501 | Fault::Code2503 | Fault::Code2500 | Fault::Code2501 | Fault::Code2502 => {
            vec![Step::Bytes(framed(&altered(spec.fault, answer, text, previous))), Step::End(End::Notify)]
        }
        fault => vec![Step::Bytes(framed(&altered(fault, answer, text, previous)))],
    };
    Delivery { steps, held: None, forgets_login: matches!(spec.fault, Fault::NotLoggedIn | Fault::TimedOut) }
}

fn split(frame: &[u8], at: usize) -> Vec<Step> {
    let (head, rest) = frame.split_at_checked(at).unwrap_or((frame, &[]));
    let (middle, rest) = rest.split_at_checked(4_usize.saturating_sub(at)).unwrap_or((rest, &[]));
    [head, middle, rest].into_iter().flat_map(|part| [Step::Bytes(part.to_vec()), Step::Pause(GAP)]).collect()
}

fn dripped(frame: &[u8], gap: Duration) -> Vec<Step> {
    frame.iter().flat_map(|byte| [Step::Bytes(vec![*byte]), Step::Pause(gap)]).collect()
}

/// The payload of a fault that changes nothing but the document. The text is our own encoder's, so its shape is known.
fn altered(fault: Fault, answer: &Answer, text: &str, previous: Option<&str>) -> Vec<u8> {
    let body = text.find("<epp").and_then(|at| text.get(at..)).unwrap_or(text);
    let result = |code: u16, reason: &str| coded(code, reason, answer, text);
    let changed = match fault {
        Fault::GreetingBare => without(text, "<svcMenu>", "</svcMenu>").replace(
            "<dcp>",
            "<svcMenu><version>1.0</version><lang>en</lang><objURI>urn:example:nothing-1.0</objURI></svcMenu><dcp>",
        ),
        Fault::GreetingVersions => text.replace("<version>1.0</version>", "<version>0.9</version><version>1.0</version>"),
        Fault::GreetingClock => earlier(text),
        Fault::ForeignTrid => with_trid(text, Some("SOMEBODY-ELSE-1")),
        Fault::PreviousTrid => with_trid(text, previous.or(Some("NO-PREVIOUS-1"))),
        Fault::NoTrid => with_trid(text, None),
        Fault::InvalidUtf8 => return within_message(text, b"\xC3\x28"),
        Fault::Latin1 => return within_message(&text.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\""), b"\xE9"),
        Fault::Utf16 => {
            let text = text.replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"");
            return "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        }
        Fault::Bom => format!("\u{FEFF}{text}"),
        Fault::Blank => format!("{body}\r\n\r\n"),
        Fault::Crlf => text.replace("><", ">\r\n<"),
        Fault::Comments => {
            let inside = text.replace("<result ", "<!-- a comment --><?pi with data?><result ");
            format!("{inside}<!-- behind the root --><?pi?>")
        }
        Fault::Prefixes => prefixed(text),
        Fault::DefaultNs => unprefixed(text),
        Fault::AttributeOrder => text.replace(
            "<epp xmlns=",
            "<epp xsi:schemaLocation=\"urn:ietf:params:xml:ns:epp-1.0 epp-1.0.xsd\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=",
        ),
        Fault::WrongNs => {
            text.replace("ns:contact-1.0\"", "ns:contact-9.9\"").replace("ns:domain-1.0\"", "ns:domain-9.9\"").replace("ns:host-1.0\"", "ns:host-9.9\"")
        }
        Fault::Missing => {
            let text = without(text, "<contact:id>", "</contact:id>");
            let text = without(&without(&text, "<domain:name>", "</domain:name>"), "<host:name>", "</host:name>");
            let text = without(&text, "<contact:handle>", "</contact:handle>");
            without(&without(&text, "<domain:handle>", "</domain:handle>"), "<domain:ace>", "</domain:ace>")
        }
        Fault::Doctype => format!("<!DOCTYPE epp>{body}"),
        Fault::EntityBomb => {
            let levels: Vec<String> = (1..12).map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10))).collect();
            let text = within_message(body, b"&e11;");
            format!("<!DOCTYPE epp [<!ENTITY e0 \"ha\">{}]>{}", levels.concat(), String::from_utf8_lossy(&text))
        }
        Fault::ExternalEntity => {
            let text = within_message(body, b"&x;");
            format!("<!DOCTYPE epp [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>{}", String::from_utf8_lossy(&text))
        }
        Fault::ManyAttributes => body.replacen("<response", &format!("<response{}", numbered(40_000, |n| format!(" a{n}=\"\""))), 1),
        Fault::ManyNamespaces => {
            body.replacen("<response", &format!("<response{}", numbered(20_000, |n| format!(" xmlns:n{n}=\"urn:n:{n}\""))), 1)
        }
        Fault::Deep => body.replacen("<trID>", &format!("{}{}<trID>", "<d>".repeat(100_000), "</d>".repeat(100_000)), 1),
        Fault::CutDocument => body.strip_suffix("</response></epp>").unwrap_or(body).to_owned(),
        Fault::TwoRoots => format!("{text}{body}"),
        Fault::Nul => return within_message(text, b"\0"),
        Fault::UndeclaredPrefix => body.replacen("<trID>", "<extension><nobody:knows>this</nobody:knows></extension><trID>", 1),
        Fault::Large => large(body),
        Fault::HostileText => {
            let bytes = within_message(text, "=cmd|' /C calc'!A0 \u{202E}&lt;script&gt;alert(1)&lt;/script&gt; ".as_bytes());
            // XML 1.0 cannot carry ESC and BEL: the bytes of servers that do not know that.
            return within_message(&String::from_utf8_lossy(&bytes), b"\x1B[31m\x07");
        }
        Fault::Several => {
            let more = "<result code=\"2303\"><msg>Object does not exist</msg></result><result code=\"2306\"><msg>Parameter value policy error</msg></result>";
            text.replacen("</result>", &format!("</result>{more}"), 1)
        }
        Fault::UnknownExtension if is_rri(text) => {
            text.replace("</contact:infoData>", "<contact:sip>sip:nobody@example.org</contact:sip></contact:infoData>")
        }
        Fault::StrangeType => text.replace("<contact:type>PERSON<", "<contact:type>ROBOT<").replace("<contact:type>ORG<", "<contact:type>ROBOT<"),
        Fault::UnknownExtension => body.replacen(
            "<trID>",
            "<extension><fee:chkData xmlns:fee=\"urn:example:nobody-knows-1.0\"><fee:amount unit=\"x\">5.00</fee:amount></fee:chkData></extension><trID>",
            1,
        ),
        Fault::OtherObject => {
            let text = instead(text, "<contact:id>", "</contact:id>", "OTHER-1");
            let text = instead(&text, "<domain:name>", "</domain:name>", "other.example");
            let text = instead(&text, "<contact:handle>", "</contact:handle>", "DENIC-1-OTHER");
            let text = instead(&text, "<domain:ace>", "</domain:ace>", "other.de");
            instead(&text, "<host:name>", "</host:name>", "ns.other.example")
        }
        Fault::Code1100 => text.replacen("code=\"1000\"", "code=\"1100\"", 1),
        Fault::Code1501 => text.replacen("code=\"1000\"", "code=\"1501\"", 1),
        Fault::Code2503 => return result(2503, "maintenance begins"),
        Fault::Code2104 => return result(2104, "no credit"),
        Fault::Code2200 => return result(2200, "wrong password"),
        Fault::Code2400 => return result(2400, "try again"),
        Fault::Code2500 => return result(2500, "try again later"),
        Fault::Code2501 => return result(2501, "wrong password"),
        Fault::Code2502 | Fault::Keep2502 => return result(2502, "too many sessions"),
        Fault::NotLoggedIn => return result(2002, "registrar is not logged in"),
        Fault::TimedOut => return result(2201, "session timeout"),
        _ => text.to_owned(),
    };
    changed.into_bytes()
}

/// An answer of that code under the honest answer's identifiers.
fn coded(code: u16, reason: &str, answer: &Answer, text: &str) -> Vec<u8> {
    if is_rri(text) {
        return rri_coded(code, reason, text);
    }
    let mut out = Vec::new();
    let refusal = Refusal::new(code, reason);
    let sv_trid = between(text, "<svTRID>", "</svTRID>").unwrap_or_default();
    let head = Head { code, refusal: Some(&refusal), queue: None, cl_trid: answer.cl_trid.as_deref(), sv_trid };
    encode::response(&mut out, &head, None, None);
    out
}

/// Whether an answer is one of RRI in its XML form.
fn is_rri(text: &str) -> bool {
    text.contains("<registry-response ")
}

/// A failure in RRI that says what a code of EPP says, or one that nobody has heard of.
fn rri_coded(code: u16, reason: &str, text: &str) -> Vec<u8> {
    let code = match code {
        2002 => "83000000010",
        2104 => "53000000008",
        2400 => "53300100021",
        2502 => "55000000002",
        _ => "69999999999",
    };
    let (before, rest) = text.split_once("<tr:result>").unwrap_or((text, ""));
    let behind = rest.rsplit_once("</tr:transaction>").map_or("</registry-response>", |(_, behind)| behind);
    let message = format!("<tr:message level=\"error\" code=\"{code}\"><tr:text>{reason}</tr:text></tr:message>");
    format!("{before}<tr:result>failed</tr:result>{message}</tr:transaction>{behind}").into_bytes()
}

/// What stands between the first `open` and the `close` behind it.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    text.split_once(open)?.1.split_once(close).map(|(inside, _)| inside)
}

/// `text` with `value` between `open` and `close`, where they stand.
fn instead(text: &str, open: &str, close: &str, value: &str) -> String {
    match between(text, open, close) {
        Some(there) => text.replacen(&format!("{open}{there}{close}"), &format!("{open}{value}{close}"), 1),
        None => text.to_owned(),
    }
}

/// `text` without `open`, `close` and what is between.
fn without(text: &str, open: &str, close: &str) -> String {
    match between(text, open, close) {
        Some(there) => text.replacen(&format!("{open}{there}{close}"), "", 1),
        None => text.to_owned(),
    }
}

/// `text` with another client identifier, or with none.
fn with_trid(text: &str, trid: Option<&str>) -> String {
    let element = trid.map(|t| format!("<clTRID>{t}</clTRID>")).unwrap_or_default();
    without(text, "<clTRID>", "</clTRID>").replacen("<trID>", &format!("<trID>{element}"), 1)
}

/// `text` with `bytes` at the start of its first message, or of the server's name in a greeting.
fn within_message(text: &str, bytes: &[u8]) -> Vec<u8> {
    let at = ["<msg>", "<svID>"].iter().find_map(|open| text.find(open).map(|at| at + open.len())).unwrap_or_default();
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
    [before.as_bytes(), bytes, behind.as_bytes()].concat()
}

/// A greeting whose clock is ten minutes behind.
fn earlier(text: &str) -> String {
    let told = between(text, "<svDate>", "</svDate>").and_then(|date| date.parse::<jiff::Timestamp>().ok());
    match told.and_then(|at| at.checked_sub(jiff::SignedDuration::from_mins(10)).ok()) {
        Some(at) => instead(text, "<svDate>", "</svDate>", &at.to_string()),
        None => text.to_owned(),
    }
}

/// The same document with a prefix on every element.
fn prefixed(text: &str) -> String {
    let mut out = text.to_owned();
    for (from, to) in [("contact", "c"), ("domain", "d"), ("host", "h")] {
        out = out.replace(&format!("<{from}:"), &format!("<{to}:")).replace(&format!("</{from}:"), &format!("</{to}:"));
        out = out.replace(&format!("xmlns:{from}="), &format!("xmlns:{to}="));
    }
    for name in [
        "epp",
        "response",
        "result",
        "msg",
        "resData",
        "trID",
        "clTRID",
        "svTRID",
        "extension",
        "extValue",
        "value",
        "reason",
        "undef",
        "msgQ",
        "qDate",
    ] {
        for (from, to) in [(format!("<{name}>"), format!("<e:{name}>")), (format!("</{name}>"), format!("</e:{name}>"))] {
            out = out.replace(&from, &to);
        }
        out = out.replace(&format!("<{name} "), &format!("<e:{name} "));
    }
    out.replacen("xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"", "xmlns:e=\"urn:ietf:params:xml:ns:epp-1.0\"", 1)
}

/// The same document with the object's namespace as a default that begins at its element.
fn unprefixed(text: &str) -> String {
    let mut out = text.to_owned();
    for prefix in ["contact", "domain", "host"] {
        out =
            out.replace(&format!("<{prefix}:"), "<").replace(&format!("</{prefix}:"), "</").replace(&format!("xmlns:{prefix}="), "xmlns=");
    }
    out
}

fn numbered(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

/// An answer of 8 MiB within the schema.
fn large(body: &str) -> String {
    const VALUES: usize = 5_000;
    const BYTES: usize = 8 * 1024 * 1024;
    let reason = "x".repeat(BYTES / VALUES - 80);
    let value = format!("<extValue><value><undef/></value><reason>{reason}</reason></extValue>");
    body.replacen("</result>", &format!("{}</result>", value.repeat(VALUES)), 1)
}
