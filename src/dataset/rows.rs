//! One object as a row of text fields: the form local records and snapshots share.

use super::columns::{ContactField, DomainField};
use crate::base::{Personal, RowDigest, row_digest};
use crate::model::{Address, Contact, Disclose, DiscloseForms, Domain, NameServers, Phone, PostalForm, Properties, Role, Status};
use crate::policy::StandIn;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An object's id and its fields in the order of its columns. It holds personal data, so `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// The id and then every present field, end to end.
    text: Box<str>,
    /// Where the id and each field end in `text`; a field that is absent has [`ABSENT`] set.
    ends: Box<[u32]>,
}

/// Set in the end of a field that is absent.
const ABSENT: u32 = 1 << 31;

impl Row {
    /// The row of `id` with `fields`; a field of no characters is absent.
    #[must_use]
    pub fn new<'a>(id: &str, fields: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let fields = fields.into_iter();
        // Room for most rows, so that hardly any grows piece by piece: every report makes one of each object.
        let mut text = String::with_capacity(id.len() + 256);
        text.push_str(id);
        let mut ends = Vec::with_capacity(fields.size_hint().0 + 1);
        ends.push(end_of(&text));
        for field in fields {
            match field.filter(|f| !f.is_empty()) {
                Some(field) => {
                    text.push_str(field);
                    ends.push(end_of(&text));
                }
                None => ends.push(end_of(&text) | ABSENT),
            }
        }
        Self { text: text.into(), ends: ends.into() }
    }

    /// The handle or the domain name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.span(0).unwrap_or_default()
    }

    /// The field at `at`, from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        self.span(at + 1)
    }

    /// How many fields there are, absent ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The same row with other values at some positions.
    #[must_use]
    pub fn with(&self, changes: &[(usize, Option<&str>)]) -> Self {
        let value = |at: usize| changes.iter().find(|(changed, _)| *changed == at).map_or_else(|| self.get(at), |(_, to)| *to);
        Self::new(self.id(), (0..self.len()).map(value))
    }

    /// The digest of id and fields as they stand, before any normalising.
    #[must_use]
    pub fn digest(&self) -> RowDigest {
        row_digest(std::iter::once(Some(self.id())).chain(self.fields()))
    }

    /// Whether a contact's row holds the registry's own data in the place of what is withheld.
    #[must_use]
    pub fn is_stand_in(&self, own: &StandIn) -> bool {
        let value = |field: ContactField| self.get(field.at());
        [ContactField::IntOrg, ContactField::LocOrg].into_iter().filter_map(value).any(|org| own.names(org))
            || value(ContactField::Email).is_some_and(|address| own.receives(address))
    }

    /// Piece `n`, where 0 is the id.
    fn span(&self, n: usize) -> Option<&str> {
        let end = *self.ends.get(n)?;
        if end & ABSENT != 0 {
            return None;
        }
        let start = n.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |e| e & !ABSENT);
        self.text.get(start as usize..end as usize)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({})", crate::base::escape_controls(self.id()))
    }
}

/// Where `text` ends; no row is so long that this does not fit, as fields are capped where they are read.
fn end_of(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX) & !ABSENT
}

/// The row of a contact. Authorisation information never enters a row.
#[must_use]
pub fn contact_row(contact: &Contact) -> Row {
    use ContactField as F;
    let mut fields: [Option<String>; ContactField::ALL.len()] = Default::default();
    let mut set = |field: ContactField, value: Option<String>| {
        if let Some(slot) = fields.get_mut(field.at()) {
            *slot = value;
        }
    };
    for info in &contact.postal {
        let [name, org, street1, street2, street3, city, sp, pc, cc] = match info.form {
            PostalForm::Int => {
                [F::IntName, F::IntOrg, F::IntStreet1, F::IntStreet2, F::IntStreet3, F::IntCity, F::IntSp, F::IntPc, F::IntCc]
            }
            PostalForm::Loc => {
                [F::LocName, F::LocOrg, F::LocStreet1, F::LocStreet2, F::LocStreet3, F::LocCity, F::LocSp, F::LocPc, F::LocCc]
            }
        };
        set(name, reveal(info.name.as_ref()));
        set(org, reveal(info.org.as_ref()));
        if let Some(Address { street: lines, city: town, sp: region, pc: code, cc: country }) = &info.addr {
            set(street1, reveal(lines.first()));
            set(street2, reveal(lines.get(1)));
            // A registry may send more lines than the schema allows; none of them is lost.
            let rest: Vec<&str> = lines.iter().skip(2).map(Personal::reveal).collect();
            set(street3, (!rest.is_empty()).then(|| rest.join(", ")));
            set(city, reveal(Some(town)));
            set(sp, reveal(region.as_ref()));
            set(pc, reveal(code.as_ref()));
            set(cc, Some(country.to_string()));
        }
    }
    for (number, ext, phone) in [(F::Voice, F::VoiceX, &contact.voice), (F::Fax, F::FaxX, &contact.fax)] {
        if let Some(Phone { number: value, ext: x }) = phone {
            set(number, reveal(Some(value)));
            set(ext, reveal(x.as_ref()));
        }
    }
    set(F::Email, reveal(contact.email.as_ref()));
    set(F::Statuses, statuses(&contact.statuses));
    set(F::Disclose, contact.disclose.as_ref().map(disclose_text));
    set(F::Properties, Some(contact.properties.to_text()));
    Row::new(contact.id.as_str(), fields.iter().map(Option::as_deref))
}

