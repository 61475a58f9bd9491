//! Who a bundled registry is on the line: its certificate authority, both sides' certificates and the account's password, made at the
//! first start and kept; and the certificates no client should accept.

use super::faults::Fault;
use crate::base::{Blame, Digest, Problem, Result, Secret, Timestamp, create_private_dir, read_capped, write_atomic};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name in the server's certificate, which a client verifies.
pub(super) const SERVER_NAME: &str = "localhost";
/// Names and addresses in the server's certificate.
const SERVER_NAMES: [&str; 3] = [SERVER_NAME, "127.0.0.1", "::1"];
/// The largest PEM file that is read.
const PEM_CAP: u64 = 64 * 1024;

/// The files of an identity, and what is in them.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) ca: PathBuf,
    pub(super) client_cert: PathBuf,
    pub(super) client_key: PathBuf,
    pub(super) password_file: PathBuf,
    pub(super) password: Secret,
    dir: PathBuf,
    wall: Timestamp,
}

/// A certificate to issue.
struct Wanted<'a> {
    common_name: &'a str,
    names: &'a [&'a str],
    usage: ExtendedKeyUsagePurpose,
    /// Days from now at which it begins and ends.
    days: (i64, i64),
}

impl Identity {
    /// Opens the identity below `state`, making what is missing. Certificates begin the day before `wall`.
    ///
    /// # Errors
    /// `E-mock-030` where a certificate cannot be made; errors of the files.
    pub(super) fn open(state: &Path, wall: Timestamp) -> Result<Self> {
        let dir = state.join("tls");
        create_private_dir(&dir)?;
        if !dir.join("ca.pem").exists() {
            let key = new_key()?;
            let cert = authority("Privet bundled registry CA", wall)?.self_signed(&key).map_err(unmade)?;
            write_atomic(&dir.join("ca.key"), key.serialize_pem().as_bytes())?;
            write_atomic(&dir.join("ca.pem"), cert.pem().as_bytes())?;
        }
        let password_file = state.join("password");
        let identity = Self {
            ca: dir.join("ca.pem"),
            client_cert: dir.join("client.pem"),
            client_key: dir.join("client.key"),
            password: Secret::new(""),
            password_file,
            dir,
            wall,
        };
        let server = Wanted { common_name: SERVER_NAME, names: &SERVER_NAMES, usage: ExtendedKeyUsagePurpose::ServerAuth, days: (-1, 730) };
        let client = Wanted {
            common_name: "registrar-1",
            names: &["registrar-1.example"],
            usage: ExtendedKeyUsagePurpose::ClientAuth,
            days: (-1, 730),
        };
        for (name, wanted) in [("server", server), ("client", client)] {
            let (cert, key) = (identity.dir.join(format!("{name}.pem")), identity.dir.join(format!("{name}.key")));
            if !cert.exists() || !key.exists() {
                let (cert_pem, key_pem) = identity.issue(&wanted)?;
                write_atomic(&key, key_pem.as_bytes())?;
                write_atomic(&cert, cert_pem.as_bytes())?;
            }
        }
        identity.with_password()
    }

