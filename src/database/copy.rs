//! Queries of the operator's own, and their rows in files: all of them see one snapshot of the database, and none can change it.
//!
//! Each is tried without a row first, so that everything that is wrong with any of them is told in one go; then each runs as
//! `COPY (…) TO STDOUT`, whose bytes go into a file as they come. What the server says is passed on only where no value of a row can
//! stand in it: never its detail, and of an error about a value the code alone.

use super::line::{Line, NoLine, PostgresPlace, told};
use crate::base::{AtomicFile, Blame, Exit, Problem, Problems, Result, StopToken, escape_controls};
use futures_util::TryStreamExt as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};
use tokio_postgres::{Client, Error, IsolationLevel, Transaction};

/// How long a query may wait for a lock of somebody else's.
const LOCKED: Duration = Duration::from_secs(10);
/// How long the transaction may wait for us between two queries: we only close a file then.
const BETWEEN: Duration = Duration::from_mins(5);
/// How much longer than the server may take we wait for what it says, before the line is taken for cut.
const GRACE: Duration = Duration::from_secs(30);

/// A query, and where it is written.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The query: one statement that gives rows.
    pub sql: &'a str,
    /// The file it stands in.
    pub file: &'a Path,
    /// The line there, from 1.
    pub line: Option<u64>,
    /// The setting that it is.
    pub setting: &'a str,
}

/// How long queries may take, and how much they may bring.
#[derive(Clone, Copy, Debug)]
pub struct CopyLimits {
    /// The time of one query, from its beginning to its last row.
    pub time: Duration,
    /// The bytes of one query's rows.
    pub bytes: u64,
}