/// The row of a domain. Authorisation information never enters a row.
#[must_use]
pub fn domain_row(domain: &Domain) -> Row {
    let role = |role: Role| {
        let mut handles: Vec<&str> = domain.contacts.iter().filter(|c| c.role == Some(role)).map(|c| c.handle.as_str()).collect();
        handles.sort_unstable();
        handles.dedup();
        handles.join(";")
    };
    let (admin, tech, billing) = (role(Role::Admin), role(Role::Tech), role(Role::Billing));
    let statuses = statuses(&domain.statuses);
    let ns = name_servers(&domain.ns);
    let properties = domain.properties.to_text();
    let expires = domain.expires.as_ref().map(|d| d.at.map_or_else(|| d.raw.to_string(), |at| at.to_string()));
    let fields = [
        domain.registrant.as_ref().map(AsRef::as_ref),
        Some(admin.as_str()),
        Some(tech.as_str()),
        Some(billing.as_str()),
        statuses.as_deref(),
        Some(ns.as_str()),
        expires.as_deref(),
        Some(properties.as_str()),
    ];
    Row::new(domain.name.as_str(), fields)
}

/// A disclose statement in one canonical text: the flag, a colon, and the sorted names of what it covers.
#[must_use]
pub fn disclose_text(disclose: &Disclose) -> String {
    let forms = [("addr", disclose.addr), ("name", disclose.name), ("org", disclose.org)];
    let plain = [("email", disclose.email), ("fax", disclose.fax), ("voice", disclose.voice)];
    let mut names: Vec<String> = Vec::new();
    for (name, DiscloseForms { int, loc }) in forms {
        names.extend(int.then(|| format!("{name}.int")));
        names.extend(loc.then(|| format!("{name}.loc")));
    }
    names.extend(plain.iter().filter(|(_, named)| *named).map(|(name, _)| (*name).to_owned()));
    names.sort_unstable();
    format!("{}:{}", u8::from(disclose.flag), names.join(","))
}

/// A disclose statement from that text; nothing where it is none.
#[must_use]
pub fn disclose_of(text: &str) -> Option<Disclose> {
    let (flag, names) = text.trim().split_once(':')?;
    let flag = match flag.trim() {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let mut disclose = Disclose { flag, ..Disclose::default() };
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let slot = match name {
            "addr.int" => &mut disclose.addr.int,
            "addr.loc" => &mut disclose.addr.loc,
            "name.int" => &mut disclose.name.int,
            "name.loc" => &mut disclose.name.loc,
            "org.int" => &mut disclose.org.int,
            "org.loc" => &mut disclose.org.loc,
            "email" => &mut disclose.email,
            "fax" => &mut disclose.fax,
            "voice" => &mut disclose.voice,
            _ => return None,
        };
        *slot = true;
    }
    Some(disclose)
}

/// The handles a domain's row names, each once.
pub fn handles(row: &Row) -> impl Iterator<Item = String> {
    let of = [DomainField::Registrant, DomainField::Admin, DomainField::Tech, DomainField::Billing];
    let all = of.into_iter().filter_map(|field| row.get(field.at())).flat_map(|text| text.split(';')).filter(|h| !h.is_empty());
    let further = row.get(DomainField::Properties.at()).and_then(|text| Properties::read(text).ok());
    let further = further.iter().flat_map(Properties::handles).map(ToOwned::to_owned);
    all.map(ToOwned::to_owned).chain(further).collect::<BTreeSet<_>>().into_iter()
}

/// What a registry tells of an object besides its fields, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// The repository object identifier.
    pub roid: Option<Box<str>>,
    /// The sponsoring registrar.
    pub sponsor: Option<Box<str>>,
    /// Who created it.
    pub created_by: Option<Box<str>>,
    /// When it was created.
    pub created: Option<Box<str>>,
    /// Who changed it last.
    pub updated_by: Option<Box<str>>,
    /// When it was changed last.
    pub updated: Option<Box<str>>,
    /// When it was transferred last.
    pub transferred: Option<Box<str>>,
}

impl From<&Contact> for Facts {
    fn from(c: &Contact) -> Self {
        let date = |d: &Option<crate::model::Date>| d.as_ref().map(|d| d.raw.clone());
        Self {
            roid: c.roid.clone(),
            sponsor: c.sponsor.clone(),
            created_by: c.created_by.clone(),
            created: date(&c.created),
            updated_by: c.updated_by.clone(),
            updated: date(&c.updated),
            transferred: date(&c.transferred),
        }
    }
}

