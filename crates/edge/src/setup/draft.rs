//! A text of the pipeline file that is not in force yet: what is wrong with it, and saving it once nothing is.

use std::{ops::Range, path::Path};

use parapet_core::{CameraId, Timestamp};
use serde::Serialize;
use toml::{Table, Value, de::DeTable};

use super::{
    Desk,
    edit::{Edit, edited},
    file::{SaveError, Version, revision_of},
    model::Model,
    refusal::Refusal,
    secrets::{Secrets, has_new, masked, restored},
};
use crate::config::{self, Problem};

/// What opens doors or loads libraries: changed at the node itself.
const FROZEN: [&str; 3] = ["node", "bus", "models"];
/// Where a file or variable with a secret is named.
const SECRETS: [&str; 4] = ["password_file", "password_env", "passphrase_file", "passphrase_env"];

/// A mistake as it is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Told {
    path: String,
    message: String,
    hint: Option<String>,
    line: usize,
    column: usize,
    /// In characters of the text.
    from: usize,
    to: usize,
}

/// A text, what is wrong with it, and what it says.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Examined {
    pub(super) text: String,
    pub(super) revision: String,
    pub(super) problems: Vec<Told>,
    pub(super) model: Option<Model>,
}

/// A text that was edited.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Draft {
    #[serde(flatten)]
    pub(super) examined: Examined,
    pub(super) changed: bool,
}

/// A text that is in force.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Saved {
    revision: String,
    previous: String,
    version: String,
}

impl Desk {
    /// The text in force; its revision is that of the file with its passwords.
    pub(super) fn current(&self) -> Result<(Examined, Vec<Version>), Refusal> {
        let original = self.read()?;
        let mut examined = self.examine(&masked(&original), &original);
        examined.revision = revision_of(&original);
        Ok((examined, self.file.versions().map_err(|error| failed(&error))?))
    }

    /// The text after edits, and what is wrong with it.
    pub(super) fn draft(&self, text: &str, edits: &[Edit]) -> Result<Draft, Refusal> {
        let original = self.read()?;
        let mut keep = |camera: &CameraId, password: &str| {
            self.secrets.keep(camera, password).map_err(|error| failed(&error))
        };
        no_new_passwords(text, &original)?;
        let now = masked(&edited(text, edits, &mut keep)?);
        Ok(Draft { changed: now != masked(&original), examined: self.examine(&now, &original) })
    }

    /// Puts a text in force that has no mistakes and is based on what is there.
    pub(super) fn save(&self, base: &str, text: &str, at: Timestamp) -> Result<Saved, Refusal> {
        let original = self.read()?;
        if revision_of(&original) != base {
            return Err(Refusal::Changed);
        }
        no_new_passwords(text, &original)?;
        if !self.examine(text, &original).problems.is_empty() {
            return Err(Refusal::Problems);
        }
        let text = whole(text, &original)?;
        let version = self.file.save(base, &text, at).map_err(|error| match error {
            SaveError::Changed => Refusal::Changed,
            SaveError::Disk(error) => failed(&error),
        })?;
        let revision = revision_of(&text);
        let mut texts = vec![text];
        for version in self.file.versions().map_err(|error| failed(&error))? {
            let kept = self.file.version(&version.version).map_err(|error| failed(&error))?;
            texts.extend(kept.map(|(_, text)| text));
        }
        // What is saved is saved.
        if let Err(error) = self.secrets.forget(&texts, at) {
            tracing::warn!(%error, "passwords that nothing names cannot be removed");
        }
        Ok(Saved { revision, previous: base.to_owned(), version })
    }

    /// An earlier text.
    pub(super) fn earlier(&self, name: &str) -> Result<(Version, Examined), Refusal> {
        let original = self.read()?;
        let (version, text) =
            self.file.version(name).map_err(|error| failed(&error))?.ok_or(Refusal::NotFound)?;
        Ok((version, self.examine(&masked(&text), &original)))
    }

    /// A draft as a pipeline, with the passwords that it masks.
    pub(super) fn pipeline(&self, text: &str) -> Result<config::Pipeline, Refusal> {
        let original = self.read()?;
        if !self.examine(text, &original).problems.is_empty() {
            return Err(Refusal::Problems);
        }
        let whole = whole(text, &original)?;
        config::check(&whole, self.file.path()).map_err(|_| Refusal::Problems)
    }

    /// The pipeline in force.
    pub(super) fn in_force(&self) -> Result<config::Pipeline, Refusal> {
        config::check(&self.read()?, self.file.path()).map_err(|_| Refusal::Problems)
    }

    pub(super) fn read(&self) -> Result<String, Refusal> {
        self.file.read().map_err(|error| failed(&error))
    }

