//! Where what is declared and what was observed contradict each other, or the record lacks what the law wants of it: findings of the record,
//! each with both sides.

use super::build::{Evidence, Recipient};
use super::declaration::{days, ids, is_none, of_third};
use super::pack::{RecordPack, Role};
use super::transfer::Cover;
use crate::base::Timestamp;
use crate::model::FindingSeverity;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// A rule of the record: its number, how bad it is to break it, and the field that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRule {
    /// The number.
    pub id: &'static str,
    /// Whether the record may be signed with it.
    pub severity: FindingSeverity,
    /// The field.
    pub field: &'static str,
    /// What it is about.
    pub what: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// What contradicts what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFinding {
    /// By which rule.
    pub rule: &'static RecordRule,
    /// At which registry; nothing where it is about the controller itself.
    pub registry: Option<String>,
    /// What is declared, or the rules say.
    pub declared: String,
    /// What was observed; small counts of people are not told.
    pub observed: String,
    /// Where both stand.
    pub source: String,
}

macro_rules! rules {
    ($($name:ident: $id:literal $severity:ident $field:literal $what:literal $remedy:literal;)*) => {
        $(const $name: RecordRule =
            RecordRule { id: $id, severity: FindingSeverity::$severity, field: $field, what: $what, remedy: $remedy };)*

        /// Every rule, by number.
        pub const RECORD_RULES: &[RecordRule] = &[$($name),*];
    };
}

rules! {
    VOID: "R-record-001" Error "mechanism" "a transfer rests on a mechanism that is none any more (Art. 46)"
        "declare the mechanism in force, or give `override_reason`; until then the record must not be published";
    OVERRIDDEN: "R-record-002" Warning "mechanism" "a mechanism that is none any more is kept, with a reason (Art. 46)"
        "whoever signs has to stand by the reason";
    UNCOVERED: "R-record-003" Error "mechanism" "nothing that is declared covers a transfer to a third country (Art. 44)"
        "declare a mechanism and what shows it: `privet recipient add changed`";
    UNREGISTERED: "R-record-004" Error "recipients" "data went to a recipient that the register of recipients does not have (Art. 30(1)(d))"
        "`privet recipient add added --set party=REGISTRY`";
    PLANNED: "R-record-005" Warning "recipients" "data went to a recipient that the register has as planned (Art. 30(1)(d))"
        "`privet recipient add added`, where it is one now";
    BARE: "R-record-006" Warning "contract" "a recipient without a contract (Art. 28(3))"
        "`privet contract add signed`, and name it at the recipient";
    COUNTRY: "R-record-007" Error "third_country" "a recipient is declared to be in another country than its registry is run in (Art. 30(1)(e))"
        "correct the country in the register, or name in a record pack of your own where the registry is run";
    LOGIN: "R-record-008" Error "registrar_id" "the registrar logs in by another id than is declared (Art. 30(1)(a))"
        "correct `registrar_id` in [controller], or the account";
    SPONSOR: "R-record-009" Warning "registrar_id" "objects are sponsored by another registrar than is declared (Art. 30(1)(a))"
        "see whether these objects are ours to hold";
    REPRESENTATIVE: "R-record-010" Error "representative" "no representative in the Union is declared, and the controller is not established there (Art. 27)"
        "name one in [controller]: representative";
    LINE: "R-record-011" Error "security" "a line was secured by less than the measures say (Art. 32(1))"
        "see the line's settings, and whether the registry offers more";
    CERTIFICATE: "R-record-012" Error "security" "a certificate of a line had ended (Art. 32(1))" "renew it";
    KEPT: "R-record-013" Error "adherence" "data are held for longer than the rules say (Art. 5(1)(e))"
        "`privet plan erasure`, or say why in [controller]: adherence_reason";
    KEPT_WHY: "R-record-014" Warning "adherence" "data are held for longer than the rules say, and a reason is declared (Art. 5(1)(e))"
        "whoever signs has to stand by the reason";
    AUTOMATED: "R-record-015" Error "automated" "no automated decision is declared, and another declaration says that there is one (Art. 22)"
        "correct `automated` in [controller], or the criterion in [oversight]";
    APPLIES: "R-record-016" Warning "automated" "no automated decision is declared, and a run applies changes by itself (Art. 22)"
        "say in [controller]: automated what they mean to people";
    ASSESSMENT: "R-record-017" Error "dpia" "an impact assessment is declared as not needed, and its criteria are met (Art. 35(1))"
        "carry one out, or decide on it with a reviewer: [oversight] assessment";
    CONDITION: "R-record-018" Error "condition" "data of Art. 9 or 10 were found, and no condition for them is declared (Art. 9(2), 10)"
        "name the condition in [controller], or erase the data";
    REVIEW: "R-record-019" Warning "review" "the day of the next review is over (Art. 5(2))" "look through the record, and declare the day";
    JOINT: "R-record-020" Error "joint_controllers" "no joint controller is declared, and a contract has one (Art. 26)"
        "correct `joint_controllers` in [controller], or the contract's role";
    PROCESSORS: "R-record-021" Error "contract" "no contract with a processor is declared, and the register has one (Art. 28(3))"
        "correct `contract` in [controller]";
    OFFICER: "R-record-022" Error "dpo" "what is declared of a data protection officer is not what was decided (Art. 37)"
        "correct `dpo` in [controller], or the register: `privet officer add decided`";
}

