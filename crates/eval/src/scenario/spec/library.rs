//! Backgrounds and looks that several scenarios share.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::{BackgroundSpec, LookSpec, ScenarioError, ScenarioSpec};

/// Backgrounds and looks by name.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Scenes.
    #[serde(default)]
    pub backgrounds: BTreeMap<String, BackgroundSpec>,
    /// What things look like.
    #[serde(default)]
    pub things: BTreeMap<String, LookSpec>,
}

impl Library {
    /// Reads a library.
    ///
    /// # Errors
    /// When the file cannot be read or is no library.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|e| ScenarioError::Invalid { path: path.to_owned(), message: e.to_string() })
    }

    /// Puts what a specification names in place of the names.
    pub(super) fn complete(&self, spec: &mut ScenarioSpec) -> Result<(), String> {
        if let Some(name) = spec.background.from.take() {
            let given = std::mem::take(&mut spec.background);
            let plain = BackgroundSpec {
                playing: given.playing,
                start_seconds: given.start_seconds,
                ..BackgroundSpec::default()
            };
            if given != plain {
                return Err("background.from stands beside what the library says; \
                            hint: only playing and start_seconds may be given with it"
                    .into());
            }
            let found =
                self.backgrounds.get(&name).ok_or_else(|| unknown("background", &name, &self.backgrounds))?;
            spec.background = BackgroundSpec {
                playing: given.playing,
                start_seconds: given.start_seconds,
                ..found.clone()
            };
        }
        for (key, thing) in &mut spec.things {
            match (&thing.thing, &thing.look) {
                (Some(name), None) => {
                    let look = self.things.get(name).ok_or_else(|| unknown("thing", name, &self.things))?;
                    thing.look = Some(look.clone());
                }
                (None, Some(_)) => {}
                _ => return Err(format!("things.{key} has no look or two; hint: give either thing or look")),
            }
        }
        Ok(())
    }
}

fn unknown<T>(what: &str, name: &str, known: &BTreeMap<String, T>) -> String {
    let known = known.keys().cloned().collect::<Vec<_>>().join(", ");
    format!("the library has no {what} \"{name}\"; hint: it has {known}")
}
