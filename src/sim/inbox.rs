//! The message queue of a registry, read until it is empty by a reader of the simulator's own: the client has none yet that
//! acknowledges. A message is on disk before it is acknowledged, so that none is lost wherever the reader dies.

use super::bug::Bug;
use super::check::Violation;
use super::line::between;
use super::world::World;
use crate::base::Result;
use crate::mock::fleet::Draw;
use crate::store::{Append, Batch, Store as _, StreamName, read as rows};
use std::collections::BTreeSet;

/// Messages in each queue.
pub(super) const MESSAGES: u32 = 3;
/// The steps in which a queue is read: each message is asked for, kept, and acknowledged.
const STEPS: u64 = MESSAGES as u64 * 3;

/// Reads the first registry's queue, with a reader that dies once; whether a message was lost.
///
/// # Errors
/// Where the disk fails.
pub(super) fn read(world: &mut World, bug: Option<Bug>, draw: &mut Draw) -> Result<Option<Violation>> {
    let stream = StreamName::new("inbox/0")?;
    let early = bug == Some(Bug::AckBeforeStore);
    for mut left in [draw.below(STEPS), u64::MAX] {
        empty(world, &stream, early, &mut left)?;
    }
    let kept = kept(world, &stream)?.len();
    let lost = kept < MESSAGES as usize;
    let what = format!("{kept} of {MESSAGES} messages that were acknowledged are on disk");
    Ok(lost.then_some(Violation { invariant: "I4", what }))
}

fn kept(world: &mut World, stream: &StreamName) -> Result<BTreeSet<Vec<u8>>> {
    let mut kept = BTreeSet::new();
    rows(&mut world.disk, stream, |_, row| {
        kept.insert(row.to_vec());
        Ok(())
    })?;
    Ok(kept)
}

/// Takes message after message, until there is none or no step is `left`.
fn empty(world: &mut World, stream: &StreamName, early: bool, left: &mut u64) -> Result<()> {
    while let Some(id) = ask(world, "<poll op=\"req\"/>") {
        for is_ack in [early, !early] {
            if *left == 0 {
                return Ok(());
            }
            *left -= 1;
            if is_ack {
                ask(world, &format!("<poll op=\"ack\" msgID=\"{id}\"/>"));
            } else if !kept(world, stream)?.contains(id.as_bytes()) {
                let head = world.disk.head(stream)?;
                let append = Append { stream: stream.clone(), expected: head.rows, rows: vec![id.as_bytes().into()] };
                world.disk.commit(&Batch { appends: vec![append], cells: Vec::new() })?;
            }
        }
    }
    Ok(())
}

/// Sends a command of the queue; the number of the message that comes, where one does.
fn ask(world: &mut World, command: &str) -> Option<String> {
    let frame = format!("<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command>{command}<clTRID>inbox</clTRID></command></epp>");
    let (now, wall) = (world.now, world.wall());
    let reply = world.sites.first_mut()?.sans.carry_out(frame.as_bytes(), now, wall);
    let text = String::from_utf8(reply.payload).ok()?;
    Some(between(&text, "<msgQ", ">")?.split_once(" id=\"")?.1.split_once('"')?.0.to_owned()).filter(|_| reply.code == 1301)
}
