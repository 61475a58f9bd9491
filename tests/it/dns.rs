//! `privet pull dns` and `privet validate --dns` against a DNS of the tests' own: a resolver and name servers on this machine's loopback
//! addresses, which answer over UDP and TCP as each case wants it.

use crate::schema_files::assert_form;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, NS, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name servers: two good ones, and one that nobody reaches over TCP. At 127.0.0.4 there is none at all.
const FIRST: [u8; 4] = [127, 0, 0, 2];
const SECOND: [u8; 4] = [127, 0, 0, 3];
const SILENT: [u8; 4] = [127, 0, 0, 4];
const UDP_ALONE: [u8; 4] = [127, 0, 0, 5];

/// What is said to one question.
#[derive(Clone, Debug)]
enum Say {
    /// Records, `KIND VALUE`, with authority.
    Records(Vec<String>),
    /// The same without.
    NoAuthority(Vec<String>),
    /// A code.
    Code(ResponseCode),
    /// That it does not fit into a datagram; over TCP what is inside.
    Long(Box<Self>),
}

/// Who is asked: the resolver, or a name server's address; what; and of which name.
type Asked = (Option<[u8; 4]>, String, RecordType);

/// What the DNS of a test says: where a case says nothing of its own, what a well kept DNS would.
#[derive(Default)]
struct Zones {
    said: HashMap<Asked, Say>,
    /// The name servers of each domain.
    servers: HashMap<String, Vec<String>>,
    /// Questions to the resolver, and questions over TCP.
    resolver_asked: AtomicU64,
    tcp_asked: AtomicU64,
}

impl Zones {
    fn say(&mut self, whom: Option<[u8; 4]>, name: &str, kind: RecordType, say: Say) {
        self.said.insert((whom, name.to_owned(), kind), say);
    }

    /// The answer of `whom`.
    fn answer(&self, whom: Option<[u8; 4]>, name: &str, kind: RecordType) -> Say {
        if let Some(say) = self.said.get(&(whom, name.to_owned(), kind)) {
            return say.clone();
        }
        let address = |of: [u8; 4]| Say::Records(vec![format!("A {}", Ipv4Addr::from(of))]);
        let zone = || self.servers.get(name);
        match (whom, kind, name) {
            (None, RecordType::A, "ns1.example.net") => address(FIRST),
            (None, RecordType::A, "ns2.example.net") => address(SECOND),
            (None, RecordType::A, "silent.example.net") => address(SILENT),
            (None, RecordType::A, "datagrams.example.net") => address(UDP_ALONE),
            (None, RecordType::A, _) => Say::Code(ResponseCode::NXDomain),
            (None, ..) => Say::Records(Vec::new()),
            (Some(_), RecordType::SOA, _) if zone().is_some() => Say::Records(vec!["SOA ns1.example.net".to_owned()]),
            (Some(_), RecordType::NS, _) if zone().is_some() => {
                Say::Records(zone().into_iter().flatten().map(|host| format!("NS {host}")).collect())
            }
            (Some(_), RecordType::MX, _) if zone().is_some() => Say::Records(vec![format!("MX mail.{name}")]),
            (Some(_), _, _) if zone().is_some() => Say::Records(Vec::new()),
            _ => Say::Code(ResponseCode::Refused),
        }
    }

    /// The message that answers `question`.
    fn reply(&self, whom: Option<[u8; 4]>, question: &[u8], tcp: bool) -> Vec<u8> {
        self.resolver_asked.fetch_add(u64::from(whom.is_none()), Ordering::Relaxed);
        self.tcp_asked.fetch_add(u64::from(tcp), Ordering::Relaxed);
        let question = Message::from_vec(question).expect("a message");
        let query = question.queries.first().expect("a question").clone();
        assert_eq!(question.metadata.recursion_desired, whom.is_none(), "only the resolver is asked to recurse");
        let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
        reply.add_query(query.clone());
        reply.metadata.authoritative = whom.is_some();
        let mut say = self.answer(whom, &name, query.query_type());
        if let Say::Long(inside) = say {
            reply.metadata.truncation = !tcp;
            say = if tcp { *inside } else { Say::Records(Vec::new()) };
        }
        match say {
            Say::Records(records) => {
                reply.add_answers(records.iter().map(|text| record(query.name(), text)));
            }
            Say::NoAuthority(records) => {
                reply.add_answers(records.iter().map(|text| record(query.name(), text)));
                reply.metadata.authoritative = false;
            }
            Say::Code(code) => reply.metadata.response_code = code,
            Say::Long(_) => panic!("long within long"),
        }
        reply.to_vec().expect("a message")
    }

