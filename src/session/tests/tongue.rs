//! The languages as a registry speaks them, and the small one as a client does.

use crate::base::{Blame, ClTrid, Handle, Problem, Result, Secret};
use crate::model::{Command, Contact, Greeting, Login, Query, ResData, Response, ResultCode, ResultItem};
use crate::policy::profile;
use crate::protocol::frame::{DEFAULT_CAP, Framer, LengthPrefix};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Tape;
use crate::session::{Account, Agreed, Dialect, Drift, EppDialect, Matching, RriDialect, Said};
use std::sync::Arc;

/// A language without greetings and identifiers: `<r><info id="X"/></r>` is answered by `<a code="1000"><contact id="X"/></a>`.
struct Small;

impl Dialect for Small {
    fn is_greeted(&self) -> bool {
        false
    }

    fn login(&self, _greeting: Option<&Greeting>) -> Result<Agreed> {
        let login = Login::plain("me", Secret::new("secret"));
        Ok(Agreed { login: Command::Login(Box::new(login)), drift: Drift::default() })
    }

    fn keep_alive(&self) -> Command {
        Command::Hello
    }

    fn matching(&self) -> Matching {
        Matching::InOrder
    }

    fn encode(&self, command: &Command, _cl_trid: Option<&ClTrid>, _agreed: &[Box<str>], out: &mut Vec<u8>) -> Result<()> {
        let text = match command {
            Command::Login(_) => "<r><login/></r>".to_owned(),
            Command::Logout => "<r><logout/></r>".to_owned(),
            Command::Hello => "<r><ping/></r>".to_owned(),
            Command::Query(Query::ContactInfo { id, .. }) => format!("<r><info id=\"{id}\"/></r>"),
            _ => return Err(Problem::new("E-small-001", Blame::Us, "there is no word for it", "")),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn read(&self, tape: &Tape) -> Result<Said, String> {
        let root = tape.root().filter(|root| root.local() == "a").ok_or("no answer")?;
        let code = root.attr("code").and_then(|code| code.parse().ok()).ok_or("no code")?;
        let result = ResultItem {
            code: ResultCode(code),
            msg: root.attr("msg").unwrap_or_default().into(),
            lang: None,
            values: Vec::new(),
            ext_values: Vec::new(),
        };
        let contact = root.child(Ns::NONE, "contact").and_then(|contact| contact.attr("id"));
        let data = contact.map(|id| ResData::Contact(Box::new(Contact::bare(Handle::new(id)))));
        Ok(Said::Answer(Box::new(Response { results: vec![result], data: data.into_iter().collect(), ..Response::default() })))
    }

    fn command_name(&self, command: &Command) -> &'static str {
        match command {
            Command::Query(_) => "contact:info",
            Command::Login(_) => "login",
            _ => "other",
        }
    }

    fn element_names(&self, _tape: &Tape) -> String {
        "a contact".to_owned()
    }
}

/// One of the languages, on both sides of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Epp,
    Small,
    Rri,
}

/// A command as the registry's side reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// `login`, `logout`, `hello` or `info`.
    pub(super) verb: &'static str,
    /// The contact asked for.
    pub(super) id: String,
    /// The client's identifier, empty in the small language.
    pub(super) trid: String,
}

impl Tongue {
    /// The two that every test of the machine is run with.
    pub(super) const BOTH: [Self; 2] = [Self::Epp, Self::Small];

    pub(super) fn dialect(self) -> Arc<dyn Dialect> {
        match self {
            Self::Small => Arc::new(Small),
            Self::Rri => {
                let account = Account { client: "DENIC-1000001".into(), password: Secret::new("geheim & süß"), new_password: None };
                Arc::new(RriDialect::new(account, &profile("denic").expect("embedded")))
            }
            Self::Epp => {
                let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
                Arc::new(EppDialect::new(account, profile("gtld-thick").expect("embedded")))
            }
        }
    }

    fn line(self) -> LengthPrefix {
        match self {
            Self::Small | Self::Rri => LengthPrefix::payload_only(DEFAULT_CAP),
            Self::Epp => LengthPrefix::epp(DEFAULT_CAP),
        }
    }

    pub(super) fn framer(self) -> fn() -> Box<dyn Framer + Send> {
        match self {
            Self::Small | Self::Rri => || Box::new(LengthPrefix::payload_only(DEFAULT_CAP)),
            Self::Epp => || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        }
    }

    pub(super) fn frame(self, payload: &str) -> Vec<u8> {
        let mut out = Vec::new();
        self.line().enclose(payload.as_bytes(), &mut out);
        out
    }

