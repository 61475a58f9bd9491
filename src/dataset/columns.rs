//! The columns of local records and snapshots: their names, what kind of value each holds, and which hold personal data.

use crate::model::ObjectKind;

/// What a column holds, which decides how two values of it are compared and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Words of a person: names, streets, cities, postal codes.
    Text,
    /// A country, ISO 3166-1 alpha-2.
    Country,
    /// A telephone number (RFC 5733 §2.5).
    Phone,
    /// An e-mail address.
    Email,
    /// A contact's handle.
    Handle,
    /// Handles joined by `;`.
    Handles,
    /// Status values joined by `;`.
    Statuses,
    /// A disclose statement in its canonical text.
    Disclose,
    /// Name servers joined by `;`, each `host` or `host=address,address`.
    NameServers,
    /// A date, of which the day counts.
    Day,
    /// Additional properties in their text.
    Properties,
}

/// One column of a table of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in files.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it holds personal data (GDPR Art. 4(1)).
    pub personal: bool,
}

/// Declares an enumeration whose numbers are positions in a row.
macro_rules! positions {
    ($(#[$doc:meta])* $name:ident: $($field:ident = $text:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $field),+
        }

        impl $name {
            /// Every field, in the order of the columns.
            pub const ALL: &'static [Self] = &[$(Self::$field),+];

            /// The position in a row, from 0.
            #[must_use]
            pub const fn at(self) -> usize {
                self as usize
            }

            /// The column's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $text),+
                }
            }
        }
    };
}
pub(super) use positions;

/// Declares the columns of a table behind `registry` and `id`.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident, $table:ident: $($field:ident = $text:literal $kind:ident $personal:literal),+ $(,)?) => {
        positions! { $(#[$doc])* $name: $($field = $text),+ }

        static $table: &[Column] = &[$(Column { name: $text, kind: Kind::$kind, personal: $personal }),+];
    };
}

columns! {
    /// The fields of a contact's row (RFC 5733 §2).
    ContactField, CONTACT:
    IntName = "int_name" Text true,
    IntOrg = "int_org" Text true,
    IntStreet1 = "int_street1" Text true,
    IntStreet2 = "int_street2" Text true,
    IntStreet3 = "int_street3" Text true,
    IntCity = "int_city" Text true,
    IntSp = "int_sp" Text true,
    IntPc = "int_pc" Text true,
    IntCc = "int_cc" Country true,
    LocName = "loc_name" Text true,
    LocOrg = "loc_org" Text true,
    LocStreet1 = "loc_street1" Text true,
    LocStreet2 = "loc_street2" Text true,
    LocStreet3 = "loc_street3" Text true,
    LocCity = "loc_city" Text true,
    LocSp = "loc_sp" Text true,
    LocPc = "loc_pc" Text true,
    LocCc = "loc_cc" Country true,
    Voice = "voice" Phone true,
    VoiceX = "voice_x" Text true,
    Fax = "fax" Phone true,
    FaxX = "fax_x" Text true,
    Email = "email" Email true,
    Statuses = "statuses" Statuses false,
    Disclose = "disclose" Disclose false,
    Properties = "properties" Properties true,
}

columns! {
    /// The fields of a domain's row (RFC 5731 §2).
    DomainField, DOMAIN:
    Registrant = "registrant" Handle false,
    Admin = "admin" Handles false,
    Tech = "tech" Handles false,
    Billing = "billing" Handles false,
    Statuses = "statuses" Statuses false,
    Ns = "ns" NameServers false,
    Expires = "expires" Day false,
    Properties = "properties" Properties true,
}

/// The columns behind `registry` and `id` of the table of `kind`.
#[must_use]
pub fn columns(kind: ObjectKind) -> &'static [Column] {
    match kind {
        ObjectKind::Contact => CONTACT,
        ObjectKind::Domain => DOMAIN,
    }
}

/// The columns a snapshot adds behind those of its table. `local` is the digest of the local record at that time.
pub const OBSERVED: [&str; 12] = [
    "roid",
    "sponsor",
    "created_by",
    "created",
    "updated_by",
    "updated",
    "transferred",
    "state",
    "observed_at",
    "exchange",
    "unknown",
    "local",
];

/// The columns of the `services` table of local records.
pub const SERVICES: [&str; 7] = ["object", "provider", "tld", "privacy", "start", "end", "end_reason"];

/// The columns of the `orders` table of local records.
pub const ORDERS: [&str; 10] = ["order", "registry", "tld", "handle", "kind", "ordered_at", "provider", "state", "brand", "language"];

/// The file name of a table of objects, without its extension.
#[must_use]
pub const fn table_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Contact => "contacts",
        ObjectKind::Domain => "domains",
    }
}
