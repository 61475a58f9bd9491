//! The tables `[agents.NAME]`: data of the registrar's own and of its resellers, which are no registrant's.

use super::table::{Reading, Table};
use super::types::Agent;
use std::collections::BTreeMap;

/// The most of them.
const MOST: usize = 1000;

/// Every agent of the file.
pub(super) fn all(reading: &mut Reading<'_>, table: &mut Table<'_>) -> BTreeMap<String, Agent> {
    let mut agents = BTreeMap::new();
    for (n, (name, line, mut entry)) in table.entries(reading).into_iter().enumerate() {
        if n == MOST {
            reading.fault("E-config-004", &entry.name, Some(line), format!("there are more than {MOST} agents"), "name the largest ones");
            break;
        }
        let at = entry.name.clone();
        let mut text = |key| entry.find(key).and_then(|found| found.text(reading)).unwrap_or_default();
        let [org, street, voice, email_domain] = ["org", "street1", "voice", "email_domain"].map(&mut text);
        let agent = Agent { name: text("name"), org, street, voice, email_domain };
        if agent == Agent::default() && !reading.torn {
            let remedy = "give `email_domain`, or at least two of `name`, `org`, `street1` and `voice`";
            reading.fault("E-config-014", &at, Some(line), "nothing says by what the agent's data are known", remedy);
        }
        entry.finish(reading);
        agents.insert(name, agent);
    }
    agents
}
