//! The `orders` table of local records: what was ordered for whom through which provider, and when.

use super::columns::ORDERS;
use super::ingest::{Layout, Source};
use crate::base::{Blame, Exit, Handle, Problem, Problems, RegistryId, Timestamp, escape_controls};
use std::collections::{BTreeSet, HashMap};

/// The most orders of all files: all of them are in memory at once.
const MAX_ORDERS: usize = 2_000_000;
/// The most characters of an order's number, a handle, a provider and a brand.
const MAX_NAME: usize = 64;

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderKind {
    /// A name that is new.
    Registration,
    /// Other data of a name.
    Update,
    /// A name that comes from another registrar.
    Transfer,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Registration, Self::Update, Self::Transfer];

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Update => "update",
            Self::Transfer => "transfer",
        }
    }
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// It is to be carried out.
    Open,
    /// It was carried out.
    Done,
    /// It was taken back.
    Cancelled,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Done, Self::Cancelled];

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number: letters, digits and `._:/+-`.
    pub id: Box<str>,
    /// The registry account.
    pub registry: RegistryId,
    /// What stands behind the first dot of the name, as A-labels in lower case.
    pub tld: Box<str>,
    /// The registrant's handle in the local records.
    pub handle: Handle,
    /// What was ordered.
    pub kind: OrderKind,
    /// When.
    pub at: Timestamp,
    /// Through which provider, where the row says it.
    pub provider: Option<Box<str>>,
    /// How it stands.
    pub state: OrderState,
    /// Under which brand it was sold, where the row says it.
    pub brand: Option<Box<str>>,
    /// In which language its customer is spoken to (BCP 47), where the row says it.
    pub language: Option<Box<str>>,
}

/// Reads the orders of the `registries` that there are, by time and then by number.
///
/// # Errors
/// Every problem of every file, `E-orders-001` and on. An order that stands there twice is one where both rows say the same.
pub fn read_orders(source: &Source, registries: &BTreeSet<RegistryId>) -> Result<Vec<Order>, Problems> {
    let mut problems = Problems::default();
    let mut orders: Vec<Order> = Vec::new();
    let mut seen: HashMap<Box<str>, (usize, u64)> = HashMap::new();
    let mut is_full = false;
    let mut source = source.clone();
    // What an order need not say is no column of a table that says it of none.
    for column in OPTIONAL {
        source.constants.entry(column.to_owned()).or_default();
    }
    Layout::read(&source, &ORDERS, &mut problems, &mut |at, values, problems| {
        let place = |problem: Box<Problem>| problem.file(at.file).line(at.line).exit(Exit::InputIncomplete);
        if orders.len() >= MAX_ORDERS {
            if !std::mem::replace(&mut is_full, true) {
                let what = format!("these are more than {MAX_ORDERS} orders");
                problems.push(place(Problem::new("E-orders-009", Blame::Input, what, "leave out those that were done long ago")));
            }
            return;
        }
        match order(values, registries) {
            Err(wrong) => {
                for (id, field, what, remedy) in wrong {
                    problems.push(place(Problem::new(id, Blame::Input, what, remedy).field(field)));
                }
            }
            Ok(order) => match seen.get(&order.id).and_then(|(n, line)| Some((orders.get(*n)?, *line))) {
                Some((there, _)) if *there == order => {}
                Some((_, line)) => {
                    let what = format!("the order stands in line {line} too, and says something else there");
                    problems.push(place(Problem::new("E-orders-008", Blame::Input, what, "leave one of them").field("order")));
                }
                None => {
                    seen.insert(order.id.clone(), (orders.len(), at.line));
                    orders.push(order);
                }
            },
        }
    });
    orders.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    problems.or(orders)
}

/// Columns that a table may lack.
const OPTIONAL: [&str; 3] = ["provider", "brand", "language"];

/// What is wrong with a field: an id, the field, what and what to do.
type Wrong = (&'static str, &'static str, String, String);

/// The order that a row's values are.
fn order(values: &[Option<&str>], registries: &BTreeSet<RegistryId>) -> Result<Order, Vec<Wrong>> {
    let mut wrong: Vec<Wrong> = Vec::new();
    let get = |column: &str| {
        let at = ORDERS.iter().position(|known| *known == column)?;
        values.get(at).copied().flatten().map(str::trim).filter(|value| !value.is_empty())
    };
    let mut tell = |id, field, what: &str, remedy: String| wrong.push((id, field, what.to_owned(), remedy));
    let is_name = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'+' | b'-');
        text.len() <= MAX_NAME && text.bytes().all(fits)
    };
    let named = "use letters, digits and ._:/+-, 64 at most".to_owned();
    let id = get("order").filter(|id| is_name(id));
    if id.is_none() {
        tell("E-orders-001", "order", "the order has no number, or one of other characters", named.clone());
    }
    let registry = get("registry").map(RegistryId::from).filter(|id| registries.contains(id));
    if registry.is_none() {
        let known: Vec<&str> = registries.iter().map(RegistryId::as_str).collect();
        tell("E-orders-002", "registry", "this is none of the configured registries", format!("configured: {}", known.join(", ")));
    }
    let tld = get("tld").and_then(|tld| idna::domain_to_ascii_strict(tld.trim_start_matches('.')).ok()).filter(|tld| !tld.is_empty());
    if tld.is_none() {
        tell("E-orders-003", "tld", "this is no top-level domain, nor one below it", "write `de` or `co.uk`".to_owned());
    }
    let handle = get("handle").filter(|h| h.chars().count() <= MAX_NAME && !h.chars().any(|c| c.is_control() || c.is_whitespace()));
    if handle.is_none() {
        tell("E-orders-004", "handle", "there is no handle, or one that is none", "give the registrant's, of the local records".to_owned());
    }
    let kind = OrderKind::ALL.into_iter().find(|kind| get("kind") == Some(kind.as_str()));
    if kind.is_none() {
        tell("E-orders-005", "kind", "the kind is none of the known", known(OrderKind::ALL.map(OrderKind::as_str)));
    }
    let at = get("ordered_at").and_then(|text| text.parse::<Timestamp>().ok());
    let at = at.filter(|at| (1985..2200).contains(&at.to_zoned(jiff::tz::TimeZone::UTC).year()));
    if at.is_none() {
        let remedy = "accepted: `2027-01-31T12:00:00Z`, and the same with an offset".to_owned();
        tell("E-orders-006", "ordered_at", "this is no time, or it has no zone", remedy);
    }
    let state = OrderState::ALL.into_iter().find(|state| get("state") == Some(state.as_str()));
    if state.is_none() {
        tell("E-orders-005", "state", "the state is none of the known", known(OrderState::ALL.map(OrderState::as_str)));
    }
    for field in OPTIONAL {
        if get(field).is_some_and(|text| !is_name(text)) {
            tell("E-orders-007", field, "the name has other characters than letters, digits and ._:/+-, or over 64", named.clone());
        }
    }
    let optional = |field| get(field).map(Into::into);
    match (id, registry, tld, handle, kind, at, state) {
        (Some(id), Some(registry), Some(tld), Some(handle), Some(kind), Some(at), Some(state)) if wrong.is_empty() => Ok(Order {
            id: id.into(),
            registry,
            tld: tld.into(),
            handle: Handle::new(handle),
            kind,
            at,
            provider: optional("provider"),
            state,
            brand: optional("brand"),
            language: optional("language"),
        }),
        _ => Err(wrong),
    }
}

fn known<const N: usize>(words: [&str; N]) -> String {
    format!("known: {}", escape_controls(&words.join(", ")))
}
