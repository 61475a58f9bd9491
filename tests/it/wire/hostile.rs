//! Rows 13 to 36 of the fault matrix, as far as frames and documents go.

use super::*;
use std::time::Duration;

/// Reads `frame` as a client would, and tells how long it took.
#[expect(clippy::disallowed_methods, reason = "this test is about time")]
fn timed(frame: &[u8]) -> (Result<Tape, &'static str>, Duration) {
    let start = std::time::Instant::now();
    let mut tape = Tape::new();
    let read = tape.read(frame);
    (read.map(|()| tape).map_err(|e| e.why), start.elapsed())
}

fn refusal(frame: &[u8]) -> &'static str {
    let mut tape = Tape::new();
    let refused = tape.read(frame).expect_err("refused");
    assert!(tape.root().is_none(), "a refused frame leaves no elements");
    refused.why
}

fn answer(inside: &str) -> String {
    format!("<epp xmlns='urn:ietf:params:xml:ns:epp-1.0'><response>{inside}</response></epp>")
}

/// `n` pieces in a row.
fn many(n: usize, piece: impl Fn(usize) -> String) -> String {
    (0..n).map(piece).collect::<Vec<_>>().concat()
}

/// So that a slow test machine does not fail what is linear; quadratic work on these frames takes minutes.
const GENEROUS: Duration = Duration::from_secs(3);

#[test]
fn row_13_frames_that_arrive_byte_by_byte_are_the_same() {
    let all: Vec<_> = golden("response").into_iter().chain(golden("request")).map(|(_, f)| f).collect();
    let mut framer = LengthPrefix::epp(DEFAULT_CAP);
    let mut line = Vec::new();
    for frame in &all {
        framer.enclose(frame, &mut line);
    }
    let mut got = Vec::new();
    for byte in line {
        framer.push(&[byte]);
        while let Some(frame) = framer.next_frame().expect("honest frames") {
            got.push(frame.to_vec());
        }
    }
    assert_eq!(got, all);
}

#[test]
fn row_18_and_33_a_document_cut_at_any_byte_is_refused_or_says_the_same() {
    for (name, frame) in golden("response").into_iter().chain(golden("request")) {
        let whole = meaning(&frame);
        let end = frame.trim_ascii_end().len();
        let mut tape = Tape::new();
        for cut in 0..frame.len() {
            match tape.read(&frame[..cut]) {
                Ok(()) => assert!(cut >= end && meaning(&frame[..cut]) == whole, "{name} cut at {cut}"),
                Err(_) => assert!(cut < end, "{name} cut at {cut}"),
            }
        }
    }
}

#[test]
fn row_21_a_header_counts_bytes() {
    let mut payload = Vec::new();
    let name = Address { city: "Łódź".into(), cc: "PL".into(), ..Address::default() };
    let chg = Some(ContactChange::default().with_address(PostalForm::Loc, name));
    let update = ContactUpdate { id: "AM-1001".into(), add: vec![], rem: vec![], chg };
    epp::encode(&Command::Transform(Box::new(Transform::ContactUpdate(update))), None, &[], &mut payload).expect("a command");
    assert!(payload.len() > String::from_utf8_lossy(&payload).chars().count());
    let mut line = Vec::new();
    LengthPrefix::epp(DEFAULT_CAP).enclose(&payload, &mut line);
    assert_eq!(line[..4], u32::try_from(payload.len() + 4).expect("short").to_be_bytes());
}

#[test]
fn row_27_text_is_utf8_or_utf16_with_a_byte_order_mark() {
    let text = answer("<result code='1000'><msg>Łódź 🏠</msg></result>");
    let wide = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect() };
    let plain = typed(text.as_bytes());
    assert_eq!(typed(&wide(u16::to_be_bytes)), plain);
    assert_eq!(typed(&wide(u16::to_le_bytes)), plain);
    assert_eq!(plain["results"][0]["msg"], "Łódź 🏠");
    assert_eq!(refusal(b"<epp><a>M\xfcller</a></epp>"), "not UTF-8");
    assert_eq!(refusal(b"<?xml version='1.0' encoding='ISO-8859-1'?><epp/>"), "an encoding other than UTF-8 is declared");
    let mut cut = wide(u16::to_be_bytes);
    cut.pop();
    assert_eq!(refusal(&cut), "not UTF-16");
    assert_eq!(refusal(&[0xFE, 0xFF, 0xD8, 0x3C, 0x00, 0x3C]), "not UTF-16");
}

#[test]
fn row_28_byte_order_mark_blanks_comments_and_instructions_change_nothing() {
    let odd = frame("response", "contact/info-odd-blanks");
    assert!(odd.starts_with(b"\xEF\xBB\xBF") && odd.ends_with(b"\r\n \r\n"));
    let mut odd = typed(&odd);
    // The one text that was put together from pieces.
    let org = &mut odd["data"][0]["contact"]["postal"][0]["org"];
    assert_eq!(*org, "Baecker & Soehne GmbH");
    assert_eq!(odd, typed(&frame("response", "contact/info")));
}

