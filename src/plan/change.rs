//! From a step to the command that takes it, given the object as it stands.

use super::Fact;
use super::operation::Turn;
use crate::base::{Blame, DomainName, Handle, HostName, Personal, Problem, Result, Secret};
use crate::dataset::{ContactField as C, DomainField as D, Row, columns, contact_row, disclose_of, domain_row};
use crate::model::{
    Address, AuthInfo, Contact, ContactChange, ContactRef, ContactUpdate, Domain, DomainUpdate, HostAttr, Ip, IpVersion, NameServers,
    ObjectKind, Phone, PostalForm, PostalInfo, Properties, Role, Status, StatusValue, Transform,
};
use std::collections::{BTreeMap, BTreeSet};

/// An object as a registry has just told it, with its row.
#[derive(Clone, Debug)]
pub enum Standing {
    /// There is no such object.
    Nothing,
    /// A contact.
    Contact(Box<Contact>, Row),
    /// A domain.
    Domain(Box<Domain>, Row),
}

impl From<Box<Contact>> for Standing {
    fn from(contact: Box<Contact>) -> Self {
        let row = contact_row(&contact);
        Self::Contact(contact, row)
    }
}

impl From<Box<Domain>> for Standing {
    fn from(domain: Box<Domain>) -> Self {
        let row = domain_row(&domain);
        Self::Domain(domain, row)
    }
}

impl Standing {
    /// Its row; nothing where there is no object.
    #[must_use]
    pub const fn row(&self) -> Option<&Row> {
        match self {
            Self::Nothing => None,
            Self::Contact(_, row) | Self::Domain(_, row) => Some(row),
        }
    }

    /// Its text for a before-image: a JSON object by column.
    #[must_use]
    pub fn image(&self, kind: ObjectKind) -> String {
        let row = self.row();
        let columns = columns(kind).iter().enumerate();
        let fields: BTreeMap<&str, &str> = columns.filter_map(|(at, column)| Some((column.name, row?.get(at)?))).collect();
        serde_json::to_string(&fields).unwrap_or_default()
    }
}

/// What a step sets, in clear.
pub type Wanted = Vec<(Fact, Option<String>)>;

/// The command that makes of the object `id`, which stands as `standing`, one that is as `wanted`. What is not named stays as it is.
/// A new contact gets `auth`, since RFC 5733 §3.2.1 demands some.
///
/// # Errors
/// `E-plan-007` where no command does that: a fact that the registry alone sets, or a create of anything but a contact.
pub fn transform(kind: ObjectKind, id: &str, turn: Turn, wanted: &Wanted, standing: &Standing, auth: Secret) -> Result<Transform> {
    let no_command = |fact: &str| {
        let what = format!("no command sets `{fact}` of a {}", kind.as_str());
        Problem::new("E-plan-007", Blame::Us, what, "please report this").object(id)
    };
    if let Some((fact, _)) = wanted.iter().find(|(fact, _)| !fact.is_of(kind)) {
        return Err(no_command(fact.as_str()));
    }
    Ok(match (kind, turn, standing) {
        (ObjectKind::Contact, Turn::Create, Standing::Nothing) => Transform::ContactCreate(new_contact(id, wanted, auth)),
        (ObjectKind::Contact, Turn::Update, Standing::Contact(contact, row)) => {
            Transform::ContactUpdate(contact_update((contact, row), wanted))
        }
        (ObjectKind::Contact, Turn::Delete, _) => Transform::ContactDelete(Handle::new(id)),
        (ObjectKind::Domain, Turn::Update, Standing::Domain(domain, row)) => {
            let fixed = |fact: &Fact| fact.as_property().is_some() || fact.as_str() == D::Expires.name();
            if let Some((fact, _)) = wanted.iter().find(|(fact, _)| fixed(fact)) {
                return Err(no_command(fact.as_str()));
            }
            Transform::DomainUpdate(domain_update((domain, row), wanted))
        }
        (ObjectKind::Domain, Turn::Delete, _) => Transform::DomainDelete(DomainName::new(id)),
        _ => return Err(no_command(&format!("{turn:?}").to_lowercase())),
    })
}

