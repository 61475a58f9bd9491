//! What is looked at in every value of local records before it is taken: damage that spreadsheets do, and forms that mean nothing.

use crate::base::escape_controls;
use crate::dataset::columns::{Column, Kind};
use crate::model::{Date, Properties};
use jiff::civil;

/// The most characters of one value.
const MAX_VALUE: usize = 10_000;

/// What a look at a value found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The stable id.
    pub(super) id: &'static str,
    /// What is wrong, with the value masked.
    pub(super) what: String,
    /// What to do.
    pub(super) remedy: String,
    /// Whether the value can be taken all the same.
    pub(super) bearable: bool,
}

fn wrong(id: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Doubt {
    Doubt { id, what: what.into(), remedy: remedy.into(), bearable: false }
}

/// A value as an error may show it: its shape where it is personal, else itself, cut.
pub(super) fn shown(value: &str, personal: bool) -> String {
    let shape = |c: char| match c {
        c if c.is_ascii_digit() => '9',
        c if c.is_alphabetic() => 'x',
        c => c,
    };
    let text: String = value.chars().take(24).map(|c| if personal { shape(c) } else { c }).collect();
    let more = if value.chars().nth(24).is_some() { "…" } else { "" };
    format!("`{}{more}`", escape_controls(&text))
}

/// Looks at the value of a column.
pub(super) fn value(column: &Column, value: &str) -> Option<Doubt> {
    let shown = shown(value, column.personal);
    if let Some(at) = value.chars().position(char::is_control) {
        let what = format!("{shown} holds a control character or an end of line at character {}", at + 1);
        return Some(wrong("E-ingest-010", what, "remove it"));
    }
    if value.len() > MAX_VALUE {
        return Some(wrong(
            "E-ingest-011",
            format!("the value has {} bytes, the cap is {MAX_VALUE}", value.len()),
            "this is no such value",
        ));
    }
    spreadsheet(column.kind, value, &shown).or_else(|| match column.kind {
        Kind::Country => country(value),
        Kind::Email => email(value, &shown),
        Kind::Day => day(value),
        Kind::Handle => handle(value),
        Kind::Handles => value.split(';').find_map(handle),
        Kind::Phone => phone(value, &shown),
        Kind::Disclose => disclose(value),
        Kind::Properties => Properties::read(value).err().map(|what| wrong("E-ingest-028", what, "write `key=value;key=value`")),
        Kind::Text | Kind::Statuses | Kind::NameServers => None,
    })
}

/// What a spreadsheet makes of values it takes for numbers or formulas.
fn spreadsheet(kind: Kind, value: &str, shown: &str) -> Option<Doubt> {
    const ERRORS: [&str; 8] = ["#NAME?", "#REF!", "#VALUE!", "#N/A", "#DIV/0!", "#NULL!", "#NUM!", "#####"];
    let remedy = "export from the database itself, or set the column to text in the spreadsheet";
    if ERRORS.iter().any(|e| value.starts_with(e)) {
        return Some(wrong("E-ingest-012", format!("`{}` is a spreadsheet's error, not a value", value.get(..6).unwrap_or(value)), remedy));
    }
    let scientific = || {
        let (mantissa, exponent) = value.split_once(['E', 'e'])?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
        (digits(mantissa) && exponent.starts_with('+') && digits(exponent.get(1..)?)).then_some(())
    };
    if kind != Kind::Email && scientific().is_some() {
        return Some(wrong("E-ingest-013", format!("{shown} looks like a number that a spreadsheet shortened"), remedy));
    }
    None
}

/// A handle as every registry wants it: a token. RFC 5730's `clIDType` has 3 to 16 characters and RRI up to 32; which of them holds is
/// a rule of the registry's profile. It may hold `/` and dots, as it never becomes a path.
pub(super) fn handle(value: &str) -> Option<Doubt> {
    let shown = shown(value, false);
    let length = value.chars().count();
    if value.trim() != value || value.contains("  ") {
        let what = format!("the handle {shown} has blanks at its ends or in a row, which registries drop (RFC 5730, token)");
        return Some(wrong(
            "E-ingest-014",
            what,
            format!("write `{}`", escape_controls(value.split_whitespace().collect::<Vec<_>>().join(" ").as_str())),
        ));
    }
    (!(3..=32).contains(&length)).then(|| {
        let what = format!("the handle {shown} has {length} characters; registries take 3 to 16 (RFC 5730, clIDType), or 32 (RRI)");
        wrong("E-ingest-015", what, "correct it")
    })
}

/// A domain name in the form it is kept in: A-labels in lower case, without the final dot; nothing where it is none.
pub(in crate::dataset) fn a_labels(value: &str) -> Option<String> {
    let trimmed = value.trim().trim_end_matches('.');
    idna::domain_to_ascii_strict(trimmed).ok().filter(|a| a.len() <= 253 && a.contains('.'))
}

/// A domain name in the form it is kept in, and a remark where that is not the form it was given in.
pub(super) fn domain(value: &str) -> Result<(String, Option<Doubt>), Doubt> {
    let Some(ascii) = a_labels(value) else {
        let what = format!("{} is no domain name", shown(value, false));
        return Err(wrong("E-ingest-016", what, "write it as A-labels (`xn--…`), letters, digits and hyphens"));
    };
    let doubt = (ascii != value).then(|| Doubt {
        id: "E-ingest-017",
        what: format!("the domain name {} is not in its normal form", shown(value, false)),
        remedy: format!("taken as `{ascii}`; write it so"),
        bearable: true,
    });
    Ok((ascii, doubt))
}

fn country(value: &str) -> Option<Doubt> {
    let upper = value.trim().to_ascii_uppercase();
    let take = |id, what: String, code: &str, bearable| Some(Doubt { id, what, remedy: format!("write `{code}`"), bearable });
    match upper.as_str() {
        "UK" => take("E-ingest-018", "`UK` is no ISO 3166-1 code".to_owned(), "GB", false),
        "EL" => take("E-ingest-018", "`EL` is no ISO 3166-1 code".to_owned(), "GR", false),
        _ if upper.len() != 2 || !upper.bytes().all(|b| b.is_ascii_alphabetic()) => {
            let what = format!("{} is no ISO 3166-1 alpha-2 code", shown(value, true));
            Some(wrong("E-ingest-018", what, "write two capital letters, as `DE`"))
        }
        _ if upper != value => take("E-ingest-019", "the country is not written in two capital letters".to_owned(), &upper, true),
        _ => None,
    }
}

fn email(value: &str, shown: &str) -> Option<Doubt> {
    let parts = value.trim().rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let Some((_, domain)) = parts else {
        return Some(wrong("E-ingest-021", format!("{shown} is no e-mail address"), "write `local@domain`"));
    };
    idna::domain_to_ascii(domain.trim_end_matches('.')).is_err().then(|| {
        let what = format!("the domain of {shown} is none (mixed scripts, or characters no name may hold)");
        wrong("E-ingest-022", what, "write it as A-labels (`xn--…`)")
    })
}

fn phone(value: &str, shown: &str) -> Option<Doubt> {
    let value = value.trim();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if digits == 0 {
        return Some(wrong("E-ingest-023", format!("{shown} is no telephone number"), "write `+49.30123456` (RFC 5733 §2.5)"));
    }
    (!value.starts_with('+') && !value.starts_with("00")).then(|| {
        let what = format!("the telephone number {shown} has no `+`; a spreadsheet may have dropped it");
        wrong("E-ingest-023", what, "write `+49.30123456` (RFC 5733 §2.5)")
    })
}

fn day(value: &str) -> Option<Doubt> {
    let read = Date::read(value).at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let plausible = civil::date(1985, 1, 1)..=civil::date(2200, 1, 1);
    (!read.is_some_and(|date| plausible.contains(&date))).then(|| {
        let what = format!("{} is no date of a domain", shown(value, false));
        wrong("E-ingest-024", what, "accepted: `2027-01-31`, `2027-01-31T12:00:00Z`, the same with an offset or a fraction")
    })
}

/// The canonical text of a disclose statement: flag, colon, sorted names.
fn disclose(value: &str) -> Option<Doubt> {
    const NAMES: [&str; 9] = ["addr.int", "addr.loc", "email", "fax", "name.int", "name.loc", "org.int", "org.loc", "voice"];
    let good = value
        .split_once(':')
        .is_some_and(|(flag, names)| matches!(flag, "0" | "1") && names.split(',').filter(|n| !n.is_empty()).all(|n| NAMES.contains(&n)));
    (!good).then(|| {
        let remedy = format!("write `0:` (hide) or `1:` (show) and some of {}", NAMES.join(","));
        wrong("E-ingest-025", format!("{} is no disclose statement", shown(value, false)), remedy)
    })
}

/// Suspicions that need more than one value of a contact's address: a country left out, a postal code that lost its zeros.
pub(super) fn address(fields: [&str; 2], city: Option<&str>, pc: Option<&str>, cc: Option<&str>) -> Option<(String, Doubt)> {
    /// Countries whose postal codes have five digits (UPU).
    const FIVE: [&str; 7] = ["DE", "ES", "FI", "FR", "HR", "IT", "US"];
    let [pc_name, cc_name] = fields;
    if cc.is_none() && (city.is_some() || pc.is_some()) {
        let doubt = wrong("E-ingest-026", "the country is empty while the address is not", "write its ISO 3166-1 code");
        return Some((cc_name.to_owned(), doubt));
    }
    let short = pc.filter(|pc| pc.len() < 5 && pc.len() > 2 && pc.bytes().all(|b| b.is_ascii_digit()));
    let doubtful = short.is_some() && cc.is_some_and(|cc| FIVE.contains(&cc.to_ascii_uppercase().as_str()));
    doubtful.then(|| {
        let what =
            format!("the postal code has {} digits where the country's have five; leading zeros may be gone", pc.map_or(0, str::len));
        let remedy = "set the column to text in the spreadsheet".to_owned();
        (pc_name.to_owned(), Doubt { id: "E-ingest-027", what, remedy, bearable: true })
    })
}
