//! The tables `[registries.NAME]`, each over `[registry_defaults]`.

use super::document::{CAP, text_of};
use super::read::Environment;
use super::table::{Found, INLINE, KEEP, Reading, Table};
use super::types::{Poll, RegistryConfig};
use super::{SecretSource, limits};
use crate::base::{Blame, Digest, Problem, RegistryId, Secret, read_capped};
use crate::policy::{Overridden, Profile, profile};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The choices of `poll`.
const POLL: [(&str, Poll); 3] = [("off", Poll::Off), ("peek", Poll::Peek), ("own", Poll::Own)];

/// The choices of `account`.
const ACCOUNT: [(&str, bool); 2] = [("shared", false), ("exclusive", true)];

/// Every registry of the file.
pub(super) fn all(
    reading: &mut Reading<'_>,
    table: &mut Table<'_>,
    defaults: &Table<'_>,
    environment: Environment<'_>,
) -> BTreeMap<RegistryId, RegistryConfig> {
    let mut registries = BTreeMap::new();
    for (id, line, entry) in table.entries(reading) {
        if !RegistryId::is_valid(&id) {
            let what = format!("`{id}` cannot be a registry's id");
            let remedy = format!("use a-z, 0-9 and -, not - first, at most {} characters: it becomes part of file names", RegistryId::MAX);
            reading.fault("E-config-004", &entry.name, Some(line), what, remedy);
        }
        if entry.is_absent() {
            continue;
        }
        let mut entry = entry.over(defaults);
        let registry = one(reading, &mut entry, environment);
        entry.finish(reading);
        registries.extend(registry.map(|r| (RegistryId::new(id), r)));
    }
    registries
}

/// Tells of what is wrong in the operator's own `[registry_defaults]`, whether or not a registry uses it.
pub(super) fn check_defaults(reading: &mut Reading<'_>, mut defaults: Table<'_>) {
    let _share = defaults.find("share").and_then(|f| f.share(reading, true));
    let _reserve = defaults.find("quota_reserve").and_then(|f| f.share(reading, false));
    let _poll = defaults.find("poll").and_then(|f| f.choice(reading, &POLL));
    defaults.finish(reading);
}

fn one(reading: &mut Reading<'_>, table: &mut Table<'_>, environment: Environment<'_>) -> Option<RegistryConfig> {
    let base = table.need(reading, "profile", "\"gtld-thick\"").and_then(|found| the_profile(reading, &found));
    let mut weakened = Vec::new();
    let base = match (table.find("rules"), base) {
        (Some(found), Some(base)) => own_rules(reading, &found, &base, &mut weakened),
        (_, base) => base,
    };
    let host = table.need(reading, "host", "\"epp.registry.example\"").and_then(|f| host_name(reading, &f));
    let port = match table.find("port") {
        Some(found) => found.number(reading, 1..=65_535).and_then(|n| u16::try_from(n).ok()),
        None => base.as_ref().map(|p| p.port.value),
    };
    let server_name = match table.find("server_name") {
        Some(found) => host_name(reading, &found),
        None => host.clone(),
    };
    let path = match table.find("path") {
        Some(found) => {
            let path = found.text(reading).filter(|path| path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()));
            if path.is_none() {
                found.wrong(reading, "a path that begins with `/`, as it stands behind the host's name");
            }
            path
        }
        None => Some("/".to_owned()),
    };
    let client_id = table.need(reading, "client_id", "\"registrar-1\"").and_then(|found| {
        let id = found.text(reading)?;
        let fits = (3..=16).contains(&id.chars().count());
        if !fits {
            found.wrong(reading, "the login name of 3 to 16 characters (RFC 5730 §4.1, clIDType)");
        }
        fits.then_some(id)
    });
    let password = secret(reading, table, "password", environment);
    let exclusive = table.find("account").map_or(Some(false), |f| f.choice(reading, &ACCOUNT));
    let certificate = table.find("certificate").and_then(|f| f.path(reading));
    let key = table.find("key").and_then(|f| f.path(reading));
    pair(reading, table, base.as_deref(), certificate.is_some(), key.is_some());
    let ca = table.need(reading, "ca", "\"secrets/ca.pem\"").and_then(|f| f.path(reading));
    let pin = table.find("pin").map(|found| {
        let pin = found.text(reading).and_then(|text| sha256(&text));
        if pin.is_none() {
            found.wrong(reading, "the SHA-256 of the server's SubjectPublicKeyInfo: 64 hexadecimal digits");
        }
        pin
    });
    let share = table.find("share").and_then(|f| f.share(reading, true));
    let quota_reserve = table.find("quota_reserve").and_then(|f| f.share(reading, false));
    let poll = table.find("poll").and_then(|f| f.choice(reading, &POLL));
    let list = table.find("list").and_then(|f| f.path(reading));
    let overrides = table.child(reading, "limits");
    let profile = limits::apply(reading, overrides, base, &mut weakened);
    reading.warnings.extend(weakened.iter().cloned());
    Some(RegistryConfig {
        profile: profile?,
        host: host?,
        port: port?,
        server_name: server_name?,
        path: path?,
        client_id: client_id?,
        password: password?,
        exclusive: exclusive?,
        certificate,
        key,
        ca: ca?,
        pin: pin.flatten(),
        share: share?,
        quota_reserve: quota_reserve?,
        poll: poll?,
        list,
        weakened,
    })
}

