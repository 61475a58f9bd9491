//! A client of the tests' own: it sends what it is told to, however wrong, over real TLS, in each of the three lines.

use privet::mock::Served;
use privet::model::{Contact, Domain, NameServers, ObjectKind, Properties};
use privet::policy::{Line, Profile};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// A session that has logged in.
pub(crate) struct Raw {
    stream: StreamOwned<ClientConnection, TcpStream>,
    line: Line,
    cookie: String,
}

impl Raw {
    /// Logs in at `served`, naming every service that `profile` does.
    pub(crate) fn login(served: &Served, profile: &Profile) -> Self {
        Self::to(&serde_json::to_value(served).expect("JSON"), Path::new(""), profile)
    }

    /// The same at a registry that told this of itself, its files being told from `dir` on.
    pub(crate) fn to(told: &serde_json::Value, dir: &Path, profile: &Profile) -> Self {
        let text = |key: &str| told[key].as_str().expect("a text").to_owned();
        let file = |key: &str| dir.join(text(key));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file("ca")).expect("a file") {
            roots.add(certificate.expect("a certificate")).expect("an authority");
        }
        let chain: Vec<_> = CertificateDer::pem_file_iter(file("cert")).expect("a file").map(|c| c.expect("a certificate")).collect();
        let key = PrivateKeyDer::from_pem_file(file("key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .expect("a certificate of ours");
        let name = ServerName::try_from(text("server_name")).expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let socket = TcpStream::connect(text("address")).expect("connected");
        socket.set_nodelay(true).expect("set");
        let stream = StreamOwned::new(connection, socket);
        let mut raw = Self { stream, line: profile.line.value, cookie: String::new() };
        let password = std::fs::read_to_string(file("password_file")).expect("a password");
        let password = password.trim_end();
        let answer = match raw.line {
            Line::Rri => raw.say(&format!("Version: 5.0\nAction: LOGIN\nUser: {}\nPassword: {password}\n", text("user"))),
            Line::EppTls | Line::EppHttps => {
                let greeting = if raw.line == Line::EppTls { raw.hear() } else { raw.say(&epp("<hello/>")) };
                let named = |tag: &str| -> String {
                    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
                    let parts = greeting.split(&open).skip(1).filter_map(|rest| rest.split(&close).next());
                    parts.flat_map(|uri| [open.as_str(), uri, close.as_str()]).collect()
                };
                let (objects, extensions) = (named("objURI"), named("extURI"));
                let extensions = if extensions.is_empty() { String::new() } else { format!("<svcExtension>{extensions}</svcExtension>") };
                raw.say(&epp(&format!(
                    "<command><login><clID>{}</clID><pw>{password}</pw><options><version>1.0</version><lang>en</lang></options>\
                     <svcs>{objects}{extensions}</svcs></login></command>",
                    text("user")
                )))
            }
        };
        assert!(Verdict::of(&answer).taken, "{answer}");
        raw
    }

    /// Sends `body` and reads the answer.
    pub(crate) fn say(&mut self, body: &str) -> String {
        let length = |extra: usize| u32::try_from(body.len() + extra).expect("a length").to_be_bytes();
        let mut bytes = match self.line {
            Line::EppTls => length(4).to_vec(),
            Line::Rri => length(0).to_vec(),
            Line::EppHttps => format!(
                "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml; charset=UTF-8\r\ncontent-length: {}\r\n{}\r\n",
                body.len(),
                if self.cookie.is_empty() { String::new() } else { format!("cookie: {}\r\n", self.cookie) }
            )
            .into_bytes(),
        };
        bytes.extend_from_slice(body.as_bytes());
        self.stream.write_all(&bytes).expect("sent");
        self.stream.flush().expect("sent");
        self.hear()
    }

    fn hear(&mut self) -> String {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        if self.line != Line::EppHttps {
            let mut header = [0; 4];
            self.stream.read_exact(&mut header).expect("a length");
            let counted = if self.line == Line::Rri { 0 } else { 4 };
            let mut payload = vec![0; u32::from_be_bytes(header) as usize - counted];
            self.stream.read_exact(&mut payload).expect("a payload");
            return text(payload);
        }
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = text(head);
        let field = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        if let Some(cookie) = field("set-cookie") {
            cookie.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
        }
        let length = field("content-length").and_then(|n| n.parse().ok()).expect("a length");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        text(body)
    }
}

/// What an answer comes to.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Whether the command was carried out.
    pub(crate) taken: bool,
    /// The code, of EPP or of RRI.
    pub(crate) code: String,
}

