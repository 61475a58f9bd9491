//! Extensions that carry additional properties, as data: which element holds which key. An answer's values go into the object's
//! properties; a command's properties go into the extension that the login named.

use super::super::encoder::Encoder;
use super::super::rule::{self, Rule};
use crate::model::Properties;
use crate::protocol::ns::Ns;
use crate::protocol::tape::Element;

/// An extension of contacts or domains.
#[derive(Debug)]
pub(super) struct Carrier {
    /// Its namespaces, the oldest version first.
    pub(super) versions: &'static [Ns],
    /// The attribute that declares it.
    pub(super) xmlns: &'static str,
    /// The element in a create.
    pub(super) create: &'static str,
    /// The element in an update.
    pub(super) update: &'static str,
    /// What is around the values in an update, where something is.
    pub(super) change: Option<&'static str>,
    /// The elements, in the schema's order.
    pub(super) leaves: &'static [Leaf],
}

/// An element that holds a value.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The property's key, and the element's local name.
    pub(super) key: &'static str,
    /// The element in a command.
    pub(super) tag: &'static str,
    /// The element around it, in a command and in an answer.
    pub(super) group: Option<(&'static str, &'static str)>,
    /// What a value must be like.
    pub(super) rule: &'static Rule,
    /// In which commands it stands.
    pub(super) writes: Writes,
    /// Whether it is a truth value, which a schema lets be spelled in two ways.
    is_truth: bool,
}

/// In which commands an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// Needed in a create, and may be changed.
    Always,
    /// Needed in a create, and fixed from then on.
    Once,
    /// May be given, and changed.
    May,
    /// Needed where any other of its group is given.
    WithGroup,
    /// Never: the registry's own fact.
    Never,
}

impl Carrier {
    /// The newest version that is among `agreed`.
    pub(super) fn agreed(&self, agreed: &[Box<str>]) -> Option<Ns> {
        self.versions.iter().rev().copied().find(|ns| agreed.iter().any(|uri| **uri == *ns.uri()))
    }

    /// Whether it has an element for `key` in a create, or else in an update.
    pub(super) fn takes(&self, key: &str, creates: bool) -> bool {
        self.leaves.iter().any(|leaf| leaf.key == key && leaf.writes != Writes::Never && (creates || leaf.writes != Writes::Once))
    }

    /// Writes those of `properties` that it has elements for, if there are any.
    pub(super) fn write(&self, e: &mut Encoder<'_>, ns: Ns, properties: &Properties, creates: bool) {
        if !properties.iter().any(|(key, _)| self.takes(key, creates)) {
            return;
        }
        let tag = if creates { self.create } else { self.update };
        e.within(tag, &[(self.xmlns, ns.uri())], |e| match self.change.filter(|_| !creates) {
            Some(change) => e.within(change, &[], |e| self.write_leaves(e, properties, creates)),
            None => self.write_leaves(e, properties, creates),
        });
    }

    fn write_leaves(&self, e: &mut Encoder<'_>, properties: &Properties, creates: bool) {
        let mut rest = self.leaves;
        while let Some(first) = rest.first() {
            let (run, behind) = rest.split_at(rest.iter().take_while(|leaf| leaf.group == first.group).count().max(1));
            rest = behind;
            let is_given = run.iter().any(|leaf| self.takes(leaf.key, creates) && properties.get(leaf.key).is_some());
            match first.group {
                Some((group, _)) if is_given => e.within(group, &[], |e| run.iter().for_each(|leaf| leaf.write(e, properties, creates))),
                Some(_) => {}
                None => run.iter().for_each(|leaf| leaf.write(e, properties, creates)),
            }
        }
    }

    /// Puts what `e`, an answer's element of this extension, says into `properties`. What has no element here stays unknown.
    pub(super) fn read(&self, e: Element<'_>, properties: &mut Properties) {
        self.read_of(e.ns(), e, properties);
    }

