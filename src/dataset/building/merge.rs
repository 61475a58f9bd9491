//! The end of a pull: one bucket after the other, what was observed is written over what the base holds.

use super::super::buckets::{bucket_dir, bucket_of, covering, first_bits};
use super::super::columns::{OBSERVED, columns, table_name};
use super::super::local::local_digests;
use super::super::parquet::{Batch, ParquetFile};
use super::super::snapshot::{EXCHANGES, Owned, Sums, exchange_cells};
use super::super::spool::{ExchangeRow, Record, Segment, State};
use super::super::table::{Cell, ColumnType, TableWriter};
use super::Building;
use crate::base::{ExchangeId, Result, RowDigest, Timestamp, create_private_dir};
use crate::model::ObjectKind;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// Where a row comes from.
enum Source {
    /// From this pull.
    Observed(Record),
    /// From the base: the position of its batch and its row.
    Kept(usize, usize),
}

/// Rows by id.
type Rows = BTreeMap<Box<str>, Source>;

/// What this pull noted of one bucket.
struct Noted {
    objects: [BTreeMap<Box<str>, Record>; 2],
    exchanges: BTreeMap<u64, ExchangeRow>,
}

impl Building {
    /// Writes the three tables of one bucket, the objects sorted by id.
    pub(super) fn write_bucket(&mut self, bucket: u32, root: &Path, sums: &mut Sums) -> Result<()> {
        let Noted { objects, exchanges } = self.noted(bucket)?;
        let dir = bucket_dir(root, bucket);
        create_private_dir(&dir)?;
        let mut kept = HashSet::new();
        for (kind, observed) in ObjectKind::ALL.into_iter().zip(objects) {
            self.write_objects(kind, bucket, &dir, observed, &mut kept, sums)?;
        }
        let mut table = TableWriter::create(&dir.join("exchanges.parquet"), &EXCHANGES)?;
        sums.counts.exchanges += self.write_kept_exchanges(bucket, &kept, &mut table)?;
        for row in exchanges.values() {
            table.push(exchange_cells(row, &self.registry).iter().map(Owned::cell))?;
            sums.counts.exchanges += 1;
        }
        table.finish().map(drop)
    }

    /// What this pull noted. An object that was noted twice, by a process that died between the two, counts as it was noted last.
    fn noted(&mut self, bucket: u32) -> Result<Noted> {
        let (at, log2) = (self.segment_of(bucket), self.run.buckets_log2);
        let mut noted = Noted { objects: [BTreeMap::new(), BTreeMap::new()], exchanges: BTreeMap::new() };
        let records = self.segments.get_mut(at).map(Segment::records::<Record>).transpose()?;
        for record in records.into_iter().flatten() {
            match record? {
                Record::Exchange(row) if first_bits(row.place, log2) == bucket => {
                    noted.exchanges.insert(row.id, *row);
                }
                Record::Object { kind, ref id, .. } if bucket_of(&self.registry, kind, id, log2) != bucket => {}
                Record::Exchange(_) => {}
                record @ Record::Object { .. } => {
                    if let Record::Object { kind, id, .. } = &record {
                        let (kind, id) = (*kind, id.clone());
                        noted.objects[kind as usize].insert(id, record);
                    }
                }
            }
        }
        Ok(noted)
    }

    /// Writes the table of `kind`; the exchanges of rows that are taken over are added to `kept`.
    fn write_objects(
        &self,
        kind: ObjectKind,
        bucket: u32,
        dir: &Path,
        observed: BTreeMap<Box<str>, Record>,
        kept: &mut HashSet<Box<str>>,
        sums: &mut Sums,
    ) -> Result<()> {
        let names = names(kind);
        let local = match &self.records {
            Some(records) => local_digests(records, &self.registry, kind, bucket, self.run.buckets_log2)?,
            None => HashMap::new(),
        };
        let (batches, mut rows) = self.kept_rows(kind, bucket, &names, &local)?;
        rows.extend(observed.into_iter().map(|(id, record)| (id, Source::Observed(record))));
        let mut table = TableWriter::create(&dir.join(format!("{}.parquet", table_name(kind))), &names)?;
        let at = |name: &str| names.iter().position(|(n, _)| *n == name).unwrap_or(usize::MAX);
        let (state_at, observed_at, exchange_at) = (at("state"), at("observed_at"), at("exchange"));
        for (id, source) in &rows {
            match source {
                Source::Observed(record) => {
                    let seen = self.write_observed(&mut table, record, local.get(id))?;
                    if let Some((state, at)) = seen {
                        sums.counts.add(kind, state);
                        sums.ages.add(at);
                    }
                }
                Source::Kept(batch, row) => {
                    let Some(batch) = batches.get(*batch) else { continue };
                    table.push(names.iter().enumerate().map(|(at, (_, column))| cell(*column, batch.get(at, *row))))?;
                    kept.extend(batch.get(exchange_at, *row).map(Into::into));
                    if let Some(state) = batch.get(state_at, *row).and_then(State::read) {
                        sums.counts.add(kind, state);
                    }
                    if let Some(at) = batch.get(observed_at, *row).and_then(|text| text.parse::<Timestamp>().ok()) {
                        sums.ages.add(at);
                    }
                }
            }
        }
        table.finish().map(drop)
    }