/// The value that is wanted of a column, where the step sets it.
#[expect(clippy::option_option, reason = "a value that is to go is another thing than one that stays")]
fn set<'w>(wanted: &'w Wanted, column: &str) -> Option<Option<&'w str>> {
    wanted.iter().find(|(fact, _)| fact.as_str() == column).map(|(_, value)| value.as_deref())
}

/// The nine columns of a form, in the order name, organisation, three streets, city, province, postal code, country.
const fn columns_of(form: PostalForm) -> [C; 9] {
    match form {
        PostalForm::Int => [C::IntName, C::IntOrg, C::IntStreet1, C::IntStreet2, C::IntStreet3, C::IntCity, C::IntSp, C::IntPc, C::IntCc],
        PostalForm::Loc => [C::LocName, C::LocOrg, C::LocStreet1, C::LocStreet2, C::LocStreet3, C::LocCity, C::LocSp, C::LocPc, C::LocCc],
    }
}

/// The postal info of a form: what is wanted, and of an address of which one part changes the rest as it stands, since registries
/// replace addresses whole. Nothing where the step touches none of it.
fn postal(form: PostalForm, wanted: &Wanted, standing: Option<&Row>) -> Option<PostalInfo> {
    let [name, org, street1, street2, street3, city, sp, pc, cc] = columns_of(form);
    let touched = |column: &C| set(wanted, column.name()).is_some();
    if !columns_of(form).iter().any(touched) {
        return None;
    }
    let value = |column: C| {
        let stands = || standing.and_then(|row| row.get(column.at()));
        set(wanted, column.name()).unwrap_or_else(stands).map(Personal::new)
    };
    let part = |column: C| set(wanted, column.name()).map(|value| Personal::new(value.unwrap_or_default()));
    let address = [street1, street2, street3, city, sp, pc, cc];
    let addr = address.iter().any(touched).then(|| Address {
        street: [street1, street2, street3].into_iter().filter_map(value).collect(),
        city: value(city).unwrap_or_else(|| Personal::new("")),
        sp: value(sp),
        pc: value(pc),
        cc: value(cc).map_or_else(|| "".into(), |cc| cc.reveal().into()),
    });
    Some(PostalInfo { form, name: part(name), org: part(org), addr })
}

/// A number with its extension: what is wanted, the other part as it stands.
fn phone(wanted: &Wanted, standing: Option<&Row>, number: C, ext: C) -> Option<Phone> {
    set(wanted, number.name()).or(set(wanted, ext.name()))?;
    let value = |column: C| set(wanted, column.name()).unwrap_or_else(|| standing.and_then(|row| row.get(column.at()))).map(Personal::new);
    let number = value(number).unwrap_or_else(|| Personal::new(""));
    Some(Phone { ext: value(ext).filter(|_| !number.is_empty()), number })
}

fn properties(wanted: &Wanted) -> Properties {
    let mut out = Properties::default();
    for (fact, value) in wanted {
        if let Some(key) = fact.as_property() {
            out.set(key, value.as_deref().unwrap_or_default());
        }
    }
    out
}

/// The properties that go or are set anew, each with the value that it has.
fn removed(wanted: &Wanted, held: &Properties) -> Properties {
    let mut out = Properties::default();
    for (key, value) in wanted.iter().filter_map(|(fact, value)| Some((fact.as_property()?, value.as_deref()))) {
        if let Some(stands) = held.get(key).filter(|stands| Some(*stands) != value) {
            out.set(key, stands);
        }
    }
    out
}

fn new_contact(id: &str, wanted: &Wanted, auth: Secret) -> Contact {
    let mut contact = Contact::bare(Handle::new(id));
    let forms = [PostalForm::Int, PostalForm::Loc].into_iter().filter_map(|form| postal(form, wanted, None));
    contact.postal = forms
        .map(|mut info| {
            info.org = info.org.filter(|org| !org.is_empty());
            info
        })
        .collect();
    contact.voice = phone(wanted, None, C::Voice, C::VoiceX).filter(|phone| !phone.number.is_empty());
    contact.fax = phone(wanted, None, C::Fax, C::FaxX).filter(|phone| !phone.number.is_empty());
    contact.email = set(wanted, C::Email.name()).flatten().map(Personal::new);
    contact.disclose = set(wanted, C::Disclose.name()).flatten().and_then(disclose_of);
    contact.properties = properties(wanted);
    contact.auth = Some(AuthInfo::Password { pw: auth, roid: None });
    contact
}

