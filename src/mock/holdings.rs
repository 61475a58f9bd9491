//! What a registry holds beyond its fleet: objects that were changed, messages, and what is still to come.

use super::later::{Belated, Pending};
use super::messages::Messages;
use super::transfer::Transfer;
use crate::base::Timestamp;
use crate::model::{Contact, Domain, SecDnsInfo};
use std::collections::{BTreeMap, HashMap};

/// Everything that commands change. A copy of it put back undoes them.
#[derive(Clone)]
pub(super) struct Holdings {
    /// Contacts that were created or changed; nothing in the place of those that were deleted.
    pub(super) contacts: HashMap<Box<str>, Option<Contact>>,
    /// Domains, in the same way.
    pub(super) domains: HashMap<Box<str>, Option<Domain>>,
    /// DNSSEC data by the domain's name.
    pub(super) sec_dns: HashMap<Box<str>, SecDnsInfo>,
    /// How many more domains name a contact than the fleet knows of.
    pub(super) links: HashMap<Box<str>, i64>,
    /// The queues.
    pub(super) messages: Messages,
    /// Until when authorisation codes hold that the registry made itself, by the domain's name.
    pub(super) auth_until: HashMap<Box<str>, Timestamp>,
    /// The last transfer of each domain.
    pub(super) transfers: BTreeMap<Box<str>, Transfer>,
    /// Commands on which the registry has not decided yet, by the object.
    pub(super) pending: BTreeMap<Box<str>, Pending>,
    /// Commands that were heard and not carried out yet.
    pub(super) belated: Vec<Belated>,
}

impl Holdings {
    /// Nothing but `messages`.
    pub(super) fn new(messages: Messages) -> Self {
        Self {
            contacts: HashMap::new(),
            domains: HashMap::new(),
            sec_dns: HashMap::new(),
            links: HashMap::new(),
            messages,
            auth_until: HashMap::new(),
            transfers: BTreeMap::new(),
            pending: BTreeMap::new(),
            belated: Vec::new(),
        }
    }
}
