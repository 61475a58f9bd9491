//! The registry as a client is told of it.

use crate::measure::Outcome;
use privet::base::{Clock, RegistryId, Secret, SystemClock};
use privet::policy;
use privet::protocol::frame::{DEFAULT_CAP, LengthPrefix};
use privet::session::{Account, Allowance, EppDialect, Setup};
use privet::transport::{Endpoint, TlsFiles, TlsSetup};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where the registry is, how to log in, and what to ask for.
pub struct Target {
    pub address: SocketAddr,
    pub server_name: String,
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
    pub user: String,
    pub password: String,
    /// Handles of contacts, each with its authInfo, where the server tells of some.
    pub contacts: Vec<(String, String)>,
}

impl Target {
    /// Reads what the server said, from `file`.
    pub fn read(file: &Path) -> Outcome<Self> {
        let said: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        let text = |key: &str| said[key].as_str().map(str::to_owned).ok_or_else(|| format!("the server told no {key}"));
        let contacts = text("contacts").map_or_else(|_| Ok(String::new()), fs::read_to_string)?;
        let contacts = contacts.lines().filter_map(|l| l.split_once('\t')).map(|(id, pw)| (id.to_owned(), pw.to_owned()));
        Ok(Self {
            address: text("address")?.parse()?,
            server_name: text("server_name")?,
            ca: text("ca")?.into(),
            cert: text("cert")?.into(),
            key: text("key")?.into(),
            user: text("user")?,
            password: fs::read_to_string(text("password_file")?)?.trim_end().to_owned(),
            contacts: contacts.collect(),
        })
    }

    /// What a pool of Privet's needs for `sessions` with `window` reads in flight on each, and where its lines go.
    pub fn setup(&self, sessions: u16, window: u16) -> Outcome<(Setup, Endpoint, Arc<dyn Clock>)> {
        let mut profile = (*policy::profile("gtld-thick")?).clone();
        profile.limits.sessions.value = sessions;
        profile.limits.read_window.value = window;
        let allowance = Allowance::of(&profile.limits, 100);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let files = TlsFiles { ca: self.ca.clone(), own: Some((self.cert.clone(), self.key.clone())), pin: None };
        let tls = TlsSetup::load(&files, clock.wall())?;
        let endpoint = Endpoint::new(&self.address.ip().to_string(), self.address.port(), Some(&self.server_name), tls)?;
        let account = Account { client: self.user.as_str().into(), password: Secret::new(self.password.as_str()), new_password: None };
        let setup = Setup {
            registry: RegistryId::new("bench"),
            prefix: "bench".into(),
            dialect: Arc::new(EppDialect::new(account, Arc::new(profile))),
            framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
            allowance,
            seed: 1,
            first_session: 1,
        };
        Ok((setup, endpoint, clock))
    }

    /// A TLS line for the clients that are not Privet, with the same library, provider and certificates.
    pub async fn connect(&self) -> Outcome<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(self.server_name.clone())?;
        let tls = TlsConnector::from(Arc::new(self.tls()?));
        Ok(tls.connect(name, tcp).await?)
    }

    fn tls(&self) -> Outcome<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_file_iter(&self.ca)? {
            roots.add(ca?)?;
        }
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.cert)?.collect::<Result<_, _>>()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(config.with_root_certificates(roots).with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&self.key)?)?)
    }
}
