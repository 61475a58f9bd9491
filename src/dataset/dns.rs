//! What name servers said of a registry's domains: one table a registry, in buckets, put in place as a whole under `dns/registry=…`.

use super::buckets::{bucket_of, covering, registry_dir};
use super::parquet::ParquetFile;
use super::table::{Cell, ColumnType, TableWriter};
use crate::base::{
    Blame, DomainName, Exit, HostName, Problem, RegistryId, Result, Timestamp, create_private_dir, place_tree, read_capped, remove_tree,
    write_atomic,
};
use crate::model::{Asked, DnsLookup, DnsObservation, DnsOutcome, DnsQuestion, DnsReply, DnsSeen, ObjectKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The columns: whom was asked (empty for the resolver), at which address, what, of which name, what came, and when all of the domain had.
const COLUMNS: [&str; 9] = ["domain", "server", "address", "question", "name", "outcome", "authoritative", "values", "at"];

/// What stands beside the buckets; written last, so that its presence says that the table is whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct DnsManifest {
    /// The layout's version.
    pub format: u32,
    /// The registry.
    pub registry: RegistryId,
    /// When the first question was put, UTC.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When the last answer had come, UTC.
    #[schemars(with = "String")]
    pub finished: Timestamp,
    /// The resolver that was asked, `address:port`.
    pub resolver: String,
    /// The number of buckets, as a power of two.
    pub buckets_log2: u8,
    /// Domains that were surveyed.
    pub domains: u64,
    /// Questions that were put.
    pub questions: u64,
}

impl DnsManifest {
    const FILE: &str = "dns.json";
    const FORMAT: u32 = 1;
}

/// A whole table.
#[derive(Clone, Debug)]
pub struct DnsTable {
    dir: PathBuf,
    manifest: DnsManifest,
}

impl DnsTable {
    /// The newest table of `registry`, if there is one.
    ///
    /// # Errors
    /// `E-dns-010` where it was written by a version that this one does not understand.
    pub fn newest(state_dir: &Path, registry: &RegistryId) -> Result<Option<Self>> {
        let dir = registry_dir(&root(state_dir), registry);
        let path = dir.join(DnsManifest::FILE);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_capped(&path, 1 << 20)?;
        let read = serde_json::from_slice::<DnsManifest>(&bytes).ok();
        match read.filter(|m| m.format == DnsManifest::FORMAT && m.buckets_log2 <= super::buckets::MAX_LOG2) {
            Some(manifest) => Ok(Some(Self { dir, manifest })),
            None => {
                let what = "the table of DNS observations cannot be read by this version";
                Err(Problem::new("E-dns-010", Blame::Operator, what, "observe anew with `privet pull dns`").file(&path).exit(Exit::Storage))
            }
        }
    }

    /// What was seen of the domains of one bucket among 2^`log2`, by domain.
    ///
    /// # Errors
    /// `E-parquet-…`.
    pub fn of_bucket(&self, bucket: u32, log2: u8) -> Result<BTreeMap<Box<str>, DnsSeen>> {
        let own = self.manifest.buckets_log2;
        let mut all: BTreeMap<Box<str>, DnsSeen> = BTreeMap::new();
        for own_bucket in covering(bucket, log2, own) {
            let file = ParquetFile::open(&file(&self.dir, own_bucket), &COLUMNS, false)?;
            for n in 0..file.batches() {
                let batch = file.batch(n)?;
                for row in 0..batch.rows() {
                    let cell = |column: usize| batch.get(column, row);
                    let Some((seen, at)) = observation(&cell).zip(cell(8).and_then(|at| at.parse().ok())) else { continue };
                    let domain = seen.domain.as_str();
                    if own <= log2 && bucket_of(&self.manifest.registry, ObjectKind::Domain, domain, log2) != bucket {
                        continue;
                    }
                    all.entry(domain.into()).or_insert_with(|| DnsSeen { at, all: Vec::new() }).all.push(seen);
                }
            }
        }
        Ok(all)
    }
}

/// A table on its way to the disk, bucket by bucket.
pub struct DnsWriter {
    target: PathBuf,
    building: PathBuf,
    table: Option<TableWriter>,
    manifest: DnsManifest,
    buckets: u32,
}

