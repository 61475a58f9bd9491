//! The loop between a pool and its lines: one task, which polls every line. There is no task, lock or copy for a single command; a
//! read takes some answers, all of them are judged, and what follows leaves in one write with what follows from the next ones.

use super::stop::stopped;
use super::tcp;
use super::tls::{Failure, TlsSetup, close_reason};
use crate::base::{Blame, Clock, Moment, Problem, Result, StopToken};
use crate::model::TlsFacts;
use crate::session::{CloseReason, Next, Now, PoolEffect, PoolReport, ReadPool, Work};
use rustls::pki_types::ServerName;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::client::TlsStream;

/// What is read at a time: a few answers, so that each is handed on while it is still in the processor's caches.
const READ: usize = 4 * 1024;
/// What is gathered for one write while more is to be read: a dozen commands. They leave while the rest of a burst is taken in.
const GATHER: usize = 4 * 1024;
/// What is written at a time: one TLS record.
const WRITE: usize = 16 * 1024;
/// Time for TLS's goodbye. Nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long the loop sleeps where nothing is due.
const LONG: Duration = Duration::from_hours(1);

/// Where a registry is.
#[derive(Clone)]
pub struct Endpoint {
    host: Box<str>,
    port: u16,
    name: ServerName<'static>,
    tls: TlsSetup,
}

impl Endpoint {
    /// A registry at `host` (a name or an address) and `port`, whose certificate is for `server_name`, or for `host` where none is given.
    ///
    /// # Errors
    /// `E-tls-020` where the name is none.
    pub fn new(host: &str, port: u16, server_name: Option<&str>, tls: TlsSetup) -> Result<Self> {
        let name = server_name.unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            let what = format!("`{name}` is neither a host name nor an address");
            Problem::new("E-tls-020", Blame::Operator, what, "give the name that stands in the registry's certificate").field("server_name")
        })?;
        Ok(Self { host: host.into(), port, name, tls })
    }

    /// What TLS needs here.
    #[must_use]
    pub const fn tls(&self) -> &TlsSetup {
        &self.tls
    }

    async fn connect(self) -> Result<Stood, Failure> {
        let tcp = tcp::connect(&self.host, self.port).await?;
        self.tls.connect(tcp, self.name).await
    }
}

/// A line that stands.
type Stood = (Box<TlsStream<TcpStream>>, TlsFacts);

/// A line on its way.
type Connecting = Pin<Box<dyn Future<Output = Result<Stood, Failure>> + Send>>;

