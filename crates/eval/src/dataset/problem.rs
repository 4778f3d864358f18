//! What is wrong with a dataset: file, line, what, and what to do about it. Problems are gathered, never thrown: one bad
//! label file does not stop the others.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// One mistake in a label file, a picture or a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line from 1, where the file has lines and the mistake one place.
    pub line: Option<usize>,
    /// What is wrong: a lowercase fragment.
    pub what: String,
    /// What to do about it: a lowercase fragment.
    pub hint: String,
}

impl Problem {
    /// The file, and the line where there is one: `labels/a.txt:3`.
    pub fn place(&self) -> String {
        self.line
            .map_or_else(|| self.file.display().to_string(), |line| format!("{}:{line}", self.file.display()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; hint: {}", self.place(), self.what, self.hint)
    }
}

/// A mistake of which the place is not yet known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong: a lowercase fragment.
    pub what: String,
    /// What to do about it: a lowercase fragment.
    pub hint: String,
}

impl Fault {
    /// A mistake and its hint.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Problems of one file that are told one by one; those beyond are counted.
pub const TOLD_PER_FILE: usize = 20;

/// Gathers problems in the order in which they are met.
#[derive(Debug, Default)]
pub struct Problems {
    told: Vec<Problem>,
    per_file: BTreeMap<PathBuf, usize>,
    count: usize,
}

impl Problems {
    /// Adds a problem.
    pub fn add(&mut self, file: &Path, line: impl Into<Option<usize>>, fault: Fault) {
        self.count += 1;
        let of_file = match self.per_file.get_mut(file) {
            Some(count) => count,
            None => self.per_file.entry(file.to_owned()).or_default(),
        };
        *of_file += 1;
        if *of_file <= TOLD_PER_FILE {
            let Fault { what, hint } = fault;
            self.told.push(Problem { file: file.to_owned(), line: line.into(), what, hint });
        }
    }

    /// How many there are, told or not.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All, with a last one for each file that has more than [`TOLD_PER_FILE`].
    pub fn finish(mut self) -> Vec<Problem> {
        for (file, count) in self.per_file {
            if count > TOLD_PER_FILE {
                self.told.push(Problem {
                    file,
                    line: None,
                    what: format!("{} more problems", count - TOLD_PER_FILE),
                    hint: "the first ones usually explain the others".into(),
                });
            }
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_full_of_mistakes_is_told_in_short() {
        let mut problems = Problems::default();
        for line in 1..=1000 {
            problems.add(Path::new("a.txt"), line, Fault::new("bad", "mend it"));
        }
        problems.add(Path::new("b.txt"), None, Fault::new("missing", "fetch it"));
        assert_eq!(problems.count(), 1001);
        let told: Vec<String> = problems.finish().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 22);
        assert_eq!(told[0], "a.txt:1: bad; hint: mend it");
        assert_eq!(told[20], "b.txt: missing; hint: fetch it");
        assert_eq!(told[21], "a.txt: 980 more problems; hint: the first ones usually explain the others");
    }
}
