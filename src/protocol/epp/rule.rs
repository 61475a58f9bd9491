//! The simple types of the schemas, as far as commands use them.

/// What a value must be like.
#[derive(Debug)]
pub(super) struct Rule {
    /// Whether runs of blanks count as one and those at the ends as none (`token`), or each as it is (`normalizedString`).
    collapse: bool,
    /// The fewest characters.
    min: usize,
    /// The most characters.
    max: usize,
    /// What else holds for the value, and how it is told.
    shape: Option<Shape>,
}

/// A condition on a value, and how it is told where it does not hold.
type Shape = (fn(&str) -> bool, &'static str);

/// A `token` of `min` to `max` characters.
const fn token(min: usize, max: usize) -> Rule {
    Rule { collapse: true, min, max, shape: None }
}

/// A `normalizedString` of `min` to `max` characters.
const fn line(min: usize, max: usize) -> Rule {
    Rule { collapse: false, min, max, shape: None }
}

/// A `token` with a shape.
const fn shaped(min: usize, max: usize, shape: fn(&str) -> bool, says: &'static str) -> Rule {
    Rule { collapse: true, min, max, shape: Some((shape, says)) }
}

/// Any length.
const ANY: usize = usize::MAX;

/// `eppcom:clIDType`: client and contact identifiers.
pub(super) const ID: Rule = token(3, 16);
/// `domain:clIDChgType`: a registrant, or nothing in order to remove it.
pub(super) const ID_CHANGE: Rule = token(0, 16);
/// `eppcom:labelType`: names of domains and hosts.
pub(super) const LABEL: Rule = token(1, 255);
/// `eppcom:minTokenType`: e-mail addresses and message ids.
pub(super) const FILLED: Rule = token(1, ANY);
/// `token`: telephone extensions.
pub(super) const TOKEN: Rule = token(0, ANY);
/// `epp:trIDStringType`.
pub(super) const TRID: Rule = token(3, 64);
/// `epp:pwType`. The schema would drop a password's outer and doubled blanks in silence, and the login would fail.
pub(super) const PASSWORD: Rule = shaped(6, 16, is_collapsed, "begins, ends or is parted with blanks which the schema would drop");
/// `loginSec:pwType`.
pub(super) const LONG_PASSWORD: Rule = shaped(6, ANY, is_collapsed, "begins, ends or is parted with blanks which the schema would drop");
/// `eppcom:pwAuthInfoType`.
pub(super) const AUTH: Rule = Rule {
    collapse: false,
    min: 0,
    max: ANY,
    shape: Some((has_no_break, "holds a tab or a line break, which the schema would make a blank")),
};
/// `contact:postalLineType`.
pub(super) const POSTAL_LINE: Rule = line(1, 255);
/// `contact:optPostalLineType`.
pub(super) const OPTIONAL_LINE: Rule = line(0, 255);
/// `normalizedString`: words on a status.
pub(super) const LINE: Rule = line(0, ANY);
/// `contact:pcType`.
pub(super) const POSTAL_CODE: Rule = token(0, 16);
/// `contact:ccType`.
pub(super) const COUNTRY: Rule = token(2, 2);
/// `contact:e164StringType`; nothing in order to remove the number.
pub(super) const PHONE: Rule = shaped(0, 17, is_phone, "is not `+`, a country code of 1 to 3 digits, `.` and a number of 1 to 14 digits");
/// `eppcom:roidType`.
pub(super) const ROID: Rule = shaped(3, 89, is_roid, "is not 1 to 80 letters or digits, `-` and 1 to 8 letters or digits");
/// `language`.
pub(super) const LANGUAGE: Rule = shaped(1, ANY, is_language, "is not a language tag");
/// `anyURI`.
pub(super) const URI: Rule = shaped(1, ANY, is_uri, "is not an absolute URI");
/// `epp:versionType`.
pub(super) const VERSION: Rule = shaped(3, 3, |text| text == "1.0", "is not 1.0, the one version there is");
/// `date`.
pub(super) const DATE: Rule = shaped(10, 10, is_date, "is not a date YYYY-MM-DD");
/// `host:addrStringType`.
pub(super) const ADDRESS: Rule = token(3, 45);
/// `boolean`, in words.
pub(super) const TRUTH: Rule = shaped(4, 5, |text| matches!(text, "true" | "false"), "is neither `true` nor `false`");
/// extcon's `nationalityCodeType`.
pub(super) const NATIONALITY: Rule = shaped(2, 2, |text| text.bytes().all(|b| b.is_ascii_alphabetic()), "is not two letters");
/// extcon's `entityTypeType`.
pub(super) const ENTITY_TYPE: Rule = shaped(1, 1, |text| matches!(text.as_bytes(), [b'1'..=b'7']), "is not a number of 1 to 7");
/// EURid's `contactType`.
pub(super) const CONTACT_TYPE: Rule = token(1, 50);
/// contact-ext's `vatType`.
pub(super) const VAT: Rule = token(0, 20);
/// contact-ext's `contactLangType`, `registrantCountryType` and the like.
pub(super) const TWO: Rule = token(2, 2);
/// contact-ext's `citizenshipCcType`, empty in order to remove it.
pub(super) const CITIZENSHIP: Rule = token(0, 2);
/// `token` of at most 255 characters.
pub(super) const TOKEN_255: Rule = token(0, 255);
/// `hexBinary` with something in it.
pub(super) const HEX: Rule = shaped(2, ANY, is_hex, "is not pairs of hexadecimal digits");
/// `secDNS:keyType`: base64 with something in it.
pub(super) const BASE64: Rule = shaped(4, ANY, is_base64, "is not base64");

impl Rule {
    /// Whether `text` is as the rule says.
    ///
    /// # Errors
    /// What is wrong, without the text.
    #[inline]
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        // No value has more characters than bytes, and one that begins with no blank has at least one.
        let surely_long_enough = self.min == 0 || (self.min == 1 && text.bytes().next().is_some_and(|b| !is_blank(b)));
        if text.len() > self.max || !surely_long_enough {
            self.count(text)?;
        }
        match self.shape {
            Some((shape, says)) if !shape(text) => Err(says.to_owned()),
            _ => Ok(()),
        }
    }

    /// Holds the length to the rule.
    fn count(&self, text: &str) -> Result<(), String> {
        let Self { min, max, .. } = *self;
        let length = if self.collapse { collapsed_length(text) } else { text.chars().count() };
        if (min..=max).contains(&length) {
            return Ok(());
        }
        Err(match (length, min, max) {
            (0, ..) => "is missing or empty".to_owned(),
            (_, _, ANY) => format!("has {length} characters, at least {min} are needed"),
            _ if min == max => format!("has {length} characters, it must have {min}"),
            _ => format!("has {length} characters, {min} to {max} are allowed"),
        })
    }
}

