//! Claims, by the server's clock.

use super::PostgresStore;
use crate::base::Result;
use crate::store::{Claim, Claimed};
use std::time::Duration;
use tokio_postgres::{Client, Error, Transaction};

impl PostgresStore {
    /// Claims, or renews a claim, for `length` from now on.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn claim(&mut self, claim: &Claim, length: Duration) -> Result<Claimed> {
        self.check_alive()?;
        let done = self.line.run(claimed(&mut self.client, claim, length));
        self.done(done, "claim a part of the run")
    }

    /// Lets go of a claim, where it is held; what it was held for is free at once.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn release(&mut self, claim: &Claim) -> Result<()> {
        self.check_alive()?;
        let sql = "UPDATE privet.lease SET holder = NULL, until = clock_timestamp() WHERE run = $1 AND worker = $2 AND holder = $3";
        let (worker, holder, run) = (i64::from(claim.worker), &*claim.holder, &*claim.run);
        let done = self.line.run(self.client.execute(sql, &[&run, &worker, &holder]));
        self.done(done, "let go of a part of the run").map(drop)
    }

    /// How many workers are at work at a run, besides those that `holder` is.
    ///
    /// # Errors
    /// `E-store-006` where the server or the line fails.
    pub fn at_work(&mut self, run: &str, holder: &str) -> Result<u64> {
        self.check_alive()?;
        let sql = "SELECT count(*) FROM privet.lease WHERE run = $1 AND worker > 0 AND holder <> $2 AND until > clock_timestamp()";
        let done = self.line.run(self.client.query_one(sql, &[&run, &holder]));
        let found = self.done(done, "read who is at work")?;
        self.of(&found, |row| row.try_get::<_, i64>(0)).map(i64::unsigned_abs)
    }

    /// Writes nothing from now on but while `claim` is held: each commit is kept under it, or not at all (`E-store-014`).
    pub fn fence(&mut self, claim: Claim) {
        self.fence = Some(claim);
    }
}

async fn claimed(client: &mut Client, claim: &Claim, length: Duration) -> Result<Claimed, Error> {
    let (run, worker, holder) = (&*claim.run, i64::from(claim.worker), &*claim.holder);
    let transaction = client.transaction().await?;
    let sql = "INSERT INTO privet.lease (run, worker) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    transaction.execute(sql, &[&run, &worker]).await?;
    let sql = "SELECT holder = $3, holder IS NOT NULL AND until > clock_timestamp(),
        extract(epoch FROM clock_timestamp() - until)::float8 FROM privet.lease WHERE run = $1 AND worker = $2 FOR UPDATE";
    let row = transaction.query_one(sql, &[&run, &worker, &holder]).await?;
    let (is_ours, is_held, idle): (Option<bool>, bool, Option<f64>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let claimed = match is_ours {
        Some(true) => Claimed::Again,
        _ if is_held => {
            transaction.rollback().await?;
            return Ok(Claimed::Elsewhere);
        }
        _ => Claimed::Now { idle: idle.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()) },
    };
    let sql = "UPDATE privet.lease SET holder = $3, until = clock_timestamp() + make_interval(secs => $4) WHERE run = $1 AND worker = $2";
    transaction.execute(sql, &[&run, &worker, &holder, &length.as_secs_f64()]).await?;
    transaction.commit().await?;
    Ok(claimed)
}

/// Whether a claim is held, and stays so until the transaction ends: whoever wants to end it waits.
pub(super) async fn holds(transaction: &Transaction<'_>, claim: &Claim) -> Result<bool, Error> {
    let sql = "SELECT FROM privet.lease WHERE run = $1 AND worker = $2 AND holder = $3 AND until > clock_timestamp() FOR SHARE";
    let (run, worker, holder) = (&*claim.run, i64::from(claim.worker), &*claim.holder);
    Ok(transaction.query_opt(sql, &[&run, &worker, &holder]).await?.is_some())
}

/// Ends the claims of a run whose time is over. Whoever is writing under one is waited for, and nobody writes under it any more.
pub(super) async fn end_the_dead(transaction: &Transaction<'_>, run: &str) -> Result<(), Error> {
    let sql = "UPDATE privet.lease SET holder = NULL WHERE run = $1 AND holder IS NOT NULL AND until <= clock_timestamp()";
    transaction.execute(sql, &[&run]).await.map(drop)
}
