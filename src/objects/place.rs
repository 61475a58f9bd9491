//! Where objects are kept, who logs in there, and how they are encrypted there.

use crate::base::Secret;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::{BackoffConfig, Certificate, ClientOptions, RetryConfig};
use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one request may take: a part of an object over a slow line.
const REQUEST: Duration = Duration::from_mins(2);
/// How often a request is made again that a server did not serve, and for how long: longer than one may take.
const RETRIES: (usize, Duration) = (5, Duration::from_mins(5));
/// The longest wait between two tries.
const BACKOFF: Duration = Duration::from_secs(5);
/// The crate's names of what has no method of its own.
const ENCRYPTION: &str = "aws_server_side_encryption";
/// As [`ENCRYPTION`].
const MANAGED_KEY: &str = "aws_sse_kms_key_id";

/// How the server is asked to encrypt what it keeps. That it does is between its operator and ours: no answer says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// By AES-256 under keys of the server's own (SSE-S3).
    Server,
    /// Under a key of its key management (SSE-KMS): this one, or the bucket's.
    Managed(Option<String>),
}

impl Encryption {
    /// As the header `x-amz-server-side-encryption` says it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Server => "AES256",
            Self::Managed(_) => "aws:kms",
        }
    }
}

/// A place in a bucket.
#[derive(Clone)]
pub struct ObjectsPlace {
    /// The bucket.
    bucket: String,
    /// What every key begins with; empty, or without a slash at either end.
    prefix: String,
    /// The server, where it is not Amazon's of the region.
    endpoint: Option<String>,
    /// The region that requests are signed for.
    region: String,
    /// How the server is asked to encrypt it.
    encryption: Encryption,
}

impl std::fmt::Debug for ObjectsPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ObjectsPlace({})", self.shown())
    }
}

/// What is wrong with a place: of which setting, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceFault {
    /// `url`, `endpoint` or `region`.
    pub setting: &'static str,
    /// What it must be.
    pub wanted: &'static str,
}

impl ObjectsPlace {
    /// The place at `url`, as in `s3://bucket/prefix`, of the server at `endpoint` or of Amazon's.
    ///
    /// # Errors
    /// What is wrong: no such address, no region, or a server without TLS.
    pub fn new(url: &str, endpoint: Option<String>, region: String, encryption: Encryption) -> Result<Self, PlaceFault> {
        let wrong = |setting, wanted| PlaceFault { setting, wanted };
        let no_url = wrong("url", "a bucket with a prefix, as in `s3://registrar-privet/nightly`");
        let (bucket, prefix) = url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or(no_url)?;
        let prefix = prefix.trim_matches('/');
        // The names of buckets, and prefixes that stand in a key as they are.
        let is_bucket = (3..=63).contains(&bucket.len()) && is_plain(bucket, b".-");
        let is_prefix = prefix.len() <= 256 && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=/".contains(&b));
        if !is_bucket || !is_prefix || prefix.split('/').any(|part| part.is_empty() != prefix.is_empty() || part.starts_with('.')) {
            return Err(no_url);
        }
        if region.is_empty() || region.len() > 64 || !is_plain(&region, b"-") {
            return Err(wrong("region", "a region, such as `eu-central-1`"));
        }
        let endpoint = endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned());
        if endpoint.as_deref().is_some_and(|endpoint| !is_server(endpoint)) {
            return Err(wrong("endpoint", "a server's address with https://, such as `https://s3.example`, and no password in it"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), endpoint, region, encryption })
    }

    /// The place for people: nothing of it is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let server = self.endpoint.as_deref().map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
        format!("s3://{}{slash}{}{server}", self.bucket, self.prefix)
    }

    /// How the server is asked to encrypt it.
    #[must_use]
    pub const fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// What every key begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The server, for whoever logs in with `key`; its certificate is held against `authorities`, in PEM, besides this machine's.
    ///
    /// # Errors
    /// What is wrong with the authorities, or with the place.
    pub(super) fn server(&self, (id, key): (&str, &Secret), authorities: Option<&[u8]>) -> Result<AmazonS3, object_store::Error> {
        let mut options = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST);
        for authority in authorities.map(Certificate::from_pem_bundle).transpose()?.into_iter().flatten() {
            options = options.with_root_certificate(authority);
        }
        let backoff = BackoffConfig { max_backoff: BACKOFF, ..BackoffConfig::default() };
        let retry = RetryConfig { backoff, max_retries: RETRIES.0, retry_timeout: RETRIES.1 };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(id)
            .with_secret_access_key(key.reveal())
            // The server holds what it got against it: an object that was altered on its way is refused.
            .with_checksum_algorithm(Checksum::SHA256)
            .with_client_options(options)
            .with_retry(retry);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder = builder.with_config(ENCRYPTION.parse::<AmazonS3ConfigKey>()?, self.encryption.as_str());
        if let Encryption::Managed(Some(key)) = &self.encryption {
            builder = builder.with_config(MANAGED_KEY.parse::<AmazonS3ConfigKey>()?, key);
        }
        builder.build()
    }
}

/// Whether a text has nothing but small letters, digits and some `more`.
fn is_plain(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
}

/// Whether that is the address of a server behind TLS, of the form that the crate takes for granted.
fn is_server(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<hyper::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let has_port = authority.as_str().len() > authority.host().len();
    uri.scheme_str() == Some("https")
        && uri.query().is_none()
        && !authority.as_str().contains('@')
        && !authority.host().is_empty()
        && (!has_port || authority.port_u16().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str, endpoint: Option<&str>) -> Result<String, &'static str> {
        let place = ObjectsPlace::new(url, endpoint.map(str::to_owned), "eu-central-1".to_owned(), Encryption::Server);
        place.map(|place| place.shown()).map_err(|fault| fault.setting)
    }

    #[test]
    fn a_place_is_a_bucket_and_a_prefix_behind_tls() {
        assert_eq!(place("s3://registrar/nightly/eu/", None), Ok("s3://registrar/nightly/eu".to_owned()));
        assert_eq!(place("s3://registrar", Some("https://s3.example")), Ok("s3://registrar at https://s3.example".to_owned()));
        for url in ["registrar", "s3://", "s3://ab", "s3://Registrar", "s3://registrar/a//b", "s3://registrar/../b", "s3://registrar/a b"] {
            assert_eq!(place(url, None), Err("url"), "{url}");
        }
        for endpoint in [
            "s3.example",
            "http://s3.example",
            "http://127.0.0.1:9000",
            "https://",
            "https://id:key@s3.example",
            "https://s3.example:99999",
            "https://s3.ex\u{e4}mple",
            "https://a|b",
            "https://s3.example?x=1",
        ] {
            assert_eq!(place("s3://registrar", Some(endpoint)), Err("endpoint"), "{endpoint}");
        }
        assert_eq!(place("s3://registrar", Some("https://s3.example:9000/")), Ok("s3://registrar at https://s3.example:9000".to_owned()));
        for region in ["", "EU central", "eu\n"] {
            let place = ObjectsPlace::new("s3://registrar", None, region.to_owned(), Encryption::Server);
            assert_eq!(place.map_err(|fault| fault.setting).err(), Some("region"), "{region}");
        }
    }
}
