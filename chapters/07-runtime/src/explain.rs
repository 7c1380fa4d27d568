//! The steps of a start as text: what `run --explain` prints while they are done.

use std::time::Duration;

use serde::Serialize;

use crate::step::Step;

/// How to show a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object, for programs.
    Json,
}

/// A step that has been done.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// Its place in time, from 1.
    pub step: usize,
    /// The system call with its decoded flags.
    pub call: String,
    /// Why it is done, and why here.
    pub why: &'a str,
    /// How long it took, in microseconds.
    pub microseconds: f64,
    /// The chapter that explains it.
    pub chapter: u8,
}

/// The line for step `number`.
pub fn line(number: usize, step: &Step, took: Duration, format: Format) -> String {
    let microseconds = (took.as_secs_f64() * 1e7).round() / 10.0;
    let line =
        Line { step: number, call: step.call(), why: step.why(), microseconds, chapter: step.chapter() };
    match format {
        Format::Json => serde_json::to_string(&line).unwrap_or_default(),
        Format::Text => format!(
            "{:>3}  {}\n     {} [{:.1} µs, chapter {}]",
            line.step, line.call, line.why, line.microseconds, line.chapter
        ),
    }
}
