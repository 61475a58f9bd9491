//! The record as linked data (JSON-LD 1.1) in terms of the Data Privacy Vocabulary, DPV 2.2 (<https://w3id.org/dpv>). Its context stands in
//! it, so that whoever reads it asks nobody; what a node is called is a digest of what makes it that node (RFC 6920).

use super::document::Making;
use crate::compliance::processing::{Entry, Recipient, RecordPack, Role, Row, Status};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The record of `rows`.
pub(super) fn linked(pack: &RecordPack, making: &Making, rows: &[Row]) -> Value {
    let mut graph = Vec::new();
    for (role, title) in [
        (Role::Controller, "Record of processing activities of the controller (GDPR Art. 30(1))"),
        (Role::Processor, "Record of processing activities of the processor (GDPR Art. 30(2))"),
    ] {
        let own: Vec<Node<'_>> = rows.iter().filter(|row| row.role == role).map(|row| Node { pack, row }).collect();
        if own.is_empty() {
            continue;
        }
        graph.push(json!({
            "@id": name(&["record", role.as_str(), making.run_id.as_str()]),
            "@type": "dpv:ROPA",
            "dct:title": title,
            "dct:identifier": making.run_id.as_str(),
            "dct:created": { "@type": "xsd:dateTime", "@value": making.at.to_string() },
            "dpv:hasProcess": own.iter().map(|node| json!({ "@id": node.id() })).collect::<Vec<_>>(),
        }));
        graph.extend(own.iter().map(Node::process));
    }
    json!({ "@context": context(), "@graph": graph })
}

