//! Where a registry is, and how a line to it comes to stand.

use super::https::Posts;
use super::stream::Open;
use super::tcp;
use super::tls::{Failure, TlsSetup};
use crate::base::{Blame, Problem, Result};
use crate::model::TlsFacts;
use hyper::Uri;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The port that a host without one means (RFC 9110 §4.2.2).
const HTTPS: u16 = 443;

/// Where a registry is.
#[derive(Clone)]
pub struct Endpoint {
    host: Box<str>,
    port: u16,
    name: ServerName<'static>,
    tls: TlsSetup,
    /// Where frames are posted to, where they go in POSTs.
    target: Option<Target>,
}

/// What a POST names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path, with its query where it has one.
    pub(super) path: Uri,
    /// The host with its port, unless that is the usual one.
    pub(super) authority: Box<str>,
}

/// A line that stands.
pub(super) enum Stood {
    /// One that carries bytes.
    Stream(Open<TlsStream<TcpStream>>),
    /// One that carries exchanges.
    Posts(Box<Posts>),
}

impl Endpoint {
    /// A registry at `host` (a name or an address) and `port`, whose certificate is for `server_name`, or for `host` where none is given.
    ///
    /// # Errors
    /// `E-tls-020` where the name is none.
    pub fn new(host: &str, port: u16, server_name: Option<&str>, tls: TlsSetup) -> Result<Self> {
        let name = server_name.unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            let what = format!("`{name}` is neither a host name nor an address");
            Problem::new("E-tls-020", Blame::Operator, what, "give the name that stands in the registry's certificate").field("server_name")
        })?;
        Ok(Self { host: host.into(), port, name, tls, target: None })
    }

    /// The same registry, with frames in POSTs to `path`, which begins with `/`.
    ///
    /// # Errors
    /// `E-http-001` where that is no path.
    pub fn posting_to(mut self, path: &str) -> Result<Self> {
        let name = self.name.to_str();
        let authority = if self.port == HTTPS { name.into_owned() } else { format!("{name}:{}", self.port) };
        let path = path.parse::<Uri>().ok().filter(|uri| path.starts_with('/') && uri.authority().is_none()).ok_or_else(|| {
            let what = "the path that frames are posted to is none";
            Problem::new("E-http-001", Blame::Operator, what, "give it as it stands behind the host's name, `/` at the least").field("path")
        })?;
        self.target = Some(Target { path, authority: authority.into() });
        Ok(self)
    }

    /// What TLS needs here.
    #[must_use]
    pub const fn tls(&self) -> &TlsSetup {
        &self.tls
    }

    /// A line, of the kind that is spoken here.
    pub(super) async fn connect(self) -> Result<(Stood, TlsFacts), Failure> {
        let (stream, facts) = self.secured().await?;
        let stood = match self.target.clone() {
            None => Stood::Stream(Open::new(stream)),
            Some(target) => Stood::Posts(Box::new(Posts::new(self, target, stream).await?)),
        };
        Ok((stood, facts))
    }

    /// A connection with TLS.
    pub(super) async fn secured(&self) -> Result<(Box<TlsStream<TcpStream>>, TlsFacts), Failure> {
        let tcp = tcp::connect(&self.host, self.port).await?;
        self.tls.connect(tcp, self.name.clone()).await
    }
}
