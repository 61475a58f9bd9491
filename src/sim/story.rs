//! The story of one seed: what befalls the client, how often it begins anew, and what is left in the end.

use super::bug::Bug;
use super::check::{Ending, Violation, check};
use super::disk::{Disk, Opening};
use super::fault::Weather;
use super::process::{Process, Start};
use super::scene::{self, Place};
use super::world::{Ended, Mishaps, World};
use crate::base::{Digest, Result};
use crate::journal::{self, Tally};
use crate::mock::fleet::Draw;
use crate::plan::PlanFile;
use crate::store::Store as _;
use std::path::Path;
use std::time::Duration;

/// The most processes that are begun in calm weather before the end is looked at.
const CALM: u32 = 8;

/// What is simulated.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Everything is drawn from it.
    pub seed: u64,
    /// How many operations the plan has at least; drawn where it is not given.
    pub operations: Option<u64>,
    /// The one step before which the machine dies, where nothing else goes wrong; otherwise all that the seed draws does.
    pub crash: Option<u64>,
    /// A mistake to plant.
    pub bug: Option<Bug>,
    /// Whether everything that happens is told.
    pub trace: bool,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The words that were not kept.
    pub violations: Vec<Violation>,
    /// Over the journal and the registries' commits.
    pub digest: Option<Digest>,
    /// Steps of the first process.
    pub steps: u64,
    /// Processes.
    pub processes: u32,
    /// Frames that reached the registries.
    pub frames: usize,
    /// What became of the operations.
    pub tally: Tally,
    /// All that happened.
    pub trace: Vec<String>,
}

/// Plays the story of `case`, with its plan at `plan`.
///
/// # Errors
/// What kept it from being played: the plan cannot be written, or the world is none.
pub fn simulate(case: &Case, plan: &Path) -> Result<Report> {
    play(case, plan, Disk::new(None)?)
}

/// The same over a store that is no fake, and that is empty when it is opened first.
///
/// # Errors
/// As [`simulate`], and as `open`.
pub fn simulate_over(case: &Case, plan: &Path, open: Opening) -> Result<Report> {
    play(case, plan, Disk::new(Some(open))?)
}

fn play(case: &Case, plan: &Path, disk: Disk) -> Result<Report> {
    let mut draw = Draw::new(case.seed, "story", 0);
    let operations = case.operations.unwrap_or_else(|| 1 + draw.below(12));
    let scene = scene::build(case.seed, operations, plan, disk)?;
    let places: Vec<Place> = scene.places.iter().map(Place::clone).collect();
    let world = World::new(scene, case.seed, case.bug, case.trace)?;
    let tolerance = draw.pick(&[50, 500, 1000]).copied().unwrap_or_default();
    let mut story = Story { case, plan, places, world, draw, tolerance, ending: Ending::default(), report: Report::default() };
    story.play()?;
    story.tell()
}

struct Story<'a> {
    case: &'a Case,
    plan: &'a Path,
    places: Vec<Place>,
    world: World,
    draw: Draw,
    tolerance: u64,
    ending: Ending,
    report: Report,
}

