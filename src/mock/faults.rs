//! Which fault strikes when: conditions counted over the whole registry, chance drawn from the seed.

use super::core::Place;
use super::knobs::FaultSpec;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a word is spoken.
    Connect,
    /// In the greeting.
    Greeting,
    /// In answers before the login succeeded, that answer included.
    Login,
    /// In answers within a session.
    Session,
    /// In commands that ask, before they are looked at, and in their answers.
    Query,
    /// In commands that change something, before they are carried out, and in their answers.
    Transform,
}

impl Stage {
    /// The stage of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "connect" => Some(Self::Connect),
            "greeting" => Some(Self::Greeting),
            "login" => Some(Self::Login),
            "session" => Some(Self::Session),
            "query" => Some(Self::Query),
            "transform" => Some(Self::Transform),
            _ => None,
        }
    }
}

impl From<Place> for Stage {
    fn from(place: Place) -> Self {
        match place {
            Place::Greeting => Self::Greeting,
            Place::Login => Self::Login,
            Place::Session => Self::Session,
        }
    }
}

/// Declares the faults: variant, name, stage.
macro_rules! faults {
    ($($variant:ident = $name:literal at $stage:ident, $doc:literal;)+) => {
        /// A fault, named after its row in the matrix of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $doc] $variant,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Where it strikes unless told otherwise.
            #[must_use]
            pub const fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage),+ }
            }
        }
    };
}

