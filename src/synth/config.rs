//! The configuration that goes with the data.

use super::exposure::ANSWERS;
use super::orders::{BASES, PROVIDER, THROUGH};
use super::registries::{REGISTRIES, Registry, SPONSOR, provider};
use std::collections::BTreeMap;

/// The port of the first registry where nobody says otherwise; the others follow.
const FIRST_PORT: u16 = 7701;

/// Where the list of `registry`'s names stands, relative to the configuration.
pub(super) fn list(registry: &str) -> String {
    format!("records/list-{registry}.txt")
}

/// The text of `privet.toml`, with the registries at `ports`. Nothing in it is drawn, so nothing has to be escaped.
#[must_use]
pub fn config(ports: &BTreeMap<String, u16>) -> String {
    let tables =
        ["contacts", "domains", "services", "orders"].map(|table| format!("\n[records.{table}]\nfiles = [\"records/{table}.csv\"]\n"));
    let registries =
        REGISTRIES.iter().zip(FIRST_PORT..).map(|(registry, usual)| account(registry, *ports.get(registry.id).unwrap_or(&usual)));
    let rdap = format!("\n[records.rdap]\nfiles = [\"{ANSWERS}\"]\n");
    let asking = format!("\n[consent]\nrules = \"{BASES}\"\nproviders = {{ {THROUGH} = \"{PROVIDER}\" }}\n{BRAND}");
    [HEAD.to_owned()].into_iter().chain(tables).chain([rdap, asking, privacy(), CONTROLLER.to_owned()]).chain(registries).collect()
}

const HEAD: &str = "\
# Synthetic records and the bundled registries they belong to. What a comparison has to find stands in truth/differences.csv.

version = 1
state = \"state\"
reports = \"reports\"
";

/// In which words people are asked.
const BRAND: &str = "
[messages.hedge]
name = \"Hedge Registrar\"
link = \"https://hedge.example/consent/\"
withdraw = \"control-panel\"
";

/// What the controller declares of itself.
const CONTROLLER: &str = "
[controller]
controller = \"Hedge Registrar, 1 Hedge Lane, Privetville, privacy@hedge.example\"
joint_controllers = \"none\"
representative = \"none: established in the Union\"
dpo = \"The officer, dpo@hedge.example\"
owner = \"Domain operations\"
organisation = \"two persons approve changes\"
automated = \"none\"
rights = \"https://hedge.example/privacy\"
review = \"2026-11-01, next 2027-11-01\"
";

/// The provider's data set.
fn privacy() -> String {
    let p = provider();
    let keys = [
        ("v1_handle", p.v1_handle),
        ("name", p.name),
        ("org", p.org),
        ("street1", p.street1),
        ("city", p.city),
        ("sp", p.sp),
        ("pc", p.pc),
        ("cc", p.cc),
        ("voice", p.voice),
        ("email_domain", p.email_domain),
    ];
    let lines = keys.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key} = \"{value}\"\n"));
    ["\n[privacy]\n".to_owned()].into_iter().chain(lines).collect()
}

/// One registry's account.
fn account(registry: &Registry, port: u16) -> String {
    let (id, profile) = (registry.id, registry.profile);
    let list = if registry.list { format!("list = \"{}\"\n", list(id)) } else { String::new() };
    format!(
        "\n[registries.{id}]\nprofile = \"{profile}\"\nhost = \"127.0.0.1\"\nport = {port}\nserver_name = \"localhost\"\n\
         client_id = \"{SPONSOR}\"\npassword = {{ file = \"states/{id}/password\" }}\n\
         certificate = \"states/{id}/tls/client.pem\"\nkey = \"states/{id}/tls/client.key\"\nca = \"states/{id}/tls/ca.pem\"\n{list}"
    )
}