impl Story<'_> {
    fn play(&mut self) -> Result<()> {
        let is_drawn = self.case.crash.is_none();
        let weather = if is_drawn { Weather::of(&mut self.draw) } else { Weather { pieces: 200, ..Weather::CALM } };
        let stormy = if is_drawn { 1 + self.draw.below(3) } else { 1 };
        let withdraws = is_drawn && self.draw.chance(250);
        self.ending.is_calm = weather.is_calm() && !withdraws;
        for _ in 0..stormy {
            self.world.weather = weather;
            let mishaps = if is_drawn { self.mishaps(withdraws) } else { Mishaps { crash: self.case.crash, ..Mishaps::default() } };
            if !self.live(mishaps, false)? {
                return Ok(());
            }
        }
        self.world.weather = Weather::CALM;
        for _ in 0..CALM {
            // Whatever a registry was to decide, it has decided by the last of them.
            self.world.now = self.world.now + Duration::from_mins(31);
            let before = (self.report.tally, self.world.is_idle());
            if !self.live(Mishaps::default(), false)? {
                return Ok(());
            }
            let Tally { planned, unknown, pending, .. } = self.report.tally;
            if planned + unknown + pending == 0 || before == (self.report.tally, true) {
                break;
            }
        }
        self.world.history.settles_from = Some(self.world.process + 1);
        let stopped = self.ending.stopped.clone();
        self.live(Mishaps::default(), true)?;
        self.ending.stopped = stopped;
        Ok(())
    }

    /// What befalls the next process.
    fn mishaps(&mut self, withdraws: bool) -> Mishaps {
        let draw = &mut self.draw;
        let mut at = |per_mille: u64| draw.chance(per_mille).then(|| 1 + draw.below(220));
        let (crash, stop, pause) = (at(700), at(100), at(100));
        let withdrawal = if withdraws { at(700) } else { None };
        let time = Duration::from_secs(self.draw.below(1200));
        Mishaps { crash, stop, pause: pause.map(|at| (at, time)), withdrawal }
    }

    /// Lets one process live. Whether another may follow.
    fn live(&mut self, mishaps: Mishaps, settle_only: bool) -> Result<bool> {
        self.world.process += 1;
        self.report.processes += 1;
        let start = Start {
            plan: self.plan,
            places: &self.places,
            number: self.world.process,
            seed: self.case.seed,
            settle_only,
            tolerance: self.tolerance,
            bug: self.case.bug,
            wall: self.world.wall(),
        };
        self.world.disk.reopen()?;
        let mut process = match Process::start(start, &self.world.disk) {
            Ok(Some(process)) => process,
            Ok(None) => return Ok(true),
            // A journal that cannot be trusted is where everything ends.
            Err(_) if self.ending.damaged_from.is_some() => return Ok(false),
            Err(problem) => return Ok(self.fails("I6", &problem.to_string())),
        };
        let ended = match self.world.run(&mut process, mishaps) {
            Ok(ended) => ended,
            Err(problem) => return Ok(self.fails("I6", &problem.to_string())),
        };
        if self.report.processes == 1 {
            self.report.steps = self.world.steps;
        }
        match ended {
            Ended::Finished if self.ending.damaged_from.is_some() => {}
            Ended::Finished => (self.report.tally, self.ending.stopped) = process.finish(self.world.wall())?,
            Ended::Crashed => {
                self.world.now = self.world.now + Duration::from_secs(self.draw.below(20));
                if self.case.crash.is_none() && self.draw.chance(40) {
                    self.damage(process.rows())?;
                }
            }
            Ended::Hung => return Ok(self.fails("I6", "the process waits for nothing that will ever come")),
        }
        Ok(true)
    }

    /// The disk gives a row back otherwise than it was written.
    fn damage(&mut self, rows: u64) -> Result<()> {
        let stream = journal::run_stream(&PlanFile::open(self.plan)?.header().id, 1)?;
        self.world.disk.damage(stream, self.draw.below(rows));
        self.ending.damaged_from = Some(self.world.process + 1);
        Ok(())
    }

    fn fails(&mut self, invariant: &'static str, what: &str) -> bool {
        self.report.violations.push(Violation { invariant, what: what.to_owned() });
        false
    }

    fn tell(mut self) -> Result<Report> {
        if self.report.violations.is_empty() {
            self.report.violations = check(&self.world, self.plan, &self.ending)?;
        }
        let mut bytes = Vec::new();
        let id = PlanFile::open(self.plan)?.header().id.clone();
        let stream = journal::run_stream(&id, 1)?;
        self.world.disk.rows(&stream, 0, &mut |link| {
            bytes.extend_from_slice(link.row);
            Ok(())
        })?;
        for site in &self.world.sites {
            for effected in site.sans.effected() {
                let row = scene::row_of(&effected.after);
                bytes.extend_from_slice(format!("{:?}{:?}{:?}{}", effected.at, effected.cl_trid, effected.object, row.id()).as_bytes());
            }
        }
        self.report.digest = Some(Digest::of(&bytes));
        self.report.frames = self.world.history.frames.len();
        self.report.trace = self.world.trace.take().unwrap_or_default();
        Ok(self.report)
    }
}
