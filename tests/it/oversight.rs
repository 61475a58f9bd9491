//! `report oversight`: every figure in it follows from what the registries hold, the registers say and the run saw on the lines.

use crate::keeping::{folder, rows};
use crate::served::{THICK, World, context};
use privet::base::{Exit, write_atomic};
use privet::dataset::{ContactField, DomainField, State};
use privet::job::{register_import, report_oversight, run};
use privet::model::ObjectKind;
use std::collections::BTreeSet;

/// The registry whose data are reckoned anew here, and which withholds by its own option.
const NZ: &str = "nz";

#[test]
fn the_sheets_say_what_is_held_verified_withheld_and_secured() {
    let world = World::new(300, 12);
    let _served = world.serve(&[]);
    run(&world.load(), &context(&[])).expect("ended");
    let held = world.observed(NZ);
    let of = |kind: ObjectKind| held.iter().filter(move |(k, ..)| *k == kind);
    let registrants: BTreeSet<&str> =
        of(ObjectKind::Domain).filter_map(|(_, _, _, fields)| fields[DomainField::Registrant.at()].as_deref()).collect();
    let known: Vec<&str> = of(ObjectKind::Contact).map(|(_, id, ..)| id.as_str()).filter(|id| registrants.contains(id)).collect();
    let (refuted, verified, bounced) = (known[0], known[1], known[2]);
    // A registrant at a registry that may end registrations for it.
    let thick = world.observed(THICK);
    let owner = |(kind, _, _, fields): &(ObjectKind, String, State, Vec<Option<String>>)| {
        (*kind == ObjectKind::Domain).then(|| fields[DomainField::Registrant.at()].clone()).flatten()
    };
    let lost = thick.iter().find_map(owner).expect("a registrant");
    let file = world.data().join("verification.csv");
    let text = format!(
        "case,event,at,registry,handle,claim,method,reference,result\n\
         v-1,required,2026-11-01,{NZ},{refuted},email,,,\n\
         v-1,failed,2026-11-02,{NZ},{refuted},,,,no-answer\n\
         v-2,verified,2026-11-03,{NZ},{verified},email,reachability,a-1,match\n\
         v-3,bounced,2026-11-04,{NZ},{bounced},email,,,\n\
         v-4,verified,2026-11-04,{THICK},{lost},email,reachability,a-2,match\n\
         v-4,bounced,2026-11-05,{THICK},{lost},email,,,\n"
    );
    write_atomic(&file, text.as_bytes()).expect("written");
    let taken = register_import(&world.load(), &context(&[]), "verification", &[file], false).expect("taken");
    assert_eq!(taken.exit(), Exit::Done, "{}", taken.text);
    let file = world.data().join("notice.csv");
    let text = format!(
        "case,event,at,registry,handle,notice,version\n\
         n-1,shown,2025-11-01,{NZ},{refuted},privacy,3\n\
         n-1,superseded,2026-02-01,{NZ},{refuted},,\n\
         n-2,shown,2025-11-01,{NZ},{verified},privacy,3\n\
         n-2,superseded,2026-02-01,{NZ},{verified},,\n\
         n-3,shown,2026-02-02,{NZ},{verified},privacy,4\n"
    );
    write_atomic(&file, text.as_bytes()).expect("written");
    register_import(&world.load(), &context(&[]), "notice", &[file], false).expect("taken");
    let ended = report_oversight(&world.load(), &context(&[])).expect("reported");
    assert_eq!(ended.exit(), Exit::Findings, "{}", ended.text);
    super::schema_files::assert_form("oversight", &ended.json);
    let dir = folder(&ended);

    // Registrants: all but the provider's own contacts.
    let accuracy = ended.json["accuracy"].as_array().expect("registries").iter().find(|one| one["registry"] == NZ).expect("it").clone();
    let provider = |id: &&str| {
        held.iter().any(|(kind, own, _, fields)| {
            *kind == ObjectKind::Contact
                && own == id
                && fields[ContactField::Email.at()].as_deref().is_some_and(|mail| mail.ends_with("@relay.example"))
        })
    };
    let own = known.iter().filter(|id| !provider(id)).count();
    assert_eq!(accuracy["registrants"].as_u64(), Some(own as u64), "{accuracy}");
    assert_eq!((accuracy["refuted"].as_u64(), accuracy["verified"].as_u64()), (Some(1), Some(1)), "{accuracy}");
    // Of two people a notice is on record, and one of them was shown the one that replaced it.
    let noticed = rows(&dir.join("oversight-notices.csv"), &["registry", "registrants", "shown", "outdated", "bare", "rule"]);
    let counts = [own, 1, 1, own - 2].map(|n| n.to_string());
    let wanted = [vec![NZ.to_owned()], counts.to_vec(), vec!["R-oversight-004".to_owned()]].concat();
    assert!(noticed.contains(&wanted), "{noticed:?}");
    // Where a registry holds no registrants, nobody lacks one.
    let amiss = noticed.iter().filter(|row| row[5] == "R-oversight-004").count();
    assert!(noticed.iter().all(|row| (row[5] == "R-oversight-004") == (row[4] != "0")), "{noticed:?}");
    assert_eq!(ended.json["findings"]["R-oversight-004"].as_u64(), Some(amiss as u64));
    let amiss = rows(&dir.join("oversight-accuracy-amiss.csv"), &["registry", "object", "rule", "verification"]);
    let of_rule = |rule: &str| amiss.iter().filter(|row| row[0] == NZ && row[2] == rule).map(|row| row[1].clone()).collect::<Vec<_>>();
    assert_eq!(of_rule("R-accuracy-003"), [refuted]);
    assert_eq!(of_rule("R-accuracy-005"), [bounced]);
    assert_eq!(accuracy["undeliverable"].as_u64(), Some(1), "{accuracy}");
    // What the registry's papers do not say costs nobody a name.
    let at_risk = rows(&dir.join("oversight-at-risk.csv"), &["registry", "object", "rule", "names", "source", "confidence"]);
    let mine = at_risk.iter().filter(|row| row[1] == lost).collect::<Vec<_>>();
    let names = thick.iter().filter_map(owner).filter(|handle| *handle == lost).count().to_string();
    assert!(mine.iter().any(|row| row[0] == THICK && row[2] == "R-accuracy-005" && row[3] == names), "{at_risk:?} {names}");
    assert!(at_risk.iter().all(|row| row[0] != NZ && !row[4].is_empty() && row[5] == "inferred"), "{at_risk:?}");
    assert_eq!(ended.json["at_risk"].as_u64(), Some(at_risk.len() as u64));
    assert!(!of_rule("R-accuracy-004").iter().any(|id| id == verified), "a verification of this month confirms");
    assert!(amiss.iter().any(|row| row[2] == "R-accuracy-002"), "planted faults are seen");
    // What nobody confirmed for a year is old, and nothing else.
    let score = accuracy["score"].as_u64().expect("a score");
    let distinct: BTreeSet<&String> = amiss.iter().filter(|row| row[0] == NZ).map(|row| &row[1]).collect();
    assert_eq!(score, (own - distinct.len()) as u64 * 100 / own as u64);

    // Whoever withholds by the registry's own option and is an organisation may not.
    let withheld = rows(&dir.join("oversight-withholding.csv"), &["registry", "whom", "count", "rule"]);
    let hides = |legal: bool| {
        let contacts = of(ObjectKind::Contact).filter(|(_, id, ..)| !provider(&id.as_str()));
        let is_legal = |fields: &[Option<String>]| {
            [ContactField::LocOrg, ContactField::IntOrg].iter().any(|f| fields[f.at()].as_deref().is_some_and(|org| !org.trim().is_empty()))
        };
        let is_hidden =
            |fields: &[Option<String>]| fields[ContactField::Disclose.at()].as_deref().is_some_and(|text| text.starts_with("0:"));
        contacts.filter(|(.., fields)| is_hidden(fields) && is_legal(fields) == legal).count()
    };
    for (whom, legal) in [("natural", false), ("legal", true)] {
        let row = withheld.iter().find(|row| row[0] == NZ && row[1] == whom).expect("a row");
        // One to four people are not told apart.
        let told = if (1..5).contains(&hides(legal)) { "<5".to_owned() } else { hides(legal).to_string() };
        assert_eq!(row[2], told, "{whom}");
        assert_eq!(row[3] == "R-oversight-001", legal && hides(legal) > 0, "{row:?}");
    }
    assert!(hides(false) > 0, "somebody withholds");

    // Each finding has its severity, and all of them are summed up.
    let told = rows(&dir.join("oversight-findings.csv"), &["rule", "severity", "count"]);
    let severity = |rule: &str| told.iter().find(|row| row[0] == rule).map(|row| row[1].clone()).expect("a finding");
    assert_eq!((severity("R-accuracy-003"), severity("R-accuracy-002")), ("error".to_owned(), "warning".to_owned()));
    let sums = rows(&dir.join("oversight-severities.csv"), &["severity", "rules", "count"]);
    for (row, key) in sums.iter().zip(["errors", "warnings"]) {
        let of: Vec<u64> = told.iter().filter(|one| one[1] == row[0]).map(|one| one[2].parse().expect("a number")).collect();
        let wanted = [of.len() as u64, of.iter().sum::<u64>()].map(|n| n.to_string());
        assert_eq!(row[1..], wanted, "{sums:?}");
        assert_eq!(ended.json[key].to_string(), wanted[1]);
    }
    assert_eq!(sums.len(), 2);
    // What suspects people is explained, and decides nothing.
    let scores = rows(&dir.join("oversight-scores.csv"), &["inputs", "rules", "effect"]);
    assert!(scores.len() >= 5 && scores.iter().all(|row| !row[0].is_empty() && row[2].starts_with("none")), "{scores:?}");

    // Each line was seen by the run, with certificates that hold for days.
    let lines = rows(&dir.join("oversight-security.csv"), &["registry", "version", "cipher", "own_days", "rule"]);
    assert_eq!(lines.len(), world.load().config.registries.len());
    assert!(lines.iter().all(|row| row[1].starts_with("TLSv1.") && !row[2].is_empty()), "{lines:?}");

    // Two criteria follow from the data alone; nobody declared the others, and nobody decided.
    let criteria = rows(&dir.join("oversight-assessment.csv"), &["criterion", "met", "status"]);
    let met = |name: &str| criteria.iter().find(|row| row[0] == name).expect("a criterion")[1..].to_vec();
    assert_eq!(met("matching"), ["yes", "computed"]);
    assert_eq!(met("scoring"), ["unknown", "missing"]);
    assert_eq!((&ended.json["assessment_needed"], &ended.json["findings"]["R-oversight-003"]), (&true.into(), &1.into()));

    // What is declared and decided is told, and nothing is open then.
    let config = world.config();
    let declared = "\n[oversight]\nscoring = \"no\"\nassessment = \"carried-out\"\nreviewer = \"dpo-1\"\nreviewed = \"2026-11-20\"\n";
    let before = std::fs::read_to_string(&config).expect("a configuration");
    write_atomic(&config, (before + declared).as_bytes()).expect("written");
    let ended = report_oversight(&world.load(), &context(&[])).expect("reported");
    assert_eq!((&ended.json["assessment"], &ended.json["findings"]["R-oversight-003"]), (&"carried-out".into(), &serde_json::Value::Null));
    let criteria = rows(&folder(&ended).join("oversight-assessment.csv"), &["criterion", "met", "status"]);
    assert!(criteria.iter().any(|row| row[..] == ["scoring", "no", "declared"]), "{criteria:?}");
    // The use of data by product is told for what is held, and adds up over products.
    let used = rows(&folder(&ended).join("oversight-use.csv"), &["registry", "product", "element", "basis", "held", "zone"]);
    let names: u64 = used.iter().filter(|row| row[0] == NZ && row[2] == "name").map(|row| row[4].parse::<u64>().expect("a number")).sum();
    let domains = of(ObjectKind::Domain).filter_map(|(_, _, _, fields)| fields[DomainField::Registrant.at()].as_deref());
    let real = domains.filter(|owner| known.contains(owner) && !provider(owner)).count() as u64;
    assert_eq!(names, real);
    assert!(
        used.iter().any(|row| row[1] == "name, privacy v2") && used.iter().all(|row| ["contract", "none", "unknown"].contains(&&*row[3]))
    );

    // Where the registry's own data stand in the registrants' places they are counted as withheld, and are nobody's data.
    let own = "[stand_in]\nvalue = { email_domains = [\"mail.example\"] }\nsource = \"our contract\"\nconfidence = \"seen\"\n";
    write_atomic(&world.config().with_file_name("own.toml"), own.as_bytes()).expect("written");
    let before = std::fs::read_to_string(&config).expect("a configuration");
    let table = format!("[registries.{NZ}]\n");
    assert!(before.contains(&table), "{before}");
    write_atomic(&config, before.replace(&table, &format!("{table}rules = \"own.toml\"\n")).as_bytes()).expect("written");
    let ended = report_oversight(&world.load(), &context(&[])).expect("reported");
    let withheld = rows(&folder(&ended).join("oversight-withholding.csv"), &["registry", "means", "count"]);
    let contacts = of(ObjectKind::Contact).filter(|(_, id, ..)| !provider(&id.as_str()));
    let replaced =
        contacts.filter(|(.., fields)| fields[ContactField::Email.at()].as_deref().is_some_and(|mail| mail.ends_with("@mail.example")));
    let replaced = replaced.count();
    assert!(replaced >= 5, "{replaced}");
    let told: Vec<&Vec<String>> = withheld.iter().filter(|row| row[1] == "the registry's data").collect();
    assert_eq!(told, [&vec![NZ.to_owned(), "the registry's data".to_owned(), replaced.to_string()]]);
    let left = ended.json["accuracy"].as_array().expect("registries").iter().find(|one| one["registry"] == NZ).expect("it").clone();
    assert!(left["registrants"].as_u64() < accuracy["registrants"].as_u64(), "{left}");
}
