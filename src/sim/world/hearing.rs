//! The registries' end of the lines: what they make of the bytes that reach them, as the weather has it.

use super::{COMMAND_CAP, LATENCY, Later, World};
use crate::base::{Blame, Moment, Personal, Problem};
use crate::mock::Held;
use crate::model::{ObjectKind, StatusValue};
use crate::protocol::frame::{Framer as _, LengthPrefix};
use crate::sim::fault::{Answers, Fate, Greeting, Takes};
use crate::sim::history::Frame;
use crate::sim::line::{Said, Sent, Server, What, between, framed, plain};
use crate::sim::process::Process;
use crate::sim::scene;
use std::collections::VecDeque;
use std::time::Duration;

/// For how long at most an object cannot be told of, in milliseconds.
const SPELL: u64 = 300_000;

impl World {
    /// A line stands, or does not.
    pub(super) fn connect(&mut self, at: usize, process: &mut Process) {
        let now = self.time();
        let Some(line) = self.lines.get_mut(at) else { return };
        let Some((_, greeting)) = line.opening.take() else { return };
        let (site, session) = (line.site, line.session);
        let Some(part) = process.parts.get_mut(site) else { return };
        if greeting == Greeting::Refused {
            self.lines.remove(at);
            let problem = Problem::new("E-net-001", Blame::Registry, "the connection was refused", "try later");
            part.pool.handle_connect_failed(session, problem, true, now);
            return;
        }
        let Some(known) = self.sites.get_mut(site) else { return };
        let (visit, payload) = known.sans.open(now.at, now.wall);
        let kept = known.kept.take();
        let mut server = kept.unwrap_or_else(|| Server {
            visit,
            framer: LengthPrefix::epp(COMMAND_CAP),
            out: VecDeque::new(),
            began: None,
            outstanding: 0,
            is_kept: false,
        });
        match greeting {
            Greeting::Comes => server.out.push_front((now.at, Sent::Frame(framed(&payload), false))),
            Greeting::Closed => server.out.push_back((now.at, Sent::End)),
            Greeting::Silent | Greeting::Refused => {}
        }
        line.server = Some(server);
        part.pool.handle_connected(session, None, now);
    }

    /// Bytes reach the registry, as many as `most` where that is given, and the end behind the last of them.
    pub(super) fn arrive(&mut self, at: usize, most: Option<usize>) {
        let Some(length) = self.lines.get(at).map(|line| line.wire.len()) else { return };
        let length = most.unwrap_or_else(|| self.slice(length)).min(length);
        let (now, rows) = (self.now, self.rows);
        let Some(line) = self.lines.get_mut(at) else { return };
        if line.wire.is_empty() {
            if !line.has_client {
                self.hang_up(at);
            }
            return;
        }
        let bytes: Vec<u8> = line.wire.drain(..length).collect();
        let number = line.number;
        let Some(server) = &mut line.server else { return };
        server.began.get_or_insert((now, rows));
        server.framer.push(&bytes);
        loop {
            let Some(at) = self.lines.iter().position(|line| line.number == number) else { return };
            let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
            let frame = match server.framer.next_frame() {
                Ok(Some(frame)) => frame.to_vec(),
                Ok(None) => {
                    if !server.framer.is_inside() {
                        server.began = None;
                    }
                    return;
                }
                Err(_) => {
                    self.history.frames.push(Frame::nothing(self.lines.get(at).map_or(0, |line| line.site), self.process, now, rows));
                    return self.hang_up(at);
                }
            };
            let began = server.began.replace((now, rows)).unwrap_or((now, rows));
            self.hear(at, &frame, began);
        }
    }

