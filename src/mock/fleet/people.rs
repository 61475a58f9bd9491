//! Invented persons and organisations.

use super::code::{self, Shuffle};
use super::draw::Draw;
use super::flaws::{Flaw, plant_contact};
use super::properties::{self, Presence, kept, presence};
use super::settings::{FleetSettings, Forms, HandleForm};
use super::words::{City, Land, NO_CITY, NO_WORD, Word, lands};
use crate::base::{Handle, Personal, Secret, Timestamp};
use crate::model::{
    Address, AuthInfo, Contact, Date, Disclose, DiscloseForms, ObjectKind, Phone, PostalForm, PostalInfo, Status, StatusValue,
};
use crate::policy::Profile;
use jiff::civil;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The contacts of one registry, before any privacy service.
#[derive(Clone, Debug)]
pub(super) struct People {
    seed: u64,
    shuffle: Shuffle,
    profile: Arc<Profile>,
    sponsor: Box<str>,
    forms: Vec<Forms>,
    lands: Vec<&'static Land>,
    calendar: Calendar,
    handles: HandleForm,
    wants: Wants,
    flaws_per_mille: u64,
}

/// What the registry wants of fields that a person may do without.
#[derive(Clone, Copy, Debug)]
struct Wants {
    voice: Presence,
    fax: Presence,
    sp: Presence,
    pc: Presence,
}

/// Domains of e-mail addresses; one of them is internationalised.
const MAIL: [&str; 5] = ["mail.example", "post.example", "example.org", "xn--bcherwurm-q9a.example", "office.example.net"];
/// Digits of a decimal handle.
const DECIMALS: u64 = 100_000_000;

impl People {
    /// The people that `settings` describe.
    pub(super) fn new(settings: &FleetSettings, profile: &Arc<Profile>) -> Self {
        let wanted = |land: &&Land| settings.scripts.is_empty() || settings.scripts.contains(&land.script);
        let named = |cc: &String| lands().iter().find(|land| land.cc == *cc);
        let of = |field| presence(profile, field);
        Self {
            seed: settings.seed,
            shuffle: Shuffle::new(settings.seed, "handles"),
            profile: Arc::clone(profile),
            sponsor: settings.sponsor.as_str().into(),
            forms: if settings.forms.is_empty() { vec![Forms::Int, Forms::Loc, Forms::Both] } else { settings.forms.clone() },
            lands: if settings.lands.is_empty() {
                lands().iter().filter(wanted).collect()
            } else {
                settings.lands.iter().filter_map(named).collect()
            },
            flaws_per_mille: u64::from(settings.flaws_per_mille),
            calendar: Calendar::new(settings.today),
            handles: settings.handles.clone(),
            wants: Wants { voice: of("voice"), fax: of("fax"), sp: of("sp"), pc: of("pc") },
        }
    }

    /// The handle of contact `index`.
    pub(super) fn handle(&self, index: u64) -> Handle {
        let HandleForm { before, after, decimal } = &self.handles;
        let code = if *decimal { format!("{:08}", index % DECIMALS) } else { code::write(self.shuffle.forward(index)) };
        Handle::new(format!("{before}{code}{after}"))
    }

    /// The index of `handle`, or nothing where it is no handle of ours.
    pub(super) fn index(&self, handle: &str) -> Option<u64> {
        let digits = handle.strip_prefix(self.handles.before.as_str())?.strip_suffix(self.handles.after.as_str())?;
        let index = if self.handles.decimal { digits.parse().ok()? } else { self.shuffle.back(code::read(digits)?) };
        // Handles are compared exactly: one in lower case is another one.
        (self.handle(index).as_str() == handle).then_some(index)
    }

    /// Contact `index`, and what is wrong with it: that may be the address of a privacy provider's which `relay` tells.
    pub(super) fn contact(&self, index: u64, relay: impl FnOnce() -> Option<String>) -> (Contact, Option<Flaw>) {
        let mut contact = self.good(index);
        let mut draw = Draw::new(self.seed, "flaw", index);
        if !draw.chance(self.flaws_per_mille) {
            return (contact, None);
        }
        let flaw = plant_contact(&mut contact, &self.profile, relay(), &mut draw);
        (contact, flaw)
    }

