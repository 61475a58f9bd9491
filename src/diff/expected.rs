//! The state a registry is expected to be in: the local record, and what the privacy services do to it by the registry's mechanism.

use crate::base::{DomainName, Handle, hex};
use crate::dataset::{ContactField, DomainField, Protection, Row, columns};
use crate::model::{Element, ObjectKind};
use crate::policy::{Privacy, Profile};
use sha2::{Digest as _, Sha256};

/// What the privacy provider puts in a protected registrant's place. It is the provider's own data, not a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacySettings {
    /// The one contact that stood in every role under the older service.
    pub v1_handle: Option<Handle>,
    /// The brand's own contact, which takes a role that would show a protected registrant; the proxy contact does, where there is none.
    pub brand_handle: Option<Handle>,
    /// Name.
    pub name: String,
    /// Organisation; may be empty.
    pub org: String,
    /// Street lines, one to three.
    pub street: Vec<String>,
    /// City.
    pub city: String,
    /// State or province, where there is one.
    pub sp: Option<String>,
    /// Postal code, where there is one.
    pub pc: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub cc: String,
    /// Telephone, `+CC.number` (RFC 5733 §2.5).
    pub voice: String,
    /// The relay's domain: a protected domain's address is `<domain>@<email_domain>`.
    pub email_domain: DomainName,
}

/// The handle of the proxy contact of a domain: `PP` and the first 14 characters of the base32 (RFC 4648 §6) of the name's SHA-256.
#[must_use]
pub fn proxy_handle(domain: &DomainName) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(domain.as_str().as_bytes());
    // 14 characters are 70 bits; the digest has 256.
    let bits = digest.iter().take(9).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let character = |n: u32| char::from(*ALPHABET.get((bits >> (67 - 5 * n) & 31) as usize).unwrap_or(&b'A'));
    (0..14).map(character).fold("PP".to_owned(), |mut out, c| {
        out.push(c);
        out
    })
}

/// The address that the relay forwards for a domain. A name longer than a local part may be (RFC 5321 §4.5.3.1.1: 64 octets) is
/// replaced by the first 32 hexadecimal digits of its SHA-256.
#[must_use]
pub fn proxy_email(domain: &DomainName, email_domain: &str) -> String {
    let name = domain.as_str();
    let local = if name.len() <= 64 { name.to_owned() } else { hex(Sha256::digest(name.as_bytes()).get(..16).unwrap_or_default()) };
    format!("{local}@{email_domain}")
}

/// The proxy contact that stands for the registrant of `domain`.
#[must_use]
pub fn proxy_contact(domain: &DomainName, settings: &PrivacySettings) -> Row {
    let email = proxy_email(domain, settings.email_domain.as_str());
    let value = |field: ContactField| match field {
        ContactField::IntName => Some(settings.name.as_str()),
        ContactField::IntOrg => Some(settings.org.as_str()),
        ContactField::IntStreet1 => settings.street.first().map(String::as_str),
        ContactField::IntStreet2 => settings.street.get(1).map(String::as_str),
        ContactField::IntStreet3 => settings.street.get(2).map(String::as_str),
        ContactField::IntCity => Some(settings.city.as_str()),
        ContactField::IntSp => settings.sp.as_deref(),
        ContactField::IntPc => settings.pc.as_deref(),
        ContactField::IntCc => Some(settings.cc.as_str()),
        ContactField::Voice => Some(settings.voice.as_str()),
        ContactField::Email => Some(email.as_str()),
        _ => None,
    };
    Row::new(&proxy_handle(domain), ContactField::ALL.iter().map(|field| value(*field)))
}

/// A domain's row with the proxy contact as its registrant; the other roles stay.
fn behind_proxy(row: &Row) -> Row {
    let handle = proxy_handle(&DomainName::new(row.id()));
    row.with(&[(DomainField::Registrant.at(), Some(&handle))])
}

/// A domain's row with the older service's one contact in every role.
fn behind_v1(row: &Row, handle: &str) -> Row {
    use DomainField::{Admin, Billing, Registrant, Tech};
    row.with(&[Registrant, Admin, Tech, Billing].map(|field| (field.at(), Some(handle))))
}

