//! The loop between a pool and its lines: one task, which polls every line. There is no task, lock or copy for a single command; a
//! read takes some answers, all of them are judged, and what follows leaves in one write with what follows from the next ones.

use super::endpoint::{Endpoint, Stood};
use super::feed::{Fed, Feed};
use super::https::Posts;
use super::stop::stopped;
use super::stream::{Open, goodbye};
use super::tls::Failure;
use crate::base::{Blame, ClTrid, Clock, Moment, Problem, RegistryId, Result, StopToken};
use crate::model::TlsFacts;
use crate::session::{Now, Outcome, PoolEffect, PoolReport};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::client::TlsStream;

/// What is read at a time: a few answers, so that each is handed on while it is still in the processor's caches.
const READ: usize = 4 * 1024;
/// What is gathered for one write while more is to be read: a dozen commands. They leave while the rest of a burst is taken in.
const GATHER: usize = 4 * 1024;
/// How long the loop sleeps where nothing is due.
const LONG: Duration = Duration::from_hours(1);

/// A line on its way.
type Connecting = Pin<Box<dyn Future<Output = Result<(Stood, TlsFacts), Failure>> + Send>>;

/// A line's state.
enum Line {
    Connecting(Connecting),
    Open(Open<TlsStream<TcpStream>>),
    Posts(Box<Posts>),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Runs `pool` over lines to `endpoint` until `work` is finished, the registry stops us, or the operator does.
///
/// # Errors
/// Whatever `work` cannot go on with. What a registry does is no error here: it stands in the report.
pub async fn run<W: Feed + ?Sized>(
    pool: W::Pool,
    endpoint: Endpoint,
    clock: Arc<dyn Clock>,
    work: &mut W,
    stop: StopToken,
) -> Result<PoolReport> {
    let mut driver = Driver {
        pool,
        endpoint,
        clock,
        work,
        stopped: Some(Box::pin(stopped(stop))),
        lines: Vec::new(),
        buffer: vec![0; READ].into(),
        sleep: Box::pin(sleep(LONG)),
        armed: None,
        outstanding: 0,
        fed: false,
    };
    poll_fn(|cx| driver.poll(cx)).await?;
    let now = driver.clock.moment();
    Ok(driver.pool.report(now))
}

/// An exchange as a log line: by its number it is found in the `exchanges` table and in the registry's own logs. It names no object.
fn log(registry: &RegistryId, outcome: &Outcome) {
    let (facts, ended) = match outcome {
        Outcome::Answer { facts, .. } => (facts, "answered"),
        Outcome::Unreadable { facts, .. } => (facts, "unreadable"),
        Outcome::Unknown { facts, .. } => (facts, "unknown"),
        Outcome::NeverSent { .. } | Outcome::Refused(_) => return,
    };
    tracing::trace!(
        registry = registry.as_str(),
        exchange = %facts.id,
        command = facts.command,
        cltrid = facts.cl_trid.as_ref().map(ClTrid::as_str),
        svtrid = facts.sv_trid.as_deref(),
        code = facts.code.map(|code| code.0),
        ended,
        ms = i64::try_from(facts.received.duration_since(facts.sent).as_millis()).unwrap_or(i64::MAX),
        "exchange"
    );
}

/// The loop's state.
struct Driver<'w, W: Feed + ?Sized> {
    pool: W::Pool,
    endpoint: Endpoint,
    clock: Arc<dyn Clock>,
    work: &'w mut W,
    stopped: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    lines: Vec<(u32, Line)>,
    buffer: Box<[u8]>,
    sleep: Pin<Box<Sleep>>,
    /// When `sleep` ends.
    armed: Option<Moment>,
    /// Questions without an outcome.
    outstanding: u64,
    /// Whether `work` has nothing more.
    fed: bool,
}

