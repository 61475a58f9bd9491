//! Answers: result, messages and objects, of either form.

use super::sheet::Sheet;
use super::word::{Key, Kind, same};
use super::{code, contact, domain, kv, xml};
use crate::base::{ClTrid, Personal};
use crate::model::{CheckItem, Date, Extension, Queue, ResData, Response, ResultCode, ResultItem, RriAnswer, RriCode, RriMessage, Unknown};
use crate::protocol::epp::field::token;
use crate::protocol::ns::Ns;
use crate::protocol::tape::{Element, Tape};
use std::fmt;

/// Why a frame is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable(&'static str);

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Undecodable {}

/// What an object in an answer is the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Info,
    Check,
    Message,
}

/// An answer before it has types.
#[derive(Default)]
struct Raw<'t> {
    own: RriAnswer,
    stid: Option<Box<str>>,
    ctid: Option<ClTrid>,
    sheets: Vec<(Asked, Sheet<'t>)>,
    data: Vec<ResData>,
    unknown: Vec<Unknown>,
}

/// The typed view of an answer in the XML form. Marks on the tape what it took; [`Tape::unknown`] tells the rest.
///
/// # Errors
/// [`Undecodable`] where it is no answer; what is wrong inside of one never is an error.
pub fn decode(tape: &Tape) -> Result<Response, Undecodable> {
    let root = tape.root().ok_or(Undecodable("no document"))?;
    if !root.is(Ns::RRI, "registry-response") {
        return Err(Undecodable("the root element is not a registry-response of RRI 5.0"));
    }
    let transaction = root.seen().child(Ns::RRI_TRANSACTION, "transaction").ok_or(Undecodable("a response without its transaction"))?;
    let mut raw = Raw::default();
    for c in transaction.children().filter(|c| c.ns() == Ns::RRI_TRANSACTION) {
        match c.local() {
            "stid" if raw.stid.is_none() => raw.stid = token(c),
            "ctid" if raw.ctid.is_none() => raw.ctid = token(c).map(ClTrid::new),
            "result" if raw.own.result.is_empty() => raw.own.result = c.token().to_ascii_lowercase().into(),
            "message" => raw.own.messages.push(message(c)),
            "data" => c.seen().children().for_each(|object| read_object(object, &mut raw)),
            _ => {}
        }
    }
    if raw.own.result.is_empty() {
        return Err(Undecodable("a response without its result"));
    }
    Ok(raw.typed())
}

/// The typed view of an answer in the key/value form, with what no type took in `unknown`.
///
/// # Errors
/// [`Undecodable`] where it is no answer.
pub fn decode_key_value(frame: &[u8]) -> Result<Response, Undecodable> {
    let text = std::str::from_utf8(frame).map_err(|_| Undecodable("not UTF-8"))?;
    let mut raw = Raw::default();
    for mut block in kv::blocks(text) {
        block.lines.retain(|(keyword, value)| block.section.is_some() || !raw.head(keyword, value));
        let kind = kv::kind_of(&block);
        match (kind, raw.sheets.last_mut()) {
            (Some(Kind::Verification), Some((_, owner))) => owner.parts.push(kv::sheet(&block, Kind::Verification)),
            (Some(kind), _) => {
                let sheet = kv::sheet(&block, kind);
                let names = [Key::Handle, Key::Domain, Key::Ace, Key::Status];
                let is_check = sheet.count(Key::Status) == 1 && sheet.fields.iter().all(|f| names.contains(&f.word.key));
                let asked = match kind {
                    Kind::Message => Asked::Message,
                    _ if is_check => Asked::Check,
                    _ => Asked::Info,
                };
                raw.sheets.push((asked, sheet));
            }
            (None, _) => {
                let lines = block.lines.iter().map(|(keyword, value)| kv::unknown(block.section, keyword, value));
                raw.unknown.extend(lines);
                raw.unknown.extend(block.strange.iter().map(|line| kv::unknown(block.section, "line", line)));
            }
        }
    }
    if raw.own.result.is_empty() {
        return Err(Undecodable("no RESULT in it"));
    }
    // Verifications come in sections behind their contact, so that whole contacts are known only now.
    raw.own.objects = raw.sheets.iter().filter(|(asked, _)| *asked == Asked::Info).filter_map(|(_, s)| xml::whole_of(s)).collect();
    Ok(raw.typed())
}

/// Reads one child of `tr:data`.
fn read_object<'t>(e: Element<'t>, raw: &mut Raw<'t>) {
    let asked = match (e.ns(), e.local()) {
        (Ns::RRI_CONTACT | Ns::RRI_DOMAIN, "infoData") => Asked::Info,
        (Ns::RRI_CONTACT | Ns::RRI_DOMAIN, "checkData") => Asked::Check,
        (Ns::RRI_MSG, "message") => Asked::Message,
        _ => return raw.data.push(ResData::Unreadable { namespace: e.uri().into(), name: e.local().into(), why: None }),
    };
    let Some(kind) = xml::kind_of(e) else { return };
    if asked == Asked::Info {
        // Read once for the whole object, and again for the types of EPP, whose marks are the ones that count.
        let sheet = xml::read_sheet(e, kind);
        raw.own.objects.extend(xml::object(e, &sheet));
        e.forget();
    }
    raw.sheets.push((asked, xml::read_sheet(e, kind)));
}

