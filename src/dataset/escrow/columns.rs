//! The columns of a deposit, and what registrars call them.

use super::super::columns::positions;

/// Declares the columns of a table: each with our word for it, and the words by which deposits may call it, in lower case with `_`.
macro_rules! deposited {
    ($(#[$doc:meta])* $name:ident, $table:ident: $($field:ident = $text:literal [$($other:literal),*]),+ $(,)?) => {
        positions! { $(#[$doc])* $name: $($field = $text),+ }

        pub(super) const $table: Names = Names { all: &[$($text),+], known: &[$(&[$text, $($other),*]),+] };
    };
}

deposited! {
    /// What a deposit says of a domain. `holder_contact` and its like are seen, `rt_handle` and its like inferred.
    DomainColumn, DOMAIN:
    Name = "domain" ["domain_name", "domainname"],
    Expires = "expires" ["expiration_date", "expiry_date", "expiration"],
    Ns = "ns" ["nameservers", "nameserver", "name_servers"],
    Registrant = "registrant" ["holder_contact", "rt_handle", "registrant_handle", "registrant_contact", "owner_contact"],
    Admin = "admin" ["admin_contact", "ac_handle", "admin_handle"],
    Tech = "tech" ["tech_contact", "tc_handle", "tech_handle"],
    Billing = "billing" ["billing_contact", "bc_handle", "billing_handle"],
}

deposited! {
    /// What a deposit says of a handle. `contact` and what stands behind it there are seen (without an e-mail address), others inferred.
    ContactColumn, CONTACT:
    Handle = "handle" ["contact", "contact_handle", "contact_id"],
    Name = "name" ["contact_name"],
    Org = "org" ["organization", "organisation", "company"],
    Street = "street" ["address", "street1", "address1"],
    Street2 = "street2" ["address2"],
    Street3 = "street3" ["address3"],
    City = "city" [],
    State = "state" ["province", "state_province", "sp"],
    Zip = "zip" ["postal_code", "postcode", "zip_code", "pc"],
    Country = "country" ["country_code", "cc"],
    Email = "email" ["e_mail", "email_address"],
    Phone = "phone" ["telephone", "phone_number", "voice"],
    Fax = "fax" ["fax_number"],
}

/// The columns of a table, and their names.
pub(super) struct Names {
    pub(super) all: &'static [&'static str],
    known: &'static [&'static [&'static str]],
}

impl Names {
    /// Our word for the column that a header calls `theirs`.
    pub(super) fn ours(&self, theirs: &str) -> Option<&'static str> {
        let plain: String = theirs.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect();
        self.all.iter().zip(self.known).find(|(_, known)| known.contains(&plain.as_str())).map(|(ours, _)| *ours)
    }

    /// What the column `ours` may be called.
    pub(super) fn known(&self, ours: &str) -> &'static [&'static str] {
        self.all.iter().zip(self.known).find(|(one, _)| **one == ours).map_or(&[], |(_, known)| *known)
    }
}
