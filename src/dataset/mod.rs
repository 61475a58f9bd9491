//! Tables on disk: local records taken in, snapshots of what registries hold, their buckets and columns. The home of Polars.

mod ahead;
mod buckets;
mod building;
mod columns;
mod dns;
mod escrow;
mod frontier;
mod ingest;
mod local;
mod orders;
mod parquet;
mod rdap;
mod rows;
mod services;
mod snapshot;
mod spool;
mod table;
mod traffic;

pub use ahead::ahead;
pub use buckets::{BUCKET_ROWS, bucket_dir, bucket_of, log2_for, registry_dir};
pub use building::{Building, Observation, Pending};
pub use columns::{Column, ContactField, DomainField, Kind, OBSERVED, ORDERS, SERVICES, columns, table_name};
pub use dns::{DnsManifest, DnsTable, DnsWriter};
pub use escrow::{ContactColumn, Deposit, DepositKind, DomainColumn};
pub use ingest::{Format, IngestPlan, Ingested, Query, Records, Source, each_row, ingest};
pub use local::Refresh;
pub use orders::{Order, OrderKind, OrderState, read_orders};
pub use parquet::{Batch, ParquetFile};
pub use rdap::{RdapAnswer, RdapAnswers, RdapRedacted, RdapRegistrar, RdapShown, RedactionMethod};
pub use rows::{Facts, Row, contact_row, disclose_of, disclose_text, domain_row, handles};
pub use services::{Protection, ServiceEnd, ServiceEnds, Services};
pub use snapshot::{Ages, ByState, Counts, Manifest, Observed, Snapshot, Stamp};
pub use spool::State;
pub use table::{Cell, ColumnType, TableWriter};
pub use traffic::Exchanged;