impl From<&Domain> for Facts {
    fn from(d: &Domain) -> Self {
        let date = |d: &Option<crate::model::Date>| d.as_ref().map(|d| d.raw.clone());
        Self {
            roid: d.roid.clone(),
            sponsor: d.sponsor.clone(),
            created_by: d.created_by.clone(),
            created: date(&d.created),
            updated_by: d.updated_by.clone(),
            updated: date(&d.updated),
            transferred: date(&d.transferred),
        }
    }
}

fn reveal(value: Option<&Personal>) -> Option<String> {
    value.map(|v| v.reveal().to_owned())
}

fn statuses(all: &[Status]) -> Option<String> {
    let mut names: Vec<&str> = all.iter().map(|s| s.value.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| names.join(";"))
}

fn name_servers(ns: &NameServers) -> String {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    match ns {
        NameServers::Objects(names) => all.extend(names.iter().map(|n| (n.as_str(), Vec::new()))),
        NameServers::Attributes(attrs) => {
            for attr in attrs {
                all.entry(attr.name.as_str()).or_default().extend(attr.addrs.iter().map(|ip| &*ip.text));
            }
        }
    }
    let mut out: Vec<String> = Vec::with_capacity(all.len());
    for (name, mut addrs) in all {
        addrs.sort_unstable();
        addrs.dedup();
        out.push(if addrs.is_empty() { name.to_owned() } else { format!("{name}={}", addrs.join(",")) });
    }
    out.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DomainName, Handle, HostName, Secret};
    use crate::model::{AuthInfo, ContactRef, Date, HostAttr, Ip, IpVersion, PostalInfo, StatusValue};

    #[test]
    fn a_row_keeps_absent_apart_from_present_and_prints_its_id_alone() {
        let row = Row::new("H-1", [Some("Ada"), None, Some(""), Some("Lovelace")]);
        assert_eq!(row.fields().collect::<Vec<_>>(), [Some("Ada"), None, None, Some("Lovelace")]);
        assert_eq!((row.id(), row.len(), row.get(9)), ("H-1", 4, None));
        assert_eq!(format!("{row:?}"), "Row(H-1)");
        let changed = row.with(&[(0, None), (1, Some("Byron"))]);
        assert_eq!(changed.fields().collect::<Vec<_>>(), [None, Some("Byron"), None, Some("Lovelace")]);
        assert_ne!(row.digest(), changed.digest());
        assert_ne!(Row::new("a", [Some("b"), None]).digest(), Row::new("a", [None, Some("b")]).digest());
    }

    #[test]
    fn a_contact_becomes_a_row_without_its_password() {
        let mut contact = Contact::bare(Handle::new("C-9"));
        contact.postal.push(PostalInfo {
            form: PostalForm::Loc,
            name: Some("Zoë".into()),
            org: None,
            addr: Some(Address {
                street: vec!["a".into(), "b".into(), "c".into(), "d".into()],
                city: "Köln".into(),
                sp: None,
                pc: Some("50667".into()),
                cc: "DE".into(),
            }),
        });
        contact.statuses = vec![StatusValue::OK.into(), StatusValue::LINKED.into(), StatusValue::OK.into()];
        contact.auth = Some(AuthInfo::Password { pw: Secret::new("s3cret"), roid: None });
        let forms = DiscloseForms { int: true, loc: true };
        contact.disclose = Some(Disclose { flag: false, name: forms, voice: true, ..Disclose::default() });
        let row = contact_row(&contact);
        assert_eq!(row.len(), ContactField::ALL.len());
        assert_eq!(row.get(ContactField::LocStreet3.at()), Some("c, d"));
        assert_eq!(row.get(ContactField::IntName.at()), None);
        assert_eq!(row.get(ContactField::Statuses.at()), Some("linked;ok"));
        assert_eq!(row.get(ContactField::Disclose.at()), Some("0:name.int,name.loc,voice"));
        assert!(!row.text.contains("s3cret"));
    }

    #[test]
    fn a_domain_becomes_a_row_in_one_order() {
        let mut domain = Domain::bare(DomainName::new("example.org"));
        domain.registrant = Some(Handle::new("R"));
        domain.contacts = vec![
            ContactRef::new(Role::Tech, Handle::new("T2")),
            ContactRef::new(Role::Tech, Handle::new("T1")),
            ContactRef::new(Role::Admin, Handle::new("R")),
        ];
        let ip = |text: &str| Ip { version: IpVersion::V4, text: text.into() };
        domain.ns = NameServers::Attributes(vec![
            HostAttr { name: HostName::new("ns2.example.org"), addrs: vec![ip("192.0.2.2"), ip("192.0.2.1")] },
            HostAttr { name: HostName::new("ns1.example.net"), addrs: vec![] },
        ]);
        domain.expires = Some(Date::read("2027-01-01T00:00:00.0Z"));
        let row = domain_row(&domain);
        assert_eq!(
            row.fields().collect::<Vec<_>>(),
            [
                Some("R"),
                Some("R"),
                Some("T1;T2"),
                None,
                None,
                Some("ns1.example.net;ns2.example.org=192.0.2.1,192.0.2.2"),
                Some("2027-01-01T00:00:00Z"),
                None,
            ]
        );
        assert_eq!(handles(&row).collect::<Vec<_>>(), ["R", "T1", "T2"]);
    }
}
