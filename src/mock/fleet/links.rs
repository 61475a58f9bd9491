//! Which contacts a domain names, and which domains a contact is named by: both ways by arithmetic.

use super::draw::Draw;

/// The contacts of one domain, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Roles {
    /// The registrant.
    pub(super) registrant: u64,
    /// Administrative.
    pub(super) admin: Vec<u64>,
    /// Technical.
    pub(super) tech: Vec<u64>,
    /// Billing.
    pub(super) billing: Vec<u64>,
}

/// The web of contacts and domains.
///
/// Domain `j` owns the contacts from `first(j)` up to `first(j + 1)`: at least one, since there are no more domains than contacts.
/// Domains go in groups of [`GROUP`], some of which share a registrant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    seed: u64,
    contacts: u64,
    domains: u64,
}

/// Domains in a group.
const GROUP: u64 = 4;
/// Of so many contacts one is somebody's service desk, which many domains name.
const DESK: u64 = 40;

impl Links {
    /// The web of `contacts` contacts and `domains` domains.
    pub(super) const fn new(seed: u64, contacts: u64, domains: u64) -> Self {
        Self { seed, contacts, domains }
    }

    /// The contacts of domain `index`, or nothing where there are no contacts.
    pub(super) fn roles(self, index: u64) -> Option<Roles> {
        if self.contacts == 0 || self.domains == 0 {
            return None;
        }
        // A domain beyond the end stands in local records alone; it names the contacts of one that is there.
        let index = index % self.domains;
        let mut draw = Draw::new(self.seed, "roles", index);
        let registrant = self.registrant(index);
        let spare: Vec<u64> = (self.first(index)..self.first(index + 1)).filter(|k| *k != registrant).take(4).collect();
        let desk = |draw: &mut Draw| draw.below(self.contacts.div_ceil(DESK)) * DESK;
        // A few spare contacts stay unlinked, as in every real register.
        let admin = match spare.first() {
            Some(spare) if !draw.chance(4) => vec![*spare],
            _ => vec![registrant],
        };
        let mut tech: Vec<u64> = spare.iter().skip(1).copied().collect();
        if tech.is_empty() || draw.chance(300) {
            tech.push(desk(&mut draw));
        }
        let billing = match draw.below(4) {
            0 => Vec::new(),
            1 => vec![registrant],
            _ => vec![desk(&mut draw)],
        };
        tech.sort_unstable();
        tech.dedup();
        Some(Roles { registrant, admin, tech, billing })
    }

    /// The domains that name contact `index`, whichever way; nothing where they cannot be counted from here, since it is a service desk.
    pub(super) fn named_by(self, index: u64) -> Option<Vec<u64>> {
        if self.contacts == 0 || index.is_multiple_of(DESK) {
            return None;
        }
        let mut domains: Vec<u64> = self.registered_by(index).chain([self.owner(index)]).collect();
        domains.sort_unstable();
        domains.dedup();
        Some(domains)
    }

    /// The domains whose registrant is contact `index`.
    pub(super) fn registered_by(self, index: u64) -> impl Iterator<Item = u64> {
        let owner = self.owner(index);
        let group = owner / GROUP * GROUP;
        let domains = if self.contacts == 0 || self.first(owner) != index { 0..0 } else { group..(group + GROUP).min(self.domains) };
        domains.filter(move |j| self.registrant(*j) == index)
    }

    /// The domain that owns contact `index`, the one that certainly, or nearly so, names it.
    pub(super) fn owner(self, index: u64) -> u64 {
        if self.contacts == 0 {
            return 0;
        }
        scale(index + 1, self.domains, self.contacts, true).saturating_sub(1)
    }

    /// The first contact of domain `index`.
    fn first(self, index: u64) -> u64 {
        if self.domains == 0 { 0 } else { scale(index, self.contacts, self.domains, false) }
    }

    /// The registrant of domain `index`, which is below the number of domains.
    fn registrant(self, index: u64) -> u64 {
        let group = index / GROUP;
        let leader = match Draw::new(self.seed, "group", group).below(10) {
            0 => group * GROUP,
            1 | 2 => index & !1,
            _ => index,
        };
        self.first(leader)
    }
}

/// `value * by / over`, rounded down or up, without overflow.
fn scale(value: u64, by: u64, over: u64, up: bool) -> u64 {
    let product = u128::from(value) * u128::from(by);
    let over = u128::from(over.max(1));
    u64::try_from(if up { product.div_ceil(over) } else { product / over }).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_agree(seed: u64, contacts in 1..400_u64, share in 1..=100_u64) {
            let domains = (contacts * share / 100).max(1);
            let links = Links::new(seed, contacts, domains);
            let mut named = vec![Vec::new(); usize::try_from(contacts).expect("small")];
            let mut mentioned = vec![Vec::new(); usize::try_from(contacts).expect("small")];
            let mut unlinked = contacts;
            for j in 0..domains {
                let roles = links.roles(j).expect("contacts");
                named[usize::try_from(roles.registrant).expect("small")].push(j);
                for k in roles.admin.iter().chain(&roles.tech).chain(&roles.billing) {
                    prop_assert!(*k < contacts);
                }
                for k in roles.admin.iter().chain(&roles.tech).chain(&roles.billing).chain([&roles.registrant]) {
                    mentioned[usize::try_from(*k).expect("small")].push(j);
                }
            }
            for (k, domains_of) in (0..).zip(&mentioned) {
                let told = links.named_by(k);
                prop_assert_eq!(told.is_none(), k.is_multiple_of(DESK));
                prop_assert!(told.is_none_or(|told| domains_of.iter().all(|j| told.contains(j))), "contact {}", k);
            }
            for (k, domains_of) in (0..).zip(&named) {
                prop_assert_eq!(&links.registered_by(k).collect::<Vec<_>>(), domains_of);
                let owner = links.owner(k);
                prop_assert!(owner < domains && links.first(owner) <= k && k < links.first(owner + 1));
                let roles = links.roles(owner).expect("contacts");
                let linked = roles.registrant == k || [roles.admin, roles.tech, roles.billing].concat().contains(&k);
                unlinked -= u64::from(linked);
            }
            // With four contacts or fewer for a domain nearly all are linked.
            prop_assert!(share < 25 || unlinked <= contacts / 20 + 8, "{} of {} are unlinked", unlinked, contacts);
        }
    }
}
