//! Templates and the book of messages.

use super::{at, subject};
use crate::base::{ObjectKey, ObjectRef};
use crate::compliance::asking::{About, Asked, Confirmed, Letter, Messages, Occasion, Template, Wording, recipient};
use crate::compliance::record::{Element, Token};
use crate::store::MemoryStore;
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

const CONSENT: Occasion = Occasion::Consent;

/// A message that asks for consent to those elements.
fn asking(elements: &[Element]) -> Letter<'static> {
    let about = About::Consent {
        provider: "opensrs",
        link: "https://own.example/c/m-1",
        orders: "O-1, O-2",
        tlds: "de, it",
        waits_until: "2026-05-11",
        elements: elements.to_vec(),
    };
    Letter { message: "m-1", name: "Ada Lovelace", brand: "Own", controller: "Own GmbH", about }
}

fn letter() -> Letter<'static> {
    asking(&[Element::Voice, Element::Fax])
}

/// The same, with nothing that may be missing.
fn bare() -> Letter<'static> {
    let elements = vec![Element::Voice, Element::Fax];
    let about = About::Consent { provider: "opensrs", link: "", orders: "", tlds: "de, it", waits_until: "", elements };
    Letter { controller: "", about, ..letter() }
}

#[test]
fn the_built_in_templates_say_what_is_asked_until_when_and_where() {
    for language in Template::languages(CONSENT) {
        let template = Template::embedded(CONSENT, language).expect("one").expect("a template");
        let written = template.write(&letter()).expect("written");
        for part in ["Ada Lovelace", "opensrs", "Own", "O-1, O-2", "de, it", "2026-05-11", "https://own.example/c/m-1", "Own GmbH", "m-1"] {
            assert!(written.body.contains(part), "{language}: {part}\n{}", written.body);
        }
        assert!(written.subject.contains("Own") && !written.body.contains("{{"), "{language}");
        let plain = template.write(&bare()).expect("written");
        assert!(!plain.body.contains("https://") && !plain.body.contains("2026-05-11") && plain.body != written.body);
        // Every kind of data has words of its own, and none is asked for that is not meant.
        for element in Element::ALL {
            let one = template.write(&asking(&[*element])).expect("written");
            assert_eq!(one.body.lines().filter(|line| line.starts_with("- ")).count(), 1, "{language} {element}");
        }
    }
    insta::assert_snapshot!(Template::embedded(CONSENT, "en").expect("one").expect("a template").write(&letter()).expect("written").body);
    assert!(Template::embedded(CONSENT, "fr").is_none());
}

#[test]
fn the_built_in_reminders_read_well_in_each_language() {
    let mut all = Vec::new();
    for language in Template::languages(Occasion::Transfer) {
        let template = Template::embedded(Occasion::Transfer, language).expect("one").expect("a template");
        for (registrar, since, controller) in [("Hedgerow Names Ltd", "2026-11-03", "Own GmbH"), ("", "", "")] {
            let about = About::Transfer { domain: "lovelace.example", registrar, since };
            let written = template.write(&Letter { controller, about, ..letter() }).expect("written");
            assert!(!written.body.contains("()") && !written.body.contains("  "), "{}", written.body);
            all.push(format!("--- {language}\n{}\n\n{}", written.subject, written.body));
        }
    }
    assert_eq!(all.len(), 4);
    insta::assert_snapshot!(all.join("\n"));
    // What the one occasion knows the other does not.
    let wrong = Template::parse(Occasion::Transfer, GOOD, Path::new("own.txt")).expect_err("no elements");
    assert!(wrong.to_string().contains("a template may name: brand, controller, domain, message, name, registrar, since"), "{wrong}");
}

const GOOD: &str =
    "template: own\nversion: 3\nsubject: {{ brand }} asks\n\nDear {{ name }},\n{% for e in elements %}{{ e }} {% endfor %}\n";

