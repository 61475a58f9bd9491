//! The operator's certificates and key for one registry, read and judged once, with everything that is wrong with them told together.

use crate::base::{Blame, Digest, Problem, Problems, Result, Timestamp, read_capped};
use crate::model::CertificateFacts;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use zeroize::Zeroizing;

/// The largest file of keys or certificates that is read.
const CAP: u64 = 1 << 20;

/// The operator's files for one registry.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificates of the issuers that are believed, PEM.
    pub ca: PathBuf,
    /// Our certificate and those between it and its root, PEM, and its key, PEM without a passphrase.
    pub own: Option<(PathBuf, PathBuf)>,
    /// SHA-256 of the subject public key info which the registry's certificate must have besides, in hexadecimal.
    pub pin: Option<String>,
}

impl TlsFiles {
    /// What the certificates in the files state, without a judgement on them: those of issuers (`ca`), and ours. What cannot be read is
    /// left out.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateFacts> {
        let files = [Some((&self.ca, "ca")), self.own.as_ref().map(|(certificate, _)| (certificate, "ours"))];
        let each = files.into_iter().flatten().flat_map(|(path, whose)| {
            let all = certificates(path).unwrap_or_default();
            all.into_iter().filter_map(move |der| Some(facts(&der, &parsed(&der)?, whose)))
        });
        each.collect()
    }
}

/// What the files hold.
pub(super) struct Held {
    pub(super) roots: RootCertStore,
    pub(super) own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// Facts of the anchors and of our own chain.
    pub(super) facts: Vec<CertificateFacts>,
}

/// Reads and judges the files as of `now`.
pub(super) fn read(files: &TlsFiles, now: Timestamp) -> Result<Held, Problems> {
    let mut problems = Problems::default();
    let mut held = Held { roots: RootCertStore::empty(), own: None, facts: Vec::new() };
    authorities(&files.ca, now, &mut held, &mut problems).unwrap_or_else(|problem| problems.push(problem));
    if let Some((certificate, key)) = &files.own {
        client(certificate, key, now, &mut held, &mut problems).unwrap_or_else(|problem| problems.push(problem));
    }
    problems.or(held)
}

/// The anchors: certificates of issuers, of which one at least is in its time.
fn authorities(path: &Path, now: Timestamp, held: &mut Held, problems: &mut Problems) -> Result<()> {
    let mut late = Problems::default();
    let mut good = 0;
    for der in certificates(path)? {
        let certificate = parse(&der, path)?;
        if certificate.is_ca() {
            let before = late.kept().len();
            in_time(path, &certificate, now, &mut late);
            good += usize::from(late.kept().len() == before);
            held.facts.push(facts(&der, &certificate, "ca"));
        }
        let unfit = |e| at(path, "E-tls-011", format!("a certificate cannot be an anchor: {e}"), "renew the file");
        held.roots.add(der).map_err(unfit)?;
    }
    if good == 0 && late.is_empty() {
        let what = "no certificate in this file is an issuer's: a server's own certificate (a leaf) cannot be its own trust anchor";
        return Err(at(path, "E-tls-011", what, "give the certificate of the authority that issued the registry's certificate"));
    }
    if good == 0 {
        late.kept().iter().for_each(|problem| problems.push(Box::new(problem.clone())));
    }
    Ok(())
}

/// Our chain against its key, its order and the day.
fn client(path: &Path, key_path: &Path, now: Timestamp, held: &mut Held, problems: &mut Problems) -> Result<()> {
    let chain = certificates(path)?;
    let parsed = chain.iter().map(|der| parse(der, path)).collect::<Result<Vec<_>>>()?;
    for (der, certificate) in chain.iter().zip(&parsed) {
        in_time(path, certificate, now, problems);
        held.facts.push(facts(der, certificate, "ours"));
    }
    let (key, public) = private_key(key_path)?;
    match parsed.iter().position(|certificate| certificate.tbs_certificate.subject_pki.raw == public) {
        Some(0) => {}
        Some(n) => {
            let what = format!("the chain is in the wrong order: the key's own certificate is number {} of {}", n + 1, parsed.len());
            problems.push(at(path, "E-tls-016", what, "put our own certificate first, and behind each the one that issued it"));
        }
        None => {
            let subject = parsed.first().map(|certificate| certificate.subject().to_string()).unwrap_or_default();
            let what = format!("the key does not belong to the certificate `{subject}` in {}", path.display());
            problems.push(at(key_path, "E-tls-013", what, "give the key this certificate was made for"));
        }
    }
    for (n, pair) in parsed.windows(2).enumerate() {
        if let [lower, upper] = pair
            && lower.issuer().as_raw() != upper.subject().as_raw()
        {
            let what = format!("the chain is in the wrong order: certificate {} was not issued by the one behind it", n + 1);
            problems.push(at(path, "E-tls-016", what, "put our own certificate first, and behind each the one that issued it"));
        }
    }
    drop(parsed);
    held.own = Some((chain, key));
    Ok(())
}