    /// Contact `index` without a fault.
    pub(super) fn good(&self, index: u64) -> Contact {
        let mut draw = Draw::new(self.seed, "contact", index);
        let mut contact = Contact::bare(self.handle(index));
        if let Some(land) = draw.pick(&self.lands) {
            self.fill(&mut contact, land, &mut draw);
        }
        contact.roid = Some(format!("C{index}-PVT").into());
        contact.statuses = self.statuses(&mut draw);
        contact.sponsor = Some(self.sponsor.clone());
        contact.created_by = Some(self.sponsor.clone());
        let age = draw.below(15 * 365) + 1;
        contact.created = self.calendar.before(age, &mut draw);
        if draw.chance(400) {
            contact.updated_by = Some(self.sponsor.clone());
            let since = draw.below(age);
            contact.updated = self.calendar.before(since, &mut draw);
        }
        contact.auth = Some(password(&mut draw));
        if self.profile.disclose.value && draw.chance(250) {
            contact.disclose = Some(preference(&contact, &mut draw));
        }
        contact
    }

    /// Name, address and the ways to reach a person of `land`.
    fn fill(&self, contact: &mut Contact, land: &Land, draw: &mut Draw) {
        let person = Person::of(land, draw);
        let has_org = draw.chance(350);
        let second_line = draw.chance(120).then(|| draw.below(40) + 1);
        let (has_pc, has_sp) = (!draw.chance(40), !draw.chance(100));
        let postal = |form: PostalForm| {
            let some = |text: &str, wanted: bool| (wanted && !text.is_empty()).then(|| Personal::from(text));
            let sp = some(&person.city.sp, has_sp && (form == PostalForm::Loc || person.city.sp.is_ascii()));
            let sp = kept(self.wants.sp, sp, || properties::province(&person.city.sp));
            let street = [person.street(form)].into_iter().chain(second_line.map(|n| format!("c/o {n}")));
            let addr = Address {
                street: street.map(Personal::new).collect(),
                city: person.city.name.form(form).into(),
                sp,
                pc: kept(self.wants.pc, some(&person.city.pc, has_pc), || Personal::from(person.city.pc.as_str())),
                cc: land.cc.as_str().into(),
            };
            let org = has_org.then(|| Personal::new(person.org(form)));
            PostalInfo { form, name: Some(Personal::new(person.name(form))), org, addr: Some(addr) }
        };
        contact.postal = match draw.pick(&self.forms) {
            Some(Forms::Int) => vec![postal(PostalForm::Int)],
            Some(Forms::Loc) => vec![postal(PostalForm::Loc)],
            Some(Forms::Both) | None => vec![postal(PostalForm::Int), postal(PostalForm::Loc)],
        };
        let voice = (!draw.chance(60)).then(|| phone(land.calling, draw));
        contact.voice = kept(self.wants.voice, voice, || phone(land.calling, draw));
        let fax = draw.chance(150).then(|| phone(land.calling, draw));
        contact.fax = kept(self.wants.fax, fax, || phone(land.calling, draw));
        let mailbox: String =
            person.name(PostalForm::Int).chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '.' }).collect();
        let domain = draw.pick(&MAIL).copied().unwrap_or("mail.example");
        contact.email = Some(Personal::new(format!("{}{}@{domain}", mailbox.replace("..", "."), draw.below(10_000))));
        properties::fill(contact, &self.profile, land, draw);
    }

    /// Statuses of RFC 5733 §2.2: `linked` is what the registry computes, the others are a client's.
    fn statuses(&self, draw: &mut Draw) -> Vec<Status> {
        let may = |status: &StatusValue| self.profile.settable(ObjectKind::Contact).any(|name| name == status.as_str());
        let mut values = Vec::with_capacity(2);
        for (status, share) in [(StatusValue::CLIENT_DELETE_PROHIBITED, 80), (StatusValue::CLIENT_UPDATE_PROHIBITED, 40)] {
            if draw.chance(share) && may(&status) {
                values.push(status);
            }
        }
        if values.is_empty() {
            values.push(StatusValue::OK);
        }
        values.push(StatusValue::LINKED);
        values.into_iter().map(Status::from).collect()
    }
}

