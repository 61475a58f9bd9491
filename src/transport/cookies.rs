//! The cookies of the one host that a line goes to (RFC 6265 §5), as far as a session needs them. Their values open the session to
//! whoever has them: they are secrets.

use crate::base::Secret;
use hyper::header::HeaderValue;
use std::collections::BTreeMap;

/// The most cookies that are kept, and the most bytes of one. A registry sends one.
const COOKIES: usize = 16;
const BYTES: usize = 4096;

/// The cookies.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: BTreeMap<Box<str>, Secret>,
}

impl Jar {
    /// Takes the cookies of an answer of `host` in. What is malformed, or for other hosts, is left out.
    pub(super) fn take<'h>(&mut self, set: impl IntoIterator<Item = &'h HeaderValue>, host: &str) {
        for header in set {
            let text = header.to_str().unwrap_or_default();
            let mut parts = text.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let (name, value) = (name.trim(), value.trim());
            let mut attributes = parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(key, of)| (key.trim(), of.trim()));
            let is_foreign = |(key, of): (&str, &str)| key.eq_ignore_ascii_case("domain") && !covers(of, host);
            let is_over = |(key, of): (&str, &str)| {
                key.eq_ignore_ascii_case("max-age") && of.strip_prefix('-').unwrap_or(of).bytes().all(|b| b.is_ascii_digit()) && {
                    of.starts_with('-') || of.bytes().all(|b| b == b'0')
                }
            };
            if !is_token(name) || !is_value(value) || text.len() > BYTES || attributes.clone().any(is_foreign) {
                continue;
            }
            if value.is_empty() || attributes.any(is_over) {
                self.cookies.remove(name);
            } else if self.cookies.len() < COOKIES || self.cookies.contains_key(name) {
                self.cookies.insert(name.into(), Secret::new(value));
            }
        }
    }

    /// What a request says of them, if there are any.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={}", value.reveal())).collect();
        let mut header = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Whether a cookie for `domain` is for `host`, which may have a port behind it.
fn covers(domain: &str, host: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(set: &[&'static str]) -> Option<String> {
        let mut jar = Jar::default();
        jar.take(&set.iter().map(|text| HeaderValue::from_static(text)).collect::<Vec<_>>(), "epp.example:4443");
        jar.header().map(|h| h.to_str().expect("plain").to_owned())
    }

    #[test]
    fn the_newest_of_a_name_is_kept_until_it_is_taken_back() {
        assert_eq!(jar(&["S=1; Path=/; Secure; HttpOnly", "T=2; Max-Age=60", "S=3"]).as_deref(), Some("S=3; T=2"));
        assert_eq!(jar(&["S=1", "S=x; Max-Age=0"]), None);
        assert_eq!(jar(&["S=1", "S=; Path=/"]), None);
        assert_eq!(jar(&["S=1", "S=2; max-age=-5"]), None);
    }

    #[test]
    fn what_is_malformed_or_for_another_host_is_left_out() {
        for none in ["", "S", "=1", "S=a b", "S=1; Domain=other.example", "a b=1", "S=1; Domain=pp.example"] {
            assert_eq!(jar(&[none]), None, "{none}");
        }
        assert!(jar(&["S=1; Domain=.example"]).is_some() && jar(&["S=1; domain=EPP.example"]).is_some());
    }

    #[test]
    fn a_registry_cannot_fill_the_memory_and_values_are_never_shown() {
        let mut jar = Jar::default();
        for n in 0..100 {
            let header = HeaderValue::from_str(&format!("S{n}=value-of-{n}")).expect("plain");
            jar.take([&header], "epp.example");
        }
        assert_eq!(jar.cookies.len(), COOKIES);
        assert!(!format!("{jar:?}").contains("value-of") && !format!("{:?}", jar.header()).contains("value-of"));
    }
}
