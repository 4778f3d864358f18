//! From text to a document, naming every unknown key with its line instead of stopping at the first.

use std::{fmt, ops::Range};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::Document;

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The problems, one on each line.
pub(super) fn list(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |text, p| format!("{text}\n  {p}"))
}

/// A parsed file, to find the line of a key.
pub(super) struct Located<'t> {
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

impl Located<'_> {
    /// The line of `["input", "size"]`, or of the nearest table around it that is there.
    pub(super) fn line(&self, path: &[&str]) -> Option<usize> {
        let mut table = self.table.get_ref();
        let mut found = None;
        for key in path {
            let Some((k, v)) = table.iter().find(|(k, _)| k.get_ref() == key) else { break };
            found = Some(line_at(self.text, k.span().start));
            let DeValue::Table(inner) = v.get_ref() else { break };
            table = inner;
        }
        found
    }
}

/// The document, if its types are right, and the unknown keys that it has; or why there is none.
pub(super) fn parse(text: &str) -> Result<(Document, Located<'_>, Vec<Problem>), Vec<Problem>> {
    let problem = |error: &toml::de::Error| Problem {
        line: error.span().map(|s| line_at(text, s.start)),
        message: error.message().replace('\n', " "),
    };
    let table = DeTable::parse(text).map_err(|e| vec![problem(&e)])?;
    let mut problems = Vec::new();
    let mut rest = table.clone();
    loop {
        match Document::deserialize(toml::Deserializer::from(rest.clone())) {
            Ok(document) => return Ok((document, Located { text, table }, problems)),
            Err(error) => {
                problems.push(problem(&error));
                let unknown = error.message().starts_with("unknown field");
                let removed = error.span().is_some_and(|span| remove(rest.get_mut(), &span));
                if !(unknown && removed) {
                    return Err(problems);
                }
            }
        }
    }
}

/// Removes the key that stands at `span`, wherever it is.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let inside = |value: &mut Spanned<DeValue<'_>>| remove_inside(value.get_mut(), span);
    let here = table.keys().find(|k| k.span() == *span).cloned();
    if let Some(key) = here {
        return table.remove(&key).is_some();
    }
    table.iter_mut().any(|(_, value)| inside(value))
}

fn remove_inside(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => remove(table, span),
        DeValue::Array(array) => array.iter_mut().any(|v| remove_inside(v.get_mut(), span)),
        _ => false,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count()
}