/// The statuses that a step adds and removes, of those that stand.
fn statuses(wanted: &Wanted, standing: &[Status]) -> (Vec<Status>, Vec<StatusValue>) {
    let stands = |name: &str| standing.iter().any(|status| status.value.as_str() == name);
    let (mut add, mut rem) = (Vec::new(), Vec::new());
    for (fact, value) in wanted {
        match (fact.as_status(), value) {
            (Some(name), Some(_)) if !stands(name) => add.push(Status::from(StatusValue::read(name))),
            (Some(name), None) if stands(name) => rem.push(StatusValue::read(name)),
            _ => {}
        }
    }
    (add, rem)
}

fn contact_update((contact, row): (&Contact, &Row), wanted: &Wanted) -> ContactUpdate {
    let (add, rem) = statuses(wanted, &contact.statuses);
    let chg = ContactChange {
        postal: [PostalForm::Int, PostalForm::Loc].into_iter().filter_map(|form| postal(form, wanted, Some(row))).collect(),
        voice: phone(wanted, Some(row), C::Voice, C::VoiceX),
        fax: phone(wanted, Some(row), C::Fax, C::FaxX),
        email: set(wanted, C::Email.name()).map(|email| Personal::new(email.unwrap_or_default())),
        auth: None,
        disclose: set(wanted, C::Disclose.name()).flatten().and_then(disclose_of),
        properties: properties(wanted),
        removed: removed(wanted, &contact.properties),
    };
    let is_still = chg.postal.is_empty()
        && chg.voice.is_none()
        && chg.fax.is_none()
        && chg.email.is_none()
        && chg.disclose.is_none()
        && chg.properties.is_empty()
        && chg.removed.is_empty();
    ContactUpdate { id: contact.id.clone(), add, rem, chg: (!is_still).then_some(chg) }
}

fn domain_update((domain, row): (&Domain, &Row), wanted: &Wanted) -> DomainUpdate {
    let mut update = DomainUpdate::of(domain.name.clone());
    update.registrant = set(wanted, D::Registrant.name()).flatten().map(Handle::new);
    for (column, role) in [(D::Admin, Role::Admin), (D::Tech, Role::Tech), (D::Billing, Role::Billing)] {
        let Some(handles) = set(wanted, column.name()) else { continue };
        let (new, old) = (parts(handles), parts(row.get(column.at())));
        let of = |handles: Vec<&&str>| handles.into_iter().map(|handle| ContactRef::new(role, Handle::new(*handle))).collect::<Vec<_>>();
        update.add.contacts.extend(of(new.difference(&old).collect()));
        update.rem.contacts.extend(of(old.difference(&new).collect()));
    }
    let (add, rem) = statuses(wanted, &domain.statuses);
    update.add.statuses = add;
    update.rem.statuses = rem.into_iter().map(Status::from).collect();
    if let Some(servers) = set(wanted, D::Ns.name()) {
        let (new, old) = (parts(servers), parts(row.get(D::Ns.at())));
        let is_host = matches!(domain.ns, NameServers::Objects(_));
        update.add.ns = name_servers(new.difference(&old).copied(), is_host);
        update.rem.ns = name_servers(old.difference(&new).copied(), is_host);
    }
    update
}

fn parts(text: Option<&str>) -> BTreeSet<&str> {
    text.unwrap_or_default().split(';').map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn name_servers<'s>(servers: impl Iterator<Item = &'s str>, as_objects: bool) -> NameServers {
    let servers = servers.map(|server| server.split_once('=').unwrap_or((server, "")));
    if as_objects {
        return NameServers::Objects(servers.map(|(name, _)| HostName::new(name)).collect());
    }
    let attribute = |(name, addrs): (&str, &str)| HostAttr {
        name: HostName::new(name),
        addrs: addrs.split(',').filter(|a| !a.is_empty()).map(|a| Ip { version: IpVersion::of(a), text: a.into() }).collect(),
    };
    NameServers::Attributes(servers.map(attribute).collect())
}
