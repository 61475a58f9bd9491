//! Privacy services as a registry sees them: proxy contacts and masks.

use crate::base::{Digest, Handle, Personal};
use crate::model::{Address, Contact, Phone, PostalForm, PostalInfo};
use sha2::Digest as _;

/// How a domain hides its registrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Not at all.
    None,
    /// All roles are the provider's one mask contact.
    V1,
    /// The registrant alone: by a proxy contact of the domain's own, or by withholding, as the registry has it.
    V2,
}

/// The provider's own data, which stand in the registrant's place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The handle of the one mask contact of privacy v1.
    pub v1_handle: String,
    /// Name.
    pub name: String,
    /// Organisation.
    pub org: String,
    /// Street.
    pub street1: String,
    /// City.
    pub city: String,
    /// State or province, empty for none.
    pub sp: String,
    /// Postal code.
    pub pc: String,
    /// Country, ISO 3166-1 alpha-2.
    pub cc: String,
    /// Telephone.
    pub voice: String,
    /// The domain of the relay's addresses.
    pub email_domain: String,
}

impl Provider {
    /// The proxy contact of `domain` (A-label form).
    pub(super) fn proxy(&self, domain: &str) -> Contact {
        self.contact(proxy_handle(domain), &self.relay(domain))
    }

    /// The one mask contact of privacy v1.
    pub(super) fn mask(&self) -> Contact {
        self.contact(Handle::new(self.v1_handle.as_str()), &format!("privacy@{}", self.email_domain))
    }

    /// The relay's address for `domain`; a name too long for a local part (RFC 5321 §4.5.3.1.1: 64 octets) gives its digest instead.
    pub(super) fn relay(&self, domain: &str) -> String {
        if domain.len() <= 64 {
            format!("{domain}@{}", self.email_domain)
        } else {
            format!("{}@{}", Digest::of(domain.as_bytes()).short(), self.email_domain)
        }
    }

    fn contact(&self, id: Handle, email: &str) -> Contact {
        let some = |text: &str| (!text.is_empty()).then(|| Personal::from(text));
        let addr = Address {
            street: some(&self.street1).into_iter().collect(),
            city: self.city.as_str().into(),
            sp: some(&self.sp),
            pc: some(&self.pc),
            cc: self.cc.as_str().into(),
        };
        let postal = PostalInfo { form: PostalForm::Int, name: some(&self.name), org: some(&self.org), addr: Some(addr) };
        Contact {
            postal: vec![postal],
            voice: some(&self.voice).map(|number| Phone { number, ext: None }),
            email: some(email),
            ..Contact::bare(id)
        }
    }
}

/// The handle of the proxy contact of `domain` (A-label form, lower case): `PP` and the first 14 characters of the base 32
/// (RFC 4648 §6) of the name's SHA-256.
#[must_use]
pub fn proxy_handle(domain: &str) -> Handle {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = sha2::Sha256::digest(domain.as_bytes());
    let bits = digest.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let digits = (0..14_u32).map(|place| usize::try_from((bits >> (123 - 5 * place)) & 31).unwrap_or_default());
    let text: String = "PP".chars().chain(digits.map(|d| char::from(*ALPHABET.get(d).unwrap_or(&b'A')))).collect();
    Handle::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_handle_is_the_base_32_of_the_digest() {
        // printf example.org | sha256sum | xxd -r -p | base32 | cut -c1-14
        assert_eq!(proxy_handle("example.org").as_str(), EXAMPLE);
        assert_eq!(proxy_handle("example.net").as_str().len(), 16);
    }

    const EXAMPLE: &str = "PPX6V4G5BSSWFQMM";
}
