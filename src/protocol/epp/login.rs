//! The login (RFC 5730 §2.9.1.1), with login security (RFC 8807) where it is asked for.

use super::encoder::Encoder;
use super::{ext, rule};
use crate::model::Login;

/// What stands in the password elements when RFC 8807 carries the passwords.
const ELSEWHERE: &str = "[LOGIN-SECURITY]";

/// Writes `<login>` and, where there is one, its extension.
pub(super) fn login(e: &mut Encoder<'_>, login: &Login) {
    e.within("login", &[], |e| {
        e.leaf("clID", &login.client, &rule::ID);
        let plain = |e: &mut Encoder<'_>, name, password: &str| {
            e.leaf(name, if login.security.is_some() { ELSEWHERE } else { password }, &rule::PASSWORD);
        };
        plain(e, "pw", login.password.reveal());
        if let Some(new) = &login.new_password {
            plain(e, "newPW", new.reveal());
        }
        e.within("options", &[], |e| {
            e.leaf("version", &login.version, &rule::VERSION);
            e.leaf("lang", &login.lang, &rule::LANGUAGE);
        });
        e.within("svcs", &[], |e| {
            if login.objects.is_empty() {
                e.refuse("objURI", "is missing: a login without an object service can do nothing");
            }
            for uri in &login.objects {
                e.leaf("objURI", uri, &rule::URI);
            }
            if !login.extensions.is_empty() {
                e.within("svcExtension", &[], |e| {
                    for uri in &login.extensions {
                        e.leaf("extURI", uri, &rule::URI);
                    }
                });
            }
        });
    });
    if let Some(security) = &login.security {
        e.within("extension", &[], |e| ext::loginsec::login(e, login, security));
    }
}
