//! TLS: the operator's files, the handshake, and what went wrong with either in words.
//!
//! Versions 1.2 and 1.3 only, the provider is named, and the only anchors are the registry's own: there is no way to switch checks off.

use crate::base::{Blame, Digest, Exit, Problem, Result, Timestamp, read_capped};
use crate::model::{CertificateFacts, TlsFacts};
use crate::session::CloseReason;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, ProtocolVersion, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// The largest file of keys or certificates that is read.
const FILE_CAP: u64 = 1 << 20;
/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

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

/// What a handshake needs.
#[derive(Clone)]
pub struct TlsSetup {
    config: Arc<ClientConfig>,
    pin: Option<String>,
    /// Facts of our own certificate and of the anchors.
    ours: Vec<CertificateFacts>,
}

/// Why a line could not be had.
#[derive(Debug)]
pub(super) struct Failure {
    /// What is wrong.
    pub(super) problem: Box<Problem>,
    /// Whether another try can help.
    pub(super) again: bool,
}

impl TlsSetup {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// `E-tls-010` and following: what is wrong with which file.
    pub fn load(files: &TlsFiles, now: Timestamp) -> Result<Self> {
        let mut ours = Vec::new();
        let mut roots = RootCertStore::empty();
        let anchors = certificates(&files.ca)?;
        if !anchors.iter().any(|der| parsed(der).is_some_and(|c| c.is_ca())) {
            let what = "no certificate in this file is an issuer's: a server's own certificate (a leaf) cannot be its own trust anchor";
            return Err(at(&files.ca, "E-tls-011", what, "give the certificate of the authority that issued the registry's certificate"));
        }
        for der in anchors {
            ours.extend(facts(&der, "ca"));
            roots.add(der).map_err(|e| at(&files.ca, "E-tls-011", &format!("a certificate cannot be an anchor: {e}"), "renew the file"))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| Problem::new("E-tls-001", Blame::Us, format!("TLS cannot be set up: {e}"), "please report this"))?
            .with_root_certificates(roots);
        let config = match &files.own {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                let chain = certificates(cert)?;
                check_chain(cert, &chain, now)?;
                ours.extend(chain.first().and_then(|der| facts(der, "ours")));
                builder.with_client_auth_cert(chain, private_key(key)?).map_err(|e| {
                    let what = format!("the key does not belong to the first certificate in {} ({e})", cert.display());
                    at(
                        key,
                        "E-tls-013",
                        &what,
                        "give the key this certificate was made for; the certificate itself stands first in its file",
                    )
                })?
            }
        };
        let pin = files.pin.as_ref().map(|pin| pin.to_ascii_lowercase());
        Ok(Self { config: Arc::new(config), pin, ours })
    }

    /// Facts of our certificate and of the anchors, for the warnings before they expire.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateFacts] {
        &self.ours
    }

    /// Shakes hands over `tcp`.
    pub(super) async fn connect(
        &self,
        tcp: TcpStream,
        name: ServerName<'static>,
    ) -> Result<(Box<TlsStream<TcpStream>>, TlsFacts), Failure> {
        let shaken = tokio::time::timeout(HANDSHAKE, TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp)).await;
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => return Err(handshake_failure(&e)),
            Err(_) => {
                let what = format!("the TLS handshake took more than {} s", HANDSHAKE.as_secs());
                let problem = Problem::new("E-tls-002", Blame::Network, what, "something between here and the registry swallows packets");
                return Err(Failure { problem, again: true });
            }
        };
        let facts = self.facts(&stream);
        if let Some(pin) = &self.pin {
            let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let found = leaf.and_then(|der| parsed(der).map(|c| Digest::of(c.public_key().raw).to_string())).unwrap_or_default();
            if &found != pin {
                let what = format!("the registry's certificate has the public key {found}, not the pinned one");
                let remedy = "ask the registry by another way whether it changed its key; only then change the pin";
                let problem = Problem::new("E-tls-005", Blame::Registry, what, remedy).exit(Exit::Refused);
                return Err(Failure { problem, again: false });
            }
        }
        Ok((Box::new(stream), facts))
    }

    /// What was agreed on.
    fn facts(&self, stream: &TlsStream<TcpStream>) -> TlsFacts {
        let (_, connection) = stream.get_ref();
        let leaf = connection.peer_certificates().and_then(|chain| chain.first()).and_then(|der| facts(der, "registry"));
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "",
        };
        let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
        let group = connection.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name())).unwrap_or_default();
        TlsFacts {
            version: version.into(),
            cipher: cipher.into(),
            group: group.into(),
            certificates: leaf.into_iter().chain(self.ours.iter().cloned()).collect(),
        }
    }
}