/// Reads `tr:message`.
fn message(e: Element<'_>) -> RriMessage {
    let code = e.peek("code").and_then(code::read);
    if code.is_some() {
        let _known = e.attr("code");
    }
    let part = |name| e.children().find(|c| c.is(Ns::RRI_TRANSACTION, name));
    RriMessage {
        level: e.attr("level").unwrap_or_default().to_ascii_lowercase().into(),
        code,
        text: part("text").map(|text| text.token().into()).unwrap_or_default(),
        argument: e.seen().children().find(|c| c.is(Ns::RRI_TRANSACTION, "argument")).map(|a| Personal::new(a.token())),
    }
}

impl Raw<'_> {
    /// Takes a line of the head. False where it is none.
    fn head(&mut self, keyword: &str, value: &str) -> bool {
        let level = ["info", "warning", "error"].into_iter().find(|level| same(level, keyword));
        if let Some(level) = level {
            let (digits, text) = value.split_once([' ', '\t']).unwrap_or((value, ""));
            let code = code::read(digits);
            let text = if code.is_some() { text.trim() } else { value };
            self.own.messages.push(RriMessage { level: level.into(), code, text: text.into(), argument: None });
        } else if same(keyword, "RESULT") && self.own.result.is_empty() {
            self.own.result = value.to_ascii_lowercase().into();
        } else if same(keyword, "STID") && self.stid.is_none() {
            self.stid = Some(value.into());
        } else if same(keyword, "CTID") && self.ctid.is_none() {
            self.ctid = Some(ClTrid::new(value));
        } else {
            return false;
        }
        true
    }

    /// The answer in the terms all dialects share.
    fn typed(self) -> Response {
        let mut response =
            Response { results: results(&self.own), cl_trid: self.ctid, sv_trid: self.stid, unknown: self.unknown, ..Response::default() };
        for (asked, sheet) in self.sheets {
            match (asked, sheet.kind) {
                (Asked::Message, _) => {
                    response.queue.get_or_insert_with(|| queue(&sheet));
                }
                (Asked::Info, Kind::Contact) => {
                    response.data.push(object(contact::shared(&sheet).map(|c| ResData::Contact(Box::new(c))), &sheet));
                }
                (Asked::Info, _) => {
                    response.extensions.extend(domain::keys(&sheet).map(Extension::SecDns));
                    response.data.push(object(domain::shared(&sheet).map(|d| ResData::Domain(Box::new(d))), &sheet));
                }
                (Asked::Check, Kind::Contact) => {
                    response.data.push(object(check(&sheet, Key::Handle).map(ResData::ContactCheck), &sheet));
                }
                (Asked::Check, _) => {
                    let key = if sheet.count(Key::Ace) > 0 { Key::Ace } else { Key::Domain };
                    response.data.push(object(check(&sheet, key).map(ResData::DomainCheck), &sheet));
                }
            }
            sheet.settle(&mut response.unknown);
        }
        response.data.extend(self.data);
        response.extensions.push(Extension::Rri(Box::new(self.own)));
        response
    }
}

/// An object, or what is wrong with it; all of it then stays unknown.
fn object(read: Result<ResData, &'static str>, sheet: &Sheet<'_>) -> ResData {
    read.unwrap_or_else(|why| {
        sheet.give_back();
        let (namespace, name) = match sheet.kind {
            Kind::Contact => (Ns::RRI_CONTACT.uri(), "contact"),
            _ => (Ns::RRI_DOMAIN.uri(), "domain"),
        };
        ResData::Unreadable { namespace: namespace.into(), name: name.into(), why: Some(why) }
    })
}

fn check(sheet: &Sheet<'_>, key: Key) -> Result<Vec<CheckItem>, &'static str> {
    let id = sheet.one(key).ok_or("a check without its object")?;
    let _other_form = sheet.one(Key::Domain);
    let status = sheet.one(Key::Status).ok_or("a check without a status")?;
    let available = status.eq_ignore_ascii_case("free");
    Ok(vec![CheckItem { id: id.into(), available, reason: (!available).then(|| status.into()) }])
}

/// The message at the head of the queue. What it is about differs from type to type and stays unknown, so that it is kept as it came.
fn queue(sheet: &Sheet<'_>) -> Queue {
    Queue {
        count: None,
        id: sheet.one(Key::MsgId).map(Into::into),
        date: sheet.one(Key::MsgTime).map(Date::read),
        msg: sheet.one(Key::MsgType).map(Into::into),
    }
}

/// The result in the codes of EPP: the result's word decides about success, a message's code about what kind of failure it is.
fn results(own: &RriAnswer) -> Vec<ResultItem> {
    let failed = &*own.result != "success";
    let item = |code, words: String| ResultItem { code, msg: words.into(), lang: None, values: Vec::new(), ext_values: Vec::new() };
    let mut out: Vec<ResultItem> = own
        .messages
        .iter()
        .map(|message| {
            let contradicts = !failed && &*message.level == "error";
            let code = match message.code {
                _ if contradicts => ResultCode::FAILED,
                Some(code) if failed && &*message.level == "error" => code::as_result(code),
                _ => ResultCode::OK,
            };
            let number = message.code.map(|code: RriCode| format!("{code} ")).unwrap_or_default();
            item(code, format!("{number}{}", message.text))
        })
        .collect();
    if failed && !out.iter().any(|r| !r.code.is_success()) {
        out.push(item(ResultCode::FAILED, own.result.to_string()));
    } else if out.is_empty() {
        out.push(item(ResultCode::OK, String::new()));
    }
    out
}
