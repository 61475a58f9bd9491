//! Lots, each in one worker's hand.

use super::write::number;
use super::{PostgresPlace, PostgresStore, lease};
use crate::base::{Problem, Result};
use crate::store::lease::lost;
use crate::store::{Claim, Lot, Lots, Taken, WaveEnds};
use tokio_postgres::{Client, Error};

/// How many lots one statement brings.
const CHUNK: usize = 5_000;

impl PostgresStore {
    /// Makes the lots of a part of a run known. Those that are known are left as they are.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn offer(&mut self, run: &str, part: &str, lots: &[Lot]) -> Result<()> {
        self.check_alive()?;
        for chunk in lots.chunks(CHUNK) {
            let firsts: Vec<i64> = chunk.iter().map(|lot| number(lot.first)).collect();
            let lasts: Vec<i64> = chunk.iter().map(|lot| number(lot.last)).collect();
            let waves: Vec<i64> = chunk.iter().map(|lot| i64::from(lot.wave)).collect();
            let sql = "INSERT INTO privet.lot (run, part, first, last, wave)
                SELECT $1, $2, new.* FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS new ON CONFLICT DO NOTHING";
            let done = self.line.run(self.client.execute(sql, &[&run, &part, &firsts, &lasts, &waves]));
            self.done(done, "write to the store")?;
        }
        Ok(())
    }

    /// Begins a round over a run's lots: none is in hand, and none is done. Their turns go on.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn begin_round(&mut self, run: &str) -> Result<()> {
        self.check_alive()?;
        let sql =
            "UPDATE privet.lot SET holder = NULL, done = false, verified = 0, other = 0 WHERE run = $1 AND (done OR holder IS NOT NULL)";
        let done = self.line.run(self.client.execute(sql, &[&run]));
        self.done(done, "write to the store").map(drop)
    }

    /// Gives the lots back that a worker has in hand.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn give_back(&mut self, claim: &Claim, part: &str) -> Result<()> {
        self.check_alive()?;
        let sql = "UPDATE privet.lot SET holder = NULL WHERE run = $1 AND part = $2 AND holder = $3";
        let done = self.line.run(self.client.execute(sql, &[&&*claim.run, &part, &&*claim.holder]));
        self.done(done, "write to the store").map(drop)
    }

    /// Whether every lot of a part of a run is done.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn is_over(&mut self, run: &str, part: &str) -> Result<bool> {
        self.check_alive()?;
        let sql = "SELECT NOT EXISTS (SELECT FROM privet.lot WHERE run = $1 AND part = $2 AND NOT done)";
        let done = self.line.run(self.client.query_one(sql, &[&run, &part]));
        let row = self.done(done, "read the store")?;
        self.of(&row, |row| row.try_get(0))
    }

    /// Forgets the lots of a run that is over.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn forget_lots(&mut self, run: &str) -> Result<()> {
        self.check_alive()?;
        let done = self.line.run(self.client.execute("DELETE FROM privet.lot WHERE run = $1", &[&run]));
        self.done(done, "write to the store").map(drop)
    }
}

/// The lots of one part of a run in the database, as the worker of a claim sees them.
#[derive(Debug)]
pub struct PostgresLots {
    store: PostgresStore,
    claim: Claim,
    part: Box<str>,
}

impl PostgresLots {
    /// The lots of `part` of the claim's run.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub fn open(place: &PostgresPlace, claim: Claim, part: &str) -> Result<Self> {
        Ok(Self { store: PostgresStore::open(place)?, claim, part: part.into() })
    }
}

impl Lots for PostgresLots {
    fn take(&mut self, wave: u32) -> Result<Option<Taken>> {
        self.store.check_alive()?;
        let done = self.store.line.run(take(&mut self.store.client, &self.claim, &self.part, wave));
        self.store.done(done, "take a lot")?
    }

    fn done(&mut self, taken: &Taken, verified: u64, other: u64) -> Result<()> {
        self.store.check_alive()?;
        let sql = "UPDATE privet.lot SET holder = NULL, done = true, verified = $6, other = $7
            WHERE run = $1 AND part = $2 AND first = $3 AND turn = $4 AND holder = $5";
        let (first, turn) = (number(taken.lot.first), i64::from(taken.turn));
        let (run, holder, verified, other) = (&*self.claim.run, &*self.claim.holder, number(verified), number(other));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] = [&run, &&*self.part, &first, &turn, &holder, &verified, &other];
        let done = self.store.line.run(self.store.client.execute(sql, &values));
        if self.store.done(done, "write to the store")? == 1 { Ok(()) } else { Err(lost(&self.claim)) }
    }

    fn wave(&mut self, wave: u32) -> Result<WaveEnds> {
        self.store.check_alive()?;
        let sql = "SELECT count(*) FILTER (WHERE NOT done), coalesce(sum(verified), 0)::bigint, coalesce(sum(other), 0)::bigint
            FROM privet.lot WHERE run = $1 AND part = $2 AND wave = $3";
        let done = self.store.line.run(self.store.client.query_one(sql, &[&&*self.claim.run, &&*self.part, &i64::from(wave)]));
        let row = self.store.done(done, "read the store")?;
        let ends = |row: &tokio_postgres::Row| Ok([row.try_get::<_, i64>(0)?, row.try_get(1)?, row.try_get(2)?]);
        let [open, verified, other] = self.store.of(&row, ends)?.map(i64::unsigned_abs);
        Ok(WaveEnds { open, verified, other })
    }
}

async fn take(client: &mut Client, claim: &Claim, part: &str, wave: u32) -> Result<Result<Option<Taken>, Box<Problem>>, Error> {
    let (run, wave_number) = (&*claim.run, i64::from(wave));
    let transaction = client.transaction().await?;
    lease::end_the_dead(&transaction, run).await?;
    if !lease::holds(&transaction, claim).await? {
        transaction.commit().await?;
        return Ok(Err(lost(claim)));
    }
    // One that another worker is taking this moment is not waited for.
    let sql = "SELECT first, last, turn FROM privet.lot WHERE run = $1 AND part = $2 AND wave = $3 AND NOT done
        AND (holder IS NULL OR NOT EXISTS (SELECT FROM privet.lease WHERE lease.run = $1 AND lease.holder = lot.holder))
        ORDER BY first LIMIT 1 FOR UPDATE OF lot SKIP LOCKED";
    let Some(row) = transaction.query_opt(sql, &[&run, &part, &wave_number]).await? else {
        transaction.commit().await?;
        return Ok(Ok(None));
    };
    let (first, last, turn): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get::<_, i64>(2)? + 1);
    let sql = "UPDATE privet.lot SET holder = $4, turn = $5 WHERE run = $1 AND part = $2 AND first = $3";
    transaction.execute(sql, &[&run, &part, &first, &&*claim.holder, &turn]).await?;
    transaction.commit().await?;
    let lot = Lot { first: first.unsigned_abs(), last: last.unsigned_abs(), wave };
    Ok(Ok(Some(Taken { lot, turn: u32::try_from(turn).unwrap_or(u32::MAX) })))
}