/// Why a read or a write failed, in words.
pub(super) fn close_reason(error: &io::Error) -> CloseReason {
    match tls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) => {
            CloseReason::Alert { name: alert_name(*alert), certificate: is_about_certificate(*alert) }
        }
        Some(rustls::Error::InvalidMessage(_)) => CloseReason::Broken("something that is no TLS came: plain text met TLS".to_owned()),
        Some(other) => CloseReason::Broken(format!("TLS: {other}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => CloseReason::Eof { clean: false },
        None => CloseReason::Broken(error.kind().to_string()),
    }
}

/// Why a handshake failed, in words.
fn handshake_failure(error: &io::Error) -> Failure {
    let refuse = |id: &str, what: String, remedy: &str| Failure {
        problem: Problem::new(id, Blame::Registry, what, remedy).exit(Exit::Refused),
        again: false,
    };
    let unreachable =
        |id: &str, what: String, remedy: &str, again: bool| Failure { problem: Problem::new(id, Blame::Network, what, remedy), again };
    match tls_error(error) {
        Some(rustls::Error::AlertReceived(alert)) if is_about_certificate(*alert) => refuse(
            "E-tls-004",
            format!("the registry refused our certificate (TLS alert: {})", alert_name(*alert)),
            "check that the client certificate is the one the registry knows, and that it has not expired",
        ),
        Some(rustls::Error::AlertReceived(alert)) => unreachable(
            "E-tls-003",
            format!("the registry broke the TLS handshake off (alert: {})", alert_name(*alert)),
            "it may want a client certificate, or speak none of TLS 1.2 and 1.3",
            false,
        ),
        Some(rustls::Error::InvalidCertificate(why)) => refuse(
            "E-tls-006",
            format!("the registry's certificate is refused: {}", certificate_words(why)),
            "check the server name and the CA file; if both are right, tell the registry",
        ),
        Some(rustls::Error::InvalidMessage(_)) => unreachable(
            "E-tls-007",
            "what answered does not speak TLS: plain text met TLS".to_owned(),
            "check the port: EPP over TLS stands on 700 by default",
            false,
        ),
        Some(other) => {
            unreachable("E-tls-003", format!("the TLS handshake failed: {other}"), "the registry's TLS is not one we can speak", false)
        }
        None => unreachable(
            "E-tls-002",
            format!("the connection broke in the TLS handshake: {}", error.kind()),
            "the registry closes like that where it does not know this machine's address, or has too many connections",
            true,
        ),
    }
}

/// What is wrong with a certificate, with the names and dates it has.
fn certificate_words(why: &CertificateError) -> String {
    let date = |time: rustls::pki_types::UnixTime| {
        i64::try_from(time.as_secs()).ok().and_then(|s| Timestamp::from_second(s).ok()).map_or_else(String::new, |t| t.to_string())
    };
    match why {
        CertificateError::ExpiredContext { not_after, time } => format!("it expired on {} (now: {})", date(*not_after), date(*time)),
        CertificateError::NotValidYetContext { not_before, time } => {
            format!("it is valid from {} only (now: {})", date(*not_before), date(*time))
        }
        CertificateError::NotValidForNameContext { expected, presented } if presented.is_empty() => {
            format!("it holds no subject alternative name, only a common name at most, so that it cannot be for {}", expected.to_str())
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("it is for {}, not for {}", presented.join(", "), expected.to_str())
        }
        CertificateError::UnknownIssuer => {
            "none of the authorities in the CA file issued it, or it is a certificate that signed itself".to_owned()
        }
        other => other.to_string(),
    }
}

/// The TLS error inside an I/O error.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// An alert's name as RFC 8446 §6 writes it.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() && !name.ends_with(|p: char| p.is_ascii_uppercase()) {
            name.push('_');
        }
        name.push(c);
    }
    name.to_ascii_lowercase()
}

