//! What goes wrong, and how often: drawn from the seed, a command at a time.

use crate::mock::fleet::Draw;
use std::time::Duration;

/// What becomes of a connection that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The registry greets.
    Comes,
    /// The connection is refused.
    Refused,
    /// It is closed without a word.
    Closed,
    /// Nothing comes.
    Silent,
}

/// Whether a command takes effect, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// At once.
    Now,
    /// Never.
    Never,
    /// A while later.
    After(Duration),
    /// At once and once more.
    Twice,
}

/// What answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// The registry's own.
    Own,
    /// The registry's own, that much later.
    Late(Duration),
    /// The registry's own, twice, the second time that much later.
    Again(Duration),
    /// A part of the registry's own, and the end of the connection.
    Cut,
    /// None, and the end of the connection.
    Close,
    /// None.
    Silence,
    /// One of that code, whatever happened.
    Code(u16),
    /// One that says yes under an identifier which nobody used.
    Foreign,
    /// Bytes that are no answer.
    Garbage,
    /// 1001; whether the command is carried out then.
    Pending(bool),
}

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) takes: Takes,
    pub(super) answers: Answers,
    /// Whether somebody else changes the object: before the command is carried out, and behind its answer.
    pub(super) meddled: (bool, bool),
}

impl Fate {
    /// Nothing goes wrong.
    pub(super) const FINE: Self = Self { takes: Takes::Now, answers: Answers::Own, meddled: (false, false) };

    const fn of(takes: Takes, answers: Answers) -> Self {
        Self { takes, answers, ..Self::FINE }
    }
}

/// How often things go wrong, in a thousand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Commands that change something.
    pub(super) commands: u64,
    /// Questions.
    pub(super) questions: u64,
    /// Connections and logins.
    pub(super) openings: u64,
    /// Bytes that arrive in pieces.
    pub(super) pieces: u64,
}

/// Longer than any of a registry's commands takes; shorter than what is waited before an unknown outcome is looked at.
const LONGEST: u64 = 25_000;

impl Weather {
    /// Nothing goes wrong.
    pub(super) const CALM: Self = Self { commands: 0, questions: 0, openings: 0, pieces: 0 };

    /// The weather of a seed: in one of four nothing goes wrong but the machine itself.
    pub(super) fn of(draw: &mut Draw) -> Self {
        let commands = draw.pick(&[0, 100, 300, 700]).copied().unwrap_or_default();
        let is_bad = commands > 0;
        let mut sometimes = |of: [u64; 3]| if is_bad { draw.pick(&of).copied().unwrap_or_default() } else { 0 };
        Self { commands, questions: sometimes([0, 30, 150]), openings: sometimes([0, 20, 100]), pieces: 200 }
    }

    /// Whether nothing but the machine goes wrong.
    pub(super) const fn is_calm(self) -> bool {
        self.commands == 0
    }

    pub(super) fn greeting(self, draw: &mut Draw) -> Greeting {
        if !draw.chance(self.openings) {
            return Greeting::Comes;
        }
        draw.pick(&[Greeting::Refused, Greeting::Closed, Greeting::Silent]).copied().unwrap_or(Greeting::Refused)
    }

    pub(super) fn login(self, draw: &mut Draw) -> Fate {
        if !draw.chance(self.openings) {
            return Fate::FINE;
        }
        let answers = [Answers::Code(2200), Answers::Code(2502), Answers::Close, Answers::Silence, Answers::Code(2400)];
        Fate::of(Takes::Never, draw.pick(&answers).copied().unwrap_or(Answers::Close))
    }

    pub(super) fn question(self, draw: &mut Draw) -> Fate {
        if !draw.chance(self.questions) {
            return Fate::FINE;
        }
        let later = wait(draw, 20_000);
        match draw.below(10) {
            0..3 => Fate { meddled: (false, true), ..Fate::FINE },
            3 => Fate::of(Takes::Now, Answers::Cut),
            4 => Fate::of(Takes::Now, Answers::Close),
            5 => Fate::of(Takes::Now, Answers::Silence),
            6 => Fate::of(Takes::Now, Answers::Garbage),
            7 => Fate::of(Takes::Now, Answers::Again(later)),
            8 => Fate::of(Takes::Now, Answers::Late(wait(draw, 90_000))),
            _ => Fate::of(Takes::Never, Answers::Code(draw.pick(&[2400, 2500, 2502, 2002]).copied().unwrap_or(2400))),
        }
    }

    /// What becomes of a command that changes an object, which `is_new` where it creates it.
    pub(super) fn command(self, is_new: bool, draw: &mut Draw) -> Fate {
        if !draw.chance(self.commands) {
            return Fate::FINE;
        }
        let later = wait(draw, LONGEST);
        let any = [Takes::Now, Takes::Never, Takes::After(later)];
        let some = *draw.pick(&any).unwrap_or(&Takes::Now);
        match draw.below(16) {
            0 => Fate::of(Takes::Never, Answers::Close),
            1 => Fate::of(Takes::Now, Answers::Close),
            2 => Fate::of(Takes::After(later), Answers::Close),
            3 => Fate::of(Takes::After(later), Answers::Silence),
            4 => Fate::of(Takes::Now, Answers::Cut),
            5 => Fate::of(Takes::Now, Answers::Late(wait(draw, 90_000))),
            6 => Fate::of(Takes::Never, Answers::Code(1000)),
            7 | 8 if !is_new => Fate::of(Takes::After(wait(draw, 7_200_000)), Answers::Pending(!draw.chance(300))),
            7 | 8 | 12 => Fate::of(Takes::Now, Answers::Again(later)),
            9 => {
                Fate::of(Takes::Never, Answers::Code(draw.pick(&[2502, 2200, 2104, 2304, 2306, 2308, 2201, 2002]).copied().unwrap_or(2304)))
            }
            10 => Fate::of(some, Answers::Code(draw.pick(&[2400, 2500]).copied().unwrap_or(2400))),
            11 => Fate::of(some, Answers::Foreign),
            13 => Fate::of(some, Answers::Garbage),
            14 => Fate { meddled: (draw.chance(500), draw.chance(500)), ..Fate::FINE },
            _ => Fate::of(Takes::Twice, Answers::Own),
        }
    }
}

/// Up to so many milliseconds, and at least one.
fn wait(draw: &mut Draw, most: u64) -> Duration {
    Duration::from_millis(1 + draw.below(most))
}
