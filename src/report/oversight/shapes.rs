//! The tables of oversight.

use crate::report::table::Shape;
use crate::report::tables::{int, text};

pub(super) const ACCURACY: Shape = Shape {
    name: "oversight-accuracy",
    title: "How right registrants' data are",
    heads: &[
        text("registry", "Registry"),
        int("registrants", "Registrants"),
        int("complete", "Whole"),
        int("valid", "Of form"),
        int("verified", "Verified"),
        int("refuted", "Refuted"),
        int("undeliverable", "Mail came back"),
        int("current", "Current"),
        int("score", "Accurate, %"),
    ],
};

pub(super) const AMISS: Shape = Shape {
    name: "oversight-accuracy-amiss",
    title: "Registrants whose data are not right",
    heads: &[
        text("registry", "Registry"),
        text("object", "Contact"),
        text("rule", "Rule"),
        text("what", "What"),
        text("verification", "Verification"),
    ],
};

pub(super) const AT_RISK: Shape = Shape {
    name: "oversight-at-risk",
    title: "Registrants at risk of losing names",
    heads: &[
        text("registry", "Registry"),
        text("object", "Contact"),
        text("rule", "Rule"),
        text("what", "What"),
        int("names", "Names"),
        int("changed_days", "Changed, days ago"),
        text("source", "By"),
        text("confidence", "Confidence"),
    ],
};

pub(super) const WITHHELD: Shape = Shape {
    name: "oversight-withholding",
    title: "What is withheld",
    heads: &[
        text("registry", "Registry"),
        text("means", "By"),
        text("whom", "Of, or state"),
        text("count", "How many"),
        text("rule", "Rule"),
        text("why", "Why"),
    ],
};

pub(super) const NOTICES: Shape = Shape {
    name: "oversight-notices",
    title: "Registrants by the notice that they were shown",
    heads: &[
        text("registry", "Registry"),
        int("registrants", "Registrants"),
        int("shown", "In force"),
        int("outdated", "Replaced since"),
        int("bare", "None on record"),
        text("rule", "Rule"),
    ],
};

pub(super) const LINES: Shape = Shape {
    name: "oversight-security",
    title: "The lines, what is amiss first",
    heads: &[
        text("registry", "Registry"),
        text("version", "TLS"),
        text("cipher", "Cipher suite"),
        int("registry_days", "Registry's certificate, days"),
        int("own_days", "Our certificate, days"),
        int("password_days", "Password, days old"),
        text("rule", "Rules"),
        text("why", "What is amiss"),
    ],
};

pub(super) const USED: Shape = Shape {
    name: "oversight-use",
    title: "Data of registrants by product",
    heads: &[
        text("registry", "Registry"),
        text("zone", "Zone"),
        text("product", "Product"),
        text("element", "Data"),
        text("basis", "Basis"),
        int("held", "Domains"),
    ],
};

pub(super) const CRITERIA: Shape = Shape {
    name: "oversight-assessment",
    title: "Criteria of an impact assessment",
    heads: &[
        text("criterion", "Criterion"),
        text("what", "What"),
        text("met", "Met"),
        text("status", "How it is known"),
        text("evidence", "Evidence"),
    ],
};

pub(super) const SEVERITIES: Shape = Shape {
    name: "oversight-severities",
    title: "Open findings by severity",
    heads: &[text("severity", "Severity"), int("rules", "Rules"), int("count", "How many")],
};

pub(super) const FINDINGS: Shape = Shape {
    name: "oversight-findings",
    title: "Open findings by rule, errors first",
    heads: &[text("rule", "Rule"), text("severity", "Severity"), int("count", "How many")],
};

pub(super) const SCORES: Shape = Shape {
    name: "oversight-scores",
    title: "What this tool scores",
    heads: &[
        text("name", "What it says"),
        text("whom", "Of whom"),
        text("inputs", "Made of"),
        text("rules", "Told by"),
        text("effect", "What comes of it"),
    ],
};

/// Every table of this report that is written to files.
pub(in crate::report) const SHAPES: [&Shape; 11] =
    [&ACCURACY, &AMISS, &AT_RISK, &WITHHELD, &NOTICES, &LINES, &USED, &CRITERIA, &SEVERITIES, &FINDINGS, &SCORES];
