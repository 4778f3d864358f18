//! A mistake in a pipeline file and how it is shown: where, what, and what to do about it.

use std::{
    fmt::{self, Write as _},
    ops::Range,
    path::Path,
};

/// One mistake in a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file, as `cameras.gate.rules.bikes.misparked_ebike.limit_seconds`; empty for the file itself.
    pub path: String,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What to do about it: a lowercase fragment.
    pub hint: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes of the file that are marked.
    pub span: Range<usize>,
}

impl Problem {
    /// A problem at `span` of `text`.
    pub fn new(
        text: &str,
        span: Range<usize>,
        path: String,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) -> Self {
        let start = floor_boundary(text, span.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            path,
            message: message.into(),
            hint: hint.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: start..floor_boundary(text, span.end).max(start),
        }
    }

    /// The problem as a compiler would print it, with the line of the file and a mark below it.
    pub fn render<'a>(&'a self, text: &'a str, file: &'a Path) -> impl fmt::Display + 'a {
        Rendered { problem: self, text, file }
    }
}

/// All problems of a file, one after the other, and how many there are.
pub fn render_all(problems: &[Problem], text: &str, file: &Path) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&problem.render(text, file).to_string());
        out.push('\n');
    }
    let plural = if problems.len() == 1 { "" } else { "s" };
    let _ = writeln!(out, "{}: {} mistake{plural}", file.display(), problems.len());
    out
}

struct Rendered<'a> {
    problem: &'a Problem,
    text: &'a str,
    file: &'a Path,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { path, message, hint, line, column, span } = self.problem;
        if path.is_empty() {
            writeln!(f, "error: {message}")?;
        } else {
            writeln!(f, "error: {path}: {message}")?;
        }
        let source = self.text.lines().nth(line - 1).unwrap_or_default();
        let gutter = " ".repeat(line.to_string().len());
        let marked = self.text[span.clone()].lines().next().unwrap_or_default();
        let before = &source[..source.len().min(byte_of_column(source, *column))];
        writeln!(f, "{gutter}--> {}:{line}:{column}", self.file.display())?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{line} | {source}")?;
        writeln!(
            f,
            "{gutter} | {}{}",
            " ".repeat(display_width(before)),
            "^".repeat(display_width(marked).max(1))
        )?;
        if let Some(hint) = hint {
            writeln!(f, "{gutter} = hint: {hint}")?;
        }
        Ok(())
    }
}

fn byte_of_column(line: &str, column: usize) -> usize {
    line.char_indices().nth(column - 1).map_or(line.len(), |(at, _)| at)
}

/// Cells that a terminal gives the text: two for CJK, so that the mark stands below what it marks.
fn display_width(text: &str) -> usize {
    text.chars()
        .map(|c| if matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffdc}') { 2 } else { 1 })
        .sum()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The candidate that was most likely meant by `written`, if any is near enough to be a slip.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(steps, candidate)| *steps <= 1 + candidate.chars().count().max(written.chars().count()) / 4)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap neighbours) from one word to the other (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + replace);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("limt_seconds", ["zones", "limit_seconds"]), Some("limit_seconds"));
        assert_eq!(nearest("polgyon", ["purpose", "polygon"]), Some("polygon"));
        assert_eq!(nearest("colour", ["zones", "limit_seconds"]), None);
    }

    #[test]
    fn the_mark_stands_below_wide_characters_too() {
        let text = "name = \"x\"\n北门 = 1\n";
        let at = text.find("北门").unwrap();
        let problem = Problem::new(text, at..at + 6, "北门".into(), "unknown key", None);
        assert_eq!((problem.line, problem.column), (2, 1));
        assert!(problem.render(text, Path::new("a.toml")).to_string().contains("\n  | ^^^^\n"));
    }
}
