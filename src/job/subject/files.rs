//! The files of an access bundle: the one place where values of a person are written in clear.

use crate::base::{Blame, Personal, Problem, Result, create_private_dir, revealed, write_atomic};
use crate::compliance::access::{Bundle, portable};
use crate::job::table::Table;
use std::path::Path;

/// Writes the bundle, and what may be taken along, below `dir`.
///
/// # Errors
/// `E-file-…` (exit 33).
pub(super) fn write(dir: &Path, bundle: &Bundle) -> Result<()> {
    let (own, along) = (dir.join("bundle"), dir.join("bundle").join("portability"));
    create_private_dir(&along)?;
    let json = |value: &dyn Fn() -> serde_json::Result<Vec<u8>>| {
        revealed(value).map_err(|e| Problem::new("E-subject-008", Blame::Us, format!("cannot write JSON: {e}"), "please report this"))
    };
    write_atomic(&own.join("access.json"), &json(&|| serde_json::to_vec_pretty(bundle))?)?;
    let taken = portable(&bundle.data, bundle.made_at);
    write_atomic(&along.join("data.json"), &json(&|| serde_json::to_vec_pretty(&taken))?)?;
    let mut table = Table::create(&own.join("data.csv"), &["registry", "contact", "store", "field", "value", "basis", "source"])?;
    for one in &bundle.data {
        let (store, basis) = (one.store.as_str(), one.basis.as_str());
        table.row(&[&*one.registry, &one.contact, store, one.field, one.value.reveal(), basis, &one.source])?;
    }
    table.end()?;
    let mut table = Table::create(&own.join("domains.csv"), &["registry", "domain", "store", "contact", "roles", "expires"])?;
    for one in &bundle.domains {
        let (roles, expires) = (one.roles.join(";"), one.expires.as_deref().unwrap_or_default());
        table.row(&[&*one.registry, one.domain.reveal(), one.store.as_str(), &one.contact, &roles, expires])?;
    }
    table.end()?;
    let mut table = Table::create(&own.join("consents.csv"), &["at", "event", "purpose", "elements", "expires", "terms", "method", "by"])?;
    for one in &bundle.consents {
        let (at, elements) = (one.at.to_string(), one.elements.join(";"));
        let expires = one.expires.map_or_else(String::new, |at| at.to_string());
        let terms = one.terms.as_deref().unwrap_or_default();
        let [purpose, method, by] = [one.purpose, one.method, one.by].map(Option::unwrap_or_default);
        table.row(&[&*at, one.event, purpose, &elements, &expires, terms, method, by])?;
    }
    table.end()?;
    let mut table = Table::create(&own.join("recipients.csv"), &["registry", "name", "category", "country", "mechanism"])?;
    for one in &bundle.recipients {
        let [country, mechanism] = [&one.country, &one.mechanism].map(|text| text.as_deref().unwrap_or_default());
        table.row(&[&*one.registry, &one.name, &one.category, country, mechanism])?;
    }
    table.end()?;
    let header = ["registry", "contact", "cluster", "state", "keep_until", "must_go_by", "rules"];
    let mut table = Table::create(&own.join("periods.csv"), &header)?;
    for one in &bundle.periods {
        let [until, by] = [&one.keep_until, &one.must_go_by].map(|day| day.as_deref().unwrap_or_default());
        table.row(&[&*one.registry, &one.contact, &one.cluster, one.state, until, by, &one.rules.join("; ")])?;
    }
    table.end()?;
    let header = ["case", "opened", "state", "requester_kind", "requester", "ground", "released"];
    let mut table = Table::create(&own.join("disclosures.csv"), &header)?;
    for one in &bundle.disclosures {
        let opened = one.opened.map_or_else(String::new, |at| at.to_string());
        let [kind, ground] = [&one.requester_kind, &one.ground].map(|text| text.as_deref().unwrap_or_default());
        let (state, released) = (one.state.unwrap_or_default(), one.released.join(";"));
        let requester = one.requester.as_ref().map_or("", Personal::reveal);
        table.row(&[&*one.case, &opened, state, kind, requester, ground, &released])?;
    }
    table.end()?;
    let mut table = Table::create(&along.join("data.csv"), &["registry", "contact", "field", "value"])?;
    for one in &taken {
        table.row(&[&*one.registry, &one.contact, one.field, one.value.reveal()])?;
    }
    table.end()
}