/// The certificates in a PEM file; never none.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |what: String| at(path, "E-tls-010", what, "give certificates in PEM, between BEGIN and END CERTIFICATE lines");
    let bytes = read_capped(path, CAP)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let all = all.map_err(|e| wrong(format!("the file is no PEM: {e}")))?;
    if all.is_empty() { Err(wrong("the file holds no certificate".to_owned())) } else { Ok(all) }
}

/// Where systemd leaves credentials, and nobody else anything.
const CREDENTIALS: &str = "/run/credentials";

/// The bits of a mode by which somebody else could read what is at `path`. Of a credential the group's are the mask of an access list
/// (acl(5)), by which systemd lets the unit's user alone read it.
fn others(path: &Path) -> u32 {
    if path.starts_with(CREDENTIALS) { 0o037 } else { 0o077 }
}

/// The one key in a PEM file, and its public half as a `SubjectPublicKeyInfo`.
fn private_key(path: &Path) -> Result<(PrivateKeyDer<'static>, Vec<u8>)> {
    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o777);
    if mode & others(path) != 0 {
        let what = format!("this private key has mode {mode:04o}: others can read it");
        return Err(at(path, "E-tls-014", what, "chmod 0600, and think about who may have read it"));
    }
    let wrong = |what: &str, remedy: &str| at(path, "E-tls-012", what, remedy);
    let bytes = Zeroizing::new(read_capped(path, CAP)?);
    let encrypted: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| bytes.windows(mark.len()).any(|w| w == *mark)) {
        let remedy = "decrypt it (openssl pkey) into a file of mode 0600, or hand it over as a systemd credential";
        return Err(wrong("this private key is encrypted; encrypted keys are not read", remedy));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| wrong("the file holds no private key", "give an unencrypted key in PEM (PKCS#8, PKCS#1 or SEC1)"))?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|_| wrong("the key is of a kind that cannot be used", "use RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"))?;
    let public = signer.public_key().ok_or_else(|| wrong("the key does not tell its public half", "use another key"))?;
    Ok((key, public.as_ref().to_vec()))
}

fn parse<'d>(der: &'d CertificateDer<'_>, path: &Path) -> Result<X509Certificate<'d>> {
    parsed(der).ok_or_else(|| at(path, "E-tls-010", "a certificate in this file cannot be read", "give X.509 certificates in PEM"))
}

/// Notes a certificate that is not in its time.
fn in_time(path: &Path, certificate: &X509Certificate<'_>, now: Timestamp, problems: &mut Problems) {
    let (from, to) = (moment(certificate.validity().not_before), moment(certificate.validity().not_after));
    let (state, remedy) = match now {
        now if now > to => ("has expired", "renew it, and give the registry the new one"),
        now if now < from => ("is not yet valid", "check this machine's clock"),
        _ => return,
    };
    let what = format!("the certificate `{}` {state}: valid from {from} to {to}, and now is {now}", certificate.subject());
    problems.push(at(path, "E-tls-015", what, remedy));
}

fn moment(time: x509_parser::time::ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or_default()
}

/// A problem with one of the operator's files.
fn at(path: &Path, id: &str, what: impl Into<String>, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).file(path)
}

/// A certificate, where it is one.
pub(super) fn parsed<'d>(der: &'d CertificateDer<'_>) -> Option<X509Certificate<'d>> {
    X509Certificate::from_der(der.as_ref()).ok().map(|(_, certificate)| certificate)
}

/// What a certificate states.
pub(super) fn facts(der: &CertificateDer<'_>, certificate: &X509Certificate<'_>, whose: &str) -> CertificateFacts {
    let names = certificate.subject_alternative_name().ok().flatten().map(|extension| {
        let text = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).into(),
            GeneralName::IPAddress(bytes) => address(bytes),
            other => other.to_string().into(),
        };
        extension.value.general_names.iter().map(text).collect::<Vec<Box<str>>>()
    });
    CertificateFacts {
        whose: whose.into(),
        subject: certificate.subject().to_string().into(),
        names: names.unwrap_or_default(),
        not_before: moment(certificate.validity().not_before),
        not_after: moment(certificate.validity().not_after),
        fingerprint: Digest::of(der).short().into(),
    }
}

/// An address out of a certificate.
fn address(bytes: &[u8]) -> Box<str> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string());
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string());
    v4.or_else(v6).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::others;
    use std::path::Path;

    #[test]
    fn the_group_bits_of_a_credential_alone_are_a_mask() {
        let reads = |path: &str, mode: u32| mode & others(Path::new(path)) != 0;
        assert!(!reads("/run/credentials/privet.service/key", 0o440) && !reads("/etc/privet/key", 0o400));
        assert!(reads("/etc/privet/key", 0o440) && reads("/run/credentials-of-mine/key", 0o440));
        assert!(reads("/run/credentials/privet.service/key", 0o444) && reads("/run/credentials/privet.service/key", 0o460));
    }
}
