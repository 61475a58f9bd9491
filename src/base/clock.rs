//! Time as an argument. Only [`SystemClock`] reads the machine's clocks.

use std::time::Duration;

/// A point on the UTC calendar, as the machine or a registry tells it.
pub type Timestamp = jiff::Timestamp;

/// A point on a clock that never goes back, counted from an origin of the clock's own choosing.
///
/// Deadlines live on this clock, so a changed wall clock or a daylight-saving jump moves none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// The clock's origin.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The moment that lies `since_origin` after the origin.
    #[must_use]
    pub const fn from_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// The time since the origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time since `earlier`, zero where `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

/// The two clocks a run needs. Passed in, so that tests and the simulator bring their own.
pub trait Clock: Send + Sync {
    /// Now, on the clock that never goes back.
    fn moment(&self) -> Moment;
    /// Now, on the UTC calendar.
    fn wall(&self) -> Timestamp;
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    /// Where this process's [`Moment`]s are counted from.
    origin: std::time::Instant,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]
    #[expect(clippy::new_without_default, reason = "starting a clock is an act, not a default value")]
    pub fn new() -> Self {
        Self { origin: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn moment(&self) -> Moment {
        Moment(self.origin.elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clocks")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}