impl<W: Feed + ?Sized> Driver<'_, W> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.stopped.as_mut().is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
                self.stopped = None;
                let now = self.now();
                if !self.work.interrupt() {
                    self.pool.interrupt(now);
                }
            }
            // Outcomes make room for questions, whose commands are effects in turn.
            loop {
                self.feed()?;
                if !self.effects()? {
                    break;
                }
            }
            let now = self.now();
            let mut moved = match self.work.poll(cx, now) {
                Poll::Ready(done) => done.map(|()| true)?,
                Poll::Pending => false,
            };
            let mut at = 0;
            while at < self.lines.len() {
                match self.poll_line(at, cx) {
                    Poll::Ready(true) => moved = true,
                    Poll::Ready(false) => {
                        self.lines.remove(at);
                        moved = true;
                        continue;
                    }
                    Poll::Pending => {}
                }
                at += 1;
            }
            if moved {
                continue;
            }
            // What moved last may be what `work` waited for: whether that was all shows only where nothing moves any more.
            if self.pool.is_done() && self.lines.is_empty() && !self.work.keeps() {
                return Poll::Ready(Ok(()));
            }
            if self.poll_timer(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn now(&self) -> Now {
        Now::of(&*self.clock)
    }

    /// Asks for work as far as the pool has room.
    fn feed(&mut self) -> Result<()> {
        if self.fed {
            return Ok(());
        }
        let now = self.now();
        match self.work.feed(&mut self.pool, now)? {
            Fed::Finished => {
                self.fed = true;
                self.pool.finish(now);
            }
            Fed::Submitted(0) if self.outstanding == 0 && self.pool.room() > 0 && !self.work.waits() => {
                let what = "the walk waits for outcomes while none is outstanding";
                return Err(Problem::new("E-net-002", Blame::Us, what, "please report this"));
            }
            Fed::Submitted(0) => {}
            Fed::Submitted(count) => {
                self.outstanding += count;
                self.pool.advance(now);
            }
        }
        Ok(())
    }

    /// Does what the pool wants done. Whether there was anything.
    fn effects(&mut self) -> Result<bool> {
        let mut any = false;
        while let Some(effect) = self.pool.poll_effect() {
            any = true;
            match effect {
                PoolEffect::Connect { session } => {
                    self.lines.push((session, Line::Connecting(Box::pin(self.endpoint.clone().connect()))));
                }
                PoolEffect::Send { session, bytes } => match self.lines.iter_mut().find(|(number, _)| *number == session) {
                    Some((_, Line::Open(open))) => open.push(bytes),
                    Some((_, Line::Posts(posts))) => posts.push(bytes),
                    _ => {}
                },
                PoolEffect::Close { session } => {
                    if let Some(at) = self.lines.iter().position(|(number, _)| *number == session) {
                        let (_, line) = self.lines.swap_remove(at);
                        match line {
                            Line::Open(open) => self.lines.push((session, Line::Closing(Box::pin(goodbye(open.stream))))),
                            Line::Posts(posts) => self.lines.push((session, Line::Closing(Box::pin(posts.goodbye())))),
                            Line::Connecting(_) | Line::Closing(_) => {}
                        }
                    }
                }
                PoolEffect::Done { ticket, outcome } => {
                    self.outstanding = self.outstanding.saturating_sub(1);
                    log(self.pool.registry(), &outcome);
                    let now = self.now();
                    self.work.settle(ticket, outcome, now)?;
                }
            }
        }
        Ok(any)
    }

    /// Moves one line on: whether it goes on to live once it moved.
    fn poll_line(&mut self, at: usize, cx: &mut Context<'_>) -> Poll<bool> {
        let Some((session, line)) = self.lines.get_mut(at) else { return Poll::Pending };
        let session = *session;
        match line {
            Line::Closing(closing) => closing.as_mut().poll(cx).map(|()| false),
            Line::Connecting(connecting) => {
                let connected = ready!(connecting.as_mut().poll(cx));
                let now = Now::of(&*self.clock);
                match connected {
                    Ok((stood, facts)) => {
                        *line = match stood {
                            Stood::Stream(open) => Line::Open(open),
                            Stood::Posts(posts) => Line::Posts(posts),
                        };
                        self.pool.handle_connected(session, Some(facts), now);
                        Poll::Ready(true)
                    }
                    Err(failure) => {
                        self.pool.handle_connect_failed(session, failure.problem, failure.again, now);
                        Poll::Ready(false)
                    }
                }
            }
            Line::Posts(posts) => {
                let answer = ready!(posts.poll(cx, |bytes| self.pool.handle_handed(session, bytes)));
                let now = Now::of(&*self.clock);
                match answer {
                    Ok(body) => self.pool.handle_bytes(session, &body, now),
                    Err(reason) => self.pool.handle_failed(session, reason, now),
                }
                Poll::Ready(true)
            }
            Line::Open(open) => {
                // Reading comes first: an end that came before the first byte of a command was tried leaves that command unsent.
                let (read, mut ended) = open.poll_read(cx, &mut self.buffer);
                let mut gathers = read == self.buffer.len() && open.unwritten() < GATHER;
                if read > 0 {
                    let bytes = self.buffer.get(..read).unwrap_or_default();
                    self.pool.handle_bytes(session, bytes, Now::of(&*self.clock));
                    // A registry that waits for us need not wait until the answers are handed on.
                    if let Some(bytes) = self.pool.poll_awaited(session) {
                        open.push(bytes);
                        gathers = false;
                    }
                }
                let mut moved = read > 0;
                if ended.is_none() && !gathers {
                    match open.poll_write(cx, |bytes| self.pool.handle_handed(session, bytes)) {
                        Ok(wrote) => moved |= wrote,
                        Err(reason) => ended = Some(reason),
                    }
                }
                match ended {
                    Some(reason) => {
                        self.pool.handle_closed(session, reason, Now::of(&*self.clock));
                        Poll::Ready(false)
                    }
                    None if moved => Poll::Ready(true),
                    None => Poll::Pending,
                }
            }
        }
    }

    /// Tells the pool that time passed, where something is due; otherwise sees to it that the loop wakes up then.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.now();
        let works = self.work.poll_timeout();
        let due = self.pool.poll_timeout().into_iter().chain(works).min();
        if due.is_some_and(|due| due <= now.at) {
            self.pool.handle_timeout(now);
            return Poll::Ready(());
        }
        // A sleep that ends too early does no harm; setting it anew for each command would.
        let stale = match (due, self.armed) {
            (Some(due), Some(armed)) => due < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if stale {
            self.arm(due, now);
        }
        if self.sleep.as_mut().poll(cx).is_ready() {
            self.arm(due, now);
            return self.sleep.as_mut().poll(cx);
        }
        Poll::Pending
    }

    fn arm(&mut self, due: Option<Moment>, now: Now) {
        self.armed = due;
        // Rounded up to the timer's grain, so that it never fires just before.
        let wait = due.map_or(LONG, |due| due.since(now.at) + Duration::from_millis(1));
        self.sleep.as_mut().reset(Instant::now() + wait);
    }
}
