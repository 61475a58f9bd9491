//! The registry at the other end of a line that is only thought of.

use super::kind::Kind;
use crate::policy::{self, Profile};
use crate::session::Now;

/// What answers. Its answers are payloads, without the framing of the line.
pub trait Registry {
    /// The greeting of a new connection, where the registry speaks first.
    fn greeting(&mut self, session: u32, now: Now) -> Option<Vec<u8>>;

    /// The answer to a frame; none where it hangs up, or says nothing.
    fn answer(&mut self, session: u32, frame: &str, now: Now) -> Option<Vec<u8>>;

    /// The connection is gone.
    fn closed(&mut self, _session: u32) {}
}

/// A registry that has whatever it is asked for and takes whatever it is told, in as few bytes as the language allows: only the time of an
/// answer is of interest.
#[derive(Clone, Debug)]
pub struct Plain {
    line: policy::Line,
    greeting: Vec<u8>,
}

impl Plain {
    /// One that speaks the language of `profile`, and offers what it needs.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let line = profile.line.value;
        let list = |name: &str, uris: &[String]| {
            let each: Vec<String> = uris.iter().map(|uri| format!("<{name}>{uri}</{name}>")).collect();
            each.concat()
        };
        let services = &profile.services;
        let extensions = list("extURI", &services.extensions);
        let extensions = if extensions.is_empty() { extensions } else { format!("<svcExtension>{extensions}</svcExtension>") };
        let greeting = format!(
            "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><greeting><svID>forecast</svID><svcMenu><version>1.0</version><lang>en</lang>{}{extensions}\
             </svcMenu></greeting></epp>",
            list("objURI", &services.objects)
        );
        Self { line, greeting: greeting.into_bytes() }
    }

    /// The answer of RRI. It names the object that was asked for, since nothing else tells there whose answer it is.
    fn rri(frame: &str, kind: Kind) -> String {
        let data = match kind {
            Kind::Contact => {
                let handle = between(frame, "<contact:handle>").unwrap_or_default();
                format!("<contact:infoData><contact:handle>{handle}</contact:handle><contact:type>PERSON</contact:type></contact:infoData>")
            }
            Kind::Domain => {
                let name = between(frame, "<domain:ace>").or_else(|| between(frame, "<domain:handle>")).unwrap_or_default();
                format!("<domain:infoData><domain:handle>{name}</domain:handle><domain:ace>{name}</domain:ace></domain:infoData>")
            }
            Kind::Login | Kind::Logout | Kind::Change | Kind::KeepAlive => String::new(),
        };
        let data = if data.is_empty() { data } else { format!("<tr:data>{data}</tr:data>") };
        format!(
            "<registry-response xmlns=\"http://registry.denic.de/global/5.0\" xmlns:tr=\"http://registry.denic.de/transaction/5.0\" \
             xmlns:contact=\"http://registry.denic.de/contact/5.0\" xmlns:domain=\"http://registry.denic.de/domain/5.0\"><tr:transaction>\
             <tr:stid>1</tr:stid><tr:result>success</tr:result>{data}</tr:transaction></registry-response>"
        )
    }

    /// The answer of EPP, which our identifier in it gives to its question.
    fn epp(frame: &str, kind: Kind) -> String {
        let code = if kind == Kind::Logout { 1500 } else { 1000 };
        let id = between(frame, "<clTRID>").map(|id| format!("<clTRID>{id}</clTRID>")).unwrap_or_default();
        format!(
            "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><response><result code=\"{code}\"><msg>ok</msg></result>\
             <trID>{id}<svTRID>1</svTRID></trID></response></epp>"
        )
    }
}

impl Registry for Plain {
    fn greeting(&mut self, _session: u32, _now: Now) -> Option<Vec<u8>> {
        // Over POSTs it is asked for.
        (self.line == policy::Line::EppTls).then(|| self.greeting.clone())
    }

    fn answer(&mut self, _session: u32, frame: &str, _now: Now) -> Option<Vec<u8>> {
        let kind = Kind::of(frame);
        Some(match self.line {
            policy::Line::Rri => Self::rri(frame, kind).into_bytes(),
            policy::Line::EppTls | policy::Line::EppHttps if frame.contains("<hello") => self.greeting.clone(),
            policy::Line::EppTls | policy::Line::EppHttps => Self::epp(frame, kind).into_bytes(),
        })
    }
}

/// What stands behind `open` up to the next tag.
fn between<'t>(text: &'t str, open: &str) -> Option<&'t str> {
    text.split_once(open)?.1.split('<').next()
}
