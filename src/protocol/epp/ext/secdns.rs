//! DNSSEC (RFC 5910).

use super::super::encoder::Encoder;
use super::super::field::number;
use super::super::rule;
use crate::model::{DsChange, DsData, KeyData, SecDnsInfo};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// The declaration on each element of the extension.
const XMLNS: (&str, &str) = ("xmlns:secDNS", Ns::SEC_DNS.uri());

/// Writes the data to start with.
pub(in crate::protocol::epp) fn create(e: &mut Encoder<'_>, ds: &DsChange) {
    if ds.remove_all || !ds.rem_ds.is_empty() || !ds.rem_keys.is_empty() {
        e.refuse("secDNS:rem", "has no place in a create");
    }
    e.within("secDNS:create", &[XMLNS], |e| {
        max_sig_life(e, ds.max_sig_life);
        either(e, &ds.add_ds, &ds.add_keys);
    });
}

/// Writes a change.
pub(in crate::protocol::epp) fn update(e: &mut Encoder<'_>, ds: &DsChange) {
    let removes = !ds.rem_ds.is_empty() || !ds.rem_keys.is_empty();
    if ds.remove_all && removes {
        e.refuse("secDNS:rem", "asks for everything and for single records at once");
    }
    let urgent = [XMLNS, ("urgent", "1")];
    e.within("secDNS:update", urgent.get(..if ds.urgent { 2 } else { 1 }).unwrap_or_default(), |e| {
        if ds.remove_all {
            e.within("secDNS:rem", &[], |e| e.leaf("secDNS:all", "true", &rule::TOKEN));
        } else if removes {
            e.within("secDNS:rem", &[], |e| either(e, &ds.rem_ds, &ds.rem_keys));
        }
        if !ds.add_ds.is_empty() || !ds.add_keys.is_empty() {
            e.within("secDNS:add", &[], |e| either(e, &ds.add_ds, &ds.add_keys));
        }
        if ds.max_sig_life.is_some() {
            e.within("secDNS:chg", &[], |e| max_sig_life(e, ds.max_sig_life));
        }
    });
}

fn max_sig_life(e: &mut Encoder<'_>, seconds: Option<u32>) {
    let Some(seconds) = seconds else { return };
    if seconds == 0 || i32::try_from(seconds).is_err() {
        e.refuse("secDNS:maxSigLife", format!("is {seconds}, 1 to {} are allowed", i32::MAX));
    }
    e.number("secDNS:maxSigLife", seconds);
}

/// Writes DS records or keys: the schema has a place for one kind at a time.
fn either(e: &mut Encoder<'_>, ds: &[DsData], keys: &[KeyData]) {
    match (ds, keys) {
        ([], []) => e.refuse("secDNS:dsData", "is missing, and so are keys"),
        (ds, []) => ds.iter().for_each(|ds| ds_data(e, ds)),
        ([], keys) => keys.iter().for_each(|key| key_data(e, key)),
        _ => e.refuse("secDNS:dsData", "stands beside keys; a registry takes one of the two"),
    }
}

fn ds_data(e: &mut Encoder<'_>, ds: &DsData) {
    e.within("secDNS:dsData", &[], |e| {
        e.number("secDNS:keyTag", ds.key_tag.into());
        e.number("secDNS:alg", ds.alg.into());
        e.number("secDNS:digestType", ds.digest_type.into());
        e.leaf("secDNS:digest", &ds.digest, &rule::HEX);
        ds.key.iter().for_each(|key| key_data(e, key));
    });
}

fn key_data(e: &mut Encoder<'_>, key: &KeyData) {
    e.within("secDNS:keyData", &[], |e| {
        e.number("secDNS:flags", key.flags.into());
        e.number("secDNS:protocol", key.protocol.into());
        e.number("secDNS:alg", key.alg.into());
        e.leaf("secDNS:pubKey", &key.public_key, &rule::BASE64);
    });
}

/// Reads `<infData>`; a record that lacks a part or has a strange one stays unknown as a whole.
pub(super) fn decode(e: Element<'_>) -> SecDnsInfo {
    let mut info = SecDnsInfo::default();
    for c in e.children().filter(|c| c.ns() == Ns::SEC_DNS) {
        match c.local() {
            "maxSigLife" if info.max_sig_life.is_none() => info.max_sig_life = number(c),
            "dsData" => info.ds.extend(whole(c, read_ds)),
            "keyData" => info.keys.extend(whole(c, read_key)),
            _ => {}
        }
    }
    info
}

/// What `read` makes of `e`; where that is nothing, `e` is as unknown as before.
fn whole<T>(e: Element<'_>, read: impl FnOnce(Element<'_>) -> Option<T>) -> Option<T> {
    let record = read(e);
    if record.is_none() {
        e.forget();
    }
    record
}

fn read_ds(e: Element<'_>) -> Option<DsData> {
    let part = |local| e.child(Ns::SEC_DNS, local);
    Some(DsData {
        key_tag: number(part("keyTag")?)?,
        alg: number(part("alg")?)?,
        digest_type: number(part("digestType")?)?,
        digest: part("digest")?.token().to_ascii_uppercase().into(),
        key: part("keyData").and_then(|key| whole(key, read_key)),
    })
}

fn read_key(e: Element<'_>) -> Option<KeyData> {
    let part = |local| e.child(Ns::SEC_DNS, local);
    Some(KeyData {
        flags: number(part("flags")?)?,
        protocol: number(part("protocol")?)?,
        alg: number(part("alg")?)?,
        // Blanks between the groups of base64 mean nothing.
        public_key: part("pubKey")?.text().split_ascii_whitespace().collect::<String>().into(),
    })
}
