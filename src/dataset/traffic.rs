//! What went over the line for a snapshot: its exchanges, counted.

use super::buckets::bucket_dir;
use super::parquet::ParquetFile;
use super::snapshot::Snapshot;
use crate::base::{Result, Timestamp};
use std::collections::BTreeMap;

/// The exchanges of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// How many there were, by command.
    pub commands: BTreeMap<String, u64>,
    /// Bytes of the commands' frames.
    pub bytes_out: u64,
    /// Bytes of the answers' frames.
    pub bytes_in: u64,
    /// When the first command was sent, and the last answer was whole.
    pub window: Option<(Timestamp, Timestamp)>,
}

impl Snapshot {
    /// Counts the exchanges.
    ///
    /// # Errors
    /// `E-parquet-…` where they cannot be read.
    pub fn exchanged(&self) -> Result<Exchanged> {
        let mut out = Exchanged::default();
        for bucket in 0..self.buckets() {
            let path = bucket_dir(self.dir(), bucket).join("exchanges.parquet");
            if !path.exists() {
                continue;
            }
            let file = ParquetFile::open_cells(&path, &["command", "sent", "received", "bytes_out", "bytes_in"])?;
            for n in 0..file.batches() {
                let batch = file.batch(n)?;
                for row in 0..batch.rows() {
                    let number = |column| batch.get(column, row).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
                    let time = |column| batch.get(column, row).and_then(|text| text.parse::<Timestamp>().ok());
                    *out.commands.entry(batch.get(0, row).unwrap_or_default().to_owned()).or_default() += 1;
                    out.bytes_out = out.bytes_out.saturating_add(number(3));
                    out.bytes_in = out.bytes_in.saturating_add(number(4));
                    if let Some((sent, received)) = time(1).zip(time(2)) {
                        let (first, last) = out.window.unwrap_or((sent, received));
                        out.window = Some((first.min(sent), last.max(received)));
                    }
                }
            }
        }
        Ok(out)
    }
}