    /// The rows of the base that belong to the bucket. One that the registry did not know is not taken over, unless a local record names
    /// it: it was told once, and it is gone on both sides.
    fn kept_rows(
        &self,
        kind: ObjectKind,
        bucket: u32,
        names: &[(&str, ColumnType)],
        local: &HashMap<Box<str>, RowDigest>,
    ) -> Result<(Vec<Batch>, Rows)> {
        let (mut batches, mut rows) = (Vec::new(), Rows::new());
        let Some(base) = &self.base else { return Ok((batches, rows)) };
        let log2 = self.run.buckets_log2;
        let columns: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let state_at = columns.iter().position(|name| *name == "state").unwrap_or(usize::MAX);
        for old in covering(bucket, log2, base.manifest().buckets_log2) {
            let file = base.cells(kind, old, &columns)?;
            for n in 0..file.batches() {
                let batch = file.batch(n)?;
                for row in 0..batch.rows() {
                    let Some(id) = batch.get(1, row).filter(|id| bucket_of(&self.registry, kind, id, log2) == bucket) else { continue };
                    let is_gone = batch.get(state_at, row) == Some(State::Missing.as_str());
                    if !is_gone || local.contains_key(id) {
                        rows.insert(id.into(), Source::Kept(batches.len(), row));
                    }
                }
                batches.push(batch);
            }
        }
        Ok((batches, rows))
    }

    /// Takes over the exchanges that rows of the base rest on. How many there were.
    fn write_kept_exchanges(&self, bucket: u32, kept: &HashSet<Box<str>>, table: &mut TableWriter) -> Result<u64> {
        let Some(base) = self.base.as_ref().filter(|_| !kept.is_empty()) else { return Ok(0) };
        let columns = EXCHANGES.map(|(name, _)| name);
        let mut count = 0;
        for old in covering(bucket, self.run.buckets_log2, base.manifest().buckets_log2) {
            let file = ParquetFile::open_cells(&bucket_dir(base.dir(), old).join("exchanges.parquet"), &columns)?;
            for n in 0..file.batches() {
                let batch = file.batch(n)?;
                for row in (0..batch.rows()).filter(|row| batch.get(0, *row).is_some_and(|id| kept.contains(id))) {
                    table.push(EXCHANGES.iter().enumerate().map(|(at, (_, column))| cell(*column, batch.get(at, row))))?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Writes a row that this pull observed; its state and when that was.
    fn write_observed(&self, table: &mut TableWriter, record: &Record, local: Option<&RowDigest>) -> Result<Option<(State, Timestamp)>> {
        let Record::Object { kind, id, state, row, facts, observed_at, exchange, unknown } = record else { return Ok(None) };
        let at = Timestamp::from_microsecond(*observed_at).unwrap_or(Timestamp::UNIX_EPOCH);
        let (observed, exchange) = (at.to_string(), ExchangeId(*exchange).to_string());
        let local = local.map(|digest| format!("{digest:032x}"));
        let facts = [&facts.roid, &facts.sponsor, &facts.created_by, &facts.created, &facts.updated_by, &facts.updated, &facts.transferred];
        let mut cells = vec![Cell::Text(Some(self.registry.as_str())), Cell::Text(Some(id))];
        cells.extend((0..columns(*kind).len()).map(|at| Cell::Text(row.as_ref().and_then(|r| r.get(at)))));
        cells.extend(facts.iter().map(|f| Cell::Text(f.as_deref())));
        cells.extend([state.as_str(), &observed, &exchange].map(|t| Cell::Text(Some(t))));
        cells.push(Cell::Integer(Some(i64::from(*unknown))));
        cells.push(Cell::Text(local.as_deref()));
        table.push(cells)?;
        Ok(Some((*state, at)))
    }
}

/// The columns of a snapshot's table.
fn names(kind: ObjectKind) -> Vec<(&'static str, ColumnType)> {
    let mut names = vec![("registry", ColumnType::Text), ("id", ColumnType::Text)];
    names.extend(columns(kind).iter().map(|c| (c.name, ColumnType::Text)));
    names.extend(OBSERVED.map(|name| (name, if name == "unknown" { ColumnType::Integer } else { ColumnType::Text })));
    names
}

/// A value that was read, on its way back into a table.
fn cell(column: ColumnType, text: Option<&str>) -> Cell<'_> {
    match column {
        ColumnType::Text => Cell::Text(text),
        ColumnType::Integer => Cell::Integer(text.and_then(|digits| digits.parse().ok())),
    }
}