#[test]
fn row_29_prefixes_and_order_change_nothing() {
    let other = frame("response", "contact/info-other-prefixes");
    assert_eq!(typed(&other), typed(&frame("response", "contact/info")));
    let tape = tape(&other);
    epp::decode(&tape).expect("an answer");
    assert!(tape.unknown().is_empty(), "{:?}", tape.unknown());
}

#[test]
fn row_30_what_cannot_be_read_is_unreadable_and_never_empty() {
    for (name, reason) in [("contact/info-no-handle", Some("a contact without its handle")), ("contact/info-wrong-namespace", None)] {
        let frame = frame("response", name);
        let response = response(&frame);
        let [ResData::Unreadable { name, why, .. }] = &response.data[..] else { panic!("{:?}", response.data) };
        assert_eq!((&**name, *why), ("infData", reason));
        let tape = tape(&frame);
        epp::decode(&tape).expect("an answer");
        assert!(epp::collect_unknown(&tape).iter().any(|u| u.text.reveal() == "anna@baecker.example"), "its contents are kept");
    }
    assert!(epp::decode(&tape(b"<epp xmlns='urn:other'><response/></epp>")).is_err());
    assert!(epp::decode(&tape(b"<epp><response/></epp>")).is_err());
}

#[test]
fn row_31_a_doctype_is_refused_and_nothing_expanded() {
    let bomb = "<!DOCTYPE epp [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><epp>&b;</epp>";
    let external = "<?xml version='1.0'?><!DOCTYPE epp SYSTEM 'file:///etc/passwd'><epp/>";
    for document in [bomb, external, "<epp><!DOCTYPE epp></epp>"] {
        assert!(refusal(document.as_bytes()).contains("DOCTYPE"), "{document}");
    }
    assert_eq!(refusal(b"<epp>&b;</epp>"), "an entity that nobody declared");
    assert_eq!(refusal(b"<epp a='&b;'/>"), "an entity that nobody declared");
    for reference in ["&#0;", "&#xD800;", "&#x110000;", "&#+65;", "&#;", "&#x;"] {
        assert_eq!(refusal(format!("<epp>{reference}</epp>").as_bytes()), "a reference to no character", "{reference}");
    }
    let many = format!("<!DOCTYPE x [{}]><epp/>", "<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>".repeat(100_000));
    let (read, took) = timed(many.as_bytes());
    assert!(read.is_err() && took < GENEROUS, "{took:?}");
}

