//! The certificates and the key which a registry's table names, checked before anything connects.

use super::RegistryConfig;
use crate::base::{Blame, Problem, Problems, Result, Timestamp, read_capped};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::path::Path;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

/// The most bytes a file of certificates or a key may have.
const CAP: u64 = 1 << 20;

/// What a report tells of the client's certificate.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CertificateFacts {
    /// The subject.
    pub subject: String,
    /// Its first second.
    pub not_before: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
}

/// Checks what `registry` names, as of `now`; gives the facts of the client's chain, leaf first.
///
/// # Errors
/// `E-config-007` for the client's certificate and key, `E-config-008` for the authorities, all at once.
pub fn check_tls(registry: &RegistryConfig, now: Timestamp) -> Result<Vec<CertificateFacts>, Problems> {
    let mut problems = Problems::default();
    let mut facts = Vec::new();
    if let (Some(certificate), Some(key)) = (&registry.certificate, &registry.key) {
        match client(certificate, key, now, &mut problems) {
            Ok(found) => facts = found,
            Err(problem) => problems.push(problem),
        }
    }
    if let Err(problem) = authorities(&registry.ca, now, &mut problems) {
        problems.push(problem);
    }
    problems.or(facts)
}

/// The client's chain against its key, its order and the day.
fn client(certificate: &Path, key: &Path, now: Timestamp, problems: &mut Problems) -> Result<Vec<CertificateFacts>> {
    let chain = read_certificates("E-config-007", certificate)?;
    let public = public_key(key)?;
    let mut parsed = Vec::new();
    for (at, der) in chain.iter().enumerate() {
        parsed.push(parse("E-config-007", certificate, at, der)?);
    }
    let ours = |c: &X509Certificate<'_>| c.tbs_certificate.subject_pki.raw == public.as_slice();
    match parsed.iter().position(ours) {
        Some(0) => {}
        Some(at) => {
            let what = format!("the chain is in the wrong order: the key's own certificate is number {} of {}", at + 1, parsed.len());
            problems.push(bad("E-config-007", certificate, what, "put the client's own certificate first, then its issuers"));
        }
        None => {
            let what = format!("the key does not belong to the certificate `{}` in {}", subject(parsed.first()), certificate.display());
            problems.push(bad("E-config-007", key, what, "name the key that the certificate was issued for"));
        }
    }
    for (at, pair) in parsed.windows(2).enumerate() {
        if let [inner, outer] = pair
            && inner.issuer() != outer.subject()
        {
            let what = format!("the chain is in the wrong order: certificate {} was not issued by certificate {}", at + 1, at + 2);
            problems.push(bad("E-config-007", certificate, what, "put each certificate before the one of its issuer"));
        }
    }
    let facts: Vec<CertificateFacts> = parsed.iter().map(facts_of).collect();
    for fact in &facts {
        in_time("E-config-007", certificate, fact, now, problems);
    }
    Ok(facts)
}

/// The authorities: certificates that may issue others.
fn authorities(path: &Path, now: Timestamp, problems: &mut Problems) -> Result<()> {
    let certificates = read_certificates("E-config-008", path)?;
    let mut good = 0;
    for (at, der) in certificates.iter().enumerate() {
        let certificate = parse("E-config-008", path, at, der)?;
        if certificate.is_ca() {
            let before = problems.kept().len();
            in_time("E-config-008", path, &facts_of(&certificate), now, problems);
            good += usize::from(problems.kept().len() == before);
        }
    }
    if good == 0 && !certificates.is_empty() && problems.is_empty() {
        let what = "the file holds no authority: a leaf cannot be its own trust anchor";
        problems.push(bad("E-config-008", path, what, "give the issuing CA's certificate"));
    }
    Ok(())
}

fn read_certificates(id: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read_capped(path, CAP).map_err(|e| bad(id, path, e.what.clone(), "check the path, its owner and its mode"))?;
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(bad(id, path, "the file holds no certificate", "give certificates in PEM (BEGIN CERTIFICATE)")),
        Err(e) => Err(bad(id, path, format!("the file is not PEM: {e}"), "give certificates in PEM (BEGIN CERTIFICATE)")),
    }
}

/// The `SubjectPublicKeyInfo` of the private key in `path`.
fn public_key(path: &Path) -> Result<Vec<u8>> {
    let wrong = |what: &str, remedy: &str| bad("E-config-007", path, what, remedy);
    let bytes = Zeroizing::new(read_capped(path, CAP).map_err(|e| wrong(&e.what, "check the path, its owner and its mode"))?);
    let encrypted: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|mark| bytes.windows(mark.len()).any(|w| w == *mark)) {
        return Err(wrong(
            "encrypted keys are not read",
            "decrypt it (openssl pkey) into a file of mode 0600, or use a systemd credential",
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| wrong("the file holds no private key", "give an unencrypted key in PEM (PKCS#8, PKCS#1 or SEC1)"))?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|_| wrong("the key is of a kind that cannot be used", "use RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"))?;
    let public = signer.public_key().ok_or_else(|| wrong("the key does not tell its public half", "use another key"))?;
    Ok(public.as_ref().to_vec())
}

fn parse<'d>(id: &'static str, path: &Path, at: usize, der: &'d CertificateDer<'_>) -> Result<X509Certificate<'d>> {
    let parsed = X509Certificate::from_der(der.as_ref());
    parsed.map(|(_, c)| c).map_err(|_| bad(id, path, format!("certificate {} cannot be read", at + 1), "give X.509 certificates in PEM"))
}

fn in_time(id: &'static str, path: &Path, facts: &CertificateFacts, now: Timestamp, problems: &mut Problems) {
    let span = format!("valid from {} to {}, and now is {now}", facts.not_before, facts.not_after);
    if now > facts.not_after {
        problems.push(bad(id, path, format!("the certificate `{}` has expired: {span}", facts.subject), "renew it"));
    } else if now < facts.not_before {
        problems.push(bad(id, path, format!("the certificate `{}` is not yet valid: {span}", facts.subject), "check this machine's clock"));
    }
}

fn facts_of(certificate: &X509Certificate<'_>) -> CertificateFacts {
    let time = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let validity = certificate.validity();
    CertificateFacts {
        subject: subject(Some(certificate)),
        not_before: time(validity.not_before.timestamp()),
        not_after: time(validity.not_after.timestamp()),
    }
}

fn subject(certificate: Option<&X509Certificate<'_>>) -> String {
    certificate.map(|c| c.subject().to_string()).unwrap_or_default()
}

fn bad(id: &'static str, path: &Path, what: impl Into<String>, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).file(path)
}