faults! {
    Mute = "row-01-silent" at Connect, "Takes the connection and says nothing, not even in TLS.";
    Alert = "row-02-alert" at Connect, "Ends the handshake with the alert `protocol_version`.";
    CertExpired = "row-03-expired" at Connect, "Shows an expired certificate.";
    CertWrongName = "row-03-wrong-name" at Connect, "Shows a certificate for another name.";
    CertCnOnly = "row-03-cn-only" at Connect, "Shows a certificate without alternative names.";
    CertSelfSigned = "row-03-self-signed" at Connect, "Shows a self-signed certificate.";
    CertOtherCa = "row-03-other-ca" at Connect, "Shows a certificate of another authority.";
    ClientRefused = "row-04-client-refused" at Connect, "Refuses the client's certificate.";
    LargeHello = "row-06-large-hello" at Connect, "Never answers a `ClientHello` of more than 1000 bytes.";
    NoGreeting = "row-07-no-greeting" at Greeting, "Sends no greeting.";
    GreetingCut = "row-07-cut" at Greeting, "Cuts the greeting and closes.";
    GreetingBare = "row-07-no-services" at Greeting, "Offers no service of any use.";
    GreetingVersions = "row-07-two-versions" at Greeting, "Offers two protocol versions.";
    GreetingClock = "row-07-clock-off" at Greeting, "States a time ten minutes ago.";
    CloseAfterTls = "row-08-after-tls" at Greeting, "Closes before the greeting.";
    CloseAfterLogin = "row-08-after-login" at Login, "Closes instead of answering the login.";
    NoCloseNotify = "row-09-no-close-notify" at Session, "Ends the connection without TLS's farewell.";
    Reset = "row-09-reset" at Session, "Resets the connection.";
    HalfClose = "row-10-half-close" at Session, "Closes its side and goes on reading.";
    Unheard = "row-11-unheard" at Transform, "Closes without having looked at a command.";
    Untold = "row-12-untold" at Transform, "Closes behind a command's effect, without an answer.";
    Split13 = "row-13-split-1-3" at Session, "Sends one byte of the header, then the rest.";
    Split22 = "row-13-split-2-2" at Session, "Sends two bytes of the header, then the rest.";
    ByteByByte = "row-13-bytes" at Session, "Sends byte by byte.";
    Together = "row-14-together" at Session, "Holds the answer a little, so that later ones share its record.";
    Ownerless = "row-14-ownerless" at Session, "Adds an answer nobody asked for.";
    Length0 = "row-15-length-0" at Session, "States the length 0.";
    Length1 = "row-15-length-1" at Session, "States the length 1.";
    Length4 = "row-15-length-4" at Session, "States the length 4.";
    LengthGiga = "row-16-1-gib" at Session, "States a length of 1 GiB.";
    LengthMost = "row-16-4-gib" at Session, "States a length of 4 GiB - 1.";
    LengthShort = "row-17-no-header" at Session, "States a length that leaves its own four bytes out.";
    CutFrame = "row-18-cut" at Session, "Sends half an answer and closes.";
    SlowLoris = "row-19-slow-loris" at Session, "Sends a byte at a time, `ms` apart (10 s).";
    ForeignTrid = "row-22-foreign" at Session, "Answers under an identifier nobody used.";
    PreviousTrid = "row-22-previous" at Session, "Answers under the previous command's identifier.";
    NoTrid = "row-23-missing" at Session, "Leaves the client's identifier out.";
    Twice = "row-24-twice" at Session, "Answers twice.";
    Swapped = "row-25-swapped" at Session, "Sends the answer behind the next one.";
    Late = "row-26-late" at Session, "Answers `ms` late (60 s).";
    InvalidUtf8 = "row-27-invalid-utf8" at Session, "Holds a byte that is no UTF-8.";
    Latin1 = "row-27-latin-1" at Session, "Declares and holds ISO 8859-1.";
    Utf16 = "row-27-utf-16" at Session, "Is in UTF-16 with a byte order mark.";
    Bom = "row-28-bom" at Session, "Begins with a byte order mark.";
    Blank = "row-28-blank" at Session, "Begins and ends with blank lines.";
    Crlf = "row-28-crlf" at Session, "Breaks lines between elements, with CR LF.";
    Comments = "row-28-comments" at Session, "Holds comments and processing instructions.";
    Prefixes = "row-29-prefixes" at Session, "Uses other prefixes.";
    DefaultNs = "row-29-default-ns" at Session, "Moves the default namespace onto the object.";
    AttributeOrder = "row-29-attributes" at Session, "Adds an xsi:schemaLocation in front of the other attributes.";
    WrongNs = "row-30-namespace" at Session, "Names the object in a namespace that is not its own.";
    Missing = "row-30-missing" at Session, "Leaves out the element that names the object.";
    Doctype = "row-31-doctype" at Session, "Declares a document type.";
    EntityBomb = "row-31-entity-bomb" at Session, "Declares entities that multiply.";
    ExternalEntity = "row-31-external" at Session, "Declares an external entity.";
    ManyAttributes = "row-32-attributes" at Session, "Has 40 000 attributes.";
    ManyNamespaces = "row-32-namespaces" at Session, "Declares 20 000 namespaces.";
    Deep = "row-32-depth" at Session, "Nests 100 000 elements.";
    CutDocument = "row-33-cut" at Session, "Ends before its root does.";
    TwoRoots = "row-33-two-roots" at Session, "Has two roots.";
    Nul = "row-33-nul" at Session, "Holds a NUL.";
    UndeclaredPrefix = "row-33-prefix" at Session, "Uses a prefix that nobody declared.";
    Large = "row-34-large" at Session, "Is 8 MiB long, with 5 000 extValue elements.";
    HostileText = "row-35-text" at Session, "Holds controls, formulas and markup in its words.";
    Several = "row-36-several" at Session, "Holds several results.";
    Code1100 = "row-36-1100" at Session, "Succeeds with 1100.";
    Code1501 = "row-36-1501" at Session, "Succeeds with 1501 and closes.";
    Code2503 = "row-36-2503" at Session, "Fails with 2503 and closes.";
    UnknownExtension = "row-36-extension" at Session, "Adds an extension nobody knows.";
    StrangeType = "row-36-type" at Session, "Says that a contact is of a type nobody has heard of.";
    OtherObject = "row-37-other-object" at Session, "Answers about another object.";
    Hollow = "row-38-hollow" at Transform, "Says that a command was carried out, and does nothing.";
    Granted = "row-39-granted" at Transform, "Answers 1001, and grants the change `ms` later (1 s).";
    Declined = "row-39-declined" at Transform, "Answers 1001, and declines the change `ms` later (1 s).";
    Undecided = "row-39-undecided" at Transform, "Answers 1001, and never decides.";
    Belated = "row-40-belated" at Transform, "Closes without an answer, and carries the command out `ms` later (2 s).";
    Meddled = "row-41-meddled" at Transform, "Has the account's other systems change the object just before.";
    MeddledBehind = "row-41-meddled-behind" at Transform, "Has the account's other systems change the object just behind.";
    Doubled = "row-42-doubled" at Transform, "Carries a command out twice.";
    Code2104 = "row-43-2104" at Session, "Fails with 2104.";
    Code2200 = "row-43-2200" at Session, "Fails with 2200.";
    Code2400 = "row-43-2400" at Session, "Fails with 2400.";
    Code2500 = "row-43-2500" at Session, "Fails with 2500 and closes.";
    Code2501 = "row-43-2501" at Session, "Fails with 2501 and closes.";
    Code2502 = "row-43-2502" at Session, "Fails with 2502 and closes.";
    Keep2502 = "row-43-2502-keep" at Session, "Fails with 2502 and goes on.";
    Tarpit = "row-44-tarpit" at Session, "Answers `ms` later (2 s), as does everything behind it.";
    Cut = "row-45-cut" at Session, "Closes instead of answering.";
    NotLoggedIn = "row-45-not-logged-in" at Session, "Forgets the login and says so with 2002.";
    TimedOut = "row-45-timed-out" at Session, "Forgets the login and says so with 2201.";
    HttpRedirect = "http-redirect" at Session, "Sends a POST elsewhere, with 302.";
    HttpPage = "http-page" at Session, "Answers a POST with a page in HTML.";
    HttpUnavailable = "http-503" at Session, "Answers a POST with 503.";
    HttpType = "http-type" at Session, "Says that an answer to a POST is JSON.";
    HttpOversized = "http-oversized" at Session, "Answers a POST with more than any answer has.";
    HttpHead = "http-head" at Session, "Answers a POST with a head that is longer than any.";
    HttpCookieLost = "http-cookie-lost" at Session, "Takes the session's cookie back with its answer.";
    HttpForgotten = "http-forgotten" at Session, "Forgets the session behind its answer.";
    HttpClose = "http-close" at Session, "Ends the connection behind its answer.";
}

