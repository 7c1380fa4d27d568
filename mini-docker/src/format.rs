//! How lists and objects are shown: as a table, as JSON, or by a Go template. docker-ps(1), "Format the output".

use anyhow::{Context as _, bail};
use gotmpl::{Template, Value as Data};
use serde_json::Value;

/// A column of a table: the field of a row, and its heading.
pub(crate) struct Column {
    /// The field, as templates name it.
    pub(crate) field: &'static str,
    /// What stands above it.
    pub(crate) heading: &'static str,
}

/// The rows of a list as text. `columns` are all that there may be; `default` is the table shown without a
/// format.
pub(crate) fn list(
    rows: &[Value],
    format: Option<&str>,
    columns: &[Column],
    default: &str,
) -> anyhow::Result<String> {
    match format {
        None | Some("table") => table(rows, default, columns),
        Some("json") => Ok(rows.iter().map(|row| format!("{row}\n")).collect()),
        Some(format) => match format.strip_prefix("table ") {
            Some(template) => table(rows, template, columns),
            None => rows.iter().map(|row| Ok(render(format, row)? + "\n")).collect(),
        },
    }
}

/// One object by a template, or as JSON.
pub(crate) fn object(object: &Value, format: &str) -> anyhow::Result<String> {
    if format == "json" { Ok(object.to_string()) } else { render(format, object) }
}

/// Cells stand apart by tabs in the template and by spaces in the table.
fn table(rows: &[Value], template: &str, columns: &[Column]) -> anyhow::Result<String> {
    let headings: serde_json::Map<String, Value> =
        columns.iter().map(|column| (column.field.to_owned(), column.heading.into())).collect();
    let mut lines = vec![render(template, &Value::Object(headings))?];
    for row in rows {
        lines.push(render(template, row)?);
    }
    let cells: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let width = |index: usize| {
        let longest = cells.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
        (longest.unwrap_or(0) + PADDING).max(NARROWEST)
    };
    let line = |row: &Vec<&str>| {
        let last = row.len() - 1;
        let mut line: String =
            row[..last].iter().enumerate().map(|(index, cell)| format!("{cell:<0$}", width(index))).collect();
        line.push_str(row[last]);
        line + "\n"
    };
    Ok(cells.iter().map(line).collect())
}

/// Spaces after the longest cell of a column, and the least width of one: Docker's.
const PADDING: usize = 3;
const NARROWEST: usize = 10;

fn render(template: &str, data: &Value) -> anyhow::Result<String> {
    // A shell hands over a backslash and a letter where a tab or a new line is meant.
    let text = template.replace("\\t", "\t").replace("\\n", "\n");
    let mut engine = Template::new("format").missing_key(gotmpl::MissingKey::Error);
    for (name, function) in FUNCTIONS {
        engine = engine.func(name, move |arguments| {
            function(arguments).map_err(|error| gotmpl::TemplateError::Exec(error.to_string()))
        });
    }
    let parsed = engine.parse(&text).with_context(|| format!("template parsing error in `{template}`"))?;
    let data = gotmpl::to_value(data).context("prepare the data of a template")?;
    parsed.execute_to_string(&data).with_context(|| format!("template execution error in `{template}`"))
}

type Function = fn(&[Data]) -> anyhow::Result<Data>;

/// The functions that Docker adds to Go's. docs.docker.com, "Format command and log output".
const FUNCTIONS: [(&str, Function); 8] = [
    ("json", |arguments| Ok(Data::from(json(one(arguments)?)?.to_string()))),
    ("lower", |arguments| Ok(Data::from(one(arguments)?.to_string().to_lowercase()))),
    ("upper", |arguments| Ok(Data::from(one(arguments)?.to_string().to_uppercase()))),
    ("title", |arguments| Ok(Data::from(title(&one(arguments)?.to_string())))),
    ("join", |arguments| match arguments {
        [Data::List(items), separator] => {
            let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            Ok(Data::from(texts.join(&separator.to_string())))
        }
        [Data::Nil, _] => Ok(Data::from("")),
        _ => bail!("join takes a list and a separator"),
    }),
    ("split", |arguments| match arguments {
        [text, separator] => {
            let (text, separator) = (text.to_string(), separator.to_string());
            Ok(Data::from(text.split(separator.as_str()).map(Data::from).collect::<Vec<_>>()))
        }
        _ => bail!("split takes a text and a separator"),
    }),
    ("pad", |arguments| match arguments {
        [text, Data::Int(before), Data::Int(after)] => {
            let spaces = |count: i64| " ".repeat(usize::try_from(count).unwrap_or(0).min(1024));
            Ok(Data::from(format!("{}{text}{}", spaces(*before), spaces(*after))))
        }
        _ => bail!("pad takes a text and two numbers"),
    }),
    ("truncate", |arguments| match arguments {
        [text, Data::Int(length)] => Ok(Data::from(
            text.to_string().chars().take(usize::try_from(*length).unwrap_or(0)).collect::<String>(),
        )),
        _ => bail!("truncate takes a text and a number"),
    }),
];

fn one(arguments: &[Data]) -> anyhow::Result<&Data> {
    match arguments {
        [argument] => Ok(argument),
        _ => bail!("the function takes one argument, {} were given", arguments.len()),
    }
}

fn title(text: &str) -> String {
    let mut start = true;
    let letter = |letter: char| {
        let upper = if start { letter.to_ascii_uppercase() } else { letter };
        start = letter.is_whitespace();
        upper
    };
    text.chars().map(letter).collect()
}

fn json(data: &Data) -> anyhow::Result<Value> {
    Ok(match data {
        Data::Nil => Value::Null,
        Data::Bool(value) => (*value).into(),
        Data::Int(value) => (*value).into(),
        Data::Uint(value) => (*value).into(),
        Data::Float(value) => (*value).into(),
        Data::String(value) => value.as_ref().into(),
        Data::List(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Data::Map(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.as_ref().to_owned(), json(value)?)));
            Value::Object(fields.collect::<anyhow::Result<_>>()?)
        }
        _ => bail!("this value has no JSON"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [Column; 2] =
        [Column { field: "Names", heading: "NAMES" }, Column { field: "Image", heading: "IMAGE" }];

    fn shown(format: Option<&str>) -> String {
        let rows =
            [json!({"Names": "a_long_name", "Image": "x"}), json!({"Names": "b", "Image": "debian:latest"})];
        list(&rows, format, &COLUMNS, "{{.Names}}\t{{.Image}}").unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn tables_json_and_templates_look_as_dockers_do() {
        insta::assert_snapshot!(
            [None, Some("table {{.Image}}\\t{{.Names}}"), Some("json"), Some("{{upper .Names}}: {{json .}}")]
                .map(shown)
                .join("---\n")
        );
    }

    #[test]
    fn a_bad_template_is_refused_with_its_place() {
        insta::assert_snapshot!(
            ["{{.Names", "{{.Nmaes}}", "{{nofunc .}}"].map(|format| shown(Some(format))).join("\n")
        );
    }
}
