//! What a person may ask for, told with every answer (GDPR Art. 15(1)(e), (f)).

/// A right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Right {
    /// Where it is written.
    pub article: &'static str,
    /// What it is.
    pub what: &'static str,
}

/// Every right that the answer names, by article.
#[must_use]
pub fn rights() -> Vec<Right> {
    let right = |article, what| Right { article, what };
    vec![
        right("GDPR Art. 7(3)", "take back a consent at any time; what was done until then stays lawful"),
        right("GDPR Art. 15(3)", "get a copy of the data"),
        right("GDPR Art. 16", "have wrong data corrected and incomplete data completed"),
        right("GDPR Art. 17", "have data erased where nothing obliges to keep them"),
        right("GDPR Art. 18", "have processing restricted, while something is contested or needed for a claim"),
        right("GDPR Art. 19", "be told to which recipients a correction, erasure or restriction was passed on"),
        right("GDPR Art. 20", "get the data that rest on consent or contract in a form that programs read, and hand them on"),
        right("GDPR Art. 21", "object to processing that rests on a legitimate interest"),
        right("GDPR Art. 77", "complain to a supervisory authority"),
    ]
}