fn context() -> Value {
    json!({
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "loc": "https://w3id.org/dpv/loc#",
        "pd": "https://w3id.org/dpv/pd#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

/// The name of what `parts` make.
fn name(parts: &[&str]) -> String {
    format!("ni:///sha-256;{}", URL_SAFE_NO_PAD.encode(Sha256::digest(parts.join("\0"))))
}

/// A row on its way.
struct Node<'a> {
    pack: &'a RecordPack,
    row: &'a Row,
}

impl Node<'_> {
    fn id(&self) -> String {
        name(&["process", self.row.role.as_str(), &self.row.activity, &self.row.registry])
    }

    fn cell(&self, field: &str) -> Option<&Entry> {
        self.pack.fields.iter().position(|one| &*one.id == field).and_then(|at| self.row.cells.get(at))
    }

    /// A node of the class `kind` that says what the cell `field` does.
    fn described(&self, kind: &str, field: &str) -> Value {
        let mut node = Map::from_iter([("@type".to_owned(), kind.into())]);
        if let Some(entry) = self.cell(field) {
            describe(&mut node, "dct:description", entry);
        }
        node.into()
    }

    /// The same, and nothing where the cell is missing or does not apply.
    fn told(&self, kind: &str, field: &str) -> Option<Value> {
        let is_known = |entry: &&Entry| !matches!(entry.status, Status::Missing | Status::NotApplicable);
        self.cell(field).filter(is_known).map(|_| self.described(kind, field))
    }

    fn process(&self) -> Value {
        let terms = &self.row.terms;
        let ids = |prefix: &str, all: &[Box<str>]| all.iter().map(|term| json!({ "@id": format!("{prefix}:{term}") })).collect::<Vec<_>>();
        let mut purposes = ids("dpv", &terms.purposes);
        purposes.extend(self.told("dpv:Purpose", "purposes"));
        let mut data: Vec<Value> = self
            .row
            .elements
            .iter()
            .map(|element| {
                let term = self.pack.dpv.data.get(element);
                term.map_or_else(
                    || json!({ "@type": "dpv:PersonalData", "dct:title": element.as_str() }),
                    |term| json!({ "@id": format!("pd:{term}") }),
                )
            })
            .collect();
        data.push(self.described("dpv:PersonalData", "elements"));
        let measures = [("dpv:TechnicalMeasure", "security"), ("dpv:OrganisationalMeasure", "organisation")];
        let records = [("dpv:ConsentRecord", "consent"), ("dpv:DataBreachRecord", "breaches")];
        let all = |of: [(&str, &str); 2]| of.into_iter().filter_map(|(kind, field)| self.told(kind, field)).collect::<Vec<_>>();
        let mut node = Map::from_iter([
            ("@id".to_owned(), self.id().into()),
            ("@type".to_owned(), "dpv:Process".into()),
            ("dct:title".to_owned(), self.cell("activity").map_or("", |entry| &entry.value).into()),
            ("dct:identifier".to_owned(), format!("{} at {}", self.row.activity, self.row.registry).into()),
        ]);
        match self.row.role {
            Role::Controller => {
                node.insert("dpv:hasDataController".to_owned(), self.registrar("dpv:DataController"));
            }
            Role::Processor => {
                // Who is the controller there, the role matrix says.
                let mut of = Map::from_iter([
                    ("@id".to_owned(), name(&["registry", &self.row.registry]).into()),
                    ("@type".to_owned(), "dpv:DataController".into()),
                ]);
                if let Some(entry) = self.cell("on_behalf_of") {
                    describe(&mut of, "dpv:hasName", entry);
                }
                node.insert("dpv:hasDataController".to_owned(), of.into());
                node.insert("dpv:hasDataProcessor".to_owned(), self.registrar("dpv:DataProcessor"));
            }
        }
        let parts = [
            ("dpv:hasPurpose", purposes),
            ("dpv:hasDataSubject", vec![self.described("dpv:DataSubject", "subjects")]),
            ("dpv:hasPersonalData", data),
            ("dpv:hasDataSource", self.told("dpv:DataSource", "source").into_iter().collect()),
            ("dpv:hasRecipient", self.row.recipients.iter().map(|one| self.recipient(one)).collect()),
            ("dpv:hasLegalBasis", ids("eu-gdpr", &terms.bases)),
            ("dpv:hasStorageCondition", self.told("dpv:StorageCondition", "limits").into_iter().collect()),
            ("dpv:hasTechnicalOrganisationalMeasure", all(measures)),
            ("dpv:hasRecordOfActivity", all(records)),
            ("dpv:hasImpactAssessment", self.told("dpv:DPIA", "dpia").into_iter().collect()),
        ];
        node.extend(parts.into_iter().filter(|(_, values)| !values.is_empty()).map(|(key, values)| (key.to_owned(), Value::from(values))));
        node.into()
    }

    /// The registrar itself, as it declared itself; where it did not, the node says so.
    fn registrar(&self, kind: &str) -> Value {
        let declared = self.cell("controller").filter(|entry| entry.status == Status::Declared).map_or("", |entry| &entry.value);
        let mut node = Map::from_iter([("@id".to_owned(), name(&["registrar", declared]).into()), ("@type".to_owned(), kind.into())]);
        if let Some(entry) = self.cell("controller") {
            describe(&mut node, "dpv:hasName", entry);
        }
        for (key, kind, field) in [
            ("dpv:hasDataProtectionOfficer", "dpv:DataProtectionOfficer", "dpo"),
            ("dpv:hasRepresentative", "dpv:Representative", "representative"),
        ] {
            node.extend(self.told(kind, field).map(|value| (key.to_owned(), value)));
        }
        node.into()
    }

    /// A recipient, and where it is: by the country's code, where somebody declared one.
    fn recipient(&self, one: &Recipient) -> Value {
        let mut node = Map::from_iter([
            ("@id".to_owned(), name(&["recipient", &one.name, &one.category, one.country.as_deref().unwrap_or_default()]).into()),
            ("@type".to_owned(), "dpv:Recipient".into()),
            ("dpv:hasName".to_owned(), one.name.as_str().into()),
            ("dct:description".to_owned(), one.category.as_str().into()),
            ("rdfs:comment".to_owned(), one.source.as_str().into()),
        ]);
        if let Some(country) = one.country.as_deref().filter(|code| iso3166::Country::from_alpha2(code).is_some()) {
            let place = json!({ "@id": format!("loc:{country}") });
            if self.pack.adequacy.is_third(country) {
                node.insert("dpv:hasThirdCountry".to_owned(), place.clone());
            }
            node.insert("dpv:hasLocation".to_owned(), place);
        }
        node.into()
    }
}

/// Puts what a cell says under `key` of `node`, and how it is known beside it. What is missing has no value, but what would fill it.
fn describe(node: &mut Map<String, Value>, key: &str, entry: &Entry) {
    let status = entry.status.as_str();
    let comment = if entry.status == Status::Missing {
        format!("{status}: {}", entry.value)
    } else {
        node.insert(key.to_owned(), entry.value.as_str().into());
        format!("{status}; {}", entry.source)
    };
    node.insert("rdfs:comment".to_owned(), comment.into());
}

#[cfg(test)]
mod tests {
    use super::super::sheet::TableForms;
    use super::*;
    use crate::base::RunId;
    use crate::compliance::processing::{Evidence, Traffic, build};
    use crate::model::Element;
    use std::collections::{BTreeMap, BTreeSet};

    /// The names of DPV 2.2, a term a line with its prefix.
    const TERMS: &str = include_str!("../../fixtures/dpv/terms-2.2.txt");

    fn made(declared: &[(&str, &str)]) -> Value {
        let now = "2026-11-22T02:00:00Z".parse().unwrap();
        let pack = RecordPack::embedded().unwrap();
        let recipient = |name: &str, country: Option<&str>| Recipient {
            name: name.into(),
            category: "escrow".into(),
            country: country.map(Into::into),
            mechanism: None,
            evidence: None,
            source: "register".into(),
            ..Recipient::default()
        };
        let seen = |registry: &str, profile: &str| Evidence {
            registry: registry.into(),
            profile: profile.into(),
            title: if profile == "eurid" { "EURid".into() } else { "T".into() },
            traffic: Traffic { commands: BTreeMap::from([("contact:info".to_owned(), 9)]), ..Traffic::default() },
            run: Some(("run-1".into(), now)),
            contacts: 9,
            subjects: BTreeMap::from([((true, "DE".to_owned()), 9)]),
            elements: Element::ALL.iter().map(|element| (*element, 9)).collect(),
            recipients: vec![recipient("A", Some("DE")), recipient("B", Some("NZ")), recipient("C", None), recipient("D", Some("ZZ"))],
            consent: Some(("7 subjects; given 5, withdrawn 2".into(), "consent ledger, 9 events".into())),
            rules: "r".into(),
            ..Evidence::default()
        };
        let declared: BTreeMap<String, String> = declared.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let rows: Vec<Row> = [("r1", "gtld-thick"), ("eu", "eurid")]
            .into_iter()
            .flat_map(|(id, profile)| build(&pack, &seen(id, profile), &declared, now))
            .collect();
        let making = Making { run_id: RunId::new("run-1"), tool_version: "0".into(), at: now, forms: TableForms::ALL };
        linked(&pack, &making, &rows)
    }

    fn of_type<'a>(made: &'a Value, kind: &str) -> Vec<&'a Value> {
        made["@graph"].as_array().unwrap().iter().filter(|node| node["@type"] == kind).collect()
    }

    /// Every key and every name of a term in `value`.
    fn terms(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    out.insert(key.clone());
                    if let (true, Some(text)) = (key == "@type" || key == "@id", value.as_str()) {
                        out.insert(text.to_owned());
                    }
                    terms(value, out);
                }
            }
            Value::Array(all) => all.iter().for_each(|value| terms(value, out)),
            _ => {}
        }
    }

    #[test]
    fn every_process_has_what_article_30_wants() {
        for made in [made(&[]), made(&[("controller", "Registrar Ltd"), ("dpo", "the officer"), ("organisation", "training")])] {
            let processes = of_type(&made, "dpv:Process");
            assert_eq!(processes.len(), 2);
            for process in processes {
                for key in ["dpv:hasDataController", "dpv:hasPurpose", "dpv:hasLegalBasis", "dpv:hasDataSubject", "dpv:hasPersonalData"] {
                    let value = &process[key];
                    assert!(value.as_object().is_some_and(|o| !o.is_empty()) || value.as_array().is_some_and(|a| !a.is_empty()), "{key}");
                }
                assert!(
                    process["dpv:hasLegalBasis"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|b| b["@id"].as_str().unwrap().starts_with("eu-gdpr:A6-1-"))
                );
                assert_eq!(process["dpv:hasRecordOfActivity"][0]["dct:description"], "7 subjects; given 5, withdrawn 2");
            }
            // Each record names its own rows and no others.
            let records = of_type(&made, "dpv:ROPA");
            assert_eq!(records.len(), 2, "the processor's rows stand in a record of their own");
            let named: Vec<&Value> =
                records.iter().flat_map(|record| record["dpv:hasProcess"].as_array().unwrap()).map(|p| &p["@id"]).collect();
            let there: Vec<&Value> = of_type(&made, "dpv:Process").into_iter().map(|process| &process["@id"]).collect();
            assert_eq!(named, there);
        }
    }

    #[test]
    fn what_nobody_declared_has_no_name_and_says_so() {
        let (without, with) = (made(&[]), made(&[("controller", "Registrar Ltd"), ("dpo", "the officer")]));
        let controller = |made: &Value| of_type(made, "dpv:Process")[0]["dpv:hasDataController"].clone();
        assert_eq!(controller(&without)["dpv:hasName"], Value::Null);
        assert!(controller(&without)["rdfs:comment"].as_str().unwrap().starts_with("missing: declare it"));
        assert_eq!(controller(&with)["dpv:hasName"], "Registrar Ltd");
        assert_eq!(controller(&with)["dpv:hasDataProtectionOfficer"]["dct:description"], "the officer");
        let processor = of_type(&with, "dpv:Process")[1];
        assert_eq!(
            (&processor["dpv:hasDataController"]["dpv:hasName"], &processor["dpv:hasDataProcessor"]["dpv:hasName"]),
            (&"EURid, DE".into(), &"Registrar Ltd".into())
        );
    }

    #[test]
    fn places_are_countries_and_third_ones_are_told() {
        let made = made(&[]);
        let recipients = of_type(&made, "dpv:Process")[0]["dpv:hasRecipient"].as_array().unwrap().clone();
        let places: Vec<(&str, &Value, &Value)> = recipients
            .iter()
            .map(|one| (one["dpv:hasName"].as_str().unwrap(), &one["dpv:hasLocation"]["@id"], &one["dpv:hasThirdCountry"]["@id"]))
            .collect();
        let none = Value::Null;
        assert_eq!(
            places,
            [("A", &"loc:DE".into(), &none), ("B", &"loc:NZ".into(), &"loc:NZ".into()), ("C", &none, &none), ("D", &none, &none)]
        );
    }

    #[test]
    fn only_terms_that_the_vocabulary_has_are_used() {
        let known: BTreeSet<&str> = TERMS.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(known.len() > 500, "the list is whole");
        let mut used = BTreeSet::new();
        terms(
            &made(&[("controller", "c"), ("dpo", "d"), ("representative", "r"), ("organisation", "o"), ("dpia", "p")])["@graph"],
            &mut used,
        );
        let of_dpv: Vec<&String> =
            used.iter().filter(|term| ["dpv:", "pd:", "eu-gdpr:", "loc:"].iter().any(|prefix| term.starts_with(prefix))).collect();
        assert!(of_dpv.len() > 30, "{of_dpv:?}");
        let unknown: Vec<_> = of_dpv.iter().filter(|term| !known.contains(term.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn an_expanding_reader_takes_it_and_asks_nobody() {
        let text = made(&[("controller", "c")]).to_string();
        // Without a loader a remote context would be an error.
        let quads = oxjsonld::JsonLdParser::new().for_slice(text.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
        let has = |predicate: &str, object: &str| {
            quads.iter().any(|quad| quad.predicate.as_str() == predicate && quad.object.to_string() == object)
        };
        assert!(has("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "<https://w3id.org/dpv#ROPA>"));
        assert!(has("https://w3id.org/dpv#hasLegalBasis", "<https://w3id.org/dpv/legal/eu/gdpr#A6-1-b>"));
        assert!(has("https://w3id.org/dpv#hasLocation", "<https://w3id.org/dpv/loc#NZ>"));
        assert!(quads.iter().all(|quad| !quad.predicate.as_str().starts_with("dpv:")), "every prefix is known");
    }

    #[test]
    fn equal_facts_have_equal_names() {
        assert_eq!(made(&[]), made(&[]));
        let ids = |made: &Value| of_type(made, "dpv:Process").iter().map(|node| node["@id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&made(&[])), ids(&made(&[("dpo", "x")])), "a process keeps its name when a cell changes");
    }
}
