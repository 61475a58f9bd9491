//! Transfers between two accounts: who may say what when, and what each is told.

use super::*;

const KNOBS: [&str; 1] = ["rival=registrar-2/secret-2"];

fn transfer(op: &str, inside: &str) -> String {
    format!("<transfer op=\"{op}\"><transfer {DOMAIN}><name>mine.test</name>{inside}</transfer></transfer>")
}

fn request() -> String {
    transfer("request", "<authInfo><pw>mine-2026</pw></authInfo>")
}

/// Both accounts' connections at one registry.
struct Two {
    ours: Bench,
    theirs: Connection,
    answers: Vec<String>,
    wall: Timestamp,
}

impl Two {
    fn new(id: &str) -> Self {
        let ours = Bench::logged_in(id, &KNOBS);
        let mut two = Self { ours, theirs: Connection::new(Moment::ZERO), answers: Vec::new(), wall: wall() };
        assert_eq!(two.they(&login("registrar-2", "secret-2", DOMAINS)).0, 1000);
        two
    }

    fn they(&mut self, command: &str) -> (u16, String) {
        let mut out = Vec::new();
        let frame = epp(command);
        let answer = self.theirs.handle(&mut self.ours.registry, frame.as_bytes(), self.ours.now, self.wall, &mut out);
        self.keep(answer.code, out)
    }

    fn we(&mut self, command: &str) -> (u16, String) {
        let mut out = Vec::new();
        let frame = epp(command);
        let answer = self.ours.connection.handle(&mut self.ours.registry, frame.as_bytes(), self.ours.now, self.wall, &mut out);
        self.keep(answer.code, out)
    }

    fn keep(&mut self, code: u16, out: Vec<u8>) -> (u16, String) {
        let text = String::from_utf8(out).expect("UTF-8");
        self.answers.push(text.clone());
        (code, text)
    }
}

#[test]
fn a_transfer_is_asked_for_told_of_and_approved() {
    let mut two = Two::new("gtld-thick");
    assert_eq!(two.they(&domain_info("mine.test")).0, 2201);
    assert_eq!(two.they(&transfer("request", "")).0, 2003);
    assert_eq!(two.they(&transfer("request", "<authInfo><pw>guess</pw></authInfo>")).0, 2202);
    assert_eq!(two.we(&request()).0, 2106, "it is ours");
    assert_eq!(two.we(&transfer("query", "")).0, 2301);
    assert_eq!(two.they(&transfer("query", "")).0, 2201);
    for op in ["approve", "reject", "cancel"] {
        assert_eq!((two.we(&transfer(op, "")).0, two.they(&transfer(op, "")).0), (2301, 2201), "{op}");
    }
    assert_eq!(two.they(&transfer("swap", "")).0, 2004);
    let (code, told) = two.they(&request());
    let data = "<domain:trStatus>pending</domain:trStatus><domain:reID>registrar-2</domain:reID>\
                <domain:reDate>2026-11-21T12:00:00Z</domain:reDate><domain:acID>registrar-1</domain:acID>\
                <domain:acDate>2026-11-26T12:00:00Z</domain:acDate><domain:exDate>2028-05-01T00:00:00Z</domain:exDate>";
    assert!(code == 1001 && told.contains(data), "{code} {told}");
    assert!(told.contains("<result code=\"1001\">"), "{told}");
    assert_eq!(two.they(&request()).0, 2300);
    assert!(two.we(&domain_info("mine.test")).1.contains("s=\"pendingTransfer\""));
    let update = format!("<update><update {DOMAIN}><name>mine.test</name><chg><registrant>C-1</registrant></chg></update></update>");
    assert_eq!(two.we(&update).0, 2304, "it is pending");
    let (code, told) = two.we("<poll op=\"req\"/>");
    assert!(code == 1301 && told.contains(data), "{told}");
    assert_eq!(two.they("<poll op=\"req\"/>").0, 1300, "each has a queue of its own");
    assert_eq!(two.they("<poll op=\"ack\" msgID=\"1\"/>").0, 2303, "and empties that alone");
    assert_eq!(two.we("<poll op=\"ack\" msgID=\"1\"/>").0, 1000);
    assert!(two.we(&transfer("query", "")).1.contains(data) && two.they(&transfer("query", "")).1.contains(data));
    assert_eq!(two.they(&transfer("approve", "")).0, 2201, "that is for us to say");
    assert_eq!(two.we(&transfer("cancel", "")).0, 2201, "and this for them");
    let (code, told) = two.we(&transfer("approve", ""));
    assert!(code == 1000 && told.contains("<domain:trStatus>clientApproved<"), "{code} {told}");
    assert_eq!(two.we(&domain_info("mine.test")).0, 2201);
    let (code, told) = two.they(&domain_info("mine.test"));
    for piece in ["<domain:clID>registrar-2<", "<domain:trDate>2026-11-21T12:00:00Z<", "<domain:exDate>2028-05-01T00:00:00Z<"] {
        assert!(code == 1000 && told.contains(piece), "{piece} in {told}");
    }
    assert!(!told.contains("pendingTransfer") && !told.contains("authInfo"), "{told}");
    let (code, told) = two.they("<poll op=\"req\"/>");
    assert!(code == 1301 && told.contains("<domain:trStatus>clientApproved<"), "{told}");
    assert_eq!(two.we(&transfer("approve", "")).0, 2201);
    assert_eq!(two.they(&transfer("approve", "")).0, 2301);
    assert_eq!(complaints(&two.answers), "");
}