    /// A registry hears a whole frame.
    fn hear(&mut self, at: usize, frame: &[u8], began: (Moment, u64)) {
        let said = Said::of(frame);
        let fate = match said.what {
            What::Login => self.weather.login(&mut self.faults),
            What::Change(is_new) => self.weather.command(is_new, &mut self.faults),
            What::Question => self.question(at, &said),
            What::Other | What::Nothing => Fate::FINE,
        };
        let (now, wall, process) = (self.now, self.wall(), self.process);
        let Some(line) = self.lines.get_mut(at) else { return };
        let (site, session) = (line.site, line.session);
        line.asked.clone_from(&said.cl_trid);
        let Some(server) = &mut line.server else { return };
        let is_relayed = server.is_kept && said.what == What::Login;
        let overlaps = server.outstanding > 0 && !is_relayed;
        server.outstanding += u32::from(!is_relayed);
        let over = (!matches!(fate.takes, Takes::After(_))).then_some(now);
        let number = self.history.frames.len();
        let is_refused = said.what == What::Login && fate.answers == Answers::Code(2200);
        let refused = is_refused.then(|| now + Duration::from_millis(LATENCY));
        let cl_trid = said.cl_trid.clone();
        let (began, rows) = began;
        self.history.frames.push(Frame { site, process, began, rows, what: said.what, cl_trid, over, overlaps, refused });
        self.tell(|| format!("{site}.{session}: {:?} {:?} {:?}: {fate:?}", said.what, said.cl_trid, said.object));
        if is_relayed {
            let answer = plain(1000, said.cl_trid.as_deref(), "KEPT");
            return self.send(at, now, Sent::Frame(framed(&answer), false));
        }
        if fate.meddled.0 {
            self.meddle(site, said.object.as_ref());
        }
        let Some(known) = self.sites.get_mut(site) else { return };
        let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
        let own = match fate.takes {
            Takes::Now | Takes::Twice => Some(known.sans.answer(&mut server.visit, frame, now, wall)),
            Takes::Never | Takes::After(_) => None,
        };
        match fate.takes {
            Takes::Twice => _ = known.sans.carry_out(frame, now, wall),
            Takes::After(wait) => {
                let pending = said.object.clone().filter(|_| matches!(fate.answers, Answers::Pending(_)));
                if let Some((kind, id)) = &pending {
                    known.sans.alter(*kind, id, |held| set_pending(held, true), now, wall);
                }
                let accepted = fate.answers != Answers::Pending(false);
                self.counted += 1;
                self.later.insert((now + wait, self.counted), Later { site, frame: frame.to_vec(), number, pending, accepted });
            }
            Takes::Now | Takes::Never => {}
        }
        let (closes, payload) = match own {
            Some(reply) => (reply.closes, reply.payload),
            None => (false, Vec::new()),
        };
        self.answer(at, &said, fate.answers, payload, closes);
        if fate.meddled.1 {
            self.meddle(site, said.object.as_ref());
        }
    }

    /// What becomes of a question: an object that cannot be told of stays so for a while.
    fn question(&mut self, at: usize, said: &Said) -> Fate {
        let (Some(line), Some((_, id))) = (self.lines.get(at), &said.object) else { return Fate::FINE };
        let place = (line.site, id.clone());
        let mut fate = self.weather.question(&mut self.faults);
        if fate.answers == Answers::Garbage {
            let spell = Duration::from_millis(self.faults.below(SPELL));
            self.spells.insert(place, self.now + spell);
        } else if self.spells.get(&place).is_some_and(|until| *until > self.now) {
            fate = Fate { answers: Answers::Garbage, ..Fate::FINE };
        }
        fate
    }

    /// Sends what `answers` makes of the registry's own answer.
    fn answer(&mut self, at: usize, said: &Said, answers: Answers, own: Vec<u8>, closes: bool) {
        let soon = self.now + Duration::from_millis(self.faults.below(LATENCY));
        self.counted += 1;
        let sv_trid = format!("SIM-{}", self.counted);
        let cl_trid = said.cl_trid.as_deref();
        let (payload, closes) = match answers {
            Answers::Code(code) => (plain(code, cl_trid, &sv_trid), code / 100 % 10 == 5),
            Answers::Pending(_) => (plain(1001, cl_trid, &sv_trid), false),
            Answers::Foreign => (plain(1000, Some("SOMEBODY-1"), &sv_trid), false),
            _ if own.is_empty() => (own, true),
            _ => (own, closes),
        };
        let text = String::from_utf8_lossy(&payload);
        let site = self.lines.get(at).map_or(0, |line| line.site);
        if let (Some(cl_trid), Some(sv_trid)) = (between(&text, "<clTRID>", "<"), between(&text, "<svTRID>", "<")) {
            self.history.answers.push((site, cl_trid.into(), sv_trid.into()));
        }
        let frame = || Sent::Frame(framed(&payload), true);
        match answers {
            _ if payload.is_empty() => {}
            Answers::Own | Answers::Code(_) | Answers::Pending(_) | Answers::Foreign => self.send(at, soon, frame()),
            Answers::Late(wait) => self.send(at, soon + wait, frame()),
            Answers::Again(wait) => {
                self.send(at, soon, frame());
                self.send(at, soon + wait, Sent::Frame(framed(&payload), false));
            }
            Answers::Cut => {
                let mut part = framed(&payload);
                let most = part.len() as u64 - 1;
                part.truncate(usize::try_from(self.faults.below(most)).unwrap_or_default());
                self.send(at, soon, Sent::Frame(part, false));
            }
            Answers::Garbage => self.send(at, soon, Sent::Frame(framed(payload.get(..payload.len() / 2).unwrap_or_default()), true)),
            Answers::Close | Answers::Silence => {}
        }
        let ends = matches!(answers, Answers::Cut | Answers::Close) || (closes && answers != Answers::Silence);
        if ends {
            self.send(at, soon, Sent::End);
        }
    }

