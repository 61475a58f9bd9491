//! Deposits as they are found.

use super::*;
use crate::base::{Digest, write_atomic};

const DOMAINS: &str = "domain,expiration_date,nameservers,holder_contact,admin_contact,tech_contact,billing_contact,remark
hedge.example,2029-08-29 00:00:00,ns1.hedge.example ns2.hedge.example,P-1,P-1,P-2,P-2,anything
";
const HANDLES: &str = "contact,name,organization,street,city,state,zip,country,phone,fax
P-1,Max Mustermann,,Teststreet 1,Testcity,,11111,DE,+4901111112,
P-2,\"Muster, Michael\",Testorganization Ltd.,Teststreet 2,Testcity,,22222,DE,+4901111114,+4901111115
";

/// A directory with those files, and the digests of all but the one called `unsaid`.
fn dir(files: &[(&str, &str)], unsaid: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut hashes = String::new();
    for (name, text) in files {
        write_atomic(&dir.path().join(name), text.as_bytes()).unwrap();
        if *name != unsaid {
            hashes.push_str(&format!("{}  {name}\n", Digest::of(text.as_bytes())));
        }
    }
    write_atomic(&dir.path().join("000_RDE_2029-01-01_hash_0"), hashes.as_bytes()).unwrap();
    dir
}

fn refused(dir: &Path, id: &str) {
    let problems = Deposit::open(dir).map(|_| ()).expect_err(id);
    assert!(problems.kept().iter().all(|problem| problem.id == id && problem.exit == Exit::InputIncomplete), "{id}: {problems}");
    assert!(!problems.is_empty());
}

const BOTH: [(&str, &str); 2] = [("000_RDE_2029-01-01_full_0", DOMAINS), ("000_RDE_2029-01-01_hdl_0", HANDLES)];

#[test]
fn rows_come_by_our_columns_whatever_theirs_are_called() {
    let mine = dir(&BOTH, "");
    let deposit = Deposit::open(mine.path()).unwrap();
    assert_eq!(deposit.kind, DepositKind::Full);
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    let mut take = |(_, _, values): Deposited<'_>| rows.push(values.iter().map(|v| v.map(str::to_owned)).collect());
    let columns = deposit.each_domain(&mut take).unwrap();
    assert_eq!(columns.len(), DomainColumn::ALL.len());
    let columns = deposit.each_contact(&mut take).unwrap();
    assert!(!columns.contains("email") && columns.contains("zip"));
    assert_eq!(rows[0][DomainColumn::Ns.at()].as_deref(), Some("ns1.hedge.example ns2.hedge.example"));
    assert_eq!(rows[0][DomainColumn::Tech.at()].as_deref(), Some("P-2"));
    assert_eq!(rows[2][ContactColumn::Name.at()].as_deref(), Some("Muster, Michael"));
    assert_eq!((rows.len(), rows[1][ContactColumn::Email.at()].as_deref()), (3, None));
    // The same by other names, in other files, with digests as a table.
    let domains = DOMAINS.replace("holder_contact", "RT-Handle").replace("nameservers", "Nameserver");
    let mine = dir(&[("1234_RDE_Inc_20290101.csv", &domains)], "1234_RDE_Inc_20290101.csv");
    let table = format!("\"1234_RDE_Inc_20290101.csv\",\"{}\"\n", Digest::of(domains.as_bytes()).to_string().to_uppercase());
    write_atomic(&mine.path().join("000_RDE_2029-01-01_hash_0"), table.as_bytes()).unwrap();
    let deposit = Deposit::open(mine.path()).unwrap();
    assert_eq!(deposit.kind, DepositKind::Incremental);
    let mut registrants = Vec::new();
    deposit.each_domain(|(_, _, values)| registrants.push(values[DomainColumn::Registrant.at()].map(str::to_owned))).unwrap();
    assert_eq!(registrants, [Some("P-1".to_owned())]);
}

#[test]
fn what_is_no_whole_deposit_is_refused() {
    refused(tempfile::tempdir().unwrap().path(), "E-escrow-001");
    refused(dir(&BOTH[1..], "").path(), "E-escrow-001");
    refused(dir(&[BOTH[0], ("000_RDE_2029-01-01_inc_0", DOMAINS)], "").path(), "E-escrow-001");
    refused(dir(&[BOTH[0], ("000_RDE_2029-01-02_hdl_0", HANDLES)], "").path(), "E-escrow-001");
    refused(dir(&[BOTH[0], ("000_RDE_2029-01-01_full_1.csv.gpg", "x")], "").path(), "E-escrow-001");
    refused(dir(&BOTH, "000_RDE_2029-01-01_hdl_0").path(), "E-escrow-003");
    let altered = dir(&BOTH, "");
    write_atomic(&altered.path().join("000_RDE_2029-01-01_hdl_0"), HANDLES.replace("P-2", "P-3").as_bytes()).unwrap();
    refused(altered.path(), "E-escrow-004");
    let missing = dir(&BOTH, "");
    crate::base::remove_tree(&missing.path().join("000_RDE_2029-01-01_hdl_0")).unwrap();
    refused(missing.path(), "E-escrow-003");
    let unhashed = dir(&BOTH, "");
    crate::base::remove_tree(&unhashed.path().join("000_RDE_2029-01-01_hash_0")).unwrap();
    refused(unhashed.path(), "E-escrow-002");
    write_atomic(&unhashed.path().join("000_RDE_2029-01-01_hash_0"), b"nothing of that kind here\n").unwrap();
    let problems = Deposit::open(unhashed.path()).map(|_| ()).expect_err("no digests");
    assert_eq!((problems.kept()[0].id.as_str(), problems.kept()[0].place.line), ("E-escrow-002", Some(1)));
    // Rows that cannot be read are told with their line.
    let torn = dir(&[("000_RDE_2029-01-01_full_0", "domain,ns\na.example,x,y\n"), ("000_RDE_2029-01-01_full_1", "name\nx\n")], "");
    let problems = Deposit::open(torn.path()).unwrap().each_domain(|_| ()).expect_err("torn");
    let told: Vec<(&str, Option<u64>)> = problems.kept().iter().map(|p| (p.id.as_str(), p.place.line)).collect();
    assert_eq!(told, [("E-csv-001", Some(2)), ("E-escrow-005", Some(1))]);
}
