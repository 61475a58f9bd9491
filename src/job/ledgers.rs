//! What the verbs on ledgers share: the store under their lock, whom a contact's handle means, and how events are printed.

use super::config::Loaded;
use super::opening::open_store;
use super::proof::record_digests;
use super::{Context, queried, records};
use crate::base::{Blame, Event, Exit, Lock, Problem, Problems, RegistryId, Result, StateDir};
use crate::compliance::Irregular;
use crate::dataset::{DomainField, Records, Row, bucket_of};
use crate::model::ObjectKind;
use crate::store::Store;

/// The most irregular events that are told one by one.
const TOLD: usize = 50;

/// Which subjects are meant.
#[derive(Clone, Debug, Default)]
pub struct ConsentOf {
    /// The contact of that handle.
    pub handle: Option<String>,
    /// The registrant of that domain.
    pub domain: Option<String>,
    /// The subject of that id.
    pub subject: Option<String>,
}

/// The store, under the state directory's lock.
pub(super) struct Opened {
    state: StateDir,
    /// The store.
    pub(super) store: Box<dyn Store>,
    _lock: Lock,
}

impl Opened {
    /// Opens it for the verb `what`.
    ///
    /// # Errors
    /// `E-lock-…` (exit 30) while another process has the ledgers; as `open_store`.
    pub(super) fn open(loaded: &Loaded, what: &str) -> Result<Self> {
        let state = StateDir::open(&loaded.config.state)?;
        let lock = state.lock_ledgers(&format!("{what}, process {}", std::process::id()))?;
        let store = open_store(&loaded.config)?;
        Ok(Self { state, store, _lock: lock })
    }

    /// Today's local records, or those of the run that goes on now; what they should be mended of is for `validate` to tell.
    ///
    /// # Errors
    /// Every problem of their files.
    pub(super) fn records(&self, loaded: &Loaded, ctx: &Context) -> Result<Records, Problems> {
        ctx.events.tell(Event::Stage { name: "records" });
        match self.state.lock("consent") {
            Ok(_lock) => {
                let tables = queried::records(&loaded.config, ctx)?;
                Ok(records::known(&loaded.config, &tables, &self.state, &record_digests(&tables))?.0)
            }
            Err(problem) if problem.exit == Exit::Locked => Ok(Records::open(&records::records_dir(&self.state))?),
            Err(problem) => Err(problem.into()),
        }
    }
}

/// The contacts that `of` means, each with its registry, and its domain where that was asked for.
///
/// # Errors
/// `id` (exit 2) where nobody is meant; `E-parquet-…`.
pub(super) fn contacts(records: &Records, ctx: &Context, of: &ConsentOf, id: &str) -> Result<Vec<(RegistryId, Row, Option<String>)>> {
    let find = |registry: &RegistryId, kind: ObjectKind, id: &str| -> Result<Option<Row>> {
        let bucket = bucket_of(registry, kind, id, records.buckets_log2());
        Ok(records.rows(registry, kind, bucket)?.into_iter().find(|row| row.id() == id))
    };
    let is_meant = |id: &&RegistryId| ctx.includes(id);
    let registries: Vec<&RegistryId> = records.registries().filter(is_meant).collect();
    let mut out = Vec::new();
    for registry in registries {
        if let Some(domain) = &of.domain {
            let name = idna::domain_to_ascii(domain.trim().trim_end_matches('.')).unwrap_or_default();
            let Some(row) = find(registry, ObjectKind::Domain, &name)? else { continue };
            let registrant = row.get(DomainField::Registrant.at()).map(|handle| find(registry, ObjectKind::Contact, handle)).transpose()?;
            out.extend(registrant.flatten().map(|contact| (registry.clone(), contact, Some(name))));
        } else if let Some(handle) = &of.handle {
            out.extend(find(registry, ObjectKind::Contact, handle)?.map(|contact| (registry.clone(), contact, None)));
        }
    }
    if out.is_empty() { Err(nobody(id, "the local records have no such contact, or no such domain with a registrant")) } else { Ok(out) }
}

/// That nobody is meant.
pub(super) fn nobody(id: &str, what: &str) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, "see the handle, the domain or the id that was given")
}

/// The first irregular events, each on a line of its own.
pub(super) fn shown_irregular(irregular: &[Irregular]) -> String {
    let mut text = String::new();
    for odd in irregular.iter().take(TOLD) {
        text.push_str(&format!("\nirregular: event {} {}", odd.record, odd.what));
    }
    if irregular.len() > TOLD {
        text.push_str(&format!("\n{} more are irregular", irregular.len() - TOLD));
    }
    text
}

/// The form of events that are taken out of a ledger. Each is one that they can be taken in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// One JSON object a line, without what is empty.
    Ndjson,
}

/// Events in a form.
///
/// # Errors
/// `id` where that cannot be done.
pub(super) fn events_as(form: Form, header: &[&str], rows: &[impl AsRef<[String]>], id: &str) -> Result<String> {
    match form {
        Form::Csv => as_csv(header, rows, id),
        Form::Ndjson => Ok(rows.iter().map(|row| as_line(header, row.as_ref()) + "\n").collect()),
    }
}

fn as_line(header: &[&str], row: &[String]) -> String {
    let told = header.iter().zip(row).filter(|(_, value)| !value.is_empty());
    let object: serde_json::Map<String, serde_json::Value> =
        told.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    serde_json::Value::Object(object).to_string()
}

fn as_csv(header: &[&str], rows: &[impl AsRef<[String]>], id: &str) -> Result<String> {
    let failed = |e: String| Problem::new(id, Blame::Us, format!("cannot write CSV: {e}"), "please report this");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(|e| failed(e.to_string()))?;
    rows.iter().try_for_each(|row| writer.write_record(row.as_ref())).map_err(|e| failed(e.to_string()))?;
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}
