//! A connection in whichever language its registry speaks.

use super::core::{self, Answer};
use super::registry::Registry;
use super::rri;
use crate::base::{Moment, Timestamp};
use crate::policy::Line;

/// A connection.
pub(super) enum Tongue {
    /// In EPP.
    Epp(core::Connection),
    /// In RRI.
    Rri(rri::Connection),
}

impl Tongue {
    /// A connection with `registry` that began at `now`.
    pub(super) fn new(registry: &Registry, now: Moment) -> Self {
        match registry.profile.line.value {
            Line::EppTls | Line::EppHttps => Self::Epp(core::Connection::new(now)),
            Line::Rri => Self::Rri(rri::Connection::new(now)),
        }
    }

    /// Writes the greeting, in a language that has one.
    pub(super) fn greet(&self, registry: &Registry, wall: Timestamp, out: &mut Vec<u8>) -> Option<Answer> {
        match self {
            Self::Epp(connection) => Some(connection.greet(registry, wall, out)),
            Self::Rri(_) => None,
        }
    }

    /// Takes a frame that arrived at `now` and appends its answer to `out`.
    pub(super) fn handle(&mut self, registry: &mut Registry, frame: &[u8], now: Moment, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        match self {
            Self::Epp(connection) => connection.handle(registry, frame, now, wall, out),
            Self::Rri(connection) => connection.handle(registry, frame, now, wall, out),
        }
    }

    /// When the connection is to be cut, if nothing arrives.
    pub(super) fn deadline(&self, registry: &Registry) -> Option<Moment> {
        match self {
            Self::Epp(connection) => connection.deadline(registry),
            Self::Rri(connection) => connection.deadline(registry),
        }
    }

    /// Whether a login holds.
    pub(super) const fn is_logged_in(&self) -> bool {
        match self {
            Self::Epp(connection) => connection.is_logged_in(),
            Self::Rri(connection) => connection.is_logged_in(),
        }
    }

    /// Forgets the login: the connection stays, the session is gone.
    pub(super) fn forget_login(&mut self, registry: &mut Registry) {
        match self {
            Self::Epp(connection) => connection.forget_login(registry),
            Self::Rri(connection) => connection.forget_login(registry),
        }
    }
}