/// A line's state.
enum Line {
    Connecting(Connecting),
    Open(Open<TlsStream<TcpStream>>),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// A line that stands, with what is to be written.
struct Open<S> {
    stream: Box<S>,
    out: Vec<u8>,
    /// Bytes of `out` that are written.
    written: usize,
    /// Bytes of `out` that the pool was told of.
    told: usize,
    unflushed: bool,
}

/// Runs `pool` over lines to `endpoint` until `work` is finished, the registry stops us, or the operator does.
///
/// # Errors
/// Whatever `work` cannot go on with. What a registry does is no error here: it stands in the report.
pub async fn run<W: Work + ?Sized>(
    pool: ReadPool,
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

/// The loop's state.
struct Driver<'w, W: Work + ?Sized> {
    pool: ReadPool,
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

impl<W: Work + ?Sized> Driver<'_, W> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.stopped.as_mut().is_some_and(|stopped| stopped.as_mut().poll(cx).is_ready()) {
                self.stopped = None;
                let now = self.now();
                self.pool.interrupt(now);
            }
            // Outcomes make room for questions, whose commands are effects in turn.
            loop {
                self.feed()?;
                if !self.effects()? {
                    break;
                }
            }
            let mut moved = false;
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
            if self.pool.is_done() && self.lines.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !moved && self.poll_timer(cx).is_pending() {
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
        let mut submitted = false;
        for _ in 0..self.pool.room() {
            match self.work.next() {
                Next::Query(ticket, query) => {
                    self.pool.submit(ticket, query);
                    self.outstanding += 1;
                    submitted = true;
                }
                Next::Later if self.outstanding == 0 => {
                    let what = "the walk waits for outcomes while none is outstanding";
                    return Err(Problem::new("E-net-002", Blame::Us, what, "please report this"));
                }
                Next::Later => break,
                Next::Finished => {
                    self.fed = true;
                    let now = self.now();
                    self.pool.finish(now);
                    return Ok(());
                }
            }
        }
        if submitted {
            let now = self.now();
            self.pool.advance(now);
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
                PoolEffect::Send { session, bytes } => {
                    if let Some((_, Line::Open(open))) = self.lines.iter_mut().find(|(number, _)| *number == session) {
                        open.push(bytes);
                    }
                }
                PoolEffect::Close { session } => {
                    if let Some(at) = self.lines.iter().position(|(number, _)| *number == session) {
                        let (_, line) = self.lines.swap_remove(at);
                        if let Line::Open(open) = line {
                            self.lines.push((session, Line::Closing(Box::pin(goodbye(open.stream)))));
                        }
                    }
                }
                PoolEffect::Done { ticket, outcome } => {
                    self.outstanding = self.outstanding.saturating_sub(1);
                    self.work.outcome(ticket, outcome)?;
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
                    Ok((stream, facts)) => {
                        *line = Line::Open(Open::new(stream));
                        self.pool.handle_connected(session, Some(facts), now);
                        Poll::Ready(true)
                    }
                    Err(failure) => {
                        self.pool.handle_connect_failed(session, failure.problem, failure.again, now);
                        Poll::Ready(false)
                    }
                }
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
        let due = self.pool.poll_timeout();
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

impl<S> Open<S> {
    const fn new(stream: Box<S>) -> Self {
        Self { stream, out: Vec::new(), written: 0, told: 0, unflushed: false }
    }

    /// Bytes that are to be written.
    const fn unwritten(&self) -> usize {
        self.out.len() - self.written
    }

    /// Puts bytes behind what is to be written.
    fn push(&mut self, bytes: Vec<u8>) {
        if self.written == self.out.len() {
            self.out = bytes;
            self.written = 0;
            self.told = 0;
        } else {
            self.out.extend_from_slice(&bytes);
        }
    }
}

impl<S: AsyncRead + Unpin> Open<S> {
    /// Reads what the line has, as far as `buffer` goes; and how the line ended, if it did.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> (usize, Option<CloseReason>) {
        let mut buffer = ReadBuf::new(buffer);
        loop {
            let before = buffer.filled().len();
            if buffer.remaining() == 0 {
                return (before, None);
            }
            match Pin::new(&mut *self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return (before, None),
                Poll::Ready(Ok(())) if buffer.filled().len() == before => return (before, Some(CloseReason::Eof { clean: true })),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(e)) => return (before, Some(close_reason(&e))),
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Open<S> {
    /// Writes as much as the line takes, telling `trying` of bytes before they are tried. Whether any was written.
    fn poll_write(&mut self, cx: &mut Context<'_>, mut trying: impl FnMut(usize)) -> Result<bool, CloseReason> {
        let mut any = false;
        while self.written < self.out.len() {
            let end = self.out.len().min(self.written + WRITE);
            if end > self.told {
                trying(end - self.told);
                self.told = end;
            }
            let chunk = self.out.get(self.written..end).unwrap_or_default();
            match Pin::new(&mut *self.stream).poll_write(cx, chunk) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(CloseReason::Broken("the line takes no more bytes".to_owned())),
                Poll::Ready(Ok(n)) => {
                    self.written += n;
                    self.unflushed = true;
                    any = true;
                }
                Poll::Ready(Err(e)) => return Err(close_reason(&e)),
            }
        }
        if self.unflushed {
            match Pin::new(&mut *self.stream).poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(e)) => return Err(close_reason(&e)),
            }
        }
        Ok(any)
    }
}

/// Says goodbye in TLS's way, without waiting long for it.
async fn goodbye(mut stream: Box<TlsStream<TcpStream>>) {
    let _nothing_depends_on_it = timeout(GOODBYE, stream.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::task::Waker;

    /// A line that takes one byte at a time, and every other time none.
    #[derive(Default)]
    struct Sips {
        taken: Vec<u8>,
        is_thirsty: bool,
    }

    impl AsyncWrite for Sips {
        fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.is_thirsty = !self.is_thirsty;
            if !self.is_thirsty {
                return Poll::Pending;
            }
            self.taken.extend(bytes.first());
            Poll::Ready(Ok(bytes.len().min(1)))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn row_20_a_line_that_takes_a_byte_at_a_time_gets_every_frame_once() {
        let frames: Vec<Vec<u8>> = [20_000, 1, 300].iter().zip(1_u8..).map(|(&length, byte)| vec![byte; length]).collect();
        let mut open = Open::new(Box::new(Sips::default()));
        let mut cx = Context::from_waker(Waker::noop());
        let mut told = 0;
        for round in 0..41_000 {
            // The second frame comes while the first is under way, the third behind both.
            if let Some(at) = [0, 777, 40_300].iter().position(|&when| when == round) {
                open.push(frames[at].clone());
            }
            assert!(open.poll_write(&mut cx, |bytes| told += bytes).is_ok());
            assert!(told >= open.stream.taken.len(), "bytes are told before they are tried");
        }
        assert!(open.stream.taken == frames.concat());
        assert_eq!(told, frames.concat().len(), "each byte is told once");
    }
}