/// The disclose statement that nothing of `contact` may be disclosed (RFC 5733 §2.9, flag 0), naming whatever it has.
#[must_use]
pub(super) fn withhold_all(contact: &Contact) -> Disclose {
    let forms = |has: fn(&PostalInfo) -> bool| DiscloseForms {
        int: contact.postal.iter().any(|p| p.form == PostalForm::Int && has(p)),
        loc: contact.postal.iter().any(|p| p.form == PostalForm::Loc && has(p)),
    };
    Disclose {
        flag: false,
        name: forms(|p| p.name.is_some()),
        org: forms(|p| p.org.is_some()),
        addr: forms(|p| p.addr.is_some()),
        voice: contact.voice.is_some(),
        fax: contact.fax.is_some(),
        email: contact.email.is_some(),
    }
}

/// Authorisation information that nobody can guess from another object's.
pub(super) fn password(draw: &mut Draw) -> AuthInfo {
    let pw = Secret::new(format!("{}-{}", code::write(draw.bits()), code::write(draw.bits())));
    AuthInfo::Password { pw, roid: None }
}

/// What a customer wants disclosed or kept back: a part of what there is.
fn preference(contact: &Contact, draw: &mut Draw) -> Disclose {
    let mut all = withhold_all(contact);
    all.flag = draw.chance(200);
    if draw.chance(500) {
        (all.name, all.org) = (DiscloseForms::default(), DiscloseForms::default());
    }
    if draw.chance(300) {
        all.addr = DiscloseForms::default();
    }
    all
}

/// A number that belongs to nobody we know of: RFC 5733 §2.5 wants `+`, 1 to 3 digits, a dot and up to 14 digits.
fn phone(calling: u16, draw: &mut Draw) -> Phone {
    let number = Personal::new(format!("+{calling}.555{:07}", draw.below(10_000_000)));
    Phone { number, ext: draw.chance(80).then(|| Personal::new((draw.below(990) + 10).to_string())) }
}

/// The words a person is made of.
struct Person<'l> {
    land: &'l Land,
    given: &'l Word,
    family: &'l Word,
    org: &'l Word,
    street: &'l Word,
    number: String,
    city: &'l City,
}

impl<'l> Person<'l> {
    fn of(land: &'l Land, draw: &mut Draw) -> Self {
        let mut word = |words: &'l [Word]| draw.pick(words).unwrap_or(&NO_WORD);
        let (given, family, org, street) = (word(&land.given), word(&land.family), word(&land.org), word(&land.streets));
        let number = (draw.below(180) + 1).to_string();
        let city = draw.pick(&land.cities).unwrap_or(&NO_CITY);
        Self { land, given, family, org, street, number, city }
    }

    fn name(&self, form: PostalForm) -> String {
        self.fill(&self.land.name, form)
    }

    fn org(&self, form: PostalForm) -> String {
        self.fill(self.org, form)
    }

    fn street(&self, form: PostalForm) -> String {
        self.fill(&self.land.street, form)
    }

    /// `pattern` with each slot in braces filled.
    fn fill(&self, pattern: &Word, form: PostalForm) -> String {
        let mut out = String::with_capacity(64);
        let mut rest = pattern.form(form);
        while let Some((before, (slot, after))) = rest.split_once('{').and_then(|(b, r)| Some((b, r.split_once('}')?))) {
            out.push_str(before);
            out.push_str(match slot {
                "given" => self.given.form(form),
                "family" => self.family.form(form),
                "street" => self.street.form(form),
                _ => &self.number,
            });
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// Dates around the day on which the registry is as described.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    /// Midnight UTC of that day, in seconds since 1970.
    midnight: i64,
}

impl Calendar {
    const DAY: i64 = 86_400;

    /// The calendar around `today`.
    pub(super) fn new(today: civil::Date) -> Self {
        Self { midnight: today.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(0, |z| z.timestamp().as_second()) }
    }

    /// Some time of the day that lies `days` before today; today itself is midnight, so that nothing lies in the future.
    pub(super) fn before(self, days: u64, draw: &mut Draw) -> Option<Date> {
        let time = draw.below(Self::DAY.unsigned_abs());
        self.date(-days.cast_signed(), if days == 0 { 0 } else { time })
    }

    /// Some time of the day that lies `days` after today.
    pub(super) fn after(self, days: u64, draw: &mut Draw) -> Option<Date> {
        let time = draw.below(Self::DAY.unsigned_abs());
        self.date(days.cast_signed(), time)
    }

    fn date(self, days: i64, time: u64) -> Option<Date> {
        Timestamp::from_second(self.midnight + days * Self::DAY + time.cast_signed()).ok().map(Date::at)
    }
}
