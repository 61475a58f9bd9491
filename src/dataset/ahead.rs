//! Parts of a table, each read while the one before it is still at work.

use crate::base::Result;
use std::sync::mpsc::sync_channel;

/// Hands the parts from 0 up to `parts` to `take`, in order, while a thread of its own reads the next one: unpacking needs a core, and what
/// is done with the rows another. At most three parts are in memory: one at work, one waiting, one being read.
///
/// # Errors
/// The first one of `read` or `take`, by the order of the parts.
pub fn ahead<T: Send>(parts: u32, read: impl Fn(u32) -> Result<T> + Send, mut take: impl FnMut(u32, T) -> Result<()>) -> Result<()> {
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(1);
        scope.spawn(move || {
            for part in 0..parts {
                let one = read(part);
                let is_last = one.is_err();
                // Whoever takes them may have failed, and wants no more.
                if send.send(one).is_err() || is_last {
                    return;
                }
            }
        });
        for (part, one) in (0..parts).zip(receive) {
            take(part, one?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Blame, Problem};

    fn problem(part: u32) -> Box<Problem> {
        Problem::new("E-test-001", Blame::Input, format!("part {part}"), "none")
    }

    #[test]
    fn parts_come_in_order_and_whole() {
        let mut met = Vec::new();
        let mut take = |part, value| {
            met.push((part, value));
            Ok(())
        };
        ahead(5, |part| Ok(part * 10), &mut take).unwrap();
        assert_eq!(met, [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]);
        ahead(0, |_| Err::<(), _>(problem(0)), |_, ()| Ok(())).unwrap();
    }

    #[test]
    fn the_first_fault_ends_it_whichever_side_has_it() {
        let mut met = Vec::new();
        let mut take = |part, _| {
            met.push(part);
            Ok(())
        };
        let reading = ahead(9, |part| if part == 3 { Err(problem(part)) } else { Ok(part) }, &mut take);
        assert!(reading.unwrap_err().to_string().contains("part 3"));
        assert_eq!(met, [0, 1, 2]);
        let taking = ahead(u32::MAX, Ok, |part, _| if part == 2 { Err(problem(part)) } else { Ok(()) });
        assert!(taking.unwrap_err().to_string().contains("part 2"));
    }
}
