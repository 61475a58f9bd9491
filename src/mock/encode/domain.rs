//! A domain's `infData` (RFC 5731 §3.1.2) and its DNSSEC data (RFC 5910 §5.1.2).

use super::status;
use crate::base::Handle;
use crate::model::{AuthInfo, Domain, HostsFilter, Ip, IpVersion, KeyData, NameServers, ObjectKind, PendingData, SecDnsInfo, TransferData};
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;

/// Writes `domain` with the hosts that were asked for, and its authorisation information where `with_auth`.
pub(in crate::mock) fn domain_data(w: &mut XmlWriter<'_>, domain: &Domain, hosts: HostsFilter, with_auth: bool) {
    w.element("domain:infData", &[("xmlns:domain", Ns::DOMAIN.uri())], |w| {
        w.leaf("domain:name", &[], domain.name.as_str());
        w.optional("domain:roid", domain.roid.as_deref());
        for s in &domain.statuses {
            status(w, "domain:status", s);
        }
        w.optional("domain:registrant", domain.registrant.as_ref().map(Handle::as_str));
        // Contacts in roles of the registry's own stand in its extension.
        for c in domain.contacts.iter().filter(|c| c.role.is_some() || c.kind.is_empty()) {
            w.leaf("domain:contact", &[("type", &c.kind)], c.handle.as_str());
        }
        if matches!(hosts, HostsFilter::All | HostsFilter::Delegated) && !domain.ns.is_empty() {
            w.element("domain:ns", &[], |w| name_servers(w, &domain.ns));
        }
        if matches!(hosts, HostsFilter::All | HostsFilter::Subordinate) {
            for host in &domain.hosts {
                w.leaf("domain:host", &[], host.as_str());
            }
        }
        w.optional("domain:clID", domain.sponsor.as_deref());
        w.optional("domain:crID", domain.created_by.as_deref());
        w.optional("domain:crDate", domain.created.as_ref().map(|d| &*d.raw));
        w.optional("domain:upID", domain.updated_by.as_deref());
        w.optional("domain:upDate", domain.updated.as_ref().map(|d| &*d.raw));
        w.optional("domain:exDate", domain.expires.as_ref().map(|d| &*d.raw));
        w.optional("domain:trDate", domain.transferred.as_ref().map(|d| &*d.raw));
        if let Some(AuthInfo::Password { pw, .. }) = domain.auth.as_ref().filter(|_| with_auth) {
            w.element("domain:authInfo", &[], |w| w.leaf("domain:pw", &[], pw.reveal()));
        }
    });
}

/// Writes the `creData` of a domain (RFC 5731 §3.2.1).
pub(in crate::mock) fn domain_created(w: &mut XmlWriter<'_>, domain: &Domain) {
    w.element("domain:creData", &[("xmlns:domain", Ns::DOMAIN.uri())], |w| {
        w.leaf("domain:name", &[], domain.name.as_str());
        w.optional("domain:crDate", domain.created.as_ref().map(|d| &*d.raw));
        w.optional("domain:exDate", domain.expires.as_ref().map(|d| &*d.raw));
    });
}

/// Writes the `renData` of a domain (RFC 5731 §3.2.3).
pub(in crate::mock) fn domain_renewed(w: &mut XmlWriter<'_>, domain: &Domain) {
    w.element("domain:renData", &[("xmlns:domain", Ns::DOMAIN.uri())], |w| {
        w.leaf("domain:name", &[], domain.name.as_str());
        w.optional("domain:exDate", domain.expires.as_ref().map(|d| &*d.raw));
    });
}

/// Writes the `trnData` of a domain (RFC 5731 §3.1.3).
pub(in crate::mock) fn transfer_data(w: &mut XmlWriter<'_>, transfer: &TransferData) {
    w.element("domain:trnData", &[("xmlns:domain", Ns::DOMAIN.uri())], |w| {
        w.leaf("domain:name", &[], &transfer.id);
        w.leaf("domain:trStatus", &[], &transfer.status);
        w.leaf("domain:reID", &[], &transfer.requested_by);
        w.optional("domain:reDate", transfer.requested.as_ref().map(|d| &*d.raw));
        w.leaf("domain:acID", &[], &transfer.acting);
        w.optional("domain:acDate", transfer.act_by.as_ref().map(|d| &*d.raw));
        w.optional("domain:exDate", transfer.expires.as_ref().map(|d| &*d.raw));
    });
}

/// Writes the `panData` of an object of that kind (RFC 5731 §3.3, RFC 5733 §3.3).
pub(in crate::mock) fn pending_data(w: &mut XmlWriter<'_>, kind: ObjectKind, pending: &PendingData) {
    let (prefix, key, ns) = match kind {
        ObjectKind::Contact => ("contact", "id", Ns::CONTACT),
        ObjectKind::Domain => ("domain", "name", Ns::DOMAIN),
    };
    let named = |name: &str| format!("{prefix}:{name}");
    let xmlns = format!("xmlns:{prefix}");
    w.element(&named("panData"), &[(&xmlns, ns.uri())], |w| {
        w.leaf(&named(key), &[("paResult", if pending.result { "1" } else { "0" })], &pending.id);
        w.element(&named("paTRID"), &[], |w| {
            w.optional("clTRID", pending.cl_trid.as_deref());
            w.optional("svTRID", pending.sv_trid.as_deref());
        });
        w.optional(&named("paDate"), pending.date.as_ref().map(|d| &*d.raw));
    });
}

/// Writes a domain's `secDNS:infData`.
pub(in crate::mock) fn sec_dns_data(w: &mut XmlWriter<'_>, data: &SecDnsInfo) {
    w.element("secDNS:infData", &[("xmlns:secDNS", Ns::SEC_DNS.uri())], |w| {
        if let Some(seconds) = data.max_sig_life {
            w.number("secDNS:maxSigLife", seconds);
        }
        for ds in &data.ds {
            w.element("secDNS:dsData", &[], |w| {
                w.number("secDNS:keyTag", ds.key_tag);
                w.number("secDNS:alg", ds.alg);
                w.number("secDNS:digestType", ds.digest_type);
                w.leaf("secDNS:digest", &[], &ds.digest);
                if let Some(k) = &ds.key {
                    key(w, k);
                }
            });
        }
        for k in &data.keys {
            key(w, k);
        }
    });
}

/// The attribute's value for an address.
pub(super) const fn ip_version(ip: &Ip) -> &'static str {
    match ip.version {
        IpVersion::V4 => "v4",
        IpVersion::V6 => "v6",
    }
}

fn name_servers(w: &mut XmlWriter<'_>, ns: &NameServers) {
    match ns {
        NameServers::Objects(names) => {
            for name in names {
                w.leaf("domain:hostObj", &[], name.as_str());
            }
        }
        NameServers::Attributes(attrs) => {
            for attr in attrs {
                w.element("domain:hostAttr", &[], |w| {
                    w.leaf("domain:hostName", &[], attr.name.as_str());
                    for ip in &attr.addrs {
                        w.leaf("domain:hostAddr", &[("ip", ip_version(ip))], &ip.text);
                    }
                });
            }
        }
    }
}

fn key(w: &mut XmlWriter<'_>, key: &KeyData) {
    w.element("secDNS:keyData", &[], |w| {
        w.number("secDNS:flags", key.flags);
        w.number("secDNS:protocol", key.protocol);
        w.number("secDNS:alg", key.alg);
        w.leaf("secDNS:pubKey", &[], &key.public_key);
    });
}
