//! Parts of an answer which the registry moved aside, since our login did not name their namespace (RFC 9038 §3).

use super::super::field::domain_name;
use crate::model::{ResData, Response, Unhandled};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// How the reason of such a part ends, behind its namespace (RFC 9038 §3).
const REASON: &str = " not in login services";

/// Reads an `<extValue>` that holds such a part, or nothing where it is any other.
pub(in crate::protocol::epp) fn read(e: Element<'_>) -> Option<Unhandled> {
    let find = |local| e.children().find(|c| c.is(Ns::EPP, local));
    let (reason, value) = (find("reason")?, find("value")?);
    let text = reason.token();
    let Some(namespace) = text.strip_suffix(REASON).map(|uri| uri.split_ascii_whitespace().last().unwrap_or_default()) else {
        reason.forget();
        return None;
    };
    let data = value.children().find(|c| c.is(Ns::DOMAIN, "infData"));
    let about = data.and_then(|d| d.children().find(|c| c.is(Ns::DOMAIN, "name"))).map(|n| domain_name(&n.token()));
    if let Some(data) = data {
        data.forget();
    }
    Some(Unhandled { namespace: namespace.into(), content: value.take_unknown(), about })
}

/// Tells each part that does not name its domain itself the one that the answer is about.
pub(in crate::protocol::epp) fn settle(response: &mut Response) {
    let about = response.data.iter().find_map(|data| match data {
        ResData::Domain(domain) => Some(&domain.name),
        _ => None,
    });
    for part in response.unhandled.iter_mut().filter(|part| part.about.is_none()) {
        part.about = about.cloned();
    }
}
