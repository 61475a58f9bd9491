use super::embedded::EMBEDDED;
use super::*;
use crate::base::Problem;

/// The embedded profile `id` as text.
fn text(id: &str) -> &'static str {
    EMBEDDED.iter().find(|(known, _)| *known == id).expect("embedded").1
}

/// Why `text` with `from` replaced by `to` is no profile.
fn refused(text: &str, from: &str, to: &str) -> Box<Problem> {
    assert!(text.contains(from), "{from}");
    Profile::read(&text.replacen(from, to, 1)).expect_err("a bad profile")
}

/// The line of the first `part` in `text`.
fn line(text: &str, part: &str) -> Option<u64> {
    text.lines().position(|l| l.contains(part)).map(|n| n as u64 + 1)
}

#[test]
fn every_embedded_profile_reads_and_has_an_id_of_its_own() {
    for (id, text) in EMBEDDED {
        match Profile::read(text) {
            Ok(profile) => assert_eq!(profile.id, id),
            Err(e) => panic!("{id}: {e}"),
        }
    }
    assert_eq!(profile_names(), ["afnic", "denic", "dnsbe", "eurid", "gtld-minimum", "gtld-thick", "nicit", "nz", "sidn"]);
}

#[test]
fn a_profile_is_the_same_after_writing_and_reading() {
    for profile in profiles() {
        let written = toml::to_string(&*profile).expect("TOML");
        assert_eq!(Profile::read(&written).expect("read"), *profile, "{}", profile.id);
    }
}

#[test]
fn a_misspelt_key_is_told_with_line_and_key() {
    let text = text("denic");
    let e = refused(text, "required = { value = true", "requierd = { value = true");
    assert!(e.what.contains("requierd"), "{e}");
    assert_eq!((e.place.line, e.place.field.as_deref()), (line(text, "required = {"), Some("fields.id.requierd")));
}

#[test]
fn ranges_that_overlap_are_told_with_line_and_key() {
    let text = text("denic");
    let e = refused(text, "\"0222-0233\"", "\"021F-0233\"");
    assert!(e.what.contains("00AE-021F and 021F-0233 overlap"), "{e}");
    assert_eq!(e.place.field.as_deref(), Some("characters.denic-unicode31.value"));
    assert_eq!(e.place.line, line(text, "\"0222-0233\""), "the line of the range that overlaps");
    assert!(e.place.line > line(text, "[characters.denic-unicode31]").map(|n| n + 1), "the set has more lines than one");
}

#[test]
fn a_time_zone_that_is_not_there_is_told_with_line_and_key() {
    let text = text("denic");
    let e = refused(text, "zone = \"Europe/Berlin\"", "zone = \"Europe/Berlni\"");
    assert!(e.what.contains("no time zone `Europe/Berlni`"), "{e}");
    assert_eq!((e.place.line, e.place.field.as_deref()), (line(text, "zone = \"Europe/Berlin\""), Some("limits.rate_windows")), "{e}");
    let e = refused(text, "zone = { value = \"Europe/Berlin\"", "zone = { value = \"CET+1\"");
    assert_eq!((e.place.line, e.place.field.as_deref()), (line(text, "zone = { value"), Some("limits.zone.value")), "{e}");
}

#[test]
fn reversed_ranges_and_wrong_code_points_are_told_with_their_own_line() {
    let text = text("denic");
    for (bad, says) in [
        ("0233-0222", "reversed"),
        ("D7FF-E000", "surrogates"),
        ("D800", "no characters"),
        ("110000", "no characters"),
        ("00e9", "no characters"),
        ("U+00E9", "no characters"),
        ("", "no characters"),
    ] {
        let e = refused(text, "0222-0233", bad);
        assert!(e.what.contains(says), "{bad}: {e}");
        assert_eq!(e.place.line, line(text, "\"0222-0233\""), "{bad}");
        assert_eq!(e.place.field.as_deref(), Some("characters.denic-unicode31.value"), "{bad}");
    }
}

#[test]
fn a_rule_without_a_source_or_with_a_blank_one_is_told() {
    let text = text("gtld-thick");
    let e = refused(text, "port = { value = 700, source = \"RFC 5734 §2\",", "port = { value = 700,");
    assert!(e.what.contains("source"), "{e}");
    assert_eq!((e.place.line, e.place.field.as_deref()), (line(text, "port ="), Some("port")));
    let e = refused(text, "port = { value = 700, source = \"RFC 5734 §2\",", "port = { value = 700, source = \" \",");
    assert!(e.what.contains("blank"), "{e}");
    assert_eq!((e.place.line, e.place.field.as_deref()), (line(text, "port ="), Some("port.source")));
}

