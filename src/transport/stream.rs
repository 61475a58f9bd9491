//! A line of bytes: what is read off it, what waits to be written, and what the pool was told of that.

use super::tls::close_reason;
use crate::session::CloseReason;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// What is written at a time: one TLS record.
const WRITE: usize = 16 * 1024;
/// Time for TLS's goodbye. Nothing depends on it.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// A line that stands, with what is to be written.
pub(super) struct Open<S> {
    pub(super) stream: Box<S>,
    out: Vec<u8>,
    /// Bytes of `out` that are written.
    written: usize,
    /// Bytes of `out` that the pool was told of.
    told: usize,
    unflushed: bool,
}

impl<S> Open<S> {
    pub(super) const fn new(stream: Box<S>) -> Self {
        Self { stream, out: Vec::new(), written: 0, told: 0, unflushed: false }
    }

    /// Bytes that are to be written.
    pub(super) const fn unwritten(&self) -> usize {
        self.out.len() - self.written
    }

    /// Puts bytes behind what is to be written.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
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
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> (usize, Option<CloseReason>) {
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
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, mut trying: impl FnMut(usize)) -> Result<bool, CloseReason> {
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
pub(super) async fn goodbye(mut stream: Box<TlsStream<TcpStream>>) {
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
