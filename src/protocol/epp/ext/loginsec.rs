//! Login security (RFC 8807).

use super::super::encoder::Encoder;
use super::super::rule;
use crate::model::{Date, Login, LoginEvent, LoginSecurity};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Writes the passwords and what we are.
pub(in crate::protocol::epp) fn login(e: &mut Encoder<'_>, login: &Login, security: &LoginSecurity) {
    e.within("loginSec:loginSec", &[("xmlns:loginSec", Ns::LOGIN_SEC.uri())], |e| {
        let agent = [("loginSec:app", &security.app), ("loginSec:tech", &security.tech), ("loginSec:os", &security.os)];
        let told = agent.into_iter().filter(|(_, text)| !text.is_empty());
        if told.clone().next().is_some() {
            e.within("loginSec:userAgent", &[], |e| told.for_each(|(name, text)| e.leaf(name, text, &rule::TOKEN)));
        }
        e.leaf("loginSec:pw", login.password.reveal(), &rule::LONG_PASSWORD);
        if let Some(new) = &login.new_password {
            e.leaf("loginSec:newPW", new.reveal(), &rule::LONG_PASSWORD);
        }
    });
}

/// Reads `<loginSecData>`.
pub(super) fn decode(e: Element<'_>) -> Vec<LoginEvent> {
    e.children().filter(|c| c.is(Ns::LOGIN_SEC, "event")).filter_map(event).collect()
}

/// Reads one event; without its kind it stays unknown.
fn event(e: Element<'_>) -> Option<LoginEvent> {
    let own = |name| e.attr(name).map(Into::into);
    Some(LoginEvent {
        kind: own("type")?,
        name: own("name"),
        level: own("level").unwrap_or_default(),
        ex_date: e.attr("exDate").map(Date::read),
        value: own("value"),
        duration: own("duration"),
        text: e.token().into(),
    })
}
