//! The registry as a client is told of it.

use crate::measure::Outcome;
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
    /// Handles of contacts, each with its authInfo.
    pub contacts: Vec<(String, String)>,
}

impl Target {
    /// Reads what the server said, from `file`.
    pub fn read(file: &Path) -> Outcome<Self> {
        let said: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        let text = |key: &str| said[key].as_str().map(str::to_owned).ok_or_else(|| format!("the server told no {key}"));
        let contacts = fs::read_to_string(text("contacts")?)?;
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