#[test]
fn parts_that_do_not_fit_are_told_with_line_and_key() {
    let denic = text("denic");
    let e = refused(denic, "characters = { value = \"handle\"", "characters = { value = \"hand\"");
    assert_eq!((e.id.as_str(), e.place.line), ("E-profile-003", line(denic, "characters = { value = \"handle\"")), "{e}");
    let e = refused(denic, "clientHold = { value = \"never\"", "clientHold = { value = \"settable\"");
    assert_eq!((e.id.as_str(), e.place.field.as_deref()), ("E-profile-003", Some("statuses.domain.clientHold")), "{e}");
    let e = refused(denic, "length = { value = { min = 9, max = 32 }", "length = { value = { min = 33, max = 32 }");
    assert!(e.what.contains("33") && e.place.line == line(denic, "min = 9"), "{e}");
    let e = refused(denic, "pattern = { value = \"[0-9]{5}\"", "pattern = { value = \"[0-9\"");
    assert!(e.what.contains("regular expression") && e.place.line.is_some(), "{e}");
}

#[test]
fn an_unknown_profile_names_the_nearest() {
    let e = profile("gtld-tick").expect_err("unknown");
    assert!(e.to_string().contains("`gtld-thick`"), "{e}");
}

#[test]
fn a_rule_not_seen_is_a_warning_until_it_is_enforced() {
    let denic = profile("denic").expect("embedded");
    let mut rule = denic.fields["name"].characters.clone().expect("a rule");
    assert!(!rule.is_enforced());
    rule.enforce = true;
    assert!(rule.is_enforced());
    assert!(denic.fields["name"].length.as_ref().expect("a rule").is_enforced());
}

/// The set of characters of `field` in the profile `id`.
fn characters(id: &str, field: &str) -> Characters {
    let profile = profile(id).expect("embedded");
    let name = &profile.fields[field].characters.as_ref().expect("a rule").value;
    profile.characters[name].value.clone()
}

/// Every character of `text` that the set does not have.
fn outside(set: &Characters, text: &str) -> String {
    text.chars().filter(|c| !set.contains(*c)).collect()
}

#[test]
fn denic_takes_what_unicode_3_1_had_and_nothing_later() {
    let set = characters("denic", "name");
    assert_eq!(outside(&set, "Straße Müller Ț № 5 € 北京 Ελλάδα Ѝ"), "");
    for refused in
        ["\u{1e9e}", "\u{24f}", "😀", "\u{200b}", "\u{200d}", "\u{feff}", "\u{a0}", "\u{ad}", "\t", "\u{220}", "\u{221}", "₹", "\u{202e}"]
    {
        assert_eq!(outside(&set, refused), refused, "{}", refused.escape_unicode());
    }
}

#[test]
fn nicit_takes_latin_and_greek() {
    let set = characters("nicit", "street");
    assert_eq!(outside(&set, "Città Piazza dell'Università 4/A Ελλάδα Straße"), "");
    assert_eq!(outside(&set, "Via<Roma> 北京 😀\u{a0}\u{200d}\u{378}"), "<>北京😀\u{a0}\u{200d}\u{378}");
}

#[test]
fn afnic_takes_the_letters_of_its_guide() {
    assert_eq!(outside(&characters("afnic", "name"), "Zoë L'Œuvre-Ÿ ñ5"), "ñ5");
    assert_eq!(outside(&characters("afnic", "street"), "12, rue de l'Été (n\u{b0} 3)"), "\u{b0}");
}

#[test]
fn a_set_holds_its_edges_and_not_their_neighbours() {
    let set = Characters::try_from(
        vec!["0020-007E".to_owned(), "00AA".to_owned()].into_iter().map(|t| CodePoints::try_from(t).expect("a range")).collect::<Vec<_>>(),
    )
    .expect("a set");
    for (c, is) in
        [('\u{1f}', false), (' ', true), ('~', true), ('\u{7f}', false), ('\u{a9}', false), ('ª', true), ('«', false), (char::MAX, false)]
    {
        assert_eq!(set.contains(c), is, "{}", c.escape_unicode());
    }
}

