//! The answers under way on one connection: what is sent, in which order, and when.

use crate::base::Moment;
use crate::mock::core::Answer;
use crate::mock::damage::{Delivery, End, Step, damage};
use crate::mock::knobs::FaultSpec;
use std::collections::VecDeque;
use std::time::Duration;

/// Answers under way. First in, first out: a late answer keeps those behind it waiting, as one line does.
pub(super) struct Line {
    queue: VecDeque<(Moment, Step)>,
    /// When the session's commands so far have been served.
    served: Moment,
    /// A frame to send behind the next answer's, or by itself at that moment, where none comes.
    held: Option<(Moment, Vec<u8>)>,
    /// The identifier of the last command answered, kept only where a fault may need it.
    previous: Option<Box<str>>,
    /// Where the last answer begins in the queue.
    said: usize,
    is_ending: bool,
    /// Whether a frame's length leaves its own header out.
    is_uncounted: bool,
}

/// How long an answer that is to come behind the next one waits for it.
const ALONE: Duration = Duration::from_millis(250);
/// Room for a frame's length.
const HEADER: usize = 4;

impl Line {
    /// An empty line.
    pub(super) const fn new(is_uncounted: bool) -> Self {
        Self { queue: VecDeque::new(), served: Moment::ZERO, held: None, previous: None, said: 0, is_ending: false, is_uncounted }
    }

    /// A buffer for a payload: with room for its length in front.
    pub(super) fn buffer() -> Vec<u8> {
        let mut buffer = Vec::with_capacity(2048);
        buffer.extend_from_slice(&[0; HEADER]);
        buffer
    }

    /// When the answer to a command that arrived at `now` is due: after `service` of its own behind the others', and `latency`.
    pub(super) fn schedule(&mut self, now: Moment, service: Duration, latency: Duration) -> Moment {
        self.served = self.served.max(now) + service;
        self.served + latency
    }

    /// Puts an answer on the line, to be sent at `due`, as `spec` would have it. `frame` is a [`Line::buffer`] with the payload.
    /// Tells whether the fault makes the registry forget the login.
    pub(super) fn say(&mut self, due: Moment, answer: &Answer, mut frame: Vec<u8>, spec: Option<&FaultSpec>) -> bool {
        self.said = self.queue.len();
        if answer.silent {
            self.push(due, Step::End(End::Notify));
            return false;
        }
        let Some(spec) = spec else {
            let length = frame.len() - if self.is_uncounted { HEADER } else { 0 };
            if let Some(header) = frame.first_chunk_mut::<HEADER>() {
                *header = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
            }
            self.push(due, Step::Bytes(frame));
            self.settle(due, answer);
            return false;
        };
        let payload = frame.get(HEADER..).unwrap_or_default();
        let Delivery { steps, held, forgets_login } =
            damage(spec, answer, payload, self.previous.as_deref(), if self.is_uncounted { 0 } else { HEADER });
        let mut at = due;
        for step in steps {
            if let Step::Pause(wait) = step {
                at = at + wait;
            } else {
                self.push(at, step);
            }
        }
        match held {
            // Nothing else is under way: this one waits for the next.
            Some(frame) if self.held.is_none() => self.held = Some((at + ALONE, frame)),
            Some(frame) => self.push(at, Step::Bytes(frame)),
            None => {}
        }
        if !matches!(spec.fault, crate::mock::faults::Fault::Swapped) {
            self.settle(at, answer);
        }
        forgets_login
    }

    /// What follows an answer: one that was held back, and the end where the answer says so.
    fn settle(&mut self, at: Moment, answer: &Answer) {
        if let Some((_, held)) = self.held.take() {
            self.push(at, Step::Bytes(held));
        }
        if answer.close {
            self.push(at, Step::End(End::Notify));
        }
        self.previous.clone_from(&answer.cl_trid);
    }

    /// Ends the connection behind what is under way.
    pub(super) fn end(&mut self, now: Moment, end: End) {
        self.push(now, Step::End(end));
    }

    fn push(&mut self, due: Moment, step: Step) {
        if self.is_ending {
            return;
        }
        self.is_ending = matches!(step, Step::End(_));
        self.queue.push_back((due, step));
    }

    /// Appends everything due at `now` to `out`; the end, where it is due.
    pub(super) fn due(&mut self, now: Moment, out: &mut Vec<u8>) -> Option<End> {
        if let Some((_, alone)) = self.held.take_if(|(until, _)| *until <= now) {
            self.push(now, Step::Bytes(alone));
        }
        while let Some((_, step)) = self.queue.pop_front_if(|(due, _)| *due <= now) {
            match step {
                Step::Bytes(bytes) => out.extend_from_slice(&bytes),
                Step::End(end) => return Some(end),
                Step::Pause(_) => {}
            }
        }
        None
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Moment> {
        let held = self.held.as_ref().map(|(until, _)| *until);
        self.queue.front().map(|(due, _)| *due).into_iter().chain(held).min()
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.held.is_none()
    }

    /// Whether the connection ends behind what is under way.
    pub(super) const fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// Shows the bytes of the last answer, as they will be sent.
    pub(super) fn told(&self, mut show: impl FnMut(&[u8])) {
        let steps = self.queue.range(self.said.min(self.queue.len())..);
        let bytes: Vec<u8> =
            steps.filter_map(|(_, step)| if let Step::Bytes(b) = step { Some(b.as_slice()) } else { None }).flatten().copied().collect();
        show(&bytes);
    }
}