/// What contradicts what at `now`: over all registries that were `seen`, and in what is `declared`.
#[must_use]
pub fn contradictions(pack: &RecordPack, seen: &[Evidence], declared: &BTreeMap<String, String>, now: Timestamp) -> Vec<RecordFinding> {
    let day = now.to_zoned(TimeZone::UTC).date();
    let mut look = Look { pack, declared, now, day, out: Vec::new() };
    look.itself(seen.first());
    let mut looked = BTreeSet::new();
    for one in seen {
        for recipient in &one.recipients {
            // Others than the registry have data of several, and are told once.
            if recipient.category == "registry" || looked.insert((&recipient.name, &recipient.category)) {
                look.recipient(one, recipient);
            }
        }
        look.registry(one);
    }
    let mut out = look.out;
    out.sort_by(|a, b| (a.rule.severity, a.rule.id, &a.registry).cmp(&(b.rule.severity, b.rule.id, &b.registry)));
    out
}

/// A look at everything under way.
struct Look<'a> {
    pack: &'a RecordPack,
    declared: &'a BTreeMap<String, String>,
    now: Timestamp,
    day: Date,
    out: Vec<RecordFinding>,
}

impl Look<'_> {
    fn find(&mut self, rule: &'static RecordRule, registry: Option<&str>, [declared, observed, source]: [String; 3]) {
        self.out.push(RecordFinding { rule, registry: registry.map(str::to_owned), declared, observed, source });
    }

    fn said(&self, field: &str) -> Option<String> {
        self.declared.get(field).cloned()
    }

    /// Whether a field is declared as none.
    fn denies(&self, field: &str) -> Option<String> {
        self.said(field).filter(|text| is_none(text))
    }

    /// What is about the controller alone. What registers tell of it, every registry's evidence has.
    fn itself(&mut self, any: Option<&Evidence>) {
        let key = |field: &str| format!("privet.toml, controller.{field}");
        let representative = self.said("representative").filter(|text| !is_none(text));
        if of_third(self.pack, self.declared) == Some(true) && representative.is_none() {
            let country = self.said("established").unwrap_or_default();
            let told = self.said("representative").unwrap_or_else(|| "nothing".to_owned());
            let observed = format!("established in {country}; subjects in the Union are registered for");
            self.find(&REPRESENTATIVE, None, [told, observed, key("representative")]);
        }
        if let Some(text) = self.said("review")
            && let Some(last) = days(&text).into_iter().max().filter(|last| *last < self.day)
        {
            self.find(&REVIEW, None, [text, format!("the last day named is {last}, today is {}", self.day), key("review")]);
        }
        let Some(any) = any else { return };
        if let Some(text) = self.denies("joint_controllers") {
            let joint: Vec<&str> = any.contracts.iter().filter(|one| one.role == "joint-controller").map(|one| &*one.party).collect();
            if !joint.is_empty() {
                self.find(&JOINT, None, [text, joint.join(", "), "register of contracts".to_owned()]);
            }
        }
        if let Some(text) = self.denies("contract") {
            let all = any.contracts.iter().filter(|one| matches!(&*one.role, "processor" | "sub-processor"));
            let processors: Vec<&str> = all.map(|one| &*one.party).collect();
            if !processors.is_empty() {
                self.find(&PROCESSORS, None, [text, processors.join(", "), "register of contracts".to_owned()]);
            }
        }
        if let (Some(text), Some(decided)) = (self.said("dpo"), &any.officer)
            && is_none(&text) == (decided == "appointed")
        {
            self.find(&OFFICER, None, [text, decided.clone(), "register of officers".to_owned()]);
        }
        if let Some(text) = self.denies("automated") {
            let said = any.assessed.iter().flat_map(|one| &one.said).filter(|(_, said)| *said == "yes");
            let said: Vec<&str> = said.map(|(criterion, _)| &**criterion).collect();
            if !said.is_empty() {
                self.find(
                    &AUTOMATED,
                    None,
                    [text.clone(), format!("declared as met: {}", said.join(", ")), "privet.toml, [oversight]".to_owned()],
                );
            }
            if !any.applies.is_empty() {
                self.find(&APPLIES, None, [text, any.applies.join(", "), "privet.toml, [run.apply]".to_owned()]);
            }
        }
        if let Some(one) = any.assessed.as_ref().filter(|one| one.is_needed) {
            let text = self.denies("dpia").or_else(|| one.decision.clone().filter(|decision| decision == "not-needed"));
            if let Some(text) = text {
                let told = format!("{} of {} criteria are met: {}", one.met.len(), one.of, one.met.join(", "));
                self.find(&ASSESSMENT, None, [text, told, format!("oversight pack of {}", one.dated)]);
            }
        }
    }

    fn recipient(&mut self, seen: &Evidence, one: &Recipient) {
        let is_registry = one.category == "registry";
        let registry = is_registry.then_some(seen.registry.as_str());
        let told = format!(
            "{} ({}), {}",
            one.name,
            one.country.as_deref().unwrap_or("country not declared"),
            one.mechanism.as_deref().unwrap_or("no mechanism")
        );
        let (cover, by) = self.pack.cover(one, self.day);
        let rule = match cover {
            Cover::Void => Some(&VOID),
            Cover::Overridden => Some(&OVERRIDDEN),
            Cover::Nothing => Some(&UNCOVERED),
            Cover::Unknown | Cover::Other | Cover::Decision | Cover::Within => None,
        };
        if let Some(rule) = rule {
            self.find(rule, registry, [told.clone(), by, one.source.clone()]);
        }
        let frames: u64 = seen.traffic.commands.values().sum();
        let observed = format!("{frames} exchanges with {}", seen.endpoint);
        if is_registry && frames > 0 && !one.registered {
            self.find(&UNREGISTERED, registry, ["no row in the register of recipients".to_owned(), observed.clone(), one.source.clone()]);
        }
        if let (true, Some(since)) = (is_registry && frames > 0, one.planned) {
            self.find(&PLANNED, registry, [format!("{told}: planned since {since}"), observed.clone(), one.source.clone()]);
        }
        let has_contract = |contract: &super::Contract| {
            let names = [Some(one.name.as_str()), registry];
            names.contains(&Some(contract.party.as_str())) || one.contract.as_deref() == Some(&contract.case)
        };
        // Somebody else's processor has its contract with them.
        let needs_one = !matches!(&*one.category, "authority" | "public") && one.on_behalf_of.is_none();
        if needs_one && !seen.contracts.iter().any(has_contract) && (!is_registry || frames > 0) {
            let declared =
                one.contract.as_ref().map_or_else(|| "no contract".to_owned(), |case| format!("contract {case}, which is not in force"));
            let observed = if is_registry { observed } else { format!("{} is a recipient of category {}", one.name, one.category) };
            self.find(&BARE, registry, [format!("{}: {declared}", one.name), observed, "registers of recipients and contracts".to_owned()]);
        }
        if let (true, Some(country), Some(operator)) = (is_registry, &one.country, self.pack.operator(&seen.profile))
            && **country != *operator.country
        {
            let observed = format!("profile {}: run in {} ({})", seen.profile, operator.country, operator.citation);
            self.find(&COUNTRY, registry, [told, observed, one.source.clone()]);
        }
    }

    fn registry(&mut self, seen: &Evidence) {
        let id = Some(seen.registry.as_str());
        let snapshot = seen.run.as_ref().map_or_else(|| "the local records".to_owned(), |(run, _)| format!("snapshot of {run}"));
        let said = self.said("registrar_id");
        let known: BTreeSet<&str> = said.as_deref().map_or_else(|| BTreeSet::from([seen.login.as_str()]), ids);
        if let Some(text) = said.as_ref().filter(|_| !seen.login.is_empty() && !known.contains(seen.login.as_str())) {
            let observed = format!("login as {} at {}", seen.login, seen.endpoint);
            self.find(&LOGIN, id, [text.clone(), observed, format!("privet.toml, registries.{}.client_id", seen.registry)]);
        }
        let foreign: Vec<String> =
            seen.sponsors.iter().filter(|(name, _)| !known.contains(name.as_str())).map(|(name, n)| format!("{name}: {n}")).collect();
        if !seen.login.is_empty() && !foreign.is_empty() {
            let told = known.iter().copied().collect::<Vec<_>>().join(", ");
            self.find(&SPONSOR, id, [told, foreign.join("; "), snapshot.clone()]);
        }
        if let Some(tls) = &seen.tls {
            if !seen.lines.tls.is_empty() && !seen.lines.tls.iter().any(|one| **one == *tls.version) {
                let told = format!("{} ({})", seen.lines.tls.join(" or "), seen.lines.citation);
                self.find(&LINE, id, [told, format!("{} with {}", tls.version, tls.cipher), "the newest run".to_owned()]);
            }
            let now = self.now;
            for one in tls.certificates.iter().filter(|one| one.not_after < now) {
                let observed = format!("the one of {} ended on {}", one.whose, one.not_after.strftime("%Y-%m-%d"));
                self.find(&CERTIFICATE, id, ["certificates that hold".to_owned(), observed, "the newest run".to_owned()]);
            }
        }
        if let Some((n, oldest)) = seen.overdue.filter(|(n, _)| *n > 0) {
            let observed = format!("{n} items are overdue, the oldest for {oldest} days");
            match self.said("adherence_reason").filter(|text| !is_none(text)) {
                Some(why) => self.find(&KEPT_WHY, id, [why, observed, seen.rules.clone()]),
                None => self.find(&KEPT, id, ["kept by the rules".to_owned(), observed, seen.rules.clone()]),
            }
        }
        if let Some([health, criminal, _]) = seen.special.filter(|[health, criminal, _]| health + criminal > 0)
            && self.said("condition").is_none_or(|text| is_none(&text))
        {
            let told = self.said("condition").unwrap_or_else(|| "nothing".to_owned());
            let [health, criminal] = [health, criminal].map(|n| self.pack.masked(n));
            let observed = format!("contacts that hold, or seem to hold, data of Art. 9: {health}; of Art. 10: {criminal}");
            let role = if self.pack.role(&seen.profile, self.day).0 == Role::Processor { ", for the registry" } else { "" };
            self.find(&CONDITION, id, [told, observed, format!("privet.toml, controller.condition; {snapshot}{role}")]);
        }
    }
}
