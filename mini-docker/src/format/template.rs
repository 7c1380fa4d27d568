//! A Go template with Docker's functions, whose errors say where they are.
//!
//! The engine parses and executes, and does not tell where an execution failed. So the parsed tree is changed before it
//! is executed: a field becomes a call of a function of ours that knows its place, and before any other call its place is
//! noted. Whatever fails then, fails at the place noted last. Go's `text/template`; places count as Go's do, bytes from 0.

use std::sync::{Arc, Mutex, PoisonError};

use gotmpl::{MissingKey, TemplateError, Value as Data};
use serde_json::Value;

use super::data::{self, Origins};
use super::fault::{Error, line_and_column, not_a_template, words};
use super::functions;
use super::{places, whole};

/// What is shown: an object by its fields, a row by its columns, or the headings of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Object,
    Row,
    Headings,
}

/// Maps whose keys nobody knows beforehand: what is not there has no value.
const OPEN: [&str; 12] = [
    "Annotations",
    "Attributes",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Networks",
    "PortBindings",
    "Ports",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// Fields that Docker leaves out of its JSON where there is nothing.
const OPTIONAL: [&str; 4] = ["Healthcheck", "Health", "SizeRootFs", "SizeRw"];

/// Where the execution is.
#[derive(Debug, Default)]
struct Now {
    offset: usize,
    /// The function that is called there; none for a field.
    function: Option<String>,
    /// What `range` is to go through.
    items: String,
    /// Whether the field that was asked for last is not there at all.
    is_missing: bool,
}

/// A template that has been read.
pub(super) struct Template {
    source: String,
    engine: gotmpl::Template,
    origins: Arc<Mutex<Origins>>,
    now: Arc<Mutex<Now>>,
}

/// The name of the changed tree.
const CHANGED: &str = "\u{1}";

impl Template {
    pub(super) fn parse(source: &str, of: Of) -> Result<Self, Error> {
        let refused = |error: TemplateError| not_a_template(&error, source);
        let (mut tree, mut defines) = whole::parse(source)?;
        places::note(&mut tree, source)?;
        for define in &mut defines {
            places::note(&mut define.body, source)?;
        }
        let (origins, now) = (Arc::<Mutex<Origins>>::default(), Arc::<Mutex<Now>>::default());
        let mut engine = gotmpl::Template::new("").missing_key(MissingKey::Error);
        for name in functions::NAMES {
            let origins = Arc::clone(&origins);
            let keeps = of == Of::Headings && functions::NOT_IN_HEADINGS.contains(&name);
            engine = engine.func(name, move |arguments| match arguments {
                [heading, ..] if keeps => Ok(heading.clone()),
                _ => functions::call(name, arguments, &origins)
                    .unwrap_or(Ok(Data::Nil))
                    .map_err(TemplateError::Exec),
            });
        }
        let here = Arc::clone(&now);
        engine = engine.func(places::HERE, move |arguments| note(arguments, &here));
        let here = Arc::clone(&now);
        engine = engine.func(places::FIELD, move |arguments| field(arguments, of, &here));
        let here = Arc::clone(&now);
        engine = engine.func(places::SHOW, move |arguments| Ok(shown(arguments, &here)));
        let mut engine = engine.parse("").map_err(refused)?.add_parse_tree(CHANGED, tree);
        for define in defines {
            engine = engine.add_parse_tree(&define.name, define.body);
        }
        Ok(Self { source: source.to_owned(), engine, origins, now })
    }

    /// The text for one object; `methods` are fields that can be called.
    pub(super) fn execute(
        &self,
        json: &Value,
        methods: &[(&str, gotmpl::ValueFunc)],
    ) -> Result<String, Error> {
        let mut origins = Origins::default();
        let mut data = data::data(json, "", &mut origins);
        if let (Data::Map(fields), false) = (&mut data, methods.is_empty()) {
            let before = Arc::as_ptr(fields) as usize;
            let mut more = fields.as_ref().clone();
            more.extend(
                methods.iter().map(|(name, method)| ((*name).into(), Data::Function(Arc::clone(method)))),
            );
            let more = Arc::new(more);
            if let Some(origin) = origins.remove(&before) {
                origins.insert(Arc::as_ptr(&more) as usize, origin);
            }
            *fields = more;
        }
        *self.origins.lock().unwrap_or_else(PoisonError::into_inner) = origins;
        self.engine.execute_template_to_string(CHANGED, &data).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &TemplateError) -> Error {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let message = words(error);
        let message = match &now.function {
            Some(name) if name == "range" => format!("range can't iterate over {}", now.items),
            Some(name) if !message.starts_with("wrong ") => format!("error calling {name}: {message}"),
            _ => message,
        };
        let (line, column) = line_and_column(&self.source, now.offset);
        let is_call = now.function.as_ref().is_some_and(|name| name != "range");
        let at = places::part(&self.source, now.offset, is_call).to_owned();
        // Go tells a chain of fields by the place of its second.
        let chain = at.trim_start_matches('.').find('.').map_or(0, |dot| dot + 1);
        let is_chain = !is_call && at.starts_with('.') && chain > 0;
        Error::Execute { line, column: column + if is_chain { chain } else { 0 }, at, message }
    }
}

/// `here OFFSET NAME [VALUE]`: notes the place, and gives back the value.
fn note(arguments: &[Data], now: &Mutex<Now>) -> Result<Data, TemplateError> {
    let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
    now.offset =
        arguments.first().and_then(Data::as_int).and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    now.function = arguments.get(1).map(ToString::to_string);
    if now.function.as_deref() == Some("range") {
        now.items = arguments.get(2).map(ToString::to_string).unwrap_or_default();
    }
    Ok(arguments.get(2).cloned().unwrap_or(Data::Nil))
}

/// `show VALUE`: a value as it is printed. Nothing where there could be something is `<nil>`, as Go prints a pointer
/// that leads nowhere; what a map does not have has no value, which the engine says by itself.
fn shown(arguments: &[Data], now: &Mutex<Now>) -> Data {
    match arguments.last() {
        Some(Data::Nil) | None if !now.lock().unwrap_or_else(PoisonError::into_inner).is_missing => {
            Data::from("<nil>")
        }
        value => value.cloned().unwrap_or(Data::Nil),
    }
}

/// `field OFFSET VALUE NAME…`: the field of the field of the value.
fn field(arguments: &[Data], of: Of, now: &Mutex<Now>) -> Result<Data, TemplateError> {
    let [offset, value, names @ ..] = arguments else { return Ok(Data::Nil) };
    let names: Vec<&str> = names
        .iter()
        .filter_map(|name| if let Data::String(name) = name { Some(&**name) } else { None })
        .collect();
    let mut value = value.clone();
    let mut is_missing = false;
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        let is_open = index > 0 && OPEN.contains(&names[index - 1]);
        let found = match (&value, value.field(name)) {
            (_, Some(found)) => Ok(found.clone()),
            (Data::Map(_), None) if of == Of::Headings || is_open => {
                is_missing = true;
                Ok(Data::Nil)
            }
            (Data::Map(_), None) if is_last && OPTIONAL.contains(name) => Ok(Data::Nil),
            (Data::Map(_), None) if of == Of::Object => Err(format!("map has no entry for key \"{name}\"")),
            (Data::Map(_), None) => Err(format!("can't evaluate field {name} in type row")),
            (Data::Nil, None) => Err(format!("nil data; no entry for key \"{name}\"")),
            (other, None) => Err(format!("can't evaluate field {name} in type {}", other.type_name())),
        };
        value = match found {
            Ok(found) => found,
            Err(message) => {
                let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
                now.offset = offset.as_int().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
                now.function = None;
                return Err(TemplateError::Exec(message));
            }
        };
    }
    now.lock().unwrap_or_else(PoisonError::into_inner).is_missing = is_missing;
    Ok(value)
}