#[test]
fn a_template_that_names_what_there_is_not_is_refused_with_its_line() {
    assert!(Template::parse(CONSENT, GOOD, Path::new("own.txt")).is_ok());
    assert!(
        Template::parse(CONSENT, &format!("\u{feff}{}", GOOD.replace('\n', "\r\n")), Path::new("own.txt")).is_ok(),
        "as Windows writes it"
    );
    let mut told = Vec::new();
    for (from, to) in [
        ("{{ name }}", "{{ surname }}"),
        ("{{ brand }}", "{{ brad }}"),
        ("{{ name }}", "{{ name"),
        ("{{ name }}", "{{ name|upper }}"),
        ("{{ name }}", "{{ name.first }}"),
        ("{% endfor %}", ""),
        ("{% for e in elements %}", "{% for e in element %}"),
        (
            "{% for e in elements %}",
            "{% for a in elements %}{% for b in elements %}{% for c in elements %}{% for d in elements %}{% for f in elements %}{{ f }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% for e in elements %}",
        ),
        ("version: 3\n", ""),
        ("version: 3", "version: 3\nversion: 4"),
        ("version: 3", "version: two words"),
        ("template: own", "templat: own"),
        ("Dear", "Dear\u{7}"),
        ("subject: {{ brand }} asks", "subject: {% for e in elements %}{% for f in elements %}{{ e }}{% endfor %}{% endfor %}"),
        ("\n\nDear {{ name }},\n{% for e in elements %}{{ e }} {% endfor %}\n", "\n\n"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD);
        told.push(Template::parse(CONSENT, &text, Path::new("own.txt")).expect_err(to).to_string());
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_name_that_would_break_the_message_is_told_without_it() {
    let template = Template::parse(CONSENT, &GOOD.replace("{{ brand }} asks", "{{ name }}"), Path::new("own.txt")).expect("a template");
    for name in ["Ada\nBcc: eve@example.org".to_owned(), "Ada ".repeat(100), " ".to_owned()] {
        let problem = template.write(&Letter { name: &name, ..letter() }).expect_err("no line");
        assert_eq!(problem.id, "E-template-003");
        assert!(!problem.to_string().contains("Ada"), "{problem}");
    }
}

fn asked(n: u8) -> Asked {
    let token = |text: &str| Token::read(text).expect("a token");
    let key = ObjectKey::new(ObjectRef::new([n; 16]), Zeroizing::new([n; 32]));
    Asked {
        message: token(&format!("m-{n}")),
        subject: subject(n),
        provider: token("p"),
        groups: BTreeMap::from([(token("g-1"), vec![Element::Voice])]),
        brand: token("own"),
        language: token("de"),
        template: Wording { id: token("t"), version: token("1"), digest: token("00") },
        to: recipient(&key, "ada@example.org"),
        withdraw: (n == 1).then(|| token("api")),
        file: token("asks-1.ndjson"),
        created: at("2026-05-01T12:00:00Z"),
    }
}

#[test]
fn the_book_of_messages_is_read_as_it_was_written_and_holds_nobody() {
    let mut store = MemoryStore::default();
    let mut book = Messages::open(&mut store).expect("a book");
    book.add(&mut store, vec![asked(1), asked(2)]).expect("added");
    let sent = Confirmed {
        message: asked(1).message,
        at: at("2026-05-02T12:00:00Z"),
        own: true,
        source: None,
        recorded: at("2026-05-02T13:00:00Z"),
    };
    let elsewhere = Confirmed { message: asked(2).message, own: false, ..sent.clone() };
    book.confirm(&mut store, vec![sent, elsewhere]).expect("added");
    let again = Messages::open(&mut store).expect("a book");
    assert_eq!((again.all().collect::<Vec<_>>(), again.sent().collect::<Vec<_>>()), (book.all().collect(), book.sent().collect()));
    assert_eq!((again.is_sent(&asked(1).message), again.is_sent(&asked(2).message)), (true, false));
    assert_eq!(again.made(&asked(2).message), Some(&asked(2)));
    assert!(again.made(&asked(3).message).is_none());
    let row = serde_json::to_string(&asked(1)).expect("JSON");
    assert!(!row.contains("ada@") && row.contains(&asked(1).to.to_string()));
    // However it is written, an address is one; and under another key it is another digest.
    let key = ObjectKey::new(ObjectRef::new([1; 16]), Zeroizing::new([1; 32]));
    assert_eq!(recipient(&key, " ADA@Example.org. "), asked(1).to);
    assert_ne!(recipient(&key, "eve@example.org"), asked(1).to);
    assert_ne!(asked(2).to, asked(1).to);
}
