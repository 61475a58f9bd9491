//! The tables of the retention report.

use crate::report::table::{Head, Shape};
use crate::report::tables::{int, text};

pub(super) const ROWS: Shape = Shape {
    name: "retention",
    title: "Every item, the rules that bear on it, and its state",
    heads: &[
        text("subject", "Subject"),
        text("person", "Person"),
        text("country", "Country"),
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("elements", "Elements"),
        text("basis", "Legal basis"),
        text("start_event", "Began with"),
        text("start", "On"),
        text("rules_min", "Kept by"),
        text("rules_max", "Ended by"),
        text("rules_uncounted", "Cannot be counted"),
        text("keep_until", "Keep until"),
        text("must_go_by", "Gone by"),
        text("state", "State"),
        int("days", "Days left"),
        text("hold", "Hold"),
        text("stores", "Held in"),
        text("action", "To be done"),
        text("role", "Role"),
        text("evidence", "Beginning known from"),
        text("executed_at", "Erased on"),
        text("method", "Method"),
        text("response", "Registry's answer"),
        text("residual", "Why data are left"),
        text("verified_at", "Read again on"),
        text("evidence_hash", "Digest of the evidence"),
    ],
};

pub(super) const STATES: [Head; 12] = [
    int("overdue", "Overdue"),
    int("conflict", "Conflict"),
    int("unknown_start", "Unknown start"),
    int("unruled", "Without a rule"),
    int("due", "Due"),
    int("hold", "On hold"),
    int("retained", "Retained"),
    int("active", "In use"),
    int("executing", "Under way"),
    int("residual", "Left behind"),
    int("erased", "Erased"),
    int("anonymised", "Of nobody any more"),
];

pub(super) const BY_CLUSTER: Shape = Shape {
    name: "retention-by-cluster",
    title: "Items by cluster and state",
    heads: &[
        text("cluster", "Cluster"),
        STATES[0],
        STATES[1],
        STATES[2],
        STATES[3],
        STATES[4],
        STATES[5],
        STATES[6],
        STATES[7],
        STATES[8],
        STATES[9],
        STATES[10],
        STATES[11],
    ],
};

pub(super) const BY_REGISTRY: Shape = Shape {
    name: "retention-by-registry",
    title: "Items by registry and state",
    heads: &[
        text("registry", "Registry"),
        STATES[0],
        STATES[1],
        STATES[2],
        STATES[3],
        STATES[4],
        STATES[5],
        STATES[6],
        STATES[7],
        STATES[8],
        STATES[9],
        STATES[10],
        STATES[11],
    ],
};

pub(super) const BY_AGE: Shape =
    Shape { name: "retention-overdue", title: "Overdue items by age", heads: &[text("overdue", "Overdue for"), int("items", "Items")] };

pub(super) const HORIZON_TABLE: Shape = Shape {
    name: "retention-horizon",
    title: "Retained, due and overdue by month, were nothing erased",
    heads: &[text("month", "Month"), int("retained", "Retained"), int("due", "Due"), int("overdue", "Overdue")],
};

pub(super) const CALENDAR: Shape =
    Shape { name: "retention-calendar", title: "Items to be gone, by day", heads: &[text("by", "Gone by"), int("items", "Items")] };

pub(super) const OLDEST_TABLE: Shape = Shape {
    name: "retention-oldest",
    title: "The items that are overdue for longest",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("must_go_by", "Gone by"),
        int("days", "Days overdue"),
    ],
};

pub(super) const CONFLICTS: Shape = Shape {
    name: "retention-conflicts",
    title: "Rules that exclude each other",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("keeps", "Keeps"),
        text("keeps_citation", "By"),
        text("ends", "Ends"),
        text("ends_citation", "By"),
        text("wins", "Comes first"),
    ],
};

pub(super) const RULES: Shape = Shape {
    name: "retention-rules",
    title: "The rules that were applied, with their sources",
    heads: &[
        text("rule", "Rule"),
        text("clusters", "Clusters"),
        text("scopes", "Registries"),
        text("start", "Begins with"),
        text("period", "Period"),
        text("grace", "Grace"),
        text("kind", "Data are to"),
        text("basis", "Legal basis"),
        text("citation", "Written in"),
        text("confidence", "Confidence"),
    ],
};

pub(super) const MOVES: Shape = Shape {
    name: "retention-moves",
    title: "Items that would be in another state",
    heads: &[text("cluster", "Cluster"), text("now", "Now"), text("then", "Then"), int("items", "Items")],
};

/// Every table of this report.
pub(in crate::report) const SHAPES: [&Shape; 10] =
    [&MOVES, &ROWS, &RULES, &BY_CLUSTER, &BY_REGISTRY, &BY_AGE, &HORIZON_TABLE, &CALENDAR, &OLDEST_TABLE, &CONFLICTS];
