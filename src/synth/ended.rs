//! The planted ends: services that are over, while their registry still hides whom they hid.

use crate::dataset::{ContactField, contact_row};
use crate::mock::fleet::{Draw, Mask, SyntheticFleet};
use crate::model::{Contact, Disclose};
use crate::policy::Privacy;

/// Of a thousand domains behind a mask, or of contacts that are withheld, those whose service is over.
const ENDED_PER_MILLE: u64 = 100;

/// The property of a contact that lets it be published.
const CONSENT: &str = "consentForPublishing";

/// What of a contact's record says that it is to be shown, while its registry withholds it.
pub(super) struct Shown {
    /// The column.
    pub(super) field: ContactField,
    /// What the record says.
    pub(super) local: String,
    /// What the registry says.
    pub(super) remote: String,
}

/// The services of one registry that are over.
pub(super) struct Ended<'a> {
    fleet: &'a SyntheticFleet,
    seed: u64,
}

impl<'a> Ended<'a> {
    /// Those that go with `fleet`.
    pub(super) const fn new(fleet: &'a SyntheticFleet, seed: u64) -> Self {
        Self { fleet, seed }
    }

    /// Whether a service of domain `index` is over that hid its registrant, though the registry does so still. A domain that breaks a
    /// rule is left alone.
    pub(super) fn domain(&self, index: u64) -> bool {
        match self.fleet.profile().privacy.value {
            Privacy::ProxyContact => {
                self.fleet.mask_at(index) != Mask::None
                    && !self.fleet.is_bare_domain(index)
                    && self.draws("ended domain", index)
                    && self.fleet.flawed_order_at(index).1.is_none()
            }
            Privacy::Disclose | Privacy::Consent => {
                let registrant = self.fleet.registrant_of(index).filter(|_| index < self.fleet.domain_count());
                registrant.is_some_and(|registrant| self.contact(registrant).is_some())
            }
            Privacy::RestrictedPublication | Privacy::Publication | Privacy::None | Privacy::Unknown => false,
        }
    }

    /// What the record of contact `index` says where all its services are over and the registry withholds it still. A contact that
    /// breaks a rule is left alone, and so is one that is no registrant.
    pub(super) fn contact(&self, index: u64) -> Option<Shown> {
        let is_registrant = || self.fleet.registered_by(index).next().is_some();
        if !self.draws("ended contact", index) || self.fleet.is_bare_contact(index) || !is_registrant() {
            return None;
        }
        let (person, flaw) = self.fleet.flawed_person_at(index);
        if flaw.is_some() {
            return None;
        }
        match self.fleet.profile().privacy.value {
            Privacy::Disclose => self.fleet.is_withheld(index).then(|| {
                let all = Disclose { flag: true, ..self.fleet.withholding(&person) };
                self.shown(index, ContactField::Disclose, &Contact { disclose: Some(all), ..person.clone() })
            }),
            Privacy::Consent => (person.properties.get(CONSENT) == Some("false")).then(|| {
                let mut record = person.clone();
                record.properties.set(CONSENT, "true");
                self.shown(index, ContactField::Properties, &record)
            }),
            // What restricts a publication is in no answer of the bundled registry.
            Privacy::RestrictedPublication | Privacy::ProxyContact | Privacy::Publication | Privacy::None | Privacy::Unknown => None,
        }
    }

    fn shown(&self, index: u64, field: ContactField, record: &Contact) -> Shown {
        let of = |contact: &Contact| contact_row(contact).get(field.at()).unwrap_or_default().to_owned();
        Shown { field, local: of(record), remote: of(&self.fleet.contact_at(index)) }
    }

    fn draws(&self, purpose: &str, index: u64) -> bool {
        Draw::new(self.seed, purpose, index).chance(ENDED_PER_MILLE)
    }
}