fn the_profile(reading: &mut Reading<'_>, found: &Found<'_>) -> Option<Arc<Profile>> {
    match profile(&found.text(reading)?) {
        Ok(profile) => Some(profile),
        Err(problem) => {
            let mut problem = problem.file(reading.path).field(found.name.clone());
            problem.place.line = found.file_line();
            reading.problems.push(*problem);
            None
        }
    }
}

/// `base` with the operator's own rules of the file that `found` names; what is weaker than the profile's is added to `weakened`.
fn own_rules(reading: &mut Reading<'_>, found: &Found<'_>, base: &Profile, weakened: &mut Vec<Problem>) -> Option<Arc<Profile>> {
    let path = found.path(reading)?;
    let bytes = read_capped(&path, CAP);
    reading.rules.extend(bytes.as_ref().ok().map(|bytes| Digest::of(bytes)));
    let rules = bytes.and_then(|bytes| base.overridden(text_of(&path, &bytes)?));
    match rules {
        Ok(Overridden { profile, weaker }) => {
            weakened.extend(weaker.into_iter().map(|p| *Box::new(p).file(&path)));
            Some(Arc::new(profile))
        }
        Err(problem) => {
            reading.problems.push(*problem.file(&path));
            None
        }
    }
}

/// A host name or an IP address.
fn host_name(reading: &mut Reading<'_>, found: &Found<'_>) -> Option<String> {
    let text = found.text(reading)?;
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Some(text);
    }
    match idna::domain_to_ascii_strict(&text) {
        Ok(ascii) => Some(ascii),
        Err(_) => {
            found.wrong(reading, "a host name or an IP address, without a port");
            None
        }
    }
}

/// A certificate goes with its key, and a profile may want both.
fn pair(reading: &mut Reading<'_>, table: &Table<'_>, profile: Option<&Profile>, certificate: bool, key: bool) {
    let missing = match (certificate, key) {
        (true, false) => Some("key"),
        (false, true) => Some("certificate"),
        (false, false) if profile.is_some_and(|p| p.client_certificate.value) => Some("certificate"),
        _ => None,
    };
    if let Some(missing) = missing.filter(|_| !reading.torn) {
        let remedy = "name the client's certificate chain and its key in PEM: this registry wants both";
        reading.fault("E-config-014", &table.dotted(missing), table.line, format!("`{missing}` is missing"), remedy);
    }
}

/// Where the secret `key` is. A text in its place is a secret in the wrong place, and is not repeated.
pub(super) fn secret(
    reading: &mut Reading<'_>,
    table: &mut Table<'_>,
    key: &'static str,
    environment: Environment<'_>,
) -> Option<SecretSource> {
    let found = table.need(reading, key, &format!("{{ file = \"secrets/{key}\" }}"))?;
    if found.is_text() {
        reading.fault("E-config-005", &found.name, found.file_line(), INLINE, KEEP);
        return None;
    }
    let mut place = table.child(reading, key);
    if place.is_absent() {
        // Not a table either: the cursor has told so.
        return None;
    }
    let given = ["file", "credential", "env"].into_iter().filter(|key| place.find(key).is_some()).count();
    let file = place.find("file").and_then(|f| f.path(reading)).map(SecretSource::File);
    let credential = place.find("credential").and_then(|found| credential(reading, &found, environment));
    let variable = place.find("env").and_then(|found| {
        let name = found.text(reading)?;
        let what = format!("the {key} comes from the variable `{name}`, which every child process inherits");
        let mut warning = Problem::new("E-config-016", Blame::Operator, what, "prefer a file or a systemd credential");
        warning = warning.file(reading.path).field(found.name.clone());
        warning.place.line = found.file_line();
        reading.warnings.push(*warning);
        let value = environment(&name).map(Secret::new);
        Some(SecretSource::Environment { name, value })
    });
    let (name, line) = (place.name.clone(), found.file_line());
    let places: Vec<SecretSource> = [file, credential, variable].into_iter().flatten().collect();
    if given != 1 {
        let remedy = "give exactly one of `file`, `credential` and `env`, and never the secret itself";
        reading.fault("E-config-015", &name, line, format!("the {key} has {given} places"), remedy);
    }
    place.finish(reading);
    places.into_iter().next()
}

/// A systemd credential by its name.
pub(super) fn credential(reading: &mut Reading<'_>, found: &Found<'_>, environment: Environment<'_>) -> Option<SecretSource> {
    let name = found.text(reading)?;
    if name.contains(['/', '\0']) || name.starts_with('.') {
        found.wrong(reading, "the name of a systemd credential, which is no path");
        return None;
    }
    let path = environment("CREDENTIALS_DIRECTORY").map(|dir| Path::new(&dir).join(&name));
    Some(SecretSource::Credential { name, path })
}

/// 64 hexadecimal digits, with or without colons.
fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}