#[test]
fn patterns_hold_for_the_whole_value() {
    let of = |id: &str, field: &str| profile(id).expect("embedded").fields[field].pattern.clone().expect("a rule").value;
    assert!(of("nicit", "regCode-person").matches("RSSMRA80A01H501U") && !of("nicit", "regCode-person").matches("RSSMRA80A01H501U0"));
    assert!(of("nicit", "regCode-association").matches("n.a.") && !of("nicit", "regCode-association").matches("12n.a."));
    assert!(of("denic", "voice").matches("+49.6927235x290") && !of("denic", "voice").matches("0049 69"));
    assert!(of("sidn", "pc-nl-form").matches("1012 AB") && !of("sidn", "pc-nl-form").matches("0012AB"));
    assert!(of("gtld-thick", "voice").matches("+1.7035555555") && !of("gtld-thick", "voice").matches("+1.7035555555 "));
}

#[test]
fn the_nightly_window_of_denic_is_in_its_own_time() {
    let limits = &profile("denic").expect("embedded").limits;
    let window = &limits.rate_windows[0].value;
    assert_eq!(
        (window.from.to_string().as_str(), window.until.to_string().as_str(), window.zone.as_str()),
        ("02:00:00", "04:00:00", "Europe/Berlin")
    );
    assert_eq!((limits.rate.as_ref().expect("limited").value.commands, window.rate.commands), (2000, 200));
}

const OWN: &str = "\n[characters.denic-unicode31]\nvalue = [\"0020-007E\", \"1E9E\"]\nsource = \"our contract\"\nconfidence = \"seen\"\n\n\
                   [fields.name]\nlength = { value = { min = 1, max = 300 }, source = \"our contract\", confidence = \"seen\" }\n";

#[test]
fn an_override_replaces_single_rules_and_tells_which_are_weaker() {
    let denic = profile("denic").expect("embedded");
    let Overridden { profile: own, weaker } = denic.overridden(OWN).expect("good rules");
    let set = &own.characters["denic-unicode31"].value;
    assert!(set.contains('\u{1e9e}') && !set.contains('ß'));
    assert_eq!(own.fields["name"].length.as_ref().expect("a rule").value.max, Some(300));
    assert_eq!(own.fields["name"].required, denic.fields["name"].required);
    assert_eq!((&own.limits, &own.statuses, &own.codes), (&denic.limits, &denic.statuses, &denic.codes));
    let told: Vec<_> = weaker.iter().map(|p| (p.place.line, p.place.field.as_deref())).collect();
    assert_eq!(told, [(Some(2), Some("characters.denic-unicode31")), (Some(8), Some("fields.name.length"))]);
    assert!(weaker[0].what.contains("U+1E9E"), "{}", weaker[0]);
}

#[test]
fn stricter_rules_are_nothing_to_tell_of() {
    let own = "[fields.name]\nlength = { value = { min = 1, max = 200 }, source = \"ours\", confidence = \"seen\" }\n\
               characters = { value = \"denic-unicode31\", source = \"ours\", confidence = \"inferred\", enforce = true }\n";
    let own = profile("denic").expect("embedded").overridden(own).expect("good rules");
    assert!(own.weaker.is_empty(), "{:?}", own.weaker);
    assert!(own.profile.fields["name"].characters.as_ref().expect("a rule").is_enforced());
}

#[test]
fn every_way_to_weaken_a_gate_is_told() {
    let rule = |key: &str, value: &str| format!("{key} = {{ value = {value}, source = \"ours\", confidence = \"seen\" }}\n");
    for (id, own) in [
        ("denic", format!("[fields.id]\n{}", rule("required", "false"))),
        ("denic", format!("[fields.type]\n{}", rule("choices", "[\"PERSON\", \"ROLE\"]"))),
        ("nicit", format!("[fields.pc-it]\n{}", rule("pattern", "\".*\""))),
        ("nicit", format!("[statuses.domain]\n{}", rule("clientTransferProhibited", "\"settable\""))),
        ("eurid", format!("[capabilities]\n{}", rule("privacy_protect", "\"yes\""))),
        ("nicit", rule("transfer_lock", "\"client_status\"")),
        ("denic", rule("identity_fields", "[]")),
        ("nz", rule("stand_in", "{ email_domains = [\"relay.example\"] }")),
        ("denic", format!("[name_servers]\n{}", rule("max", "14"))),
        ("denic", "[fields.id]\nrequired = { value = true, source = \"hearsay\", confidence = \"guess\" }\n".to_owned()),
    ] {
        let weaker = profile(id).expect("embedded").overridden(&own).expect("good rules").weaker;
        assert_eq!(weaker.len(), 1, "{own}");
    }
}

