//! What a registry answers.

use super::{Contact, Date, Domain, Extension, HitPoints, Host, Unhandled};
use crate::base::{ClTrid, DomainName, Handle, Personal};

/// A result code of RFC 5730 §3, or one that a registry made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct ResultCode(pub u16);

/// What a result code means for the client: the action to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Done.
    Ok,
    /// Accepted; the outcome comes later.
    Wait,
    /// This item fails, others go on.
    Item,
    /// The outcome is unknown: read the object and decide.
    Read,
    /// The same session, after a delay.
    Again,
    /// A new session.
    New,
    /// This registry stops, others go on.
    Stop,
}

impl ResultCode {
    /// Command completed successfully.
    pub const OK: Self = Self(1000);
    /// Command completed successfully; action pending.
    pub const PENDING: Self = Self(1001);
    /// Command completed successfully; no messages.
    pub const NO_MESSAGES: Self = Self(1300);
    /// Command completed successfully; ack to dequeue.
    pub const ACK_TO_DEQUEUE: Self = Self(1301);
    /// Command completed successfully; ending session.
    pub const BYE: Self = Self(1500);
    /// Command use error, "not logged in" above all.
    pub const USE_ERROR: Self = Self(2002);
    /// Authentication error.
    pub const AUTHENTICATION: Self = Self(2200);
    /// Authorisation error.
    pub const AUTHORIZATION: Self = Self(2201);
    /// Object does not exist.
    pub const DOES_NOT_EXIST: Self = Self(2303);
    /// Command failed; the failure may pass.
    pub const FAILED: Self = Self(2400);
    /// Command failed; server closing connection.
    pub const FAILED_CLOSING: Self = Self(2500);
    /// Authentication error; server closing connection.
    pub const AUTHENTICATION_CLOSING: Self = Self(2501);
    /// Session limit exceeded; server closing connection.
    pub const SESSION_LIMIT: Self = Self(2502);

    /// Whether the command succeeded: by its first digit, since registries make up codes of their own.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 / 1000 == 1
    }

    /// Whether the server closes the connection behind it: by its second digit, where RFC 5730 §3 keeps 5 for that.
    #[must_use]
    pub const fn closes(self) -> bool {
        self.0 / 100 % 10 == 5
    }
}

/// One `<value>` with, or in, an `<extValue>`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ExtValue {
    /// The offending value, flattened to text. It may be a personal datum.
    pub value: Personal,
    /// The element that holds it, where the registry names one (extepp `wrongValue`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offender: Option<Offender>,
    /// The registry's own number of the reason (extepp `reasonCode`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The reason. It may quote a personal datum.
    pub reason: Option<Personal>,
    /// The reason's language.
    pub lang: Option<Box<str>>,
}

/// An element that a refusal names.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Offender {
    /// Its local name.
    pub element: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
}

/// One `<result>`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ResultItem {
    /// The code.
    pub code: ResultCode,
    /// The registry's words.
    pub msg: Box<str>,
    /// Their language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Box<str>>,
    /// Bare values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Personal>,
    /// Values with a reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ext_values: Vec<ExtValue>,
}

/// The state of the message queue, with the message at its head in an answer to a poll request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Queue {
    /// Messages waiting.
    pub count: Option<u64>,
    /// The id of the message at the head.
    pub id: Option<Box<str>>,
    /// When it was queued.
    pub date: Option<Date>,
    /// Its text, flattened.
    pub msg: Option<Box<str>>,
}

/// One answer to a check.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct CheckItem {
    /// The handle or name asked for.
    pub id: Box<str>,
    /// Whether it is free.
    pub available: bool,
    /// Why not.
    pub reason: Option<Box<str>>,
}

/// The state of a transfer (RFC 5731 §3.1.3, RFC 5733 §3.1.3).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct TransferData {
    /// The handle or name.
    pub id: Box<str>,
    /// `pending`, `clientApproved` …, as sent.
    pub status: Box<str>,
    /// The registrar who asked.
    pub requested_by: Box<str>,
    /// When.
    pub requested: Option<Date>,
    /// The registrar who must act or has acted.
    pub acting: Box<str>,
    /// By when, or when.
    pub act_by: Option<Date>,
    /// The expiry after it.
    pub expires: Option<Date>,
}

/// The end of a pending action (`panData`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct PendingData {
    /// The handle or name.
    pub id: Box<str>,
    /// Whether it was carried out.
    pub result: bool,
    /// Our transaction identifier of the command that was pending.
    pub cl_trid: Option<Box<str>>,
    /// The registry's.
    pub sv_trid: Option<Box<str>>,
    /// When.
    pub date: Option<Date>,
}