    /// Answers at `address`, over TCP too where that is wanted.
    fn serve(self: &Arc<Self>, udp: UdpSocket, tcp: Option<TcpListener>, whom: Option<[u8; 4]>) {
        let zones = Arc::clone(self);
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                udp.send_to(&zones.reply(whom, &buffer[..length], false), from).expect("sent");
            }
        });
        let Some(tcp) = tcp else { return };
        let zones = Arc::clone(self);
        std::thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.expect("a connection");
                let mut length = [0; 2];
                stream.read_exact(&mut length).expect("a length");
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).expect("a question");
                let reply = zones.reply(whom, &question, true);
                let length = u16::try_from(reply.len()).expect("a short one").to_be_bytes();
                stream.write_all(&[&length, reply.as_slice()].concat()).expect("sent");
            }
        });
    }
}

/// `KIND VALUE` as a record of `owner`; `OWNER: KIND VALUE` as one of another name.
fn record(owner: &Name, text: &str) -> Record {
    let name = |text: &str| Name::from_ascii(format!("{text}.")).expect("a name");
    let (owner, text) = text.split_once(": ").map_or((owner.clone(), text), |(other, text)| (name(other), text));
    let (kind, value) = text.split_once(' ').expect("a value");
    let data = match kind {
        "A" => RData::A(A(value.parse().expect("an address"))),
        "CNAME" => RData::CNAME(CNAME(name(value))),
        "NS" => RData::NS(NS(name(value))),
        "MX" => RData::MX(MX::new(10, name(value))),
        "SOA" => RData::SOA(SOA::new(name(value), name("hostmaster.example.net"), 1, 2, 3, 4, 5)),
        other => panic!("no kind of record: {other}"),
    };
    Record::from_rdata(owner, 60, data)
}

/// A registrar with domains at one registry, and a DNS that knows them.
struct World {
    dir: tempfile::TempDir,
    zones: Arc<Zones>,
    resolver: SocketAddr,
}

impl World {
    /// Domains with their `ns`, in a DNS that a test has `changed`; the file of domains is of `listed` alone.
    fn new(domains: &[(&str, &str)], settings: &str, change: impl FnOnce(&mut Zones)) -> Self {
        let mut zones = Zones::default();
        for (domain, ns) in domains {
            let hosts = ns.split(';').map(|server| server.split('=').next().unwrap_or_default().to_owned()).collect();
            zones.servers.insert((*domain).to_owned(), hosts);
        }
        change(&mut zones);
        let zones = Arc::new(zones);
        let resolver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let resolver_at = resolver.local_addr().expect("an address");
        zones.serve(resolver, None, None);
        let port = serve_all(&zones);
        let world = Self { dir: tempfile::tempdir().expect("a directory"), zones, resolver: resolver_at };
        world.write("password", "secret-1");
        world.write("ca.pem", &crate::registries::authority());
        world.domains(domains);
        world.write(
            "privet.toml",
            &format!(
                "version = 1\n[gates]\nmin_rows_share = 0.0\n[dns]\nport = {port}\n{settings}\n[records.domains]\nfiles = [\"domains.csv\"]\n\
                 [registries.it]\nprofile = \"nicit\"\nhost = \"127.0.0.1\"\nclient_id = \"registrar-1\"\n\
                 password = {{ file = \"password\" }}\nca = \"ca.pem\"\n"
            ),
        );
        world
    }

