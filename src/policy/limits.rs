//! What one account may do at a registry, and how fast.

use super::rule::Rule;
use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A rate: so many commands in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Commands.
    pub commands: u32,
    /// Seconds.
    pub seconds: u32,
}

/// A time zone, written by its IANA name. It is looked up in the database that Privet carries, so that it is the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    /// As it was written.
    name: String,
    rules: TimeZone,
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match TimeZoneDatabase::bundled().get(&name) {
            Ok(rules) => Ok(Self { name, rules }),
            Err(_) => Err(format!("there is no time zone `{name}`: write it as in the IANA database, such as `Europe/Berlin`")),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl schemars::JsonSchema for Zone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "A time zone by its IANA name, such as `Europe/Berlin`.", "type": "string" })
    }
}

impl Zone {
    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Its clocks.
    #[must_use]
    pub const fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

/// Another rate at some time of the day.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateWindow {
    /// When it begins.
    pub from: Time,
    /// When it ends, itself not in it; before `from` it is the next day's.
    pub until: Time,
    /// The registry's time zone.
    pub zone: Zone,
    /// The rate in it.
    pub rate: Rate,
}

/// What may be asked in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DailyQuota {
    /// Without a limit.
    None,
    /// So many points.
    Points(u32),
    /// By the size of the portfolio.
    ByPortfolio {
        /// Points of any portfolio.
        least: u32,
        /// Points for each domain, where that is more.
        per_domain: u32,
    },
    /// Not known.
    Unknown,
}

impl DailyQuota {
    /// The points of a day for an account with so many domains; nothing where there is no limit or it is not known.
    #[must_use]
    pub fn points(self, domains: u64) -> Option<u64> {
        match self {
            Self::None | Self::Unknown => None,
            Self::Points(points) => Some(u64::from(points)),
            Self::ByPortfolio { least, per_domain } => Some(u64::from(least).max(domains.saturating_mul(u64::from(per_domain)))),
        }
    }
}

/// What one registrar account may do at a registry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Sessions at a time.
    pub sessions: Rule<u16>,
    /// Seconds without a command after which a session is cut.
    pub idle_seconds: Rule<u32>,
    /// Seconds after which a session is cut however busy, if it is.
    pub age_seconds: Option<Rule<u32>>,
    /// Commands after which a session is cut, if it is.
    pub commands_per_session: Option<Rule<u32>>,
    /// Commands in a time, over all sessions, if limited.
    pub rate: Option<Rule<Rate>>,
    /// Other rates at some times of the day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_windows: Vec<Rule<RateWindow>>,
    /// The registry's time zone: where its days begin. UTC where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Rule<Zone>>,
    /// Names in one check.
    pub names_per_check: Rule<u16>,
    /// What may be asked in a day.
    pub daily_quota: Rule<DailyQuota>,
    /// Reads that may be in flight on one session.
    pub read_window: Rule<u16>,
    /// Seconds within which an answer must be complete.
    pub reply_seconds: Rule<u32>,
    /// Seconds to wait after the registry said that a limit is reached.
    pub back_off_seconds: Rule<u32>,
}
