//! Which objects a plan is about: `registry=…`, `domain=…`, `handle=…`, or a file of such lines.

use crate::base::{Blame, Digest, Problem, RegistryId, Result, read_capped};
use std::collections::BTreeSet;
use std::path::Path;

/// The largest file of selectors, in bytes: some ten million names.
const CAP: u64 = 512 << 20;

/// A selection. Without any name of an object it is of all objects, without any registry of all registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    registries: BTreeSet<Box<str>>,
    domains: BTreeSet<Box<str>>,
    handles: BTreeSet<Box<str>>,
    /// As a header tells it.
    told: BTreeSet<String>,
}

impl Selection {
    /// Reads selectors. In a file each line is one, a line without `=` is a domain, and `#` begins a comment.
    ///
    /// # Errors
    /// `E-plan-010` (exit 2) where a text is no selector; `E-file-005` where a file cannot be read.
    pub fn read<S: AsRef<str>>(selectors: impl IntoIterator<Item = S>) -> Result<Self> {
        let mut out = Self::default();
        for selector in selectors {
            let selector = selector.as_ref();
            match selector.split_once('=') {
                Some(("file", path)) => out.file(Path::new(path))?,
                _ => {
                    let told = out.add(selector).map_err(|what| refused(&what))?;
                    out.told.insert(told);
                }
            }
        }
        Ok(out)
    }

    /// Whether it names single objects.
    #[must_use]
    pub fn names_objects(&self) -> bool {
        !self.domains.is_empty() || !self.handles.is_empty()
    }

    /// Whether it includes a registry.
    #[must_use]
    pub fn registry(&self, id: &RegistryId) -> bool {
        self.registries.is_empty() || self.registries.contains(id.as_str())
    }

    /// The registries that it names.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        self.registries.iter().map(AsRef::as_ref)
    }

    /// Whether it includes a domain, which names these handles.
    pub fn domain<'h>(&self, name: &str, mut handles: impl Iterator<Item = &'h str>) -> bool {
        !self.names_objects() || self.domains.contains(name) || handles.any(|handle| self.handles.contains(handle))
    }

    /// Whether it includes a contact by itself.
    #[must_use]
    pub fn contact(&self, handle: &str) -> bool {
        !self.names_objects() || self.handles.contains(handle)
    }

    /// What it says, as a header has it: each selector, and each file by its digest and how many selectors it has.
    pub fn told(&self) -> Vec<String> {
        self.told.iter().cloned().collect()
    }

    /// Takes one selector in; gives its one text.
    fn add(&mut self, selector: &str) -> Result<String, String> {
        let (key, value) = selector.split_once('=').unwrap_or(("domain", selector));
        let value = value.trim();
        if value.is_empty() {
            return Err(format!("`{selector}` names nothing"));
        }
        let value = match key.trim() {
            "registry" => {
                self.registries.insert(value.into());
                value.to_owned()
            }
            "domain" => {
                let name = idna::domain_to_ascii(value.trim_end_matches('.')).map_err(|_| format!("`{value}` is no domain name"))?;
                self.domains.insert(name.as_str().into());
                name
            }
            "handle" => {
                self.handles.insert(value.into());
                value.to_owned()
            }
            other => return Err(format!("objects are not selected by `{other}`")),
        };
        Ok(format!("{}={value}", key.trim()))
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        let bytes = read_capped(path, CAP)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("the list is not UTF-8").file(path))?;
        let mut lines = 0_u64;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                self.add(line).map_err(|what| refused(&what).file(path).line(number))?;
                lines += 1;
            }
        }
        if lines == 0 {
            return Err(refused("the list names nothing, which would be all there is").file(path));
        }
        self.told.insert(format!("file={} ({lines} selectors)", Digest::of(&bytes)));
        Ok(())
    }
}

fn refused(what: &str) -> Box<Problem> {
    let remedy = "select by registry=ID, domain=NAME, handle=HANDLE or file=PATH";
    Problem::new("E-plan-010", Blame::Operator, what, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_selected_is_what_is_named() {
        let all = Selection::read::<&str>([]).unwrap();
        assert!(all.domain("a.example", std::iter::empty()) && all.contact("C-1") && all.registry(&RegistryId::new("x")));
        let some = Selection::read(["registry=x", "domain=BÜCHER.example.", "handle=C-1"]).unwrap();
        assert!(some.registry(&RegistryId::new("x")) && !some.registry(&RegistryId::new("y")));
        assert!(some.domain("xn--bcher-kva.example", std::iter::empty()) && !some.domain("a.example", ["C-2"].into_iter()));
        assert!(some.domain("a.example", ["C-2", "C-1"].into_iter()) && some.contact("C-1") && !some.contact("C-2"));
        assert_eq!(some.told(), ["domain=xn--bcher-kva.example", "handle=C-1", "registry=x"]);
    }

    #[test]
    fn a_file_is_told_by_its_digest_and_its_bad_line_by_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        crate::base::write_atomic(&path, b"# some\na.example\n\nhandle=C-1 # one\n").unwrap();
        let some = Selection::read([format!("file={}", path.display())]).unwrap();
        assert!(some.domain("a.example", std::iter::empty()) && some.contact("C-1") && !some.contact("a.example"));
        let [told] = some.told().try_into().unwrap();
        assert!(told.starts_with("file=") && told.ends_with("(2 selectors)") && !told.contains("list"), "{told}");
        crate::base::write_atomic(&path, b"a.example\nowner=me\n").unwrap();
        let problem = Selection::read([format!("file={}", path.display())]).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.place.line), ("E-plan-010", Some(2)));
        // An empty list is not a selection of everything.
        crate::base::write_atomic(&path, b"# nothing\n").unwrap();
        assert!(Selection::read([format!("file={}", path.display())]).is_err());
        assert!(Selection::read(["owner=me"]).is_err() && Selection::read(["domain="]).is_err());
    }
}