impl Verdict {
    /// Reads an answer of any of the lines.
    pub(crate) fn of(answer: &str) -> Self {
        if let Some((_, rest)) = answer.split_once("<result code=\"") {
            let code = rest.get(..4).unwrap_or_default().to_owned();
            return Self { taken: code.starts_with('1'), code };
        }
        let line = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned());
        let result = line("RESULT:").unwrap_or_else(|| panic!("an answer: {answer}"));
        let code = line("ERROR:").and_then(|error| error.split_whitespace().next().map(str::to_owned)).unwrap_or_default();
        Self { taken: result == "success", code }
    }
}

/// An EPP frame.
pub(crate) fn epp(inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\">{inner}</epp>")
}

/// Text as XML has it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The command that creates `contact`, whatever is wrong with it.
pub(crate) fn create(profile: &Profile, contact: &Contact) -> String {
    if profile.line.value == Line::Rri { rri_contact(contact) } else { epp_contact(profile, contact) }
}

fn epp_contact(profile: &Profile, contact: &Contact) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let leaf =
        |out: &mut String, name: &str, value: &str| write!(out, "<contact:{name}>{}</contact:{name}>", escaped(value)).expect("text");
    leaf(&mut out, "id", contact.id.as_str());
    for info in &contact.postal {
        write!(out, "<contact:postalInfo type=\"{}\">", info.form.as_str()).expect("text");
        if let Some(name) = &info.name {
            leaf(&mut out, "name", name.reveal());
        }
        if let Some(org) = &info.org {
            leaf(&mut out, "org", org.reveal());
        }
        if let Some(addr) = &info.addr {
            out.push_str("<contact:addr>");
            addr.street.iter().for_each(|line| leaf(&mut out, "street", line.reveal()));
            leaf(&mut out, "city", addr.city.reveal());
            if let Some(sp) = &addr.sp {
                leaf(&mut out, "sp", sp.reveal());
            }
            if let Some(pc) = &addr.pc {
                leaf(&mut out, "pc", pc.reveal());
            }
            leaf(&mut out, "cc", &addr.cc);
            out.push_str("</contact:addr>");
        }
        out.push_str("</contact:postalInfo>");
    }
    for (name, phone) in [("voice", &contact.voice), ("fax", &contact.fax)] {
        if let Some(phone) = phone {
            leaf(&mut out, name, phone.number.reveal());
        }
    }
    if let Some(email) = &contact.email {
        leaf(&mut out, "email", email.reveal());
    }
    out.push_str("<contact:authInfo><contact:pw>2fooBAR</contact:pw></contact:authInfo>");
    let extension = extension(profile, &contact.properties);
    let extension = if extension.is_empty() { extension } else { format!("<extension>{extension}</extension>") };
    epp(&format!(
        "<command><create><contact:create xmlns:contact=\"urn:ietf:params:xml:ns:contact-1.0\">{out}</contact:create></create>\
         {extension}<clTRID>raw-1</clTRID></command>"
    ))
}

/// The extension that carries `properties` at the registry of `profile`: its shape is the registry's own.
fn extension(profile: &Profile, properties: &Properties) -> String {
    let leaves = |keys: &[&str]| -> String {
        keys.iter()
            .filter_map(|key| Some((key, properties.get(key)?)))
            .map(|(key, value)| format!("<{key}>{}</{key}>", escaped(value)))
            .collect::<Vec<_>>()
            .concat()
    };
    let offers = |part: &str| profile.services.extensions.iter().filter(|uri| uri.contains(part)).max();
    if let Some(uri) = offers("/extcon-") {
        let registrant = leaves(&["nationalityCode", "entityType", "regCode", "schoolCode"]);
        let registrant = if registrant.is_empty() { registrant } else { format!("<registrant>{registrant}</registrant>") };
        return format!("<create xmlns=\"{uri}\">{}{registrant}</create>", leaves(&["consentForPublishing"]));
    }
    if let Some(uri) = offers("/contact-ext-") {
        let keys = ["type", "vat", "lang", "whoisEmail", "naturalPerson", "countryOfCitizenship"];
        return format!("<create xmlns=\"{uri}\">{}</create>", leaves(&keys));
    }
    String::new()
}