/// Whether an alert speaks of our certificate.
const fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
    )
}

/// A problem with one of the operator's files.
fn at(path: &Path, id: &str, what: &str, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).file(path)
}

/// The certificates in a PEM file; never none.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read_capped(path, FILE_CAP)?;
    let all: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| at(path, "E-tls-010", &format!("this is no PEM: {e}"), "give certificates between BEGIN and END CERTIFICATE lines"))?;
    if all.is_empty() {
        return Err(at(path, "E-tls-010", "there is no certificate in this file", "give a PEM file with BEGIN CERTIFICATE lines"));
    }
    if let Some(n) = all.iter().position(|der| parsed(der).is_none()) {
        return Err(at(path, "E-tls-010", &format!("certificate {} in this file cannot be read", n + 1), "renew the file"));
    }
    Ok(all)
}

/// The one key in a PEM file.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let what = format!("this private key has mode {mode:04o}: others can read it");
        return Err(at(path, "E-tls-014", &what, "chmod 0600, and think about who may have read it"));
    }
    let mut bytes = read_capped(path, FILE_CAP)?;
    let text = String::from_utf8_lossy(&bytes);
    let encrypted = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
    drop(text);
    let key = PrivateKeyDer::from_pem_slice(&bytes);
    zeroize::Zeroize::zeroize(&mut bytes);
    if encrypted {
        let remedy = "decrypt it (openssl pkey) into a file of mode 0600, or hand it over as a service credential";
        return Err(at(path, "E-tls-012", "this private key is encrypted; encrypted keys are not read", remedy));
    }
    key.map_err(|e| at(path, "E-tls-012", &format!("there is no private key in this file: {e}"), "give a PEM file with BEGIN PRIVATE KEY"))
}

/// Checks the dates and the order of our chain.
fn check_chain(path: &Path, chain: &[CertificateDer<'static>], now: Timestamp) -> Result<()> {
    let parsed: Vec<X509Certificate<'_>> = chain.iter().filter_map(parsed).collect();
    for certificate in &parsed {
        let (from, to) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
        let second = now.as_second();
        if second < from || second > to {
            let date = |s| Timestamp::from_second(s).map_or_else(|_| String::new(), |t| t.to_string());
            let state = if second > to { "has expired" } else { "is not yet valid" };
            let what = format!("the certificate of {} {state} (valid {} to {})", certificate.subject(), date(from), date(to));
            return Err(at(path, "E-tls-015", &what, "renew it, and give the registry the new one"));
        }
    }
    for (n, pair) in parsed.windows(2).enumerate() {
        if let [lower, upper] = pair
            && lower.issuer().as_raw() != upper.subject().as_raw()
        {
            let what = format!("the chain is in the wrong order: certificate {} was not issued by the one behind it", n + 1);
            return Err(at(path, "E-tls-016", &what, "put our own certificate first, and behind each the one that issued it"));
        }
    }
    Ok(())
}

fn parsed<'a>(der: &'a CertificateDer<'static>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

/// What a certificate states.
fn facts(der: &CertificateDer<'static>, whose: &str) -> Option<CertificateFacts> {
    let certificate = parsed(der)?;
    let names = certificate.subject_alternative_name().ok().flatten().map(|extension| {
        let text = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).into(),
            GeneralName::IPAddress(bytes) => address(bytes),
            other => other.to_string().into(),
        };
        extension.value.general_names.iter().map(text).collect::<Vec<Box<str>>>()
    });
    let moment = |s| Timestamp::from_second(s).unwrap_or_default();
    Some(CertificateFacts {
        whose: whose.into(),
        subject: certificate.subject().to_string().into(),
        names: names.unwrap_or_default(),
        not_before: moment(certificate.validity().not_before.timestamp()),
        not_after: moment(certificate.validity().not_after.timestamp()),
        fingerprint: Digest::of(der).short().into(),
    })
}

/// An address out of a certificate.
fn address(bytes: &[u8]) -> Box<str> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string());
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|b| std::net::IpAddr::from(b).to_string());
    v4.or_else(v6).unwrap_or_default().into()
}
