//! `privet schema`: the JSON Schemas, made from the types themselves.

use super::argument;
use crate::base::{Problem, Result};
use crate::policy::Profile;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};

/// Makes a schema from its type.
type Make = fn() -> Schema;

/// Each schema by its name.
const SCHEMAS: [(&str, Make); 2] = [("problem", || schema_for!(Problem)), ("profile", || schema_for!(Profile))];

/// The schema called `name`, or all by name.
///
/// # Errors
/// `E-cli-004` for a name that none has.
pub(super) fn schema(name: Option<&str>) -> Result<Value> {
    let Some(name) = name else {
        return Ok(SCHEMAS.iter().map(|(name, make)| ((*name).to_owned(), Value::from(make()))).collect::<Map<_, _>>().into());
    };
    match SCHEMAS.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => Ok(make().into()),
        None => {
            let known: Vec<&str> = SCHEMAS.iter().map(|(name, _)| *name).collect();
            Err(argument("E-cli-004", format!("there is no schema `{name}`"), format!("known: {}", known.join(", "))))
        }
    }
}
