//! JSON as the data of a template.
//!
//! Go's templates see structures, and print a list that is not there as `[]`; a template engine over maps knows neither
//! the order of their fields nor kinds of nothing. So each list and map remembers the JSON that it was made from, which
//! is what `json` gives back.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gotmpl::Value as Data;
use serde_json::Value;

/// The JSON that lists and maps were made from, by their place in memory.
pub(super) type Origins = HashMap<usize, Value>;

/// Fields that are lists or maps in Docker, also when there is nothing in them.
const LISTS: [&str; 20] = [
    "Aliases",
    "Args",
    "Binds",
    "CapAdd",
    "CapDrop",
    "Cmd",
    "DNSNames",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Entrypoint",
    "Env",
    "ExecIDs",
    "ExtraHosts",
    "GroupAdd",
    "Links",
    "OnBuild",
    "SecondaryIPAddresses",
    "SecondaryIPv6Addresses",
    "SecurityOpt",
    "VolumesFrom",
];
const MAPS: [&str; 4] = ["Annotations", "DriverOpts", "Labels", "Volumes"];

/// The data that `json`, the value of the field `name`, is for a template.
pub(super) fn data(json: &Value, name: &str, origins: &mut Origins) -> Data {
    match json {
        Value::Null if LISTS.contains(&name) => list(Vec::new(), json, origins),
        Value::Null if MAPS.contains(&name) => map(BTreeMap::new(), json, origins),
        Value::Null => Data::Nil,
        Value::Bool(value) => Data::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Data::Int(number),
            (None, Some(number)) => Data::Uint(number),
            (None, None) => Data::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Data::from(text.as_str()),
        Value::Array(items) => {
            let items = items.iter().map(|item| data(item, "", origins)).collect();
            list(items, json, origins)
        }
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| (Arc::from(name.as_str()), data(value, name, origins));
            let fields = fields.iter().map(field).collect();
            map(fields, json, origins)
        }
    }
}

fn list(items: Vec<Data>, json: &Value, origins: &mut Origins) -> Data {
    let items: Arc<[Data]> = items.into();
    origins.insert(items.as_ptr() as usize, json.clone());
    Data::List(items)
}

fn map(fields: BTreeMap<Arc<str>, Data>, json: &Value, origins: &mut Origins) -> Data {
    let fields = Arc::new(fields);
    origins.insert(Arc::as_ptr(&fields) as usize, json.clone());
    Data::Map(fields)
}

/// The JSON of a value; none for a function.
pub(super) fn json(data: &Data, origins: &Origins) -> Option<Value> {
    Some(match data {
        Data::Nil => Value::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(value) => (*value).into(),
        Data::Uint(value) => (*value).into(),
        Data::Float(value) => (*value).into(),
        Data::String(value) => value.as_ref().into(),
        Data::List(items) => match origins.get(&(items.as_ptr() as usize)) {
            Some(origin) => origin.clone(),
            None => Value::Array(items.iter().map(|item| json(item, origins)).collect::<Option<_>>()?),
        },
        Data::Map(fields) => match origins.get(&(Arc::as_ptr(fields) as usize)) {
            Some(origin) => origin.clone(),
            None => {
                let field =
                    |(name, value): (&Arc<str>, &Data)| Some((name.to_string(), json(value, origins)?));
                Value::Object(fields.iter().map(field).collect::<Option<_>>()?)
            }
        },
        _ => return None,
    })
}
