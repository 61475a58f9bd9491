//! The connection to the server: where it is, how it is secured, and what is said where it fails.

use crate::base::Secret;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a line may be silent before the server is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(30);
/// How long what was sent may stay unacknowledged.
const UNHEARD: Duration = Duration::from_secs(30);

/// How the line to a server on another machine is secured.
#[derive(Clone)]
pub enum ServerTls {
    /// By TLS: the server's certificate is held against these authorities, in PEM, and against its name.
    Verified(Vec<u8>),
    /// By nothing: a socket of this machine's.
    Local,
}

/// Where a database is.
#[derive(Clone)]
pub struct PostgresPlace {
    config: Config,
    shown: String,
    tls: ServerTls,
}

impl std::fmt::Debug for PostgresPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresPlace({})", self.shown)
    }
}

impl PostgresPlace {
    /// The place at `address`, as in `postgresql://user@host:5432/database`: who logs in, where, and into which database.
    ///
    /// # Errors
    /// What is wrong with it: it is no such address, holds a password, names no database or several hosts, or leads to another machine
    /// without authorities by which its certificate is known.
    pub fn new(address: &str, password: Option<&Secret>, authorities: Option<Vec<u8>>) -> Result<Self, &'static str> {
        let mut config: Config = address.parse().map_err(|_| "it is no address such as `postgresql://user@host/database`")?;
        if config.get_password().is_some() {
            return Err("it holds a password: give that by `password`, and change it, since copies of this file may exist");
        }
        let (Some(user), Some(database)) = (config.get_user(), config.get_dbname()) else {
            return Err("it names no user, or no database");
        };
        let [host] = config.get_hosts() else { return Err("it names no host, or several") };
        let (host, tls) = match (host, authorities) {
            (Host::Unix(dir), None) => (dir.display().to_string(), ServerTls::Local),
            (Host::Unix(_), Some(_)) => return Err("a socket of this machine's needs no `ca`"),
            (Host::Tcp(host), Some(pem)) => (host.clone(), ServerTls::Verified(pem)),
            (Host::Tcp(_), None) => return Err("a server behind a network is known by `ca`: name the file with its authority"),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let shown = format!("postgresql://{user}@{host}:{port}/{database}");
        config.ssl_mode(if matches!(tls, ServerTls::Local) { SslMode::Disable } else { SslMode::Require });
        config.application_name("privet").connect_timeout(CONNECT).keepalives_idle(IDLE).tcp_user_timeout(UNHEARD);
        if let Some(password) = password {
            config.password(password.reveal());
        }
        Ok(Self { config, shown, tls })
    }

    /// The place for people: nothing of it is secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

/// Why there is no line, or why nobody could wait for it.
#[derive(Debug, thiserror::Error)]
pub enum NoLine {
    /// This process may not wait for a server.
    #[error("cannot wait for the database: {0}")]
    Runtime(std::io::Error),
    /// What was waited for did not end: a bug of ours.
    #[error("a call to the database did not end")]
    Lost,
    /// The authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// The server cannot be reached, or does not let us in.
    #[error("the database does not let us in: {}", told(.0))]
    Refused(tokio_postgres::Error),
}

/// A line to a server, and the one thread of ours that serves it.
pub struct Line {
    place: PostgresPlace,
    /// There until the line is dropped.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.place.shown)
    }
}

impl Drop for Line {
    /// A runtime that waits for its end may not be dropped where another one waits.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Line {
    /// A line to `place`, over which nothing was said yet.
    ///
    /// # Errors
    /// [`NoLine::Runtime`].
    pub fn new(place: &PostgresPlace) -> Result<Self, NoLine> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(NoLine::Runtime)?;
        Ok(Self { place: place.clone(), runtime: Some(runtime) })
    }

    /// The place for people: nothing of it is secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.place.shown
    }

    /// Waits for `act`, on a thread that waits for nothing else: whoever calls may itself be waited for by a runtime.
    ///
    /// # Errors
    /// [`NoLine::Lost`].
    pub fn run<T: Send>(&self, act: impl Future<Output = T> + Send) -> Result<T, NoLine> {
        let runtime = self.runtime.as_ref().ok_or(NoLine::Lost)?;
        std::thread::scope(|scope| scope.spawn(|| runtime.block_on(act)).join()).map_err(|_| NoLine::Lost)
    }

    /// Lets the connection be served whenever a call is waited for. What ends it is told by the call that it fails.
    fn serve(&self, connection: impl Future<Output: Send> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(connection);
        }
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// [`NoLine::Authorities`], [`NoLine::Refused`].
    pub fn connect(&self) -> Result<Client, NoLine> {
        match &self.place.tls {
            ServerTls::Local => {
                let (client, connection) = self.run(self.place.config.connect(NoTls))?.map_err(NoLine::Refused)?;
                self.serve(connection);
                Ok(client)
            }
            ServerTls::Verified(pem) => {
                let tls = MakeRustlsConnect::new(client_config(pem).map_err(NoLine::Authorities)?);
                let (client, connection) = self.run(self.place.config.connect(tls))?.map_err(NoLine::Refused)?;
                self.serve(connection);
                Ok(client)
            }
        }
    }
}

/// TLS by those authorities and no others.
fn client_config(pem: &[u8]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| format!("`ca` holds what is no certificate: {e}"))?;
        roots.add(certificate).map_err(|e| format!("`ca` holds a certificate that cannot be used: {e}"))?;
    }
    if roots.is_empty() {
        return Err("`ca` holds no certificate".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// What went wrong, in the server's words or the line's: for statements that have no value of anybody's in them, since the server may
/// repeat it.
#[must_use]
pub fn told(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", crate::base::escape_controls(db.message()), db.code().code()),
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            crate::base::escape_controls(&format!("{error}{cause}"))
        }
    }
}
