//! Whether a run kept its word: by the plan, the journal, what people said, and what the registries saw. Nothing of the client's own
//! state is asked.

use super::history::Frame;
use super::line::What;
use super::scene::{self, MARKER};
use super::world::World;
use crate::apply::{Look, look};
use crate::base::{Moment, ObjectKey, Result, Timestamp};
use crate::compliance::{Ledger, Rule, Subject, decide};
use crate::journal::{self, Entry, StepRow, StepState, Why};
use crate::mock::{Effected, Held};
use crate::plan::{BasisKind, Operation, PlanFile, Standing, Step};
use crate::session::Allowance;
use crate::store::{Vault, read};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// Longer than an answer may take: how far back something may have been read that is claimed now.
const SIGHT: Duration = Duration::from_secs(35);

/// A word that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which: `I1` to `I9`.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// How a run ended, as far as the checker has to know.
#[derive(Default)]
pub(super) struct Ending {
    /// Why each registry's part stopped in the last process that might send.
    pub(super) stopped: Vec<Option<Box<str>>>,
    /// Whether nothing went wrong but the machine, so that everything must be verified.
    pub(super) is_calm: bool,
    /// From which process on the journal was damaged.
    pub(super) damaged_from: Option<u32>,
}

/// A step's place in the plan.
type At = (u64, u8);

struct Checker<'w> {
    world: &'w World,
    operations: BTreeMap<u64, Operation>,
    rows: Vec<Entry>,
    keys: HashMap<At, ObjectKey>,
    /// Steps by the identifiers of their commands, with the row that said that it would be sent.
    sent: HashMap<Box<str>, (At, usize)>,
    violations: Vec<Violation>,
}

/// Every word that was not kept.
///
/// # Errors
/// Where the plan or the journal cannot be read, though nobody damaged it.
pub(super) fn check(world: &World, plan: &Path, ending: &Ending) -> Result<Vec<Violation>> {
    let file = PlanFile::open(plan)?;
    let (mut disk, mut rows) = (world.disk.clone(), Vec::new());
    let stream = journal::run_stream(&file.header().id, 1)?;
    disk.repair();
    read(&mut disk, &stream, |_, row| {
        rows.push(row.to_vec());
        Ok(())
    })?;
    let operations: BTreeMap<u64, Operation> =
        file.operations()?.map(|operation| operation.map(|operation| (operation.op, operation))).collect::<Result<_>>()?;
    let mut keys = HashMap::new();
    for (at, step) in steps(&operations) {
        if let Some(key) = Vault::new(&mut disk).key(step.object.reference)? {
            keys.insert(at, key);
        }
    }
    let mut checker = Checker {
        world,
        operations,
        rows: rows.iter().filter_map(|row| Entry::from_row(row).ok()).collect(),
        keys,
        sent: HashMap::new(),
        violations: Vec::new(),
    };
    checker.sent();
    checker.reviewed(&mut disk)?;
    checker.once();
    checker.claimed();
    checker.durable(ending);
    checker.stopped();
    checker.limits();
    checker.discreet(&rows, plan);
    if ending.damaged_from.is_none() {
        let fold = journal::open(&mut disk, &file.header().id)?;
        checker.kept(&fold, ending);
    }
    Ok(checker.violations)
}

fn steps(operations: &BTreeMap<u64, Operation>) -> impl Iterator<Item = (At, &Step)> {
    operations.values().flat_map(|operation| (0..).zip(&operation.steps).map(|(number, step)| ((operation.op, number), step)))
}

fn standing(held: Option<&Held>) -> Standing {
    match held {
        None => Standing::Nothing,
        Some(Held::Contact(contact)) => contact.clone().into(),
        Some(Held::Domain(domain)) => domain.clone().into(),
    }
}

/// The moment of a row.
fn moment(at: Timestamp) -> Moment {
    Moment::from_origin(Duration::try_from(at.duration_since(scene::origin())).unwrap_or_default())
}