    fn write(&self, name: &str, text: &str) {
        privet::base::write_atomic(&self.dir.path().join(name), text.as_bytes()).expect("written");
    }

    fn domains(&self, domains: &[(&str, &str)]) {
        let mut text = "registry,id,registrant,admin,tech,billing,statuses,ns,expires,properties\n".to_owned();
        for (domain, ns) in domains {
            writeln!(text, "it,{domain},R-1,R-1,,,,\"{ns}\",,").expect("a string");
        }
        self.write("domains.csv", &text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        command.args(arguments).env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    fn privet(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("a process")
    }

    fn pull(&self, more: &[&str]) -> Output {
        let resolver = self.resolver.to_string();
        self.privet(&[&["pull", "dns", "--resolver", &resolver], more].concat())
    }

    fn table(&self) -> std::path::PathBuf {
        self.dir.path().join("state/dns/registry=it/dns.json")
    }
}

/// Serves all name servers at one port; gives the port.
fn serve_all(zones: &Arc<Zones>) -> u16 {
    for _ in 0..100 {
        let bind = |address: [u8; 4], port: u16| {
            let at = SocketAddr::new(IpAddr::from(address), port);
            let udp = UdpSocket::bind(at)?;
            let at = udp.local_addr()?;
            Ok::<_, std::io::Error>((udp, at))
        };
        let Ok((first, at)) = bind(FIRST, 0) else { continue };
        let port = at.port();
        let Ok(((second, second_at), (alone, _))) = bind(SECOND, port).and_then(|b| Ok((b, bind(UDP_ALONE, port)?))) else { continue };
        let (Ok(first_tcp), Ok(second_tcp)) = (TcpListener::bind(at), TcpListener::bind(second_at)) else { continue };
        zones.serve(first, Some(first_tcp), Some(FIRST));
        zones.serve(second, Some(second_tcp), Some(SECOND));
        zones.serve(alone, None, Some(UDP_ALONE));
        return port;
    }
    panic!("no port is free at every address");
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const GOOD: &str = "ns1.example.net;ns2.example.net";

/// Every case: a domain, its name servers, and each finding as `rule severity field`.
const CASES: &[(&str, &str, &[&str])] = &[
    ("clean.it", GOOD, &[]),
    ("unresolved.it", "ns1.example.net;gone.example.net", &["R-dns-001 error ns[2] NXDOMAIN"]),
    ("silent.it", "ns1.example.net;silent.example.net", &["R-dns-002 error ns[2] timeout at 127.0.0.4 (SOA)"]),
    ("cut.it", "ns1.example.net;datagrams.example.net", &["R-dns-002 error ns[2] unreachable at 127.0.0.5 (SOA)"]),
    ("nxdomain.it", GOOD, &["R-dns-003 error ns[2] NXDOMAIN at 127.0.0.3"]),
    ("servfail.it", GOOD, &["R-dns-003 error ns[2] SERVFAIL at 127.0.0.3"]),
    ("refused.it", GOOD, &["R-dns-003 error ns[2] REFUSED at 127.0.0.3"]),
    ("notimp.it", GOOD, &["R-dns-003 error ns[2] another code of failure at 127.0.0.3"]),
    ("lame.it", GOOD, &["R-dns-004 error ns[2] without authority"]),
    ("others.it", GOOD, &["R-dns-005 error ns[2] without ns2.example.net, with ns9.example.net"]),
    ("apex.it", GOOD, &["R-dns-006 error dns.apex an alias of elsewhere.example.net"]),
    ("alias-ns.it", "ns1.example.net;alias.example.net", &["R-dns-006 error ns[2] an alias of ns2.example.net"]),
    ("alias-master.it", GOOD, &["R-dns-006 error dns.soa the master master.example.net is an alias of ns1.example.net"]),
    ("alias-mail.it", GOOD, &["R-dns-006 error dns.mx the mail exchange mail.alias-mail.it is an alias of mx.example.net"]),
    ("glue.it", "ns0.glue.it=127.0.0.9;ns2.example.net", &["R-dns-007 error ns[1] declared with 127.0.0.9; the DNS has 127.0.0.2"]),
    ("mail.it", GOOD, &["R-dns-008 error dns.mx none (ns2.example.net at 127.0.0.3)"]),
    ("master.it", GOOD, &["R-dns-009 error dns.soa ns2.example.net (ns2.example.net at 127.0.0.3)"]),
    ("parked.it", "", &[]),
];

/// What the DNS says otherwise in each case.
fn cases(zones: &mut Zones) {
    let records = |all: &[&str]| Say::Records(all.iter().map(|text| (*text).to_owned()).collect());
    let every = [RecordType::SOA, RecordType::NS, RecordType::MX, RecordType::CNAME];
    zones.say(Some(SECOND), "clean.it", RecordType::SOA, Say::Long(Box::new(records(&["SOA ns1.example.net"]))));
    zones.say(Some(UDP_ALONE), "cut.it", RecordType::SOA, Say::Long(Box::new(records(&[]))));
    let codes = [
        ("nxdomain.it", ResponseCode::NXDomain),
        ("servfail.it", ResponseCode::ServFail),
        ("refused.it", ResponseCode::Refused),
        ("notimp.it", ResponseCode::NotImp),
    ];
    for (name, code) in codes {
        for kind in every {
            zones.say(Some(SECOND), name, kind, Say::Code(code));
        }
    }
    zones.say(Some(SECOND), "lame.it", RecordType::SOA, Say::NoAuthority(vec!["SOA ns1.example.net".to_owned()]));
    zones.say(Some(SECOND), "others.it", RecordType::NS, records(&["NS ns1.example.net", "NS ns9.example.net"]));
    zones.say(Some(FIRST), "apex.it", RecordType::CNAME, records(&["CNAME elsewhere.example.net"]));
    zones.say(None, "alias.example.net", RecordType::A, records(&["CNAME ns2.example.net", "ns2.example.net: A 127.0.0.3"]));
    zones.say(None, "alias.example.net", RecordType::CNAME, records(&["CNAME ns2.example.net"]));
    for whom in [FIRST, SECOND] {
        zones.say(Some(whom), "alias-master.it", RecordType::SOA, records(&["SOA master.example.net"]));
    }
    zones.say(None, "master.example.net", RecordType::CNAME, records(&["CNAME ns1.example.net"]));
    zones.say(None, "mail.alias-mail.it", RecordType::CNAME, records(&["CNAME mx.example.net"]));
    zones.say(None, "ns0.glue.it", RecordType::A, records(&["A 127.0.0.2"]));
    zones.say(Some(SECOND), "mail.it", RecordType::MX, records(&[]));
    zones.say(Some(SECOND), "master.it", RecordType::SOA, records(&["SOA ns2.example.net"]));
}

#[test]
fn each_test_of_a_registry_is_judged_by_what_name_servers_say() {
    let domains: Vec<(&str, &str)> = CASES.iter().map(|(domain, ns, _)| (*domain, *ns)).collect();
    let world = World::new(&domains, "timeout_seconds = 3", cases);
    let never = world.privet(&["validate", "--dns"]);
    assert_eq!(never.status.code(), Some(32), "{}", said(&never));
    assert!(said(&never).contains("E-validate-002") && said(&never).contains("privet pull dns"), "{}", said(&never));

    let pulled = world.pull(&["--no-progress"]);
    assert_eq!(pulled.status.code(), Some(0), "{}", said(&pulled));
    insta::assert_snapshot!("pull_dns", String::from_utf8_lossy(&pulled.stdout));
    assert!(world.zones.tcp_asked.load(Ordering::Relaxed) > 0, "what does not fit into a datagram is asked over TCP");

    let mut late = domains.clone();
    late.push(("new.it", GOOD));
    world.domains(&late);
    let judged = world.privet(&["validate", "--dns", "--format", "json"]);
    assert_eq!(judged.status.code(), Some(11), "{}", said(&judged));
    let json: serde_json::Value = serde_json::from_slice(&judged.stdout).expect("JSON");
    assert_form("findings", &json);
    let text = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all: Vec<_> = json["findings"].as_array().expect("findings").iter().filter(|f| text(f, "rule").starts_with("R-dns-")).collect();
    for (domain, _, want) in CASES {
        let found: Vec<_> = all.iter().filter(|f| text(f, "id") == *domain).collect();
        assert_eq!(found.len(), want.len(), "{domain}: {found:#?}");
        for (finding, want) in found.iter().zip(*want) {
            let [rule, severity, field, what]: [&str; 4] = want.splitn(4, ' ').collect::<Vec<_>>().try_into().expect("four parts");
            let is = (text(finding, "rule"), text(finding, "severity"), text(finding, "field"));
            assert_eq!((&*is.0, &*is.1, &*is.2), (rule, severity, field), "{domain}");
            let told = text(finding, "what");
            assert!(told.contains(what) && told.contains("; observed 20"), "{domain}: {told}");
        }
    }
    let new: Vec<_> = all.iter().filter(|f| text(f, "id") == "new.it").map(|f| (text(f, "rule"), text(f, "severity"))).collect();
    assert_eq!(new, [("R-dns-010".to_owned(), "warning".to_owned())]);
    assert_eq!(all.len(), CASES.iter().map(|(_, _, want)| want.len()).sum::<usize>() + 1);
    let without = world.privet(&["validate", "--format", "json"]);
    assert!(!String::from_utf8_lossy(&without.stdout).contains("R-dns-"), "nobody asked for them");
}

#[test]
fn the_resolver_is_named_by_the_operator_and_must_be_there() {
    let world = World::new(&[("clean.it", GOOD)], "timeout_seconds = 1", |_| {});
    let unnamed = world.privet(&["pull", "dns"]);
    assert_eq!(unnamed.status.code(), Some(2), "{}", said(&unnamed));
    assert!(said(&unnamed).contains("E-dns-003") && said(&unnamed).contains("--resolver"), "{}", said(&unnamed));
    // A socket that nobody reads from.
    let deaf = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let deaf_at = deaf.local_addr().expect("an address").to_string();
    let unheard = world.privet(&["pull", "dns", "--resolver", &deaf_at]);
    assert_eq!(unheard.status.code(), Some(31), "{}", said(&unheard));
    assert!(said(&unheard).contains("E-dns-001") && !world.table().exists(), "{}", said(&unheard));
    assert!(!world.dir.path().join("reports").exists(), "nothing was begun");
    let wrong = world.privet(&["pull", "dns", "--resolver", "dns.example"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    let here = world.pull(&["--format", "json"]);
    assert_eq!(here.status.code(), Some(0), "{}", said(&here));
    let json: serde_json::Value = serde_json::from_slice(&here.stdout).expect("JSON");
    assert_form("dns", &json);
    assert_eq!((&json["registries"][0]["domains"], &json["registries"][0]["kept"]), (&1.into(), &true.into()));
    assert!(world.table().exists());
}

#[test]
fn a_survey_that_is_stopped_leaves_no_half_table() {
    let names: Vec<String> = (0..40).map(|n| format!("d{n}.it")).collect();
    let domains: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "silent.example.net;ns1.example.net")).collect();
    let world = World::new(&domains, "timeout_seconds = 1\nat_once = 1", |_| {});
    let resolver = world.resolver.to_string();
    let child = world.command(&["pull", "dns", "--resolver", &resolver]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("a process");
    for _ in 0..3000 {
        if world.zones.resolver_asked.load(Ordering::Relaxed) > 10 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("sent");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(40), "{}", said(&output));
    assert!(said(&output).contains("it: stopped"), "{}", said(&output));
    let left = std::fs::read_dir(Path::new(&world.dir.path().join("state/dns"))).expect("a directory").count();
    assert_eq!(left, 0, "neither a table nor a part of one");
}