/// A contact's row with a disclose statement that hides what the contact has, as far as the registry of `profile` lets it be withheld
/// (RFC 5733 §2.9).
#[must_use]
pub fn withheld(row: &Row, profile: &Profile) -> Row {
    use ContactField as F;
    const ELEMENTS: [(&str, Element, &[ContactField]); 9] = [
        ("addr.int", Element::Street, &[F::IntStreet1, F::IntStreet2, F::IntStreet3, F::IntCity, F::IntSp, F::IntPc, F::IntCc]),
        ("addr.loc", Element::Street, &[F::LocStreet1, F::LocStreet2, F::LocStreet3, F::LocCity, F::LocSp, F::LocPc, F::LocCc]),
        ("email", Element::Email, &[F::Email]),
        ("fax", Element::Fax, &[F::Fax]),
        ("name.int", Element::Name, &[F::IntName]),
        ("name.loc", Element::Name, &[F::LocName]),
        ("org.int", Element::Organisation, &[F::IntOrg]),
        ("org.loc", Element::Organisation, &[F::LocOrg]),
        ("voice", Element::Voice, &[F::Voice]),
    ];
    let has = |fields: &[ContactField]| fields.iter().any(|field| row.get(field.at()).is_some());
    let goes = ELEMENTS.iter().filter(|(_, element, fields)| profile.withholds(*element) && has(fields));
    let names: Vec<&str> = goes.map(|(name, ..)| *name).collect();
    if names.is_empty() {
        return row.clone();
    }
    row.with(&[(F::Disclose.at(), Some(&format!("0:{}", names.join(","))))])
}

/// What a domain's protection makes expected beside the domain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hides {
    /// Nothing.
    Nothing,
    /// A proxy contact stands in the registrant's place.
    ByProxy,
    /// The registrant's contact withholds what it has.
    ByWithholding,
}

/// A domain's row as the registry of `profile` is expected to hold it, where the domain has that protection.
#[must_use]
pub fn expected_domain(profile: &Profile, protection: Option<Protection>, settings: Option<&PrivacySettings>, row: Row) -> (Row, Hides) {
    match (protection, profile.privacy.value) {
        (Some(Protection::V2), Privacy::ProxyContact) if settings.is_some() => (behind_proxy(&row), Hides::ByProxy),
        (Some(Protection::V2), Privacy::Disclose) => (row, Hides::ByWithholding),
        (Some(Protection::V1), Privacy::ProxyContact | Privacy::Disclose) => {
            let masked = settings.and_then(|s| s.v1_handle.as_ref()).map(|handle| behind_v1(&row, handle.as_str()));
            (masked.unwrap_or(row), Hides::Nothing)
        }
        _ => (row, Hides::Nothing),
    }
}

/// Whether a domain's column is one of its contacts.
pub(super) fn names_contacts(at: usize) -> bool {
    [DomainField::Registrant, DomainField::Admin, DomainField::Tech, DomainField::Billing].iter().any(|field| field.at() == at)
        && at < columns(ObjectKind::Domain).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile;

    #[test]
    fn the_proxy_handle_is_the_published_rule() {
        // sha256("example.org") by coreutils, base32 by coreutils, cut to 14.
        assert_eq!(proxy_handle(&DomainName::new("example.org")), "PPX6V4G5BSSWFQMM");
        assert_eq!(proxy_handle(&DomainName::new("example.org")).len(), 16);
    }

    #[test]
    fn a_long_name_gets_a_stable_local_part() {
        let short = DomainName::new("example.org");
        assert_eq!(proxy_email(&short, "relay.example"), "example.org@relay.example");
        let long = DomainName::new(format!("{}.example.org", "a".repeat(60)));
        let email = proxy_email(&long, "relay.example");
        assert_eq!(email.split('@').next().map(str::len), Some(32));
        assert_eq!(email, proxy_email(&long, "relay.example"));
    }

    #[test]
    fn withholding_names_exactly_what_the_contact_has() {
        let fields = ContactField::ALL.iter().map(|f| match f {
            ContactField::LocName => Some("Ada"),
            ContactField::LocCc => Some("NZ"),
            ContactField::Email => Some("ada@example.org"),
            ContactField::Disclose => Some("1:voice"),
            _ => None,
        });
        let row = Row::new("C-1", fields);
        let said = |profile: &Profile, row: &Row| withheld(row, profile).get(ContactField::Disclose.at()).map(str::to_owned);
        // Of generic TLDs each of it may be withheld; .nz shows name and e-mail address of everybody (IRPO).
        let (gtld, nz) = (profile("gtld-thick").expect("a profile"), profile("nz").expect("a profile"));
        assert_eq!(said(&gtld, &row).as_deref(), Some("0:addr.loc,email,name.loc"));
        assert_eq!(said(&nz, &row).as_deref(), Some("0:addr.loc"));
        let bare = row.with(&[(ContactField::LocCc.at(), None)]);
        assert_eq!(said(&nz, &bare).as_deref(), Some("1:voice"), "an empty statement is none");
    }

    #[test]
    fn the_older_service_stands_in_every_role() {
        let row = behind_v1(&Row::new("d.example", [Some("R"), None, None, None, None, None, None, None]), "MASK");
        assert_eq!(row.fields().flatten().collect::<Vec<_>>(), ["MASK"; 4]);
    }
}
