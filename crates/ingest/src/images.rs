//! Folders and patterns of pictures as frames.

use std::path::{Path, PathBuf};

use parapet_core::Picture;

use crate::{config::ImagesConfig, error::OpenError};

/// The pictures that the configuration means, in order.
pub(crate) fn list(config: &ImagesConfig) -> Result<Vec<PathBuf>, OpenError> {
    let (directory, name_pattern, shown) = match (&config.directory, &config.pattern) {
        (Some(directory), _) => (directory.clone(), "*".to_owned(), directory.display().to_string()),
        (None, Some(pattern)) => {
            let path = Path::new(pattern);
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (parent.to_owned(), name, pattern.clone())
        }
        (None, None) => return Err(OpenError::NoImages("nowhere".to_owned())),
    };
    let failed = |source| OpenError::Read { path: directory.clone(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        if matches!(extension.as_str(), "jpg" | "jpeg" | "png") && matches(&name_pattern, &name) {
            files.push((sort_key(&name), path));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(OpenError::NoImages(shown));
    }
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Decodes one picture.
pub(crate) fn read(path: &Path) -> Result<Picture, OpenError> {
    let failed = |detail: String| OpenError::NotAVideo { path: path.to_owned(), detail };
    let bytes = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    decode(&bytes).map_err(failed)
}

/// Decodes a JPEG or PNG; says what is wrong with it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture, String> {
    let image = image::load_from_memory(bytes).map_err(|e| e.to_string())?.into_rgb8();
    let (width, height) = image.dimensions();
    Picture::from_rgb(width as usize, height as usize, image.as_raw())
        .ok_or_else(|| "the picture is empty".to_owned())
}

/// `*` stands for anything, `%d` and `%05d` for digits.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => name.char_indices().map(|(i, _)| i).chain([name.len()]).any(|i| matches(rest, &name[i..])),
        '%' => {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let Some(after) = after.strip_prefix('d') else { return false };
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            (1..=digits).any(|n| matches(after, &name[n..]))
        }
        _ => name.strip_prefix(first).is_some_and(|name| matches(rest, name)),
    }
}

/// `shot2` before `shot10`: runs of digits are put at the same length.
pub(crate) fn sort_key(name: &str) -> String {
    let mut key = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        key.push_str(&rest[..start]);
        key.extend(std::iter::repeat_n('0', 20_usize.saturating_sub(digits)));
        key.push_str(&rest[start..start + digits]);
        rest = &rest[start + digits..];
    }
    key + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_a_shell_and_printf_do() {
        for (pattern, name, expected) in [
            ("*", "a.jpg", true),
            ("roof_*.jpg", "roof_12.jpg", true),
            ("roof_*.jpg", "wall_12.jpg", false),
            ("%05d.png", "00012.png", true),
            ("shot%d.png", "shot.png", false),
            ("北门*", "北门1.jpg", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn numbers_sort_as_numbers() {
        let mut names = vec!["shot10.jpg", "shot2.jpg", "shot1.jpg"];
        names.sort_by_key(|n| sort_key(n));
        assert_eq!(names, ["shot1.jpg", "shot2.jpg", "shot10.jpg"]);
    }
}