#[test]
fn a_transfer_is_rejected_by_one_side_and_cancelled_by_the_other() {
    let mut two = Two::new("gtld-thick");
    for (op, status) in [("reject", "clientRejected"), ("cancel", "clientCancelled")] {
        assert_eq!(two.they(&request()).0, 1001);
        let (code, told) = if op == "reject" { two.we(&transfer(op, "")) } else { two.they(&transfer(op, "")) };
        assert!(code == 1000 && told.contains(&format!("<domain:trStatus>{status}<")), "{code} {told}");
        let (_, held) = two.we(&domain_info("mine.test"));
        assert!(
            held.contains("<domain:clID>registrar-1<") && held.contains("pw>mine-2026<") && !held.contains("pendingTransfer"),
            "{held}"
        );
        assert!(two.we(&transfer("query", "")).1.contains(status));
    }
    // What is locked is not even asked for.
    let lock =
        format!("<update><update {DOMAIN}><name>mine.test</name><add><status s=\"clientTransferProhibited\"/></add></update></update>");
    assert_eq!(two.we(&lock).0, 1000);
    assert_eq!(two.they(&request()).0, 2304);
    assert_eq!(complaints(&two.answers), "");
}

#[test]
fn a_transfer_that_nobody_answers_is_granted_in_time() {
    let mut two = Two::new("gtld-thick");
    assert_eq!(two.they(&request()).0, 1001);
    two.wall = wall() + jiff::SignedDuration::from_hours(24 * 5 - 1);
    assert_eq!(two.we(&domain_info("mine.test")).0, 1000);
    two.wall = wall() + jiff::SignedDuration::from_hours(24 * 6);
    assert_eq!(two.we(&domain_info("mine.test")).0, 2201);
    let (_, told) = two.they(&domain_info("mine.test"));
    assert!(told.contains("<domain:clID>registrar-2<") && told.contains("<domain:trDate>2026-11-26T12:00:00Z<"), "{told}");
    assert_eq!(two.we("<poll op=\"ack\" msgID=\"1\"/>").0, 1000, "the request");
    for told in [two.we("<poll op=\"req\"/>").1, two.they("<poll op=\"req\"/>").1] {
        assert!(told.contains("<domain:trStatus>serverApproved<"), "{told}");
    }
    assert_eq!(complaints(&two.answers), "");
}

#[test]
fn where_the_code_suffices_nobody_is_asked() {
    let mut two = Two::new("eurid");
    let (code, told) = two.they(&request());
    assert!(code == 1000 && told.contains("<domain:trStatus>serverApproved<"), "{code} {told}");
    assert_eq!(two.they(&domain_info("mine.test")).0, 1000);
}

#[test]
fn a_transfer_is_where_it_was_after_a_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("overlay.ndjson");
    let mut two = Two::new("gtld-thick");
    let mut journal = Journal::open(&path, None, &mut two.ours.registry).expect("opens");
    let frame = epp(&request());
    let mut answer = two.theirs.handle(&mut two.ours.registry, frame.as_bytes(), Moment::ZERO, wall(), &mut Vec::new());
    journal.append(&answer.commits.pop().expect("a request")).expect("written");
    let late = wall() + jiff::SignedDuration::from_hours(24 * 6);
    let poll = epp("<poll op=\"req\"/>");
    let answer = two.theirs.handle(&mut two.ours.registry, poll.as_bytes(), Moment::ZERO, late, &mut Vec::new());
    assert_eq!(answer.commits.len(), 1, "the grant");
    let mut two = Two::new("gtld-thick");
    let mut without = Journal::open(&path, None, &mut two.ours.registry).expect("opens");
    assert!(two.we(&domain_info("mine.test")).1.contains("pendingTransfer"));
    without.append(&answer.commits[0]).expect("written");
    let mut two = Two::new("gtld-thick");
    Journal::open(&path, None, &mut two.ours.registry).expect("opens");
    assert_eq!((two.we(&domain_info("mine.test")).0, two.they(&domain_info("mine.test")).0), (2201, 1000));
    assert!(two.they("<poll op=\"req\"/>").1.contains("serverApproved"));
}
