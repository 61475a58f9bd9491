//! `[registries.NAME.limits]`: the operator's own limits in the place of the profile's.

use super::table::{Found, Reading, Table};
use crate::base::{Blame, Problem};
use crate::policy::{Confidence, Limits, Profile, Rate, Rule, profile, profile_names};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// `base` with the limits of `table`; what is weaker than the profile's is added to `weakened`.
pub(super) fn apply(
    reading: &mut Reading<'_>,
    mut table: Table<'_>,
    base: Option<Arc<Profile>>,
    weakened: &mut Vec<Problem>,
) -> Option<Arc<Profile>> {
    // Without a profile the table is read over any other, so that its own faults are told.
    let other = || profile_names().first().and_then(|id| profile(id).ok());
    let mut own = (*base.clone().or_else(other)?).clone();
    let mut change = Change { reading, table: &mut table, weakened, changed: false };
    change.all(&mut own.limits);
    let changed = change.changed;
    table.finish(reading);
    base.map(|same| if changed { Arc::new(own) } else { same })
}

/// Which way a limit is weakened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weaker {
    /// By a higher figure.
    Higher,
    /// By a lower one.
    Lower,
    /// By none: more patience with an answer takes nothing from a registry.
    Never,
}

/// The change of one registry's limits.
struct Change<'r, 'p, 'a> {
    reading: &'r mut Reading<'p>,
    table: &'r mut Table<'a>,
    weakened: &'r mut Vec<Problem>,
    /// Whether anything was changed.
    changed: bool,
}

impl Change<'_, '_, '_> {
    fn all(&mut self, limits: &mut Limits) {
        self.one("sessions", 1..=1000, Weaker::Higher, &mut limits.sessions);
        self.one("idle_seconds", 1..=86_400, Weaker::Higher, &mut limits.idle_seconds);
        self.optional("age_seconds", 1..=604_800, &mut limits.age_seconds);
        self.optional("commands_per_session", 1..=100_000_000, &mut limits.commands_per_session);
        self.rate(&mut limits.rate);
        self.one("names_per_check", 1..=1000, Weaker::Higher, &mut limits.names_per_check);
        self.one("read_window", 1..=1024, Weaker::Higher, &mut limits.read_window);
        self.one("reply_seconds", 1..=3600, Weaker::Never, &mut limits.reply_seconds);
        self.one("back_off_seconds", 1..=86_400, Weaker::Lower, &mut limits.back_off_seconds);
    }

    fn one<T>(&mut self, key: &'static str, range: RangeInclusive<u32>, weaker: Weaker, rule: &mut Rule<T>)
    where
        T: Copy + PartialOrd + Display + TryFrom<u32>,
    {
        let Some(found) = self.table.find(key) else { return };
        let Some(value) = found.number(self.reading, range).and_then(|n| T::try_from(n).ok()) else { return };
        let weak = match weaker {
            Weaker::Higher => value > rule.value,
            Weaker::Lower => value < rule.value,
            Weaker::Never => false,
        };
        if weak {
            self.warn(&found, &rule.value, &value, &rule.source);
        }
        *rule = self.ours(&found, value);
    }

    /// A limit that the profile may not have; then any is stricter.
    fn optional(&mut self, key: &'static str, range: RangeInclusive<u32>, rule: &mut Option<Rule<u32>>) {
        if let Some(rule) = rule {
            return self.one(key, range, Weaker::Higher, rule);
        }
        let Some(found) = self.table.find(key) else { return };
        if let Some(value) = found.number(self.reading, range) {
            *rule = Some(self.ours(&found, value));
        }
    }

    fn rate(&mut self, rule: &mut Option<Rule<Rate>>) {
        let mut table = self.table.child(self.reading, "rate");
        if table.is_absent() {
            return;
        }
        let places = (table.need(self.reading, "commands", "100"), table.need(self.reading, "seconds", "10"));
        let commands = places.0.as_ref().and_then(|f| f.number(self.reading, 1..=1_000_000));
        let seconds = places.1.as_ref().and_then(|f| f.number(self.reading, 1..=86_400));
        table.finish(self.reading);
        let (Some(found), Some(commands), Some(seconds)) = (places.0, commands, seconds) else { return };
        let faster = |was: &Rate| u64::from(commands) * u64::from(was.seconds) > u64::from(was.commands) * u64::from(seconds);
        if let Some(was) = rule.as_ref().filter(|was| faster(&was.value)) {
            let (old, new) = (format!("{} in {} s", was.value.commands, was.value.seconds), format!("{commands} in {seconds} s"));
            self.warn(&found, &old, &new, &was.source);
        }
        *rule = Some(self.ours(&found, Rate { commands, seconds }));
    }

    /// The operator's own rule.
    fn ours<T>(&mut self, found: &Found<'_>, value: T) -> Rule<T> {
        self.changed = true;
        Rule::new(value, found.origin().to_string(), Confidence::Seen)
    }

    /// Notes that a limit is weaker than the profile has it.
    fn warn(&mut self, found: &Found<'_>, old: &dyn Display, new: &dyn Display, source: &str) {
        let what = format!("`{new}` is weaker than the profile's limit of `{old}` ({source})");
        let remedy = "the registry may cut sessions or block the account; remove the line unless it agreed to this";
        let mut problem = Problem::new("E-config-012", Blame::Operator, what, remedy).file(self.reading.path).field(found.name.clone());
        problem.place.line = found.file_line();
        self.weakened.push(*problem);
    }
}