    fn examine(&self, text: &str, original: &str) -> Examined {
        let mut problems = config::check(text, self.file.path()).err().unwrap_or_default();
        problems.extend(frozen(text, original));
        problems.extend(masks(text, original));
        problems.extend(foreign_secrets(text, original, &self.secrets));
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        let mut at = Characters::default();
        let told = problems.into_iter().map(|problem| at.told(text, problem)).collect();
        Examined {
            text: text.to_owned(),
            revision: revision_of(text),
            problems: told,
            model: Model::of(text),
        }
    }
}

pub(super) fn failed(error: &std::io::Error) -> Refusal {
    Refusal::Failed(error.to_string())
}

/// Passwords are not written into the text: they would be shown, and kept with every version.
fn no_new_passwords(text: &str, original: &str) -> Result<(), Refusal> {
    if !has_new(text, original) {
        return Ok(());
    }
    Err(Refusal::refused(
        "请不要把密码写在地址里，请用摄像机的密码项设置",
        "do not write a password into an address; set it as the password of the camera",
    ))
}

/// Counts characters up to places that come in order.
#[derive(Default)]
struct Characters {
    byte: usize,
    character: usize,
}

impl Characters {
    fn told(&mut self, text: &str, problem: Problem) -> Told {
        let Problem { path, message, hint, line, column, span } = problem;
        self.character += text[self.byte..span.start].chars().count();
        self.byte = span.start;
        let to = self.character + text[span].chars().count();
        Told { path, message, hint, line, column, from: self.character, to }
    }
}

/// What differs in tables that are not changed from afar.
fn frozen(text: &str, original: &str) -> Vec<Problem> {
    let (Ok(now), Ok(before)) = (text.parse::<Table>(), masked(original).parse::<Table>()) else {
        return Vec::new();
    };
    let problem = |name: &str| {
        Problem::new(
            text,
            span_of(text, &[name.to_owned()]).unwrap_or(0..0),
            name.to_owned(),
            format!("[{name}] cannot be changed from the command center"),
            "change it in the file at the node, and restart the node".to_owned(),
        )
    };
    FROZEN.into_iter().filter(|name| now.get(*name) != before.get(*name)).map(problem).collect()
}

/// Masked passwords that there are none for.
fn masks(text: &str, original: &str) -> Vec<Problem> {
    let unknown = restored(text, original).err().unwrap_or_default();
    let problem = |span| {
        let message = "the password behind *** is not known for this address";
        let hint = "write username beside it, and set the password anew".to_owned();
        Problem::new(text, span, String::new(), message, hint)
    };
    unknown.into_iter().map(problem).collect()
}

/// Secrets that a draft would have read and that are not the cameras': a node's token would be sent to any address.
fn foreign_secrets(text: &str, original: &str, secrets: &Secrets) -> Vec<Problem> {
    let named = |text: &str| {
        let mut found = Vec::new();
        if let Some(cameras) = text.parse::<Table>().ok().and_then(|table| table.get("cameras").cloned()) {
            collect(&cameras, &mut vec!["cameras".to_owned()], &mut found);
        }
        found
    };
    let before = named(original);
    let is_foreign = |(path, value): &(Vec<String>, String)| {
        let known = before.iter().any(|(other, old)| other.last() == path.last() && old == value);
        let ours = path.last().is_some_and(|key| key.ends_with("_file")) && secrets.holds(value);
        !known && !ours
    };
    let problem = |(path, value): (Vec<String>, String)| {
        let message = format!("\"{value}\" was not made for the password of a camera");
        let hint = "set the password of the camera, and it gets a file of its own; other files are named at the node";
        let span = span_of(text, &path).unwrap_or(0..0);
        Problem::new(text, span, path.join("."), message, hint.to_owned())
    };
    named(text).into_iter().filter(is_foreign).map(problem).collect()
}

/// The text with the passwords that it masks.
fn whole(text: &str, original: &str) -> Result<String, Refusal> {
    restored(text, original).map_err(|_| Refusal::Problems)
}

fn collect(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    for (key, value) in value.as_table().into_iter().flatten() {
        path.push(key.clone());
        match value {
            Value::String(text) if SECRETS.contains(&key.as_str()) => {
                found.push((path.clone(), text.clone()));
            }
            value => collect(value, path, found),
        }
        path.pop();
    }
}

/// Where a key stands in a text.
fn span_of(text: &str, path: &[String]) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let (last, parents) = path.split_last()?;
    let mut table = document.get_ref();
    for key in parents {
        table = table.get(key.as_str())?.get_ref().as_table()?;
    }
    table.iter().find(|(key, _)| key.get_ref() == last).map(|(key, _)| key.span())
}

/// The name of the file, for people.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