/// Tries queries without a row: whether they can be run by this user, and would change nothing.
///
/// # Errors
/// As [`copy`], but for what only rows can bring.
pub fn try_out(place: &PostgresPlace, wanted: &[Wanted<'_>], limits: CopyLimits) -> Result<(), Problems> {
    let line = Line::new(place).map_err(|e| no_line(place.shown(), &e))?;
    let mut client = line.connect().map_err(|e| no_line(place.shown(), &e))?;
    let tried = line.run(async {
        let transaction = begin(&mut client, limits).await.map_err(|e| cut(place.shown(), &e))?;
        tried(transaction, wanted, place.shown()).await?;
        Ok(())
    });
    tried.map_err(|e| no_line(place.shown(), &e))?
}

/// Writes the rows of each query into its file, as CSV (RFC 4180) in UTF-8 with a header. All queries see the database as it is at one
/// moment, in a transaction that can write nothing. A file is there only where all of its rows are.
///
/// # Errors
/// `E-query-001` where the server cannot be reached (exit 31) or does not let us in (exit 2); `E-query-002` where its authorities cannot be
/// used; `E-query-003` where it refuses a query, each with its place; `E-query-004` where one takes too long; `E-query-005` (exit 31) where
/// the line is cut; `E-query-006` where one brings more bytes than it may; `E-query-007` (exit 40) when the operator stops; `E-file-…`.
pub fn copy(place: &PostgresPlace, wanted: &[(Wanted<'_>, PathBuf)], limits: CopyLimits, stop: &StopToken) -> Result<(), Problems> {
    let line = Line::new(place).map_err(|e| no_line(place.shown(), &e))?;
    let mut client = line.connect().map_err(|e| no_line(place.shown(), &e))?;
    let copied = line.run(async {
        let transaction = begin(&mut client, limits).await.map_err(|e| cut(place.shown(), &e))?;
        let queries: Vec<Wanted<'_>> = wanted.iter().map(|(query, _)| query.clone()).collect();
        let transaction = tried(transaction, &queries, place.shown()).await?;
        for (query, file) in wanted {
            written(&transaction, query, file, limits, stop).await.map_err(|problem| problem.object(place.shown()))?;
        }
        Ok(())
    });
    copied.map_err(|e| no_line(place.shown(), &e))?
}

/// The transaction in which all queries run: it can write nothing, nobody waits for ever, and dates and times are written in one way.
async fn begin(client: &mut Client, limits: CopyLimits) -> Result<Transaction<'_>, Error> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
    let of = |time: Duration| time.as_millis();
    let settings = format!(
        "SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {};
         SET LOCAL client_min_messages = error; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'",
        of(limits.time),
        of(LOCKED),
        of(BETWEEN)
    );
    transaction.batch_execute(&settings).await?;
    Ok(transaction)
}

/// Tries every query, each behind a savepoint; gives the transaction back where all can be run.
async fn tried<'t>(mut transaction: Transaction<'t>, wanted: &[Wanted<'_>], shown: &str) -> Result<Transaction<'t>, Problems> {
    let mut problems = Problems::default();
    for query in wanted {
        let savepoint = transaction.transaction().await.map_err(|e| cut(shown, &e))?;
        if let Err(problem) = tried_one(&savepoint, query).await {
            let is_cut = problem.blame == Blame::Network;
            problems.push(problem.object(shown));
            if is_cut {
                break;
            }
        }
        savepoint.rollback().await.map_err(|e| cut(shown, &e))?;
    }
    problems.or(transaction)
}

async fn tried_one(transaction: &Transaction<'_>, query: &Wanted<'_>) -> Result<()> {
    // By itself first: what is one statement by itself is one between parentheses, too, and the server's position is in its own text.
    let sql = bare(query.sql);
    let statement = transaction.prepare(sql).await.map_err(|e| failed(query, &e))?;
    if !statement.params().is_empty() || statement.columns().is_empty() {
        let what = if statement.columns().is_empty() { "the statement gives no rows" } else { "the query has a parameter (`$1`)" };
        return Err(refused(query, what.to_owned(), "write one SELECT that needs nothing from outside"));
    }
    let empty = format!("SELECT * FROM (\n{sql}\n) AS privet LIMIT 0");
    transaction.query(&empty, &[]).await.map(drop).map_err(|e| failed(query, &e))
}

/// Writes the rows of one query.
async fn written(transaction: &Transaction<'_>, query: &Wanted<'_>, path: &Path, limits: CopyLimits, stop: &StopToken) -> Result<()> {
    let silent = |_| {
        let what = format!("the server said nothing for {} s", (limits.time + GRACE).as_secs());
        at(
            query,
            Problem::new("E-query-005", Blame::Network, what, "see to the database and the line to it, then run the same command again"),
        )
    };
    let copy = format!("COPY (\n{}\n) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')", bare(query.sql));
    let begun = tokio::time::timeout(limits.time + GRACE, transaction.copy_out(&copy)).await.map_err(silent)?;
    let mut rows = std::pin::pin!(begun.map_err(|e| failed(query, &e))?);
    let mut file = AtomicFile::create(path)?;
    let mut bytes = 0_u64;
    while let Some(piece) =
        tokio::time::timeout(limits.time + GRACE, rows.try_next()).await.map_err(silent)?.map_err(|e| failed(query, &e))?
    {
        bytes = bytes.saturating_add(piece.len() as u64);
        if bytes > limits.bytes {
            let what = format!("the query brings more than {} bytes", limits.bytes);
            return Err(at(query, Problem::new("E-query-006", Blame::Operator, what, "see whether a join multiplies its rows")));
        }
        if stop.is_stopped() {
            let problem = Problem::new("E-query-007", Blame::Operator, "stopped while its rows came", "run the same command again");
            return Err(at(query, problem).exit(Exit::Stopped));
        }
        file.write_all(&piece).map_err(|e| Problem::storage("E-file-002", path, "write", &e))?;
    }
    file.commit()
}

/// A query without the semicolon that ends it.
fn bare(sql: &str) -> &str {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

/// That a query failed: whose side that is on depends on what the server says.
fn failed(query: &Wanted<'_>, error: &Error) -> Box<Problem> {
    let Some(db) = error.as_db_error().filter(|db| !is_cut(db)) else {
        let what = format!("the line was cut: {}", told(error));
        let remedy = "see to the database and the line to it, then run the same command again; what was taken in before is still there";
        return at(query, Problem::new("E-query-005", Blame::Network, what, remedy));
    };
    let said = said(db, query.sql);
    if [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(db.code()) {
        let remedy = "make the query faster (an index, fewer joins), or give it longer: `timeout_seconds` of [records.postgres]";
        return at(query, Problem::new("E-query-004", Blame::Operator, said, remedy));
    }
    let remedy = match db.code() {
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => "GRANT SELECT on it to the user of [records.postgres]",
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => "write a query that only reads: nothing is ever changed in this database",
        _ => "correct the query; `privet check` tries it without a row",
    };
    refused(query, said, remedy)
}

/// Whether the server ended the line, or took the snapshot away (on a standby, by what it has to replay).
fn is_cut(db: &DbError) -> bool {
    let ends = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW, SqlState::T_R_SERIALIZATION_FAILURE];
    ends.contains(db.code()) || db.code().code().starts_with("08")
}

/// What the server says, where no value of a row and no text of the query's own can stand in it; else the code alone.
fn said(db: &DbError, sql: &str) -> String {
    /// Classes of errors (appendix A of the manual) about names, rights, transactions, limits and the server itself.
    const SAFE: [&str; 10] = ["0A", "25", "28", "3D", "3F", "42", "53", "54", "55", "57"];
    let code = db.code().code();
    let position = match db.position() {
        Some(ErrorPosition::Original(position)) => Some(place_in(sql, *position)),
        _ => None,
    };
    let at = position.map_or_else(String::new, |(line, character)| format!(" at line {line}, character {character} of the query"));
    if *db.code() == SqlState::SYNTAX_ERROR && !at.is_empty() {
        // The server repeats the word, which may be a value.
        format!("the database finds a syntax error{at} (42601)")
    } else if code.get(..2).is_some_and(|class| SAFE.contains(&class)) {
        format!("the database refuses the query{at}: {} ({code})", escape_controls(db.message()))
    } else {
        format!("the database cannot compute the query{at} ({code}); its own words may repeat a value, and are left out")
    }
}

/// The line and the character in it, from 1, of a position in characters, from 1.
fn place_in(sql: &str, position: u32) -> (usize, usize) {
    let before: String = sql.chars().take(usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1)).collect();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// That a query is not one that can be run.
fn refused(query: &Wanted<'_>, what: String, remedy: &str) -> Box<Problem> {
    at(query, Problem::new("E-query-003", Blame::Operator, what, remedy))
}

/// A problem at the place where the query is written.
fn at(query: &Wanted<'_>, problem: Box<Problem>) -> Box<Problem> {
    let mut problem = problem.file(query.file).field(query.setting);
    problem.place.line = query.line;
    problem
}

/// That the transaction could not be begun or held.
fn cut(shown: &str, error: &Error) -> Box<Problem> {
    let remedy = "see to the database and the line to it, then run the same command again";
    Problem::new("E-query-005", Blame::Network, format!("the line was cut: {}", told(error)), remedy).object(shown)
}

/// That there is no line.
fn no_line(shown: &str, error: &NoLine) -> Box<Problem> {
    let problem = match error {
        NoLine::Runtime(_) => Problem::new("E-query-005", Blame::Operator, error.to_string(), "see the limits of this process"),
        NoLine::Lost => Problem::new("E-query-005", Blame::Us, error.to_string(), "please report this"),
        NoLine::Authorities(what) => {
            Problem::new("E-query-002", Blame::Operator, what.clone(), "name a file with the certificate of the server's authority, in PEM")
        }
        NoLine::Refused(e) => {
            let is_ours = e.as_db_error().is_some_and(|db| !is_cut(db) && *db.code() != SqlState::TOO_MANY_CONNECTIONS) || is_of_tls(e);
            let (blame, remedy) = if is_ours {
                (Blame::Operator, "see that user, password and database are right, and that `ca` is the authority of its certificate")
            } else {
                (Blame::Network, "see that the server runs and can be reached, then run the same command again")
            };
            Problem::new("E-query-001", blame, error.to_string(), remedy)
        }
    };
    problem.object(shown)
}

/// Whether the server's certificate is not what it should be.
fn is_of_tls(error: &Error) -> bool {
    let io = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    io.and_then(std::io::Error::get_ref).is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}
