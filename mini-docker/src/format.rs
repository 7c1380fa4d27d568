//! How lists and objects are shown: as a table, as JSON, or by a Go template. docker-ps(1), "Format the output".

mod data;
mod fault;
mod functions;
mod places;
mod table;
mod template;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use gotmpl::{Value as Data, ValueFunc};
use serde_json::Value;

use crate::failure;
use template::{Of, Template};

pub(crate) use table::align;

/// A column of a table: the field of a row, and its heading.
pub(crate) struct Column {
    /// The field, as templates name it.
    pub(crate) field: &'static str,
    /// What stands above it.
    pub(crate) heading: &'static str,
}

/// A row of a list.
pub(crate) struct Row {
    /// Its fields.
    pub(crate) fields: Value,
    /// What `.Label "name"` asks for.
    pub(crate) labels: BTreeMap<String, String>,
}

impl From<Value> for Row {
    fn from(fields: Value) -> Self {
        Self { fields, labels: BTreeMap::new() }
    }
}

/// The rows of a list as text. `columns` are all that there may be; `default` is the table shown without a
/// format.
pub(crate) fn list(
    rows: &[Value],
    format: Option<&str>,
    columns: &[Column],
    default: &str,
) -> anyhow::Result<String> {
    let rows: Vec<Row> = rows.iter().map(|row| Row::from(row.clone())).collect();
    labelled(&rows, format, columns, default)
}

/// As [`list`], of things that have labels.
pub(crate) fn labelled(
    rows: &[Row],
    format: Option<&str>,
    columns: &[Column],
    default: &str,
) -> anyhow::Result<String> {
    let format = format.filter(|format| !format.is_empty()).unwrap_or("table");
    let source = match format.strip_prefix("table") {
        _ if format == "json" => return Ok(rows.iter().map(json).collect()),
        Some("") => default,
        Some(columns) => columns,
        None => format,
    };
    // A shell hands over a backslash and a letter where a tab or a new line is meant.
    let source = source.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
    let template = Template::parse(&source, Of::Row).context("failed to parse template")?;
    let mut text = String::new();
    for row in rows {
        let methods = [("Label", label_of(&row.labels))];
        text += &template.execute(&row.fields, &methods).context("failed to execute template")?;
        text.push('\n');
    }
    if !format.starts_with("table") {
        return Ok(text);
    }
    let headings: serde_json::Map<String, Value> =
        columns.iter().map(|column| (column.field.to_owned(), column.heading.into())).collect();
    let template = Template::parse(&source, Of::Headings).context("failed to parse template")?;
    let methods: [(&str, ValueFunc); 1] = [("Label", Arc::new(heading_of_label))];
    let heading = template.execute(&Value::Object(headings), &methods).unwrap_or_default();
    Ok(table::align(&format!("{heading}\n{text}")))
}

/// A row as JSON, by the alphabet.
fn json(row: &Row) -> String {
    let sorted: Option<BTreeMap<&String, &Value>> =
        row.fields.as_object().map(|fields| fields.iter().collect());
    serde_json::to_string(&sorted).unwrap_or_default() + "\n"
}

fn label_of(labels: &BTreeMap<String, String>) -> ValueFunc {
    let labels = labels.clone();
    Arc::new(move |arguments| {
        let name = arguments.first().map(ToString::to_string).unwrap_or_default();
        Ok(Data::from(labels.get(&name).map_or("", String::as_str)))
    })
}

/// The last part of a label's name, with spaces.
fn heading_of_label(arguments: &[Data]) -> gotmpl::Result<Data> {
    let name = arguments.first().map(ToString::to_string).unwrap_or_default();
    Ok(Data::from(name.rsplit('.').next().unwrap_or_default().replace(['-', '_'], " ")))
}

/// Docker's exit status for a template that is none.
const NO_TEMPLATE: u8 = 64;

/// Objects by a template, a line each, or as JSON.
pub(crate) fn objects(objects: &[Value], format: &str) -> anyhow::Result<String> {
    if format == "json" {
        return Ok(format!("{}\n", Value::Array(objects.to_vec())));
    }
    let template = Template::parse(format, Of::Object).context("template parsing error");
    let template = template.map_err(|error| failure::with_status(&error, NO_TEMPLATE))?;
    let mut text = String::new();
    for object in objects {
        text += &template.execute(object, &[]).context("template parsing error")?;
        text.push('\n');
    }
    Ok(text)
}

/// One object by a template, or as JSON.
pub(crate) fn object(object: &Value, format: &str) -> anyhow::Result<String> {
    if format == "json" {
        return Ok(object.to_string());
    }
    let text = objects(std::slice::from_ref(object), format)?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests;