    /// The commands in what a client wrote.
    pub(super) fn read(self, bytes: &[u8]) -> Vec<Asked> {
        let mut line = self.line();
        line.push(bytes);
        let mut out = Vec::new();
        while let Some(frame) = line.next_frame().expect("a client's frames") {
            let text = std::str::from_utf8(frame).expect("UTF-8");
            let between = |from: &str, to: &str| {
                text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or_else(String::new, |(it, _)| it.to_owned())
            };
            let verb = ["login", "logout", "hello", "ping", "info", "delete", "contact:info", "contact:update", "msg:queue-read"];
            let verb = verb.into_iter().find(|verb| text.contains(&format!("<{verb}"))).expect("a known verb");
            let verb = match verb {
                "contact:info" => "info",
                "contact:update" => "update",
                "ping" | "msg:queue-read" => "hello",
                other => other,
            };
            out.push(match self {
                Self::Small => Asked { verb, id: between("id=\"", "\""), trid: String::new() },
                Self::Rri => Asked { verb, id: between("<contact:handle>", "<"), trid: between("<ctid>", "<") },
                Self::Epp => Asked { verb, id: between("<contact:id>", "<"), trid: between("<clTRID>", "<") },
            });
        }
        out
    }

    /// The greeting, or nothing in a language without.
    pub(super) fn greeting(self) -> Vec<u8> {
        match self {
            Self::Small | Self::Rri => Vec::new(),
            Self::Epp => self.frame(
                r#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><greeting><svID>test</svID><svDate>2027-01-15T08:00:00Z</svDate><svcMenu><version>1.0</version><lang>en</lang><objURI>urn:ietf:params:xml:ns:domain-1.0</objURI><objURI>urn:ietf:params:xml:ns:contact-1.0</objURI><objURI>urn:ietf:params:xml:ns:host-1.0</objURI></svcMenu></greeting></epp>"#,
            ),
        }
    }

    /// An answer with that code to `asked`; a successful one to an info holds the contact.
    pub(super) fn answer(self, asked: &Asked, code: u16) -> Vec<u8> {
        let id = (asked.verb == "info" && code / 1000 == 1).then_some(asked.id.as_str());
        if self == Self::Epp && asked.verb == "hello" {
            return self.greeting();
        }
        self.frame(&self.text(code, "", id, Some(&asked.trid)))
    }

    /// An answer put together by hand.
    pub(super) fn text(self, code: u16, msg: &str, contact: Option<&str>, trid: Option<&str>) -> String {
        match self {
            Self::Small => {
                let contact = contact.map(|id| format!("<contact id=\"{id}\"/>")).unwrap_or_default();
                format!("<a code=\"{code}\" msg=\"{msg}\">{contact}</a>")
            }
            Self::Rri => rri_answer(code, msg, contact),
            Self::Epp => {
                let data = contact.map(|id| {
                    format!(
                        r#"<resData><contact:infData xmlns:contact="urn:ietf:params:xml:ns:contact-1.0"><contact:id>{id}</contact:id><contact:roid>R-1</contact:roid><contact:status s="ok"/><contact:postalInfo type="int"><contact:name>N</contact:name><contact:addr><contact:city>C</contact:city><contact:cc>DE</contact:cc></contact:addr></contact:postalInfo><contact:email>a@example.org</contact:email><contact:clID>c</contact:clID><contact:crID>c</contact:crID><contact:crDate>2026-01-01T00:00:00Z</contact:crDate></contact:infData></resData>"#
                    )
                });
                let trid = trid.map(|trid| format!("<clTRID>{trid}</clTRID>")).unwrap_or_default();
                format!(
                    r#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><response><result code="{code}"><msg>{msg}</msg></result>{}<trID>{trid}<svTRID>S-1</svTRID></trID></response></epp>"#,
                    data.unwrap_or_default()
                )
            }
        }
    }
}

/// An answer of RRI whose error is the one that a code of EPP comes nearest to.
fn rri_answer(code: u16, msg: &str, contact: Option<&str>) -> String {
    let (result, error) = match code {
        1000..=1999 => ("success", None),
        2002 => ("failed", Some("83000000010")),
        2104 => ("failed", Some("53000000008")),
        2303 => ("failed", Some("63300062009")),
        2308 => ("failed", Some("55000000002")),
        2001 => ("failed", Some("63000000007")),
        2400 => ("exception", Some("73000000001")),
        other => panic!("no code of RRI for {other}"),
    };
    let error = error.map(|code| format!("<tr:message level=\"error\" code=\"{code}\"><tr:text>{msg}</tr:text></tr:message>"));
    let data = contact.map(|id| {
        format!("<tr:data><contact:infoData><contact:handle>{id}</contact:handle><contact:type>PERSON</contact:type></contact:infoData></tr:data>")
    });
    let spaces = r#"xmlns="http://registry.denic.de/global/5.0" xmlns:tr="http://registry.denic.de/transaction/5.0" xmlns:contact="http://registry.denic.de/contact/5.0""#;
    let (error, data) = (error.unwrap_or_default(), data.unwrap_or_default());
    format!(
        "<registry-response {spaces}><tr:transaction><tr:stid>3f2a0c1e-0000-11ee-8c99-0242ac120002</tr:stid><tr:result>{result}</tr:result>{error}{data}</tr:transaction></registry-response>"
    )
}