    /// The TLS configuration of a connection: the honest one, or the one of a fault that touches certificates.
    ///
    /// # Errors
    /// `E-mock-030`, `E-mock-031`.
    pub(super) fn tls(&self, wants_client: bool, fault: Option<Fault>) -> Result<Arc<ServerConfig>> {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        let odd = |common_name, names, days| Wanted { common_name, names, usage: usage.clone(), days };
        let (cert, key) = match fault {
            Some(Fault::CertExpired) => self.issue(&odd(SERVER_NAME, &SERVER_NAMES, (-40, -10)))?,
            Some(Fault::CertWrongName) => self.issue(&odd("other.example", &["other.example"], (-1, 730)))?,
            Some(Fault::CertCnOnly) => self.issue(&odd(SERVER_NAME, &[], (-1, 730)))?,
            Some(Fault::CertSelfSigned) => {
                let key = new_key()?;
                let wanted = odd(SERVER_NAME, &SERVER_NAMES, (-1, 730));
                (self.params(&wanted)?.self_signed(&key).map_err(unmade)?.pem(), key.serialize_pem())
            }
            Some(Fault::CertOtherCa) => {
                let issuer = Issuer::new(authority("Some other CA", self.wall)?, new_key()?);
                self.issue_by(&odd(SERVER_NAME, &SERVER_NAMES, (-1, 730)), &issuer)?
            }
            _ => (read_text(&self.dir.join("server.pem"))?, read_text(&self.dir.join("server.key"))?),
        };
        let trusted = if fault == Some(Fault::ClientRefused) {
            authority("A CA nobody has a certificate of", self.wall)?.self_signed(&new_key()?).map_err(unmade)?.pem()
        } else {
            read_text(&self.ca)?
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(unusable)?;
        let builder = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).map_err(unusable)?).map_err(unusable)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(unusable)?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let cert = CertificateDer::from_pem_slice(cert.as_bytes()).map_err(unusable)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unusable)?;
        Ok(Arc::new(builder.with_single_cert(vec![cert], key).map_err(unusable)?))
    }

    /// Replaces the password.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn write_password(path: &Path, password: &Secret) -> Result<()> {
        write_atomic(path, password.reveal().as_bytes())
    }

    /// Reads the password, or makes one.
    fn with_password(mut self) -> Result<Self> {
        if !self.password_file.exists() {
            // The client's key is as random as the machine can make it; 16 hexadecimal digits of its digest fit `pwType`.
            let digest = Digest::of(read_text(&self.client_key)?.as_bytes()).short();
            Self::write_password(&self.password_file, &Secret::new(digest.get(..16).unwrap_or_default()))?;
        }
        self.password = Secret::new(read_text(&self.password_file)?.trim());
        Ok(self)
    }

    /// Issues a certificate by our authority; both as PEM.
    fn issue(&self, wanted: &Wanted<'_>) -> Result<(String, String)> {
        let key = KeyPair::from_pem(&read_text(&self.dir.join("ca.key"))?).map_err(unmade)?;
        let issuer = Issuer::from_ca_cert_pem(&read_text(&self.ca)?, key).map_err(unmade)?;
        self.issue_by(wanted, &issuer)
    }

    fn issue_by(&self, wanted: &Wanted<'_>, issuer: &Issuer<'_, KeyPair>) -> Result<(String, String)> {
        let key = new_key()?;
        let cert = self.params(wanted)?.signed_by(&key, issuer).map_err(unmade)?;
        Ok((cert.pem(), key.serialize_pem()))
    }

    fn params(&self, wanted: &Wanted<'_>) -> Result<CertificateParams> {
        let names: Vec<String> = wanted.names.iter().map(|&n| n.to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(unmade)?;
        params.distinguished_name.push(DnType::CommonName, wanted.common_name);
        params.extended_key_usages = vec![wanted.usage.clone()];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        set_validity(&mut params, self.wall, wanted.days)?;
        Ok(params)
    }
}

fn authority(common_name: &str, wall: Timestamp) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(unmade)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, wall, (-60, 3650))?;
    Ok(params)
}

/// Sets the days between which a certificate is valid, counted from `wall`.
fn set_validity(params: &mut CertificateParams, wall: Timestamp, days: (i64, i64)) -> Result<()> {
    let midnight = |days: i64| {
        let date = wall.to_zoned(TimeZone::UTC).date().checked_add(days.days());
        let date = date.map_err(|e| Problem::new("E-mock-030", Blame::Operator, e.to_string(), "set the machine's clock"))?;
        Ok::<_, Box<Problem>>(date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs()))
    };
    (params.not_before, params.not_after) = (midnight(days.0)?, midnight(days.1)?);
    Ok(())
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate().map_err(unmade)
}

fn read_text(path: &Path) -> Result<String> {
    let bytes = read_capped(path, PEM_CAP)?;
    String::from_utf8(bytes).map_err(|_| Problem::new("E-mock-031", Blame::Operator, "not a text file", "remove it").file(path))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn unmade(e: rcgen::Error) -> Box<Problem> {
    Problem::new("E-mock-030", Blame::Operator, format!("cannot make a certificate: {e}"), "remove the registry's tls directory")
}

fn unusable(e: impl std::fmt::Display) -> Box<Problem> {
    Problem::new("E-mock-031", Blame::Operator, format!("cannot use a certificate: {e}"), "remove the registry's tls directory")
}
