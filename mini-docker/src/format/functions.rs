//! The functions that Docker adds to Go's, and those of Go's that the engine has in another way.
//! docs.docker.com, "Format command and log output".

use std::sync::{Arc, Mutex};

use gotmpl::Value as Data;

use super::data::{self, Origins};

/// What a function gives, or what is wrong with its arguments.
pub(super) type Answer = Result<Data, String>;

/// Calls one of these functions; none when there is no such function.
pub(super) fn call(name: &str, arguments: &[Data], origins: &Arc<Mutex<Origins>>) -> Option<Answer> {
    Some(match name {
        "json" => one(name, arguments).and_then(|value| json(value, origins)),
        "lower" => text_of(name, arguments, |text| text.to_lowercase()),
        "upper" => text_of(name, arguments, |text| text.to_uppercase()),
        "title" => text_of(name, arguments, title),
        "join" => join(arguments),
        "split" => split(arguments),
        "pad" => pad(arguments),
        "truncate" => truncate(arguments),
        "index" => index(arguments),
        "len" => one(name, arguments).and_then(len),
        "slice" => slice(arguments),
        _ => return None,
    })
}

/// The names of the functions.
pub(super) const NAMES: [&str; 11] =
    ["json", "lower", "upper", "title", "join", "split", "pad", "truncate", "index", "len", "slice"];

/// Those that leave the heading of a column as it is.
pub(super) const NOT_IN_HEADINGS: [&str; 7] =
    ["json", "lower", "upper", "title", "join", "split", "truncate"];

fn one<'a>(name: &str, arguments: &'a [Data]) -> Result<&'a Data, String> {
    match arguments {
        [argument] => Ok(argument),
        _ => Err(count(name, 1, arguments)),
    }
}

fn count(name: &str, wanted: usize, arguments: &[Data]) -> String {
    format!("wrong number of args for {name}: want {wanted} got {}", arguments.len())
}

fn text(data: &Data) -> Result<&str, String> {
    match data {
        Data::String(text) => Ok(text),
        other => Err(wrong("string", other)),
    }
}

fn number(data: &Data) -> Result<i64, String> {
    data.as_int().ok_or_else(|| wrong("int", data))
}

fn wrong(expected: &str, data: &Data) -> String {
    format!("wrong type for value; expected {expected}; got {}", data.type_name())
}

fn text_of(name: &str, arguments: &[Data], change: impl Fn(&str) -> String) -> Answer {
    Ok(Data::from(change(text(one(name, arguments)?)?)))
}

fn json(value: &Data, origins: &Mutex<Origins>) -> Answer {
    let origins = origins.lock().map_err(|_| "this value has no JSON")?;
    let json = data::json(value, &origins).ok_or("this value has no JSON")?;
    Ok(Data::from(json.to_string()))
}

/// A letter is the first of a word when no letter, digit or underscore stands before it.
fn title(text: &str) -> String {
    let mut is_first = true;
    let letter = |letter: char| {
        let upper = is_first;
        is_first = if letter.is_ascii() {
            !letter.is_ascii_alphanumeric() && letter != '_'
        } else {
            letter.is_whitespace()
        };
        if upper { letter.to_uppercase().collect() } else { letter.to_string() }
    };
    text.chars().map(letter).collect()
}

fn join(arguments: &[Data]) -> Answer {
    let [items, separator] = arguments else { return Err(count("join", 2, arguments)) };
    let Data::List(items) = items else { return Err(wrong("[]string", items)) };
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    Ok(Data::from(texts.join(text(separator)?)))
}

fn split(arguments: &[Data]) -> Answer {
    let [whole, separator] = arguments else { return Err(count("split", 2, arguments)) };
    let (whole, separator) = (text(whole)?, text(separator)?);
    // Go splits by nothing into letters, and has no empty ones at the ends.
    if separator.is_empty() {
        return Ok(Data::from(whole.chars().map(|c| Data::from(c.to_string())).collect::<Vec<_>>()));
    }
    Ok(Data::from(whole.split(separator).map(Data::from).collect::<Vec<_>>()))
}

/// More spaces than this are a mistake, and would fill the memory.
const WIDEST: i64 = 1024;

fn pad(arguments: &[Data]) -> Answer {
    let [padded, before, after] = arguments else { return Err(count("pad", 3, arguments)) };
    let padded = text(padded)?;
    let spaces = |count: i64| " ".repeat(usize::try_from(count.min(WIDEST)).unwrap_or(0));
    let (before, after) = (number(before)?, number(after)?);
    if before < 0 || after < 0 {
        return Err("strings: negative Repeat count".to_owned());
    }
    if padded.is_empty() {
        return Ok(Data::from(""));
    }
    Ok(Data::from(format!("{}{padded}{}", spaces(before), spaces(after))))
}

fn truncate(arguments: &[Data]) -> Answer {
    let [whole, length] = arguments else { return Err(count("truncate", 2, arguments)) };
    let (whole, length) = (text(whole)?, number(length)?);
    let length = usize::try_from(length).map_err(|_| "slice bounds out of range".to_owned())?;
    // Go cuts a letter of several bytes in the middle; here it stays out.
    let end = (0..=length.min(whole.len())).rev().find(|end| whole.is_char_boundary(*end));
    Ok(Data::from(&whole[..end.unwrap_or(0)]))
}

/// A key that a map of texts lacks is the empty text.
fn index(arguments: &[Data]) -> Answer {
    let [first, keys @ ..] = arguments else { return Err(count("index", 1, arguments)) };
    let mut value = first.clone();
    for key in keys {
        value = match (&value, key) {
            (Data::Map(fields), Data::String(key)) => match fields.get(key) {
                Some(value) => value.clone(),
                None if fields.values().all(|value| matches!(value, Data::String(_))) => Data::from(""),
                None => Data::Nil,
            },
            (value, key) => value.index(key).map_err(|error| super::fault::words(&error))?,
        };
    }
    Ok(value)
}

fn len(value: &Data) -> Answer {
    let length = value.len().ok_or_else(|| format!("len of type {}", value.type_name()))?;
    Ok(Data::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn slice(arguments: &[Data]) -> Answer {
    let [value, bounds @ ..] = arguments else { return Err(count("slice", 1, arguments)) };
    let length = match value {
        Data::String(_) | Data::List(_) => i64::try_from(value.len().unwrap_or(0)).unwrap_or(i64::MAX),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let bounds = bounds.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
    if let Some(outside) = bounds.iter().find(|bound| **bound < 0 || **bound > length) {
        return Err(format!("index out of range: {outside}"));
    }
    if let Some(pair) = bounds.windows(2).find(|pair| pair[0] > pair[1]) {
        return Err(format!("invalid slice index: {} > {}", pair[0], pair[1]));
    }
    let (start, end) = (bounds.first().copied(), bounds.get(1).copied());
    value.slice(start, end).map_err(|error| super::fault::words(&error))
}
