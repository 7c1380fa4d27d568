//! Which events are wanted: `--filter` of `events`, matched as Docker's daemon does. docker-events(1); book ch. 10.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::events::Event;
use crate::filter::FilterError;

/// What an event can be asked for.
const NAMES: [&str; 14] = [
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

/// One `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    name: String,
    value: String,
}

impl FromStr for EventFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let (name, value) = text.split_once('=').ok_or_else(|| FilterError::Format(text.to_owned()))?;
        let (name, value) = (name.trim().to_lowercase(), value.trim().to_owned());
        if NAMES.contains(&name.as_str()) {
            Ok(Self { name, value })
        } else {
            Err(FilterError::Unknown(name))
        }
    }
}

/// Whether all names that there are filters of are met: by one of their values, labels by all.
pub fn is_wanted(event: &Event, filters: &[EventFilter]) -> bool {
    let mut met: BTreeMap<&str, bool> = BTreeMap::new();
    for filter in filters {
        let matches = matches(event, &filter.name, &filter.value);
        if filter.name == "label" {
            *met.entry("label").or_insert(true) &= matches;
        } else {
            *met.entry(&filter.name).or_insert(false) |= matches;
        }
    }
    met.values().all(|met| *met)
}

fn matches(event: &Event, name: &str, value: &str) -> bool {
    let attribute = |name: &str| event.actor.attributes.get(name).map(String::as_str);
    match name {
        "event" => {
            event.action == value
                || event.action.strip_prefix(value).is_some_and(|rest| rest.starts_with(": "))
        }
        "type" => event.kind == value,
        "scope" => event.scope == value,
        "label" => match value.split_once('=') {
            Some((name, value)) => attribute(name) == Some(value),
            None => attribute(value).is_some(),
        },
        "image" => {
            let called = attribute(if event.kind == "image" { "name" } else { "image" }).unwrap_or_default();
            [&event.actor.id, called].iter().any(|text| *text == value || without_tag(text) == value)
        }
        // An object's kind: the start of an id or a name is enough.
        kind => {
            event.kind == kind
                && (event.actor.id.starts_with(value)
                    || attribute("name").is_some_and(|name| name.starts_with(value)))
        }
    }
}

/// The name without what follows the colon, unless that is a registry's port.
fn without_tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') => rest,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(event: &Event, filters: &[&str]) -> bool {
        let filters: Vec<EventFilter> = filters.iter().map(|text| text.parse().unwrap()).collect();
        is_wanted(event, &filters)
    }

    #[test]
    fn filters_of_a_name_are_alternatives_and_names_are_conditions() {
        let mut event =
            Event::image("pull", "registry:5000/web:1", "registry:5000/web").with("tier", &"back");
        assert!(wanted(&event, &[]));
        assert!(wanted(&event, &["event=push", "event=pull", "type=image"]));
        assert!(!wanted(&event, &["event=pull", "type=container"]));
        assert!(wanted(&event, &["image=registry:5000/web"]) && !wanted(&event, &["image=registry"]));
        assert!(wanted(&event, &["label=tier", "label=tier=back"]));
        assert!(!wanted(&event, &["label=tier", "label=tier=front"]));
        assert!(!wanted(&event, &["container=registry"]));
        event.kind = "container".to_owned();
        event.action = "health_status: healthy".to_owned();
        assert!(wanted(&event, &["container=regis", "event=health_status"]));
        assert!(!wanted(&event, &["event=health"]));
        assert_eq!("x=y".parse::<EventFilter>(), Err(FilterError::Unknown("x".to_owned())));
    }
}
