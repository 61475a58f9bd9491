//! The redemption grace period (RFC 3915).

use super::super::encoder::Encoder;
use crate::model::RgpInfo;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// Writes the request for a restore.
pub(in crate::protocol::epp) fn restore(e: &mut Encoder<'_>) {
    e.within("rgp:update", &[("xmlns:rgp", Ns::RGP.uri())], |e| e.empty("rgp:restore", &[("op", "request")]));
}

/// Reads `<infData>` or `<upData>`. The registry's words on a status stay unknown.
pub(super) fn decode(e: Element<'_>) -> RgpInfo {
    let status = |c: Element<'_>| {
        c.attr("s").filter(|s| !s.is_empty()).map(|s| {
            let _known = c.seen();
            s.into()
        })
    };
    RgpInfo { statuses: e.children().filter(|c| c.is(Ns::RGP, "rgpStatus")).filter_map(status).collect() }
}
