//! Commands as the registry's end of a line tells them apart.

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A login.
    Login,
    /// A logout.
    Logout,
    /// What a contact looks like.
    Contact,
    /// What a domain looks like.
    Domain,
    /// A change.
    Change,
    /// What keeps a session alive, or asks for the greeting.
    KeepAlive,
}

/// Words of frames by which they are known, in this order.
const WORDS: [(&str, Kind); 10] = [
    ("contact:info", Kind::Contact),
    ("domain:info", Kind::Domain),
    (":update", Kind::Change),
    ("<logout", Kind::Logout),
    ("<login", Kind::Login),
    ("<hello", Kind::KeepAlive),
    ("<poll", Kind::KeepAlive),
    ("queue-read", Kind::KeepAlive),
    (":create", Kind::Change),
    (":delete", Kind::Change),
];

impl Kind {
    /// Reads it off a frame of EPP or RRI.
    #[must_use]
    pub fn of(frame: &str) -> Self {
        WORDS.into_iter().find(|(word, _)| frame.contains(word)).map_or(Self::KeepAlive, |(_, kind)| kind)
    }

    /// Whether it asks for an object.
    #[must_use]
    pub const fn is_question(self) -> bool {
        matches!(self, Self::Contact | Self::Domain)
    }

    /// Whether two commands take a pool's time in the same way.
    pub(super) fn is_like(self, other: Self) -> bool {
        self == other || (self.is_question() && other.is_question())
    }
}

/// How many commands there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Commands {
    /// Questions about contacts.
    pub contact_infos: u64,
    /// Questions about domains.
    pub domain_infos: u64,
    /// Changes.
    pub changes: u64,
    /// Logins.
    pub logins: u64,
    /// Logouts.
    pub logouts: u64,
    /// Commands that keep an idle session alive, or ask for the greeting; those of skipped turns are left out, and cost none of a rate.
    pub keep_alives: u64,
}

impl Commands {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.contact_infos + self.domain_infos + self.changes + self.logins + self.logouts + self.keep_alives
    }

    /// Counts `count` commands of a kind.
    pub(super) const fn count(&mut self, kind: Kind, count: u64) {
        let of = match kind {
            Kind::Login => &mut self.logins,
            Kind::Logout => &mut self.logouts,
            Kind::Contact => &mut self.contact_infos,
            Kind::Domain => &mut self.domain_infos,
            Kind::Change => &mut self.changes,
            Kind::KeepAlive => &mut self.keep_alives,
        };
        *of = of.saturating_add(count);
    }

    /// Counts all of `other`, so many times.
    pub(super) const fn add(&mut self, other: &Self, times: u64) {
        self.count(Kind::Contact, other.contact_infos.saturating_mul(times));
        self.count(Kind::Domain, other.domain_infos.saturating_mul(times));
        self.count(Kind::Change, other.changes.saturating_mul(times));
        self.count(Kind::Login, other.logins.saturating_mul(times));
        self.count(Kind::Logout, other.logouts.saturating_mul(times));
        self.count(Kind::KeepAlive, other.keep_alives.saturating_mul(times));
    }
}