/// In key/value form: every line what the row says, in the order of the registry's examples.
fn rri_contact(contact: &Contact) -> String {
    let mut lines = vec![("Version", "5.0".to_owned()), ("Action", "CREATE".to_owned()), ("Handle", contact.id.as_str().to_owned())];
    let further = |field: &str| -> Vec<String> {
        let of = |key: &str| key.split_once('.').is_some_and(|(known, _)| known == field);
        contact.properties.iter().filter(|(key, _)| of(key)).map(|(_, value)| value.to_owned()).collect()
    };
    let mut put = |key: &'static str, value: Option<&str>| lines.extend(value.map(|v| (key, v.to_owned())));
    put("Type", contact.properties.get("type"));
    for info in &contact.postal {
        put("Name", info.name.as_ref().map(privet::base::Personal::reveal));
        for name in &further("name") {
            put("Name", Some(name));
        }
        put("Organisation", info.org.as_ref().map(privet::base::Personal::reveal));
        for org in &further("org") {
            put("Organisation", Some(org));
        }
        if let Some(addr) = &info.addr {
            addr.street.iter().for_each(|line| put("Address", Some(line.reveal())));
            for line in &further("street") {
                put("Address", Some(line));
            }
            put("PostalCode", addr.pc.as_ref().map(privet::base::Personal::reveal));
            put("City", Some(addr.city.reveal()));
            put("CountryCode", Some(&*addr.cc).filter(|cc| !cc.is_empty()));
        }
    }
    put("EMail", contact.email.as_ref().map(privet::base::Personal::reveal));
    for email in &further("email") {
        put("EMail", Some(email));
    }
    put("Phone", contact.voice.as_ref().map(|p| p.number.reveal()));
    put("URI-Template", contact.properties.get("uri-template"));
    lines.iter().map(|(key, value)| format!("{key}: {value}\n")).collect::<Vec<_>>().concat()
}

/// The EPP command that adds a status to an object, or else removes it.
pub(crate) fn status(kind: ObjectKind, id: &str, status: &str, adding: bool) -> String {
    let (name, key) = if kind == ObjectKind::Domain { ("domain", "name") } else { ("contact", "id") };
    let verb = if adding { "add" } else { "rem" };
    update(name, &format!("<{name}:{key}>{id}</{name}:{key}><{name}:{verb}><{name}:status s=\"{status}\"/></{name}:{verb}>"))
}

/// The EPP command that updates an object of the kind `name`.
pub(crate) fn update(name: &str, inner: &str) -> String {
    epp(&format!(
        "<command><update><{name}:update xmlns:{name}=\"urn:ietf:params:xml:ns:{name}-1.0\">{inner}</{name}:update></update>\
         <clTRID>raw-2</clTRID></command>"
    ))
}

/// The command that delegates `domain`, as it stands, to `next` and to no other; nothing where there is nothing to change.
pub(crate) fn delegate(profile: &Profile, domain: &Domain, next: &NameServers) -> Option<String> {
    if domain.ns == *next {
        return None;
    }
    if profile.line.value == Line::Rri {
        let mut lines = format!("Version: 5.0\nAction: UPDATE\nDomain: {}\n", domain.name);
        let further = domain.properties.iter().filter(|(key, _)| key.starts_with("registrant.")).map(|(_, handle)| handle);
        let holders = domain.registrant.iter().map(privet::base::Handle::as_str).chain(further);
        holders.for_each(|handle| lines.push_str(&format!("Holder: {handle}\n")));
        each(next, |name, addresses| lines.push_str(&format!("Nserver: {name}. {}\n", addresses.join(" "))));
        return Some(lines);
    }
    let list = |servers: &NameServers, tag: &str| {
        let mut out = String::new();
        each(servers, |name, addresses| match servers {
            NameServers::Objects(_) => out.push_str(&format!("<domain:hostObj>{name}</domain:hostObj>")),
            NameServers::Attributes(_) => {
                let version = |ip: &&str| if ip.contains(':') { "v6" } else { "v4" };
                let addr = |ip: &&str| format!("<domain:hostAddr ip=\"{}\">{ip}</domain:hostAddr>", version(ip));
                let addresses: String = addresses.iter().map(addr).collect();
                out.push_str(&format!("<domain:hostAttr><domain:hostName>{name}</domain:hostName>{addresses}</domain:hostAttr>"));
            }
        });
        if out.is_empty() { out } else { format!("<domain:{tag}><domain:ns>{out}</domain:ns></domain:{tag}>") }
    };
    let (add, rem) = (list(next, "add"), list(&domain.ns, "rem"));
    Some(update("domain", &format!("<domain:name>{}</domain:name>{add}{rem}", domain.name)))
}

/// Calls `tell` with each server's name and addresses.
fn each(servers: &NameServers, mut tell: impl FnMut(&str, &[&str])) {
    match servers {
        NameServers::Objects(names) => names.iter().for_each(|name| tell(name.as_str(), &[])),
        NameServers::Attributes(all) => {
            for host in all {
                tell(host.name.as_str(), &host.addrs.iter().map(|ip| &*ip.text).collect::<Vec<_>>());
            }
        }
    }
}