impl DnsWriter {
    /// Begins a table of `registry` in 2^`buckets_log2` buckets.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn create(state_dir: &Path, registry: &RegistryId, resolver: String, buckets_log2: u8, started: Timestamp) -> Result<Self> {
        let root = root(state_dir);
        create_private_dir(&root)?;
        let building = root.join(format!(".{}.tmp", registry.as_str()));
        remove_tree(&building)?;
        create_private_dir(&building)?;
        let manifest = DnsManifest {
            format: DnsManifest::FORMAT,
            registry: registry.clone(),
            started,
            finished: started,
            resolver,
            buckets_log2,
            domains: 0,
            questions: 0,
        };
        Ok(Self { target: registry_dir(&root, registry), building, table: None, manifest, buckets: 0 })
    }

    /// Ends the bucket before, if there is one, and begins the next.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn next_bucket(&mut self) -> Result<()> {
        self.end_bucket()?;
        let columns = COLUMNS.map(|name| (name, ColumnType::Text));
        self.table = Some(TableWriter::create(&file(&self.building, self.buckets), &columns)?);
        self.buckets += 1;
        Ok(())
    }

    /// Adds what was seen of one domain of the bucket, the last of it at `at`.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn push(&mut self, seen: &[DnsObservation], at: Timestamp) -> Result<()> {
        let at = at.to_string();
        self.manifest.domains += 1;
        self.manifest.questions += seen.len() as u64;
        let Some(table) = &mut self.table else { return Ok(()) };
        seen.iter().try_for_each(|one| {
            let (server, address) = match &one.query.asked {
                Asked::Resolver => (None, None),
                Asked::Server(host, address) => (Some(host.as_str()), Some(address.to_string())),
            };
            let values = one.reply.values.join(";");
            let authoritative = one.reply.authoritative.map(|yes| if yes { "true" } else { "false" });
            let cells = [
                Some(one.domain.as_str()),
                server,
                address.as_deref(),
                Some(one.query.question.as_str()),
                Some(&*one.query.name),
                Some(one.reply.outcome.as_str()),
                authoritative,
                Some(values.as_str()).filter(|v| !v.is_empty()),
                Some(at.as_str()),
            ];
            table.push(cells.map(Cell::Text))
        })
    }

    /// Puts the table in the place of the one before.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn finish(mut self, finished: Timestamp) -> Result<DnsManifest> {
        self.end_bucket()?;
        self.manifest.finished = finished;
        let text = serde_json::to_vec_pretty(&self.manifest).unwrap_or_default();
        write_atomic(&self.building.join(DnsManifest::FILE), &text)?;
        remove_tree(&self.target)?;
        place_tree(&self.building, &self.target)?;
        Ok(self.manifest)
    }

    /// Leaves nothing behind; the table before stays.
    ///
    /// # Errors
    /// `E-file-…`.
    pub fn abandon(mut self) -> Result<()> {
        self.table = None;
        remove_tree(&self.building)
    }

    fn end_bucket(&mut self) -> Result<()> {
        self.table.take().map_or(Ok(()), |table| table.finish().map(|_rows| ()))
    }
}

fn root(state_dir: &Path) -> PathBuf {
    state_dir.join("dns")
}

fn file(dir: &Path, bucket: u32) -> PathBuf {
    dir.join(format!("bucket-{bucket:04}.parquet"))
}

/// The observation that a row's cells are; nothing where a word in them is none of ours.
fn observation<'a>(cell: &dyn Fn(usize) -> Option<&'a str>) -> Option<DnsObservation> {
    let asked = match cell(1) {
        Some(host) => Asked::Server(HostName::new(host), cell(2)?.parse().ok()?),
        None => Asked::Resolver,
    };
    Some(DnsObservation {
        domain: DomainName::new(cell(0)?),
        query: DnsLookup { asked, question: DnsQuestion::read(cell(3)?)?, name: cell(4)?.into() },
        reply: DnsReply {
            outcome: DnsOutcome::read(cell(5)?)?,
            authoritative: cell(6).map(|word| word == "true"),
            values: cell(7).map(|all| all.split(';').map(Into::into).collect()).unwrap_or_default(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(domain: &str, asked: Asked, question: DnsQuestion, reply: DnsReply) -> DnsObservation {
        DnsObservation { domain: DomainName::new(domain), query: DnsLookup { asked, question, name: domain.into() }, reply }
    }

    #[test]
    fn what_was_seen_comes_back_by_bucket_however_fine_the_cut() {
        let dir = tempfile::tempdir().expect("a directory");
        let registry = RegistryId::new("it");
        let at: Timestamp = "2026-11-22T02:00:00Z".parse().expect("a time");
        assert!(DnsTable::newest(dir.path(), &registry).expect("looked").is_none());
        let names: Vec<String> = (0..40).map(|n| format!("d{n}.it")).collect();
        let server = Asked::Server(HostName::new("ns1.x.it"), "192.0.2.1".parse().expect("an address"));
        let of = |name: &str| {
            let reply = DnsReply { outcome: DnsOutcome::Answered, authoritative: Some(false), values: vec!["a".into(), "b".into()] };
            vec![
                seen(name, Asked::Resolver, DnsQuestion::Address, DnsReply::none(DnsOutcome::TimedOut)),
                seen(name, server.clone(), DnsQuestion::Ns, reply),
            ]
        };
        for log2 in [0_u8, 2] {
            let mut writer = DnsWriter::create(dir.path(), &registry, "127.0.0.1:53".into(), log2, at).expect("begun");
            for bucket in 0..1 << log2 {
                writer.next_bucket().expect("a bucket");
                for name in names.iter().filter(|name| bucket_of(&registry, ObjectKind::Domain, name, log2) == bucket) {
                    writer.push(&of(name), at).expect("written");
                }
            }
            let manifest = writer.finish(at).expect("whole");
            assert_eq!((manifest.domains, manifest.questions), (40, 80));
            let table = DnsTable::newest(dir.path(), &registry).expect("looked").expect("there");
            for cut in [0_u8, 1, 2, 4] {
                let mut found = 0;
                for bucket in 0..1_u32 << cut {
                    for (name, all) in table.of_bucket(bucket, cut).expect("read") {
                        assert_eq!(all, DnsSeen { at, all: of(&name) });
                        assert_eq!(bucket_of(&registry, ObjectKind::Domain, &name, cut), bucket);
                        found += 1;
                    }
                }
                assert_eq!(found, 40, "{log2} {cut}");
            }
        }
    }
}