#[test]
fn a_bad_override_is_refused_with_its_own_line_and_key() {
    let denic = profile("denic").expect("embedded");
    let told = |own: &str| {
        let e = denic.overridden(own).expect_err("bad rules");
        (e.id.clone(), e.place.line, e.place.field.clone().unwrap_or_default())
    };
    let found = |id: &str, line: u64, field: &str| (id.into(), Some(line), field.to_owned());
    let unknown = "\n[fields.name]\nlenght = { value = { max = 2 }, source = \"ours\", confidence = \"seen\" }\n";
    assert_eq!(told(unknown), found("E-profile-001", 3, "fields.name.lenght"));
    let overlapping = OWN.replace("\"1E9E\"", "\"0041\"");
    assert_eq!(told(&overlapping), found("E-profile-001", 3, "characters.denic-unicode31.value"));
    let lines = OWN.replace("[\"0020-007E\", \"1E9E\"]", "[\n\"0020-007E\",\n\"1E9e\"]");
    assert_eq!(told(&lines), found("E-profile-001", 5, "characters.denic-unicode31.value"));
    assert_eq!(told(&OWN.replace("source = \"our contract\"\nc", "c")), found("E-profile-001", 2, "characters.denic-unicode31"));
    assert_eq!(told("\n[limits]\nsessions = 4\n"), found("E-profile-005", 2, "limits"));
    assert_eq!(told("\nid = \"mine\"\n"), found("E-profile-005", 2, "id"));
    assert_eq!(denic.overridden("a = \n").expect_err("no TOML").place.line, Some(1));
    let bad = |own: &str, id: &str, line: u64, field: &str| assert_eq!(told(own), found(id, line, field), "{own}");
    let rule = |key: &str, value: &str| format!("{key} = {{ value = {value}, source = \"ours\", confidence = \"seen\" }}\n");
    bad("[fields.org]\nwhen = [{ field = \"colour\", is = [\"red\"] }]\n", "E-profile-003", 2, "fields.org.when");
    bad("[fields.org]\nwhen = [{ field = \"type\" }]\n", "E-profile-003", 2, "fields.org.when");
    bad("[fields.org]\nrule = \"addr-4\"\n", "E-profile-003", 2, "fields.org.rule");
    bad(&format!("[fields.org]\n{}", rule("equals", "\"colour\"")), "E-profile-003", 2, "fields.org.equals");
    bad(&format!("[fields.org]\n{}", rule("check", "\"horoscope\"")), "E-profile-001", 2, "fields.org.check.value");
    bad(
        &format!("[roles.admin]\n{}", rule("registrant", "[{ field = \"colour\", present = true }]")),
        "E-profile-003",
        2,
        "roles.admin.registrant",
    );
    bad(&format!("\n{}", rule("stand_in", "{}")), "E-profile-003", 2, "stand_in");
    bad(&rule("stand_in", "{ organisations = [\" \"] }"), "E-profile-003", 1, "stand_in");
    bad(&format!("[answers]\n{}", rule("R-4", "\"2005\"")), "E-profile-003", 2, "answers.R-4");
    bad(&format!("[fields.org]\n{}", rule("pattern", "\"[\"")), "E-profile-001", 2, "fields.org.pattern.value");
    bad(&format!("[fields.org]\n{}", rule("length", "{ min = 3, max = 2 }")), "E-profile-001", 2, "fields.org.length.value");
}

#[test]
fn the_matrix_has_a_cell_for_each_profile_and_says_where_it_was_read() {
    let all = profiles();
    let matrix = matrix(all.iter().map(|p| &**p));
    assert_eq!(matrix.profiles.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), profile_names());
    for row in &matrix.rows {
        assert_eq!(row.cells.iter().map(|c| c.profile.as_str()).collect::<Vec<_>>(), profile_names(), "{}", row.key);
        for cell in &row.cells {
            assert!(!cell.source.is_empty() && !cell.value.is_empty(), "{}: {cell:?}", row.key);
            assert!(!row.is_capability || ["yes", "no", "unknown"].contains(&cell.value.as_str()), "{}: {cell:?}", row.key);
        }
    }
    let cell = |key: &str, id: &str| {
        let row = matrix.rows.iter().find(|r| r.key == key).expect("a row");
        row.cells.iter().find(|c| c.profile == id).expect("a cell").value.as_str()
    };
    assert_eq!(
        (cell("transfer_lock", "nicit"), cell("transfer_lock", "afnic"), cell("transfer_lock", "gtld-thick")),
        ("no", "unknown", "yes")
    );
    assert_eq!((cell("line", "denic"), cell("contact_objects", "gtld-minimum")), ("rri", "no"));
}
