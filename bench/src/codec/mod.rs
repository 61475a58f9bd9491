//! Frames in memory: decoding an answer to the typed view, and encoding a change.

mod update;

use crate::line::events;
use crate::measure::{Outcome, median};
use crate::report::{Goal, Section, figure};
use instant_epp::common::NoExtension;
use instant_epp::contact::info::InfoData;
use instant_epp::response::Response;
use instant_xml::FromXml;
use privet::model::{Command, ResData};
use privet::protocol::epp::{self, Message};
use privet::protocol::tape::Tape;
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// An answer as a registry sends it: one `int` form, disclose, no blanks between elements.
const ANSWER: &str = include_str!("answer.xml");

/// The namespace of EPP (RFC 5730).
const EPP_XMLNS: &str = "urn:ietf:params:xml:ns:epp-1.0";

/// How long each thing is done in a round.
const ROUND: Duration = Duration::from_millis(25);

/// What instant-epp wraps answers in; its own is private.
#[derive(FromXml)]
#[xml(rename = "epp", ns(EPP_XMLNS))]
struct Epp {
    data: Response<InfoData, NoExtension>,
}

/// A thing to time.
type Work<'w> = (&'static str, Box<dyn FnMut() + 'w>);

/// Times everything, `rounds` times in turn.
pub fn bench(rounds: usize) -> Outcome<Section> {
    check()?;
    let mut tape = Tape::new();
    let (command, cl_trid) = update::command();
    let [mut ours, mut writers, mut plain] = [const { Vec::new() }; 3];
    let mut all: Vec<Work<'_>> = vec![
        ("decode: scan alone (quick_xml::Reader)", Box::new(|| drop(black_box(events(black_box(ANSWER)))))),
        ("decode: Privet, tape and types", Box::new(|| drop(black_box(decode(&mut tape))))),
        ("decode: instant-epp, types", Box::new(|| drop(black_box(instant_xml::from_str::<Epp>(black_box(ANSWER)))))),
        ("encode: append and escape", Box::new(|| update::append(black_box(&mut plain)))),
        ("encode: Privet, held to the schema", Box::new(|| encode(&command, &cl_trid, black_box(&mut ours)))),
        ("encode: quick_xml::Writer", Box::new(|| drop(black_box(update::write(black_box(&mut writers)))))),
    ];
    let mut times: Vec<Vec<f64>> = all.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((_, work), times) in all.iter_mut().zip(&mut times) {
            times.push(nanoseconds(work));
        }
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    drop(all);
    Ok(section(&names, &times, rounds, ours.len()))
}

/// Decodes over and over, for a profiler.
pub fn spin(what: &str, times: u64) -> Outcome<()> {
    check()?;
    let mut tape = Tape::new();
    let (command, cl_trid) = update::command();
    let mut out = Vec::new();
    for _ in 0..times {
        match what {
            "decode" => drop(black_box(decode(&mut tape))),
            "encode" => encode(&command, &cl_trid, black_box(&mut out)),
            "append" => update::append(black_box(&mut out)),
            "tape" => drop(black_box(tape.read(black_box(ANSWER.as_bytes())))),
            "scan" => drop(black_box(events(black_box(ANSWER)))),
            _ => return Err("decode, encode, append, tape or scan".into()),
        }
    }
    Ok(())
}

fn decode(tape: &mut Tape) -> Option<Message> {
    tape.read(black_box(ANSWER.as_bytes())).ok()?;
    epp::decode(tape).ok()
}

fn encode(command: &Command, cl_trid: &privet::base::ClTrid, out: &mut Vec<u8>) {
    out.clear();
    if let Err(e) = epp::encode(black_box(command), Some(cl_trid), &[], out) {
        unreachable!("checked before: {e}");
    }
}

/// Time of one run of `work`, over a round.
fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let (start, mut runs) = (Instant::now(), 0_u32);
    while start.elapsed() < ROUND {
        for _ in 0..100 {
            work();
        }
        runs += 100;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(runs)
}

/// What is timed must be right, and the encoders must write the same document.
fn check() -> Outcome<()> {
    let mut tape = Tape::new();
    let Some(Message::Response(response)) = decode(&mut tape) else { return Err("Privet does not read the answer".into()) };
    let [ResData::Contact(contact)] = response.data.as_slice() else { return Err("Privet reads no contact".into()) };
    let unknown = tape.unknown();
    if !unknown.is_empty() || contact.id.as_str() != "HEDGE-4711" || contact.disclose.is_none() || contact.updated.is_none() {
        return Err(format!("Privet does not read all of the answer: {} left", unknown.len()).into());
    }
    let theirs = instant_xml::from_str::<Epp>(ANSWER).map_err(|e| format!("instant-epp does not read the answer: {e:?}"))?;
    if theirs.data.res_data().is_none_or(|data| data.id != "HEDGE-4711") {
        return Err("instant-epp reads no contact".into());
    }
    let (command, cl_trid) = update::command();
    let [mut ours, mut writers, mut plain] = [const { Vec::new() }; 3];
    epp::encode(&command, Some(&cl_trid), &[], &mut ours).map_err(|e| e.to_string())?;
    update::write(&mut writers)?;
    update::append(&mut plain);
    for (who, other) in [("the Writer", &writers), ("append", &plain)] {
        if ours != *other {
            let (ours, other) = (String::from_utf8_lossy(&ours), String::from_utf8_lossy(other));
            return Err(format!("{who} writes another document:\n{ours}\n{other}").into());
        }
    }
    Ok(())
}

fn section(names: &[&str], times: &[Vec<f64>], rounds: usize, encoded: usize) -> Section {
    let ratio = |a: usize, b: usize| median(times[a].iter().zip(&times[b]).map(|(a, b)| a / b));
    let row = |at: usize| {
        let floor = if at < 3 { 0 } else { 3 };
        vec![names[at].to_owned(), figure(median(times[at].iter().copied())), figure(ratio(at, floor))]
    };
    Section {
        title: "Frames",
        how: format!(
            "A contact infData of {} bytes and a full contact update of {encoded} bytes, in memory, buffers reused; medians of {rounds} \
             interleaved rounds, ratios within a round. The three encoders write the same bytes.",
            ANSWER.len()
        ),
        head: vec!["what", "ns", "ratio to the floor"],
        rows: (0..names.len()).map(row).collect(),
        goals: vec![
            Goal::at_most("decode: time of a bare scan", ratio(1, 0), 2.6),
            Goal::at_most("decode, stretch: time of a bare scan", ratio(1, 0), 2.0),
            Goal::at_most("decode: time of instant-epp", ratio(1, 2), 1.0),
            Goal::at_most("encode: time of quick_xml::Writer", ratio(4, 5), 1.0),
            Goal::at_most("encode, stretch: time of append and escape", ratio(4, 3), 2.0),
        ],
        raw: json!(names.iter().zip(times).map(|(name, times)| json!({ "what": name, "ns": times })).collect::<Vec<_>>()),
    }
}
