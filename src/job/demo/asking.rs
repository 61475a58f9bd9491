//! The demo's asking for consent: orders are asked for as planted, once, and the report on it says what was planted.

use super::change::must;
use super::officer::{folder, wrong};
use super::{Is, rows, same};
use crate::base::{Blame, Exit, Problem, Problems, Result, write_atomic};
use crate::job::config::Loaded;
use crate::job::{Context, consent_ask, consent_import, consent_sent, report_consent};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The columns of what orders come to.
const ORDER: [&str; 7] = ["order", "registry", "tld", "state", "course", "asked", "waits_until"];
/// The columns of what is amiss.
const AMISS: [&str; 4] = ["rule", "registry", "object", "id"];

/// Takes answers in, asks whom the orders call for, notes that this was sent, and reports; tells where that stands.
///
/// # Errors
/// Whatever keeps a verb from ending; `E-demo-002` where somebody is asked otherwise, or is told otherwise, than was planted.
pub(super) fn asking(loaded: &Loaded, out: &Path, ctx: &Context) -> Result<String, Problems> {
    must(&consent_import(loaded, ctx, &[out.join("records/answers.csv")], false)?, "taking answers in")?;
    let asked = consent_ask(loaded, ctx)?;
    // An order of which something is not known is refused, as planted.
    if !matches!(asked.exit(), Exit::Done | Exit::GateRefused) {
        return Err(wrong(format!("asking ended with {:?}", asked.exit())).into());
    }
    let messages = match asked.json["file"].as_str() {
        Some(file) => read(Path::new(file))?,
        None => Vec::new(),
    };
    let told: BTreeSet<Vec<String>> = messages.iter().map(|message| vec![orders_of(message)]).collect();
    let planted = rows(&out.join("truth/asked.csv"), &["orders"], &[])?;
    if told != planted || messages.len() != planted.len() {
        return Err(wrong(format!("{} messages ask, and {} were planted", messages.len(), planted.len())).into());
    }
    if consent_ask(loaded, ctx)?.json["messages"] != 0 {
        return Err(wrong("somebody is asked twice".to_owned()).into());
    }
    let sent = out.join("records/sent.csv");
    write_atomic(&sent, confirmed(&messages, &ctx.clock.wall().to_string()).as_bytes())?;
    must(&consent_sent(loaded, ctx, &[sent])?, "noting what was sent")?;
    let dir = folder(&report_consent(loaded, ctx)?);
    let truth = out.join("truth/orders.csv");
    same(&truth, &dir.join("consent-orders.csv"), &ORDER, "orders", &[])?;
    // Of subjects, whose numbers are drawn anew each time, nothing is planted.
    let found = [("object", Is::Not("subject"))];
    same(&out.join("truth/consent.csv"), &dir.join("consent-findings.csv"), &AMISS, "findings about consent", &found)?;
    Ok(format!(
        "Whom the orders call for was asked once, and every order does what was planted, listed in\n{}: {}",
        truth.display(),
        dir.join("consent.html").display()
    ))
}

/// The messages of the outbox.
fn read(file: &Path) -> Result<Vec<Value>> {
    let broken = |why: String| Problem::new("E-demo-003", Blame::Us, format!("cannot read: {why}"), "report this as a bug").file(file);
    let text = std::fs::read_to_string(file).map_err(|e| broken(e.to_string()))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|e| broken(e.to_string()))).collect()
}

/// The orders that a message is about.
fn orders_of(message: &Value) -> String {
    message["orders"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
}

/// What a mailer writes that sent them all.
fn confirmed(messages: &[Value], at: &str) -> String {
    let text = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let rows = messages.iter().map(|message| format!("{},{at},{}\n", text(message, "message"), text(message, "to")));
    ["message,sent_at,to\n".to_owned()].into_iter().chain(rows).collect()
}
