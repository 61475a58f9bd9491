//! `report escrow`: a data escrow deposit held against the local records, and against what registries hold.

mod deposited;
mod normal;
mod rule;

use self::deposited::{Deposited, Side};
use super::config::Loaded;
use super::night::Night;
use super::validate::{Validated, shown, tell};
use super::{Context, Ended};
use crate::base::{Exit, Problems, RegistryId};
use crate::dataset::{Deposit, Row, Snapshot};
use crate::model::{Finding, ObjectKind};
use crate::rules::Findings;
use std::collections::HashSet;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// How many findings are told one by one on a terminal; the files have them all.
const TOLD: usize = 200;
/// Findings that are gathered before they are put away.
const SOME: usize = 10_000;

/// Findings on their way into the tables; the first failure is kept.
struct Out {
    findings: Findings,
    waiting: Vec<Finding>,
    failed: Option<Problems>,
}

impl Out {
    fn add(&mut self, finding: Finding) {
        self.waiting.push(finding);
        if self.waiting.len() >= SOME {
            self.put_away(0);
        }
    }

    /// Puts away what waits, of so many more objects.
    fn put_away(&mut self, objects: u64) {
        if self.failed.is_none() {
            self.failed = self.findings.absorb(std::mem::take(&mut self.waiting), objects).err().map(Problems::from);
        }
    }
}

/// `report escrow`: what is missing in the deposit at `dir`, what is too much, what is another value than ours, and what is masked. Where a
/// record of ours is there it counts, and what the registry holds where there is none.
///
/// # Errors
/// `E-escrow-…` (exit 32) where the deposit is not whole or cannot be read; everything that keeps the records from being taken in.
pub fn report_escrow(loaded: &Loaded, ctx: &Context, dir: &Path, warnings_count: bool) -> Result<Validated, Problems> {
    let deposit = Deposit::open(dir)?;
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    night.stage("escrow");
    let findings = Findings::begin(&night.dir, false, TOLD)?.with_junit();
    let mut out = Out { findings, waiting: Vec::new(), failed: None };
    let mut deposited = Deposited::read(&deposit, loaded.config.privacy.as_ref(), &mut out)?;
    let mut snapshots = Vec::new();
    for id in loaded.config.registries.keys() {
        let snapshot = Snapshot::newest(night.state.root(), id)?;
        // What another registry has is ours too, and only not judged.
        let judged = ctx.includes(id);
        if judged {
            out.findings.judged(id.as_str());
        }
        for kind in [ObjectKind::Domain, ObjectKind::Contact] {
            let mut met = HashSet::new();
            records.each(id, kind, |row| {
                met.insert(xxh3_64(row.id().as_bytes()));
                held(&mut deposited, (id, kind), &row, Side::Records, judged, &mut out);
                Ok(())
            })?;
            if let Some(snapshot) = &snapshot {
                snapshot.each(kind, |row| {
                    if !met.contains(&xxh3_64(row.id().as_bytes())) {
                        held(&mut deposited, (id, kind), &row, Side::Registry, judged, &mut out);
                    }
                    Ok(())
                })?;
            }
        }
        snapshots.extend(snapshot.filter(|_| judged));
    }
    deposited.not_ours(&deposit, &mut out)?;
    out.put_away(deposited.rows);
    if let Some(problems) = out.failed {
        return Err(problems);
    }
    let (summary, first) = out.findings.finish()?;
    tell(&summary, &night.dir, ctx);
    let counted = summary.errors + if warnings_count { summary.warnings } else { 0 };
    let mut exits = vec![Exit::Done];
    exits.extend((counted > 0).then_some(Exit::Findings));
    let mut ended = Ended { exits, json: serde_json::Value::Null, text: shown(&first, &summary, &night.dir), problems: Vec::new() };
    let counts = [("objects", summary.objects), ("errors", summary.errors), ("warnings", summary.warnings)];
    night.proved(&mut ended, "report escrow", &snapshots, &counts);
    Ok(Validated { ended, dir: night.dir.clone() })
}

/// Holds one object of ours against the deposit.
fn held(deposited: &mut Deposited, (id, kind): (&RegistryId, ObjectKind), row: &Row, side: Side, judged: bool, out: &mut Out) {
    let found = match kind {
        ObjectKind::Domain => deposited.domain(row, side),
        ObjectKind::Contact => deposited.contact(row, side),
    };
    for (rule, field, what) in found {
        if judged {
            out.add(rule.broken(id.as_str(), kind, row.id(), field, what));
        }
    }
}
