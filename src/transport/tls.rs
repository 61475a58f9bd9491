//! TLS: the handshake, and what went wrong with it in words.
//!
//! Versions 1.2 and 1.3 only, the provider is named, and the only anchors are the registry's own: there is no way to switch checks off.

use super::files::{self, TlsFiles};
use crate::base::{Blame, Digest, Exit, Problem, Problems, Result, Timestamp};
use crate::model::{CertificateFacts, TlsFacts};
use crate::session::CloseReason;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, ProtocolVersion};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// What a handshake needs.
#[derive(Clone)]
pub struct TlsSetup {
    config: Arc<ClientConfig>,
    pin: Option<String>,
    /// Facts of the anchors and of our own chain.
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
    /// Reads and judges the files as of `now`.
    ///
    /// # Errors
    /// `E-tls-010` to `-016`: everything that is wrong with any of them.
    pub fn load(files: &TlsFiles, now: Timestamp) -> Result<Self, Problems> {
        let held = files::read(files, now)?;
        let ours = |what: String| Problem::new("E-tls-001", Blame::Us, what, "please report this");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| ours(format!("TLS cannot be set up: {e}")))?
            .with_root_certificates(held.roots);
        let config = match held.own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|e| ours(format!("TLS does not take our certificate: {e}")))?
            }
        };
        let pin = files.pin.as_ref().map(|pin| pin.to_ascii_lowercase());
        Ok(Self { config: Arc::new(config), pin, ours: held.facts })
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
            let found = leaf.and_then(|der| files::parsed(der).map(|c| Digest::of(c.public_key().raw).to_string())).unwrap_or_default();
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
        let leaf = connection
            .peer_certificates()
            .and_then(|chain| chain.first())
            .and_then(|der| Some(files::facts(der, &files::parsed(der)?, "registry")));
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
