//! A batch in one transaction.

use super::lease;
use crate::base::Problem;
use crate::store::lease::lost;
use crate::store::{Append, Batch, Cell, Claim, Head, Table, moved};
use std::collections::BTreeMap;
use tokio_postgres::{Client, Error, Transaction};

/// How many rows or cells one statement brings.
const CHUNK: usize = 1_000;

/// Keeps a batch, where `fence` holds; the inner error is that it does not, or that a stream has another length than its writer knows, and
/// nothing was kept then.
///
/// # Errors
/// Where the server or the line fails.
pub(super) async fn batch(client: &mut Client, batch: &Batch, fence: Option<&Claim>) -> Result<Result<(), Box<Problem>>, Error> {
    let transaction = client.transaction().await?;
    if let Some(claim) = fence
        && !lease::holds(&transaction, claim).await?
    {
        transaction.rollback().await?;
        return Ok(Err(lost(claim)));
    }
    for append in &batch.appends {
        if let Err(moved) = rows(&transaction, append).await? {
            transaction.rollback().await?;
            return Ok(Err(moved));
        }
    }
    cells(&transaction, &batch.cells).await?;
    transaction.commit().await?;
    Ok(Ok(()))
}

async fn rows(transaction: &Transaction<'_>, append: &Append) -> Result<Result<(), Box<Problem>>, Error> {
    let name = append.stream.as_str();
    let sql = "SELECT id, rows, hash FROM privet.stream WHERE name = $1 FOR UPDATE";
    let found = transaction.query_opt(sql, &[&name]).await?;
    let known = match &found {
        Some(row) => head(row.try_get(1)?, row.try_get(2)?).map(|head| (row.try_get::<_, i64>(0), head)),
        None => None,
    };
    let mut end = known.as_ref().map_or_else(|| Head::empty(&append.stream), |(_, head)| *head);
    if end.rows != append.expected || (found.is_some() && known.is_none()) {
        return Ok(Err(moved(&append.stream, append.expected, end.rows)));
    }
    if append.rows.is_empty() {
        return Ok(Ok(()));
    }
    let id: i64 = match known {
        Some((id, _)) => id?,
        None => {
            let sql = "INSERT INTO privet.stream (name, rows, hash) VALUES ($1, 0, $2) ON CONFLICT (name) DO NOTHING RETURNING id";
            match transaction.query_opt(sql, &[&name, &&end.hash[..]]).await? {
                Some(row) => row.try_get(0)?,
                // Somebody else began it this moment.
                None => return Ok(Err(moved(&append.stream, append.expected, append.expected + 1))),
            }
        }
    };
    for chunk in append.rows.chunks(CHUNK) {
        let (mut numbers, mut hashes) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
        for row in chunk {
            numbers.push(number(end.rows));
            end = end.after(row);
            hashes.push(end.hash);
        }
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
        let bytes: Vec<&[u8]> = chunk.iter().map(|row| &**row).collect();
        let sql = "INSERT INTO privet.row SELECT $1, new.* FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) AS new";
        transaction.execute(sql, &[&id, &numbers, &hashes, &bytes]).await?;
    }
    let sql = "UPDATE privet.stream SET rows = $2, hash = $3 WHERE id = $1";
    transaction.execute(sql, &[&id, &number(end.rows), &&end.hash[..]]).await?;
    Ok(Ok(()))
}

/// Changes cells. Of several changes of one the last is what counts.
async fn cells(transaction: &Transaction<'_>, cells: &[Cell]) -> Result<(), Error> {
    let mut last: BTreeMap<(Table, &[u8]), Option<&[u8]>> = BTreeMap::new();
    for cell in cells {
        match cell {
            Cell::Put(table, key, value) => last.insert((*table, &**key), Some(&**value)),
            Cell::Delete(table, key) => last.insert((*table, &**key), None),
        };
    }
    // In the order of their keys, so that no two writers wait for each other.
    let all: Vec<_> = last.into_iter().map(|((table, key), value)| (i16::from(table.number()), key, value)).collect();
    for chunk in all.chunks(CHUNK) {
        let of = |is_put: bool| chunk.iter().filter(move |(.., value)| value.is_some() == is_put);
        let (tables, keys): (Vec<i16>, Vec<&[u8]>) = of(false).map(|(table, key, _)| (*table, *key)).unzip();
        if !keys.is_empty() {
            let sql = "DELETE FROM privet.cell USING unnest($1::smallint[], $2::bytea[]) AS gone (tab, key)
                WHERE cell.tab = gone.tab AND cell.key = gone.key";
            transaction.execute(sql, &[&tables, &keys]).await?;
        }
        let (tables, keys): (Vec<i16>, Vec<&[u8]>) = of(true).map(|(table, key, _)| (*table, *key)).unzip();
        let values: Vec<&[u8]> = of(true).filter_map(|(.., value)| *value).collect();
        if !keys.is_empty() {
            let sql = "INSERT INTO privet.cell SELECT new.* FROM unnest($1::smallint[], $2::bytea[], $3::bytea[]) AS new
                ON CONFLICT (tab, key) DO UPDATE SET value = excluded.value";
            transaction.execute(sql, &[&tables, &keys, &values]).await?;
        }
    }
    Ok(())
}

/// The head with so many rows and that hash, where it is one.
pub(super) fn head(rows: i64, hash: &[u8]) -> Option<Head> {
    Some(Head { rows: u64::try_from(rows).ok()?, hash: hash.try_into().ok()? })
}

/// The server's integers have a sign. No stream gets that long.
pub(super) fn number(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