impl Fault {
    /// The fault of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.name() == name)
    }

    /// Whether it is one of frames in POSTs, which means nothing on another line.
    #[must_use]
    pub fn is_of_posts(self) -> bool {
        self.name().starts_with("http-")
    }

    /// Whether it refuses commands.
    pub(super) const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Code2104
                | Self::Code2200
                | Self::Code2400
                | Self::Code2500
                | Self::Code2501
                | Self::Code2502
                | Self::Code2503
                | Self::Keep2502
                | Self::NotLoggedIn
                | Self::TimedOut
        )
    }

    /// Whether it may strike at `stage`: what is a matter of commands strikes there alone, and what is one of answers wherever they are.
    #[must_use]
    pub fn may_strike(self, stage: Stage) -> bool {
        match self.stage() {
            Stage::Connect => stage == Stage::Connect,
            Stage::Transform => stage == Stage::Transform || (stage == Stage::Query && self == Self::Meddled),
            Stage::Greeting | Stage::Login | Stage::Session | Stage::Query => stage != Stage::Connect,
        }
    }

    /// Whether it takes a command to be made up in EPP.
    #[must_use]
    pub fn is_of_epp(self) -> bool {
        matches!(self, Self::Meddled | Self::MeddledBehind | Self::Granted | Self::Declined | Self::Undecided)
    }

    /// The names of all faults.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|f| f.name()).collect()
    }
}

/// The faults of a registry and how often each could strike and did.
#[derive(Debug)]
pub(super) struct Faults {
    specs: Vec<Counted>,
    seed: u64,
}

#[derive(Debug)]
struct Counted {
    spec: FaultSpec,
    chances: u64,
    strikes: u64,
}

impl Faults {
    /// The faults of `specs`, with chance drawn from `seed`.
    pub(super) fn new(specs: &[FaultSpec], seed: u64) -> Self {
        Self { specs: specs.iter().map(|spec| Counted { spec: spec.clone(), chances: 0, strikes: 0 }).collect(), seed }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// The fault that strikes at `stage` in what is about `object`: the first whose conditions hold.
    pub(super) fn strike(&mut self, stage: Stage, object: Option<&str>) -> Option<FaultSpec> {
        let mut struck = None;
        for (number, counted) in self.specs.iter_mut().enumerate() {
            let spec = &counted.spec;
            if spec.stage != stage || (spec.object.is_some() && spec.object.as_deref() != object) {
                continue;
            }
            counted.chances += 1;
            let is_due = counted.chances >= spec.from && (counted.chances - spec.from).is_multiple_of(spec.every);
            let fits = is_due && counted.strikes < spec.times && chance(self.seed, number, counted.chances) < spec.probability;
            if fits && struck.is_none() {
                counted.strikes += 1;
                struck = Some(spec.clone());
            }
        }
        struck
    }
}

/// A number from 0 up to 1 that `seed`, the fault's number and the opportunity alone decide.
fn chance(seed: u64, fault: usize, opportunity: u64) -> f64 {
    let drawn = xxhash_rust::xxh3::xxh3_64_with_seed(&opportunity.to_le_bytes(), seed.wrapping_add(fault as u64));
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::super::knobs::Knobs;
    use super::*;

    fn struck(setting: &str, chances: usize) -> Vec<usize> {
        let knobs = Knobs::read([setting]).expect("a good knob");
        let mut faults = Faults::new(&knobs.faults, 7);
        (1..=chances).filter(|_| faults.strike(Stage::Session, Some("C-1")).is_some()).collect()
    }

    #[test]
    fn conditions_count_from_one() {
        assert_eq!(struck("fault=row-24-twice:every=3:from=2", 9), [2, 5, 8]);
        assert_eq!(struck("fault=row-24-twice:from=4:times=2", 9), [4, 5]);
        assert!(struck("fault=row-24-twice:object=C-2", 9).is_empty());
        let some = struck("fault=row-24-twice:probability=0.25", 1000);
        assert!((200..300).contains(&some.len()));
        assert_eq!(some, struck("fault=row-24-twice:probability=0.25", 1000));
    }
}