impl Checker<'_> {
    fn wrong(&mut self, invariant: &'static str, what: String) {
        self.violations.push(Violation { invariant, what });
    }

    fn step(&self, at: At) -> Option<(&Operation, &Step)> {
        let operation = self.operations.get(&at.0)?;
        Some((operation, operation.steps.get(usize::from(at.1))?))
    }

    fn site(&self, registry: &str) -> Option<usize> {
        self.world.sites.iter().position(|site| site.place.id == registry)
    }

    fn step_rows(&self) -> impl Iterator<Item = (usize, &StepRow)> {
        self.rows.iter().enumerate().filter_map(|(number, entry)| if let Entry::Step(row) = entry { Some((number, row)) } else { None })
    }

    /// Takes note of the commands that the journal says would be sent.
    fn sent(&mut self) {
        let sending = self.step_rows().filter(|(_, row)| row.to == StepState::Sending);
        let named = sending.filter_map(|(number, row)| Some((row.cltrid.clone()?, ((row.op, row.step), number))));
        self.sent = named.collect();
    }

    /// The changes of a step's object, each with the step it belongs to.
    fn effects(&self, at: At) -> Vec<&Effected> {
        let Some((operation, step)) = self.step(at) else { return Vec::new() };
        let Some(site) = self.site(&operation.registry).and_then(|site| self.world.sites.get(site)) else { return Vec::new() };
        let is_of = |effected: &&Effected| effected.object.0 == step.object.kind && *effected.object.1 == *step.object.id;
        site.sans.effected().iter().filter(is_of).collect()
    }

    /// How an object stood to a step.
    fn look(&self, at: At, held: Option<&Held>) -> Option<Look> {
        let (_, step) = self.step(at)?;
        Some(look(step, self.keys.get(&at)?, &standing(held)))
    }

    /// How a step's object stood to it at any time from shortly before `until`.
    fn seen(&self, at: At, until: Moment) -> Vec<Look> {
        let effects = self.effects(at);
        let first = match effects.first() {
            Some(first) => first.before.as_ref(),
            None => self.step(at).and_then(|(operation, step)| {
                let site = self.world.sites.get(self.site(&operation.registry)?)?;
                site.sans.held(step.object.kind, &step.object.id)
            }),
        };
        let from = until.since_origin().saturating_sub(SIGHT);
        let begins = std::iter::once((Moment::ZERO, first)).chain(effects.iter().map(|effected| (effected.at, Some(&effected.after))));
        let ends = effects.iter().map(|effected| effected.at).chain([Moment::from_origin(Duration::MAX)]);
        let in_sight = begins.zip(ends).filter(|((begins, _), ends)| *begins <= until && ends.since_origin() >= from);
        in_sight.filter_map(|((_, held), _)| self.look(at, held)).collect()
    }

    /// I1: whatever changed at a registry is an item of the plan, whose condition held, with a consent that held when it was sent.
    fn reviewed(&mut self, disk: &mut super::disk::Disk) -> Result<()> {
        let ledger = Ledger::open(disk)?;
        let mut found = Vec::new();
        for (number, site) in self.world.sites.iter().enumerate() {
            for effected in site.sans.effected() {
                let Some(cl_trid) = &effected.cl_trid else { continue };
                let Some(((at, sent), row)) = self.sent.get(cl_trid).and_then(|known| Some((*known, self.rows.get(known.1)?))) else {
                    found.push(format!("{cl_trid} changed {} and is in no plan", effected.object.1));
                    continue;
                };
                let (Some((operation, step)), Entry::Step(row)) = (self.step(at), row) else { continue };
                let is_its = self.site(&operation.registry) == Some(number)
                    && (step.object.kind, step.object.id.as_str()) == (effected.object.0, &*effected.object.1);
                if !is_its {
                    found.push(format!("{cl_trid} changed {}, which is not its object", effected.object.1));
                    continue;
                }
                if !self.seen(at, moment(row.at)).contains(&Look::Observed) {
                    found.push(format!("{cl_trid} was sent though {} did not stand as reviewed", effected.object.1));
                }
                let (before, after) = (self.look(at, effected.before.as_ref()), self.look(at, Some(&effected.after)));
                if before == Some(Look::Observed) && after != Some(Look::Wanted) {
                    found.push(format!("{cl_trid} left {} otherwise than planned", effected.object.1));
                }
                if let Some(rule) = forbids(&ledger, operation, row.at) {
                    found.push(format!("{cl_trid} of row {sent} was sent against {rule}"));
                }
            }
        }
        let nonsense = self.world.history.frames.iter().filter(|frame| frame.what == What::Nothing);
        found.extend(nonsense.map(|frame| format!("registry {} got bytes that are no command", frame.site)));
        for what in found {
            self.wrong("I1", what);
        }
        Ok(())
    }

    /// I2: at most one effective change of an item, and no second command before the first one is settled.
    fn once(&mut self) {
        let mut found = Vec::new();
        let mut names = HashSet::new();
        let changes = self.world.history.frames.iter().filter(|frame| matches!(frame.what, What::Change(_)));
        let mut frames: BTreeMap<At, Vec<&Frame>> = BTreeMap::new();
        for frame in changes {
            let Some(cl_trid) = &frame.cl_trid else { continue };
            if !names.insert((frame.site, cl_trid)) {
                found.push(format!("{cl_trid} reached the registry twice"));
            }
            if let Some((at, _)) = self.sent.get(cl_trid) {
                frames.entry(*at).or_default().push(frame);
            }
        }
        for (at, frames) in frames {
            let (op, step) = at;
            if frames.len() > usize::from(journal::SENDS) {
                found.push(format!("step {step} of operation {op} reached the registry {} times", frames.len()));
            }
            let is_ours = |effected: &&&Effected| effected.cl_trid.as_ref().is_some_and(|id| self.sent.get(id).is_some_and(|s| s.0 == at));
            let is_effective = |effected: &&&Effected| {
                self.look(at, effected.before.as_ref()) != Some(Look::Wanted) && self.look(at, Some(&effected.after)) == Some(Look::Wanted)
            };
            let effects = self.effects(at);
            let effective: Vec<&&Effected> = effects.iter().filter(is_ours).filter(is_effective).collect();
            if effective.len() > 1 {
                found.push(format!("step {step} of operation {op} took effect {} times", effective.len()));
            }
            for (before, frame) in frames.iter().zip(frames.iter().skip(1)) {
                if before.over.is_none_or(|over| over > frame.began) {
                    found.push(format!("step {step} of operation {op} was sent again before the first command was settled"));
                }
                if effective.iter().any(|effected| effected.at < frame.began) {
                    found.push(format!("step {step} of operation {op} was sent again after it took effect"));
                }
            }
        }
        for what in found {
            self.wrong("I2", what);
        }
    }

    /// I3: what the journal claims was so when it was claimed.
    fn claimed(&mut self) {
        let mut found = Vec::new();
        let mut last: HashMap<At, &str> = HashMap::new();
        for (number, row) in self.step_rows() {
            let at = (row.op, row.step);
            if let Some(cl_trid) = &row.cltrid {
                last.insert(at, cl_trid);
            }
            if let Some(sv_trid) = &row.svtrid {
                let asked = last.get(&at).copied().unwrap_or_default();
                let mut answers = self.world.history.answers.iter();
                if !answers.any(|(_, cl_trid, known)| &**cl_trid == asked && known == sv_trid) {
                    found.push(format!("row {number} rests on an answer that {asked} never got"));
                }
            }
            let seen = || self.seen(at, moment(row.at));
            let is_so = match (row.to, &row.why) {
                (StepState::Verified, _) => seen().contains(&Look::Wanted),
                (StepState::Failed, Some(Why::NotEffective)) => seen().contains(&Look::Observed),
                (StepState::Failed, Some(Why::Gone)) => seen().contains(&Look::Gone),
                (StepState::Conflict, _) => seen().iter().any(|look| matches!(look, Look::Neither | Look::Gone)),
                _ => true,
            };
            if !is_so {
                found.push(format!(
                    "row {number} says that step {} of operation {} is {} ({:?}), and it was not so",
                    row.step, row.op, row.to, row.why
                ));
            }
        }
        for what in found {
            self.wrong("I3", what);
        }
    }

    /// I4 and I6: nothing is lost; and whatever crashed, the run comes to the same end.
    fn kept(&mut self, fold: &journal::Fold, ending: &Ending) {
        let mut found = Vec::new();
        let counted = self.operations.values().map(|operation| (operation.op, operation.count()));
        let tally = fold.tally(counted);
        let total = tally.planned + tally.verified + tally.failed + tally.conflict + tally.unknown + tally.pending;
        for site in &self.world.sites {
            let kept: HashSet<&str> = fold.messages().filter(|row| *row.registry == *site.place.id).map(|row| &*row.id).collect();
            let lost = site.sans.acknowledged().into_iter().filter(|number| !kept.contains(number.to_string().as_str()));
            found.extend(lost.map(|number| ("I4", format!("message {number} of {} is acknowledged and not on disk", site.place.id))));
        }
        if total != self.operations.len() as u64 {
            found.push(("I4", format!("{total} of {} operations are accounted for", self.operations.len())));
        }
        // A machine that dies twice between a command's row and its first byte leaves nothing to send: two rows are all there may be.
        let died_twice = self.step_rows().any(|(_, row)| row.to == StepState::Failed && row.sends >= journal::SENDS);
        let is_calm = ending.is_calm && !died_twice;
        for (at, step) in steps(&self.operations) {
            let state = fold.of(at.0, at.1).state;
            let is_ours = |effected: &&&Effected| effected.cl_trid.as_ref().is_some_and(|id| self.sent.get(id).is_some_and(|s| s.0 == at));
            let effects = self.effects(at);
            let took = effects.iter().filter(is_ours).any(|effected| self.look(at, Some(&effected.after)) == Some(Look::Wanted));
            if took && matches!(state, StepState::Planned | StepState::Failed) {
                found.push(("I4", format!("step {} of operation {} took effect, and the journal ends with {state}", at.1, at.0)));
            }
            let held = self.step(at).and_then(|(operation, _)| self.site(&operation.registry)).and_then(|site| {
                let site = self.world.sites.get(site)?;
                site.sans.held(step.object.kind, &step.object.id)
            });
            if is_calm && self.look(at, held) != Some(Look::Wanted) {
                found.push(("I6", format!("{} is not as planned, though only the machine failed", step.object.id)));
            }
        }
        for operation in self.operations.values() {
            let state = fold.operation(operation.op, operation.count());
            let stopped = self.site(&operation.registry).and_then(|site| ending.stopped.get(site)?.clone());
            let is_held = stopped.as_deref() == Some("E-apply-002");
            let is_end = state.is_final() || (state == StepState::Planned && is_held);
            if !is_end || (is_calm && state != StepState::Verified) {
                found.push(("I6", format!("operation {} ends {state} in calm weather ({stopped:?})", operation.op)));
            }
        }
        for (invariant, what) in found {
            self.wrong(invariant, what);
        }
    }

    /// I5: before the first byte of a command reached its registry, the row that says so was on disk, and could be read.
    fn durable(&mut self, ending: &Ending) {
        let mut found = Vec::new();
        for frame in self.world.history.frames.iter().filter(|frame| matches!(frame.what, What::Change(_))) {
            let Some(cl_trid) = &frame.cl_trid else {
                found.push("a command without an identifier reached a registry".to_owned());
                continue;
            };
            let is_on_disk = self.sent.get(cl_trid).is_some_and(|(_, row)| (*row as u64) < frame.rows);
            if !is_on_disk {
                found.push(format!("{cl_trid} reached the registry before its row was on disk"));
            }
            if ending.damaged_from.is_some_and(|from| frame.process >= from) {
                found.push(format!("{cl_trid} was sent on a journal that is damaged"));
            }
        }
        for what in found {
            self.wrong("I5", what);
        }
    }

    /// I7: who stopped is left alone, and who only settles sends nothing.
    fn stopped(&mut self) {
        let mut found = Vec::new();
        let mut stopped: HashSet<&str> = HashSet::new();
        for (number, entry) in self.rows.iter().enumerate() {
            match entry {
                Entry::Opened { .. } | Entry::Resumed { .. } => stopped.clear(),
                Entry::RegistryStopped { registry, .. } => _ = stopped.insert(registry),
                Entry::Step(row) if row.to == StepState::Sending => {
                    let registry = self.operations.get(&row.op).map_or("", |operation| operation.registry.as_str());
                    if stopped.contains(registry) {
                        found.push(format!("row {number} sends to {registry} after it stopped"));
                    }
                }
                _ => {}
            }
        }
        let mut refused: HashMap<(u32, usize), Moment> = HashMap::new();
        for frame in &self.world.history.frames {
            let account = (frame.process, frame.site);
            if frame.what == What::Login && refused.get(&account).is_some_and(|known| *known < frame.began) {
                found.push(format!("registry {} got a password again that it had refused", frame.site));
            }
            if let Some(known) = frame.refused {
                refused.entry(account).or_insert(known);
            }
            if matches!(frame.what, What::Change(_)) && self.world.history.settles_from.is_some_and(|from| frame.process >= from) {
                found.push("a reconciliation sent a command".to_owned());
            }
        }
        for what in found {
            self.wrong("I7", what);
        }
    }

    /// I8: no registry saw more sessions or commands than it allows, nor two commands at a time on a session that writes.
    fn limits(&mut self) {
        let mut found = Vec::new();
        let history = &self.world.history;
        for (number, site) in self.world.sites.iter().enumerate() {
            let allowed = usize::from(Allowance::of(&site.place.profile.limits, super::SHARE).sessions);
            let most = history.connections.get(&number).copied().unwrap_or_default();
            if most > allowed {
                found.push(format!("{most} connections at a time to {}, where {allowed} are ours", site.place.id));
            }
            let Some(rate) = site.place.profile.limits.rate.as_ref().map(|rate| rate.value) else { continue };
            let of = |frame: &&Frame| frame.site == number && matches!(frame.what, What::Change(_) | What::Question | What::Login);
            let times: Vec<(u32, Moment)> = history.frames.iter().filter(of).map(|frame| (frame.process, frame.began)).collect();
            let window = Duration::from_secs(u64::from(rate.seconds));
            for (begins, ends) in times.iter().zip(times.iter().skip(rate.commands as usize)) {
                if begins.0 == ends.0 && ends.1.since(begins.1) < window {
                    found.push(format!("over {} commands in {window:?} to {}", rate.commands, site.place.id));
                }
            }
        }
        let overlaps = history.frames.iter().filter(|frame| frame.overlaps);
        found.extend(overlaps.map(|frame| format!("registry {} got a command while another was unanswered", frame.site)));
        for what in found {
            self.wrong("I8", what);
        }
    }

    /// I9: no personal datum and no secret in the journal, the plan, or an identifier.
    fn discreet(&mut self, rows: &[Vec<u8>], plan: &Path) {
        let plan = crate::base::read_capped(plan, 1 << 30).unwrap_or_default();
        let ids = self.world.history.frames.iter().filter_map(|frame| frame.cl_trid.as_deref()).map(str::as_bytes);
        let texts = rows.iter().map(Vec::as_slice).chain([plan.as_slice()]).chain(ids);
        let holds = |text: &[u8], what: &str| text.windows(what.len()).any(|window| window == what.as_bytes());
        let count = texts.filter(|text| holds(text, MARKER) || holds(text, super::PASSWORD)).count();
        if count > 0 {
            self.wrong("I9", format!("{count} texts hold what is personal or secret"));
        }
    }
}

/// The rule that forbids an operation at `at`, by what was said until then.
fn forbids(ledger: &Ledger<'_>, operation: &Operation, at: Timestamp) -> Option<&'static str> {
    if !matches!(operation.basis.kind, BasisKind::ExplicitConsent | BasisKind::Terms) {
        return None;
    }
    let subject = operation.basis.subject.as_deref().and_then(Subject::read)?;
    let events: Vec<_> = ledger.events(subject).iter().filter(|event| event.at <= at).cloned().collect();
    operation.basis.purposes.iter().find_map(|purpose| decide(&events, *purpose, at).rule().map(Rule::id))
}