    /// The same, where the values are in the namespace `ns` and what is around them may be in another.
    pub(super) fn read_of(&self, ns: Ns, e: Element<'_>, properties: &mut Properties) {
        for child in e.children().filter(|c| c.ns() == ns) {
            if let Some(leaf) = self.leaves.iter().find(|leaf| leaf.group.is_none() && leaf.key == child.local()) {
                leaf.put(properties, child);
            } else if self.leaves.iter().any(|leaf| leaf.group.is_some_and(|(_, name)| name == child.local())) {
                for inner in child.seen().children().filter(|c| c.ns() == ns) {
                    let is_of = |leaf: &&Leaf| leaf.group.is_some_and(|(_, name)| name == child.local()) && leaf.key == inner.local();
                    if let Some(leaf) = self.leaves.iter().find(is_of) {
                        leaf.put(properties, inner);
                    }
                }
            }
        }
    }
}

impl Leaf {
    /// An element without others around it.
    pub(super) const fn new(key: &'static str, tag: &'static str, rule: &'static Rule, writes: Writes) -> Self {
        Self { key, tag, group: None, rule, writes, is_truth: false }
    }

    /// An element that holds a truth value.
    pub(super) const fn truth(key: &'static str, tag: &'static str, writes: Writes) -> Self {
        Self { key, tag, group: None, rule: &rule::TRUTH, writes, is_truth: true }
    }

    /// The same element within `group`, its name in a command and its local name.
    pub(super) const fn within(self, group: (&'static str, &'static str)) -> Self {
        Self { group: Some(group), ..self }
    }

    fn write(&self, e: &mut Encoder<'_>, properties: &Properties, creates: bool) {
        let (is_written, is_needed) = match self.writes {
            Writes::Always => (true, creates),
            Writes::Once => (creates, creates),
            Writes::May => (true, false),
            Writes::WithGroup => (true, true),
            Writes::Never => (false, false),
        };
        match properties.get(self.key) {
            Some(value) if is_written => e.leaf(self.tag, value, self.rule),
            None if is_needed => e.refuse(self.tag, "is missing, and the registry needs it here"),
            _ => {}
        }
    }

    fn put(&self, properties: &mut Properties, e: Element<'_>) {
        if self.is_truth { put_truth(properties, self.key, e) } else { put(properties, self.key, e) }
    }
}

/// `text` with a truth value in words: a schema has two spellings of each.
fn in_words(text: &str) -> &str {
    match text {
        "1" => "true",
        "0" => "false",
        other => other,
    }
}

/// The most values of one key.
const MOST: u32 = 99;

/// Puts the text of `e` into `properties` as the value of `key`, or as that of its next number where there is one already. More values
/// than any object has stay unknown.
pub(super) fn put(properties: &mut Properties, key: &str, e: Element<'_>) {
    put_as(properties, key, e, |text| text);
}

/// The same where it is a truth value, whose words are kept.
pub(super) fn put_truth(properties: &mut Properties, key: &str, e: Element<'_>) {
    put_as(properties, key, e, in_words);
}

fn put_as(properties: &mut Properties, key: &str, e: Element<'_>, spelled: impl FnOnce(&str) -> &str) {
    let text = e.token();
    let Some(key) = free(properties, key) else { return e.forget() };
    properties.set(&key, spelled(&text));
}

/// The key that `key` is of, and its number there: 2 and on for `KEY.2` and on, else 1.
pub(super) fn numbered(key: &str) -> (&str, u32) {
    let parts = key.rsplit_once('.').and_then(|(key, n)| Some((key, n.parse().ok().filter(|n| (2..=MOST).contains(n))?)));
    parts.unwrap_or((key, 1))
}

/// The first of `key`, `key.2` and so on that has no value yet.
pub(super) fn free(properties: &Properties, key: &str) -> Option<String> {
    if properties.get(key).is_none() {
        return Some(key.to_owned());
    }
    let numbered = |n: u32| format!("{key}.{n}");
    let is_free = |key: &String| properties.get(key).is_none();
    if is_free(&numbered(MOST)) { (2..=MOST).map(numbered).find(is_free) } else { None }
}