/// A blank of XML.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Characters that are left where runs of blanks are one and those at the ends none.
fn collapsed_length(text: &str) -> usize {
    let words = text.split([' ', '\t', '\r', '\n']).filter(|w| !w.is_empty());
    words.map(|w| w.chars().count() + 1).sum::<usize>().saturating_sub(1)
}

/// Whether collapsing blanks changes nothing.
fn is_collapsed(text: &str) -> bool {
    has_no_break(text) && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

/// Whether there is no blank but U+0020.
fn has_no_break(text: &str) -> bool {
    !text.bytes().any(|b| b != b' ' && is_blank(b))
}

fn is_phone(text: &str) -> bool {
    let digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    text.is_empty()
        || text.strip_prefix('+').and_then(|t| t.split_once('.')).is_some_and(|(cc, number)| digits(cc, 3) && digits(number, 14))
}

fn is_roid(text: &str) -> bool {
    let word =
        |part: &str, most, extra: u8| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == extra);
    text.split_once('-').is_some_and(|(id, suffix)| word(id, 80, b'_') && word(suffix, 8, b'0'))
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().is_some_and(|p| matches!(p.len(), 2 | 3) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    primary && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// An absolute URI in the plain characters that namespaces are written with: narrower than RFC 3986, wide enough for every registry.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'));
    let plain = |part: &str, extra: &[u8]| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || extra.contains(&b));
    let path = match rest.strip_prefix("//") {
        Some(authority) => {
            let (host, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
            let (name, port) = host.split_once(':').unwrap_or((host, "80"));
            if name.is_empty() || !plain(name, b"") || !(1..=5).contains(&port.len()) || !port.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            path
        }
        None if rest.is_empty() => return false,
        None => rest,
    };
    scheme_fits && plain(path, b"/:@!$&'()*+,;=")
}

fn is_date(text: &str) -> bool {
    let digits = text.bytes().enumerate().all(|(n, b)| if matches!(n, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    text.len() == 10 && digits && !text.starts_with("0000") && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whole groups of four, with the bits behind the last byte zero (XML Schema part 2 §3.2.16).
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let last_fits = |allowed: &[u8]| body.bytes().last().is_some_and(|b| allowed.contains(&b));
    text.len().is_multiple_of(4)
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        && match padding {
            0 => true,
            1 => last_fits(b"AEIMQUYcgkosw048"),
            2 => last_fits(b"AQgw"),
            _ => false,
        }
}