/// One child of `<resData>`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResData {
    /// contact `infData`.
    Contact(Box<Contact>),
    /// contact `chkData`.
    ContactCheck(Vec<CheckItem>),
    /// contact `creData`.
    ContactCreated {
        /// The handle.
        id: Handle,
        /// When.
        created: Option<Date>,
    },
    /// contact `trnData`.
    ContactTransfer(TransferData),
    /// contact `panData`.
    ContactPending(PendingData),
    /// domain `infData`.
    Domain(Box<Domain>),
    /// domain `chkData`.
    DomainCheck(Vec<CheckItem>),
    /// domain `creData`.
    DomainCreated {
        /// The name.
        name: DomainName,
        /// When.
        created: Option<Date>,
        /// Until when.
        expires: Option<Date>,
    },
    /// domain `renData`.
    DomainRenewed {
        /// The name.
        name: DomainName,
        /// Until when.
        expires: Option<Date>,
    },
    /// domain `trnData`.
    DomainTransfer(TransferData),
    /// domain `panData`.
    DomainPending(PendingData),
    /// host `infData`.
    Host(Box<Host>),
    /// EURid's registrarHitPoints `infData`.
    HitPoints(HitPoints),
    /// Something no type knows, or a known element that lacks what makes it readable.
    Unreadable {
        /// Its namespace.
        namespace: Box<str>,
        /// Its local name.
        name: Box<str>,
        /// What is wrong with it, or nothing where it is merely unknown.
        why: Option<&'static str>,
    },
}

/// A name that a registry chose, as it may stand in a line of text.
fn brief(name: &str) -> String {
    crate::base::escape_controls(name).chars().take(100).collect()
}

/// An element or attribute that no type consumed: kept, so that nothing of an answer is lost.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Unknown {
    /// Its namespace, empty for none.
    pub namespace: Box<str>,
    /// Local names from the root, with `@` before an attribute's.
    pub path: Box<str>,
    /// Its text. It may be a personal datum.
    pub text: Personal,
}

/// An answer, typed. What no type knew is in `unknown`.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Response {
    /// Every `<result>`, in order; never empty in a valid answer.
    pub results: Vec<ResultItem>,
    /// The message queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Every child of `<resData>`, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<ResData>,
    /// Every extension that a type knows, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// Parts moved aside because our login did not name their namespace (RFC 9038).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unhandled: Vec<Unhandled>,
    /// Our transaction identifier, as it came back.
    pub cl_trid: Option<ClTrid>,
    /// The registry's.
    pub sv_trid: Option<Box<str>>,
    /// What no type consumed.
    #[serde(skip)]
    pub unknown: Vec<Unknown>,
}

impl Response {
    /// The result to act on: the worst of several, which is the one with the highest code; of none, 2400's class of doubt.
    #[must_use]
    pub fn code(&self) -> ResultCode {
        self.results.iter().map(|r| r.code).max().unwrap_or(ResultCode::FAILED)
    }

    /// The words that go with [`Response::code`].
    #[must_use]
    pub fn msg(&self) -> &str {
        let code = self.code();
        self.results.iter().find(|r| r.code == code).map_or("", |r| &r.msg)
    }

    /// The numbers that the registry gives the reasons of [`Response::code`].
    pub fn reason_codes(&self) -> impl Iterator<Item = u16> {
        let code = self.code();
        self.results.iter().filter(move |r| r.code == code).flat_map(|r| &r.ext_values).filter_map(|value| value.code)
    }

    /// [`Response::msg`] with [`Response::details`].
    #[must_use]
    pub fn told(&self) -> String {
        format!("{}{}", self.msg(), self.details())
    }

    /// The registry's own numbers of the reasons and the elements at fault, for people: `; reason 8099`. No value is quoted, and no
    /// reason's words: both may hold a personal datum.
    #[must_use]
    pub fn details(&self) -> String {
        let code = self.code();
        let mut told = String::new();
        for value in self.results.iter().filter(|r| r.code == code).flat_map(|r| &r.ext_values) {
            if let Some(number) = value.code {
                told.push_str(&format!("; reason {number}"));
            }
            if let Some(Offender { element, namespace }) = &value.offender {
                told.push_str(&format!("; at <{}> of {}, its value {}", brief(element), brief(namespace), value.value));
            }
        }
        told
    }
}