    /// Puts something on the way to the client, behind what is on its way already, unless that is late.
    fn send(&mut self, at: usize, due: Moment, sent: Sent) {
        let Some(server) = self.lines.get_mut(at).and_then(|line| line.server.as_mut()) else { return };
        let place = server.out.partition_point(|(other, _)| *other <= due);
        server.out.insert(place, (due, sent));
    }

    /// Somebody else changes an object: never so that it is again as it was.
    fn meddle(&mut self, site: usize, object: Option<&(ObjectKind, Box<str>)>) {
        let Some((kind, id)) = object else { return };
        self.counted += 1;
        let (how, number, now, wall) = (self.faults.below(3), self.counted, self.now, self.wall());
        let Some(known) = self.sites.get_mut(site) else { return };
        known.sans.alter(*kind, id, |held| meddle(held, how, number), now, wall);
        self.tell(|| format!("{site}: somebody changes {id} ({how})"));
    }

    /// The machine dies: of what was on its way some bytes still arrive, and then nothing.
    pub(super) fn crash(&mut self) {
        self.tell(|| "the machine dies".to_owned());
        while let Some(line) = self.lines.first_mut() {
            let (number, length) = (line.number, line.wire.len());
            line.has_client = false;
            line.unwritten.clear();
            if length > 0 && line.server.is_some() {
                let most = usize::try_from(self.order.below(length as u64 + 1)).unwrap_or_default();
                if most > 0 {
                    self.arrive(0, Some(most));
                }
            }
            if let Some(at) = self.lines.iter().position(|line| line.number == number) {
                self.hang_up(at);
                self.lines.retain(|line| line.number != number);
            }
        }
        for site in &mut self.sites {
            if let Some(kept) = site.kept.take() {
                site.sans.close(kept.visit);
            }
        }
    }
}

pub(super) fn set_pending(held: &mut Held, is_pending: bool) {
    let statuses = match held {
        Held::Contact(contact) => &mut contact.statuses,
        Held::Domain(domain) => &mut domain.statuses,
    };
    statuses.retain(|status| status.value != StatusValue::PENDING_UPDATE);
    if is_pending {
        statuses.push(StatusValue::PENDING_UPDATE.into());
    }
}

fn meddle(held: &mut Held, how: u64, number: u64) {
    match held {
        Held::Domain(domain) if how == 0 && domain.registrant.is_some() => {
            domain.registrant = Some(crate::base::Handle::new(format!("X-{number}")));
        }
        Held::Domain(domain) => {
            let status = if how == 1 { StatusValue::CLIENT_TRANSFER_PROHIBITED } else { StatusValue::CLIENT_DELETE_PROHIBITED };
            if domain.statuses.iter().all(|there| there.value != status) {
                domain.statuses.push(status.into());
            }
        }
        Held::Contact(contact) if how == 0 => contact.email = Some(Personal::new(format!("{}x{number}@else.example", scene::MARKER))),
        Held::Contact(contact) if how == 1 => contact.disclose = crate::dataset::disclose_of("1:email,voice"),
        Held::Contact(contact) => contact.voice = None,
    }
}