#[test]
fn row_32_attributes_declarations_and_depth_have_caps_and_cost_linear_time() {
    let attributes = many(40_000, |n| format!(" a{n}=''"));
    let declarations = many(20_000, |n| format!(" xmlns:p{n}='urn:x:{n}'"));
    let spread = many(20_000, |n| format!("<p{n}:a xmlns:p{n}='urn:x:{n}'/>"));
    let cases = [
        (format!("<epp{attributes}/>"), "more attributes than any answer has"),
        (format!("<epp{declarations}/>"), "more namespace declarations than any answer has"),
        (format!("<epp>{spread}</epp>"), "more namespace declarations than any answer has"),
        (format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)), "nested deeper than any answer"),
        (format!("<epp>{}</epp>", "<a/>".repeat(1_000_000)), "more elements than a frame of this size can honestly hold"),
        (format!("<epp>{}</epp>", "<".repeat(1_000_000)), "an element without a proper name"),
    ];
    for (document, why) in cases {
        let (read, took) = timed(document.as_bytes());
        assert_eq!(read.err(), Some(why), "{}", document.get(..60).unwrap_or_default());
        assert!(took < GENEROUS, "{why}: {took:?}");
    }
    let deep = |n| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert!(timed(deep(64).as_bytes()).0.is_ok() && timed(deep(65).as_bytes()).0.is_err());
    let wide = |n| format!("<a{}/>", many(n, |n| format!(" a{n}=''")));
    assert!(timed(wide(64).as_bytes()).0.is_ok() && timed(wide(65).as_bytes()).0.is_err());
    assert_eq!(refusal(b"<a b='1' b='2'/>"), "an attribute given twice");
    assert_eq!(refusal(b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>"), "an attribute given twice");
}

#[test]
fn row_33_what_a_pull_parser_lets_pass_is_refused() {
    for (document, why) in [
        ("<a><b></b>", "the document ends inside an element"),
        ("<a/><b/>", "a second root element"),
        ("<a/>text", "text outside the root element"),
        ("text<a/>", "text outside the root element"),
        ("<a/>&amp;", "text outside the root element"),
        ("<a>\0</a>", "a NUL"),
        ("<a></b>", "not well-formed XML"),
        ("<a></a></a>", "not well-formed XML"),
        ("<a b=1/>", "a malformed attribute"),
        ("<a b='<'/>", "a `<` inside an attribute"),
        ("<a><?xml version='1.0'?></a>", "an XML declaration inside the document"),
        ("<a:/>", "an element without a proper name"),
        ("<:a/>", "an element without a proper name"),
        ("<a:b:c/>", "an element without a proper name"),
        ("<1a/>", "an element without a proper name"),
        ("<a<b/>", "an element without a proper name"),
        ("", "no document at all"),
        (" \r\n", "no document at all"),
        ("<!-- only -->", "no document at all"),
    ] {
        assert_eq!(refusal(document.as_bytes()), why, "{document}");
    }
    // The one exception, because a large registry writes it: an undeclared prefix inside an otherwise good answer.
    let response = response(&frame("response", "poll/ack-2303-undeclared-prefix"));
    assert_eq!(response.code().0, 2303);
    assert_eq!(response.results[0].ext_values[0].value.reveal(), "99");
}

#[test]
fn row_34_a_large_legal_answer_is_read_within_four_times_its_size() {
    let filler = "Straße und Hausnummer & fehlen — ".replace('&', "&amp;").repeat(45);
    let value = |n| format!("<extValue><value><v n='{n}'>{filler}</v></value><reason lang='de'>Zeile {n}</reason></extValue>");
    let document = answer(&format!("<result code='2005'><msg>no</msg>{}</result>", many(5_000, value)));
    assert!(document.len() > 7 << 20 && document.len() < DEFAULT_CAP, "{}", document.len());
    let (read, took) = timed(document.as_bytes());
    let tape = read.expect("a legal answer");
    assert!(took < GENEROUS, "{took:?}");
    assert!(tape.memory() <= 4 * document.len(), "{} for {}", tape.memory(), document.len());
    let Ok(Message::Response(response)) = epp::decode(&tape) else { panic!("no response") };
    assert_eq!(response.results[0].ext_values.len(), 5_000);
    assert_eq!(response.results[0].ext_values[4_999].reason.as_ref().map(Personal::reveal), Some("Zeile 4999"));
}

#[test]
fn row_34_no_document_takes_more_than_four_times_its_size() {
    let within = |inside: &str, n: usize| format!("<e>{}</e>", inside.repeat(n));
    for (document, n) in [
        ("<a/>", 500_000),
        ("<abcdefghi/>", 200_000),
        ("<abcdefghij></abcdefghij>", 100_000),
        ("<a b=''/>", 300_000),
        ("<a b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l=''/>", 40_000),
        ("<abcdefgh b='1234567890'/>", 100_000),
        ("<a>\rbcdefgh</a>", 200_000),
        ("<a>x&amp;yyyyyyyyyyy</a>", 100_000),
        ("&lt;", 700_000),
        ("x<a/>y&gt;z", 200_000),
        ("<a b='&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;'/>", 100_000),
    ]
    .map(|(inside, n)| (within(inside, n), n))
    {
        let mut tape = Tape::new();
        let read = tape.read(document.as_bytes());
        assert!(tape.memory() <= 4 * document.len(), "{n} × {}: {} for {}, {read:?}", &document[3..30], tape.memory(), document.len());
        tape.read(b"<small/>").expect("a small frame behind it");
        assert!(tape.memory() <= 1 << 20, "a tape forgets a large frame: {}", tape.memory());
    }
}

#[test]
fn row_35_controls_and_formulas_are_data() {
    for text in ["\u{1b}[31m", "\u{7}", "\u{202e}txt", "=cmd|' /C calc'!A0", "<script>alert(1)</script>"] {
        let escaped = text.replace('<', "&lt;");
        let frame = answer(&format!(
            "<result code='2306'><msg>{escaped}</msg><extValue><value>{escaped}</value><reason>{escaped}</reason></extValue></result>"
        ));
        let json = typed(frame.as_bytes());
        assert_eq!(json["results"][0]["msg"], text);
        assert_eq!(json["results"][0]["ext_values"][0]["reason"], text);
    }
}

#[test]
fn row_36_every_result_and_every_code_is_kept() {
    let two = response(&frame("response", "domain/update-two-results"));
    assert_eq!(two.results.iter().map(|r| r.code.0).collect::<Vec<_>>(), [2306, 2308]);
    for (name, code, success, closes) in
        [("contact/create-1100", 1100, true, false), ("session/logout-1501", 1501, true, true), ("session/error-2503", 2503, false, true)]
    {
        let got = response(&frame("response", name)).code();
        assert_eq!((got.0, got.is_success(), got.closes()), (code, success, closes), "{name}");
    }
    let tape = tape(&frame("response", "domain/info-extensions"));
    epp::decode(&tape).expect("an answer");
    let vendor: Vec<_> = tape.unknown().into_iter().filter(|u| &*u.namespace == "http://registry.example/vend-2.3").collect();
    assert_eq!(vendor.len(), 1);
    assert_eq!((&*vendor[0].path, vendor[0].text.reveal()), ("epp/response/extension/infData/onHold", "false"));
    let unreadable = response(answer("<result code='x'><msg>a</msg></result><result code='2400'><msg>b</msg></result>").as_bytes());
    assert_eq!(unreadable.results.len(), 1, "one result that cannot be read does not cost the other");
}
