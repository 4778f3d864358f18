//! From a path in a request to a file of evidence, and nowhere else.

use std::path::{Component, Path, PathBuf};

/// What a requested path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    /// A file below the evidence directory.
    File(PathBuf),
    /// Evidence that retention removed.
    Removed,
    /// Nothing, or nothing that may be served.
    Nothing,
}

/// The file that `path`, as an `EvidenceItem` gives it, names below `root`. Absolute paths, `..` and links that lead
/// out of `root` name nothing.
pub(crate) fn locate(root: &Path, path: &str) -> Located {
    let relative = Path::new(path);
    let plain = |c: Component<'_>| match c {
        Component::Normal(name) => name.to_str().is_some_and(|n| !n.starts_with('.') && !n.contains('\\')),
        _ => false,
    };
    let parts: Vec<_> = relative.components().collect();
    if parts.len() != 3 || !parts.iter().all(|c| plain(*c)) || path.contains('\0') {
        return Located::Nothing;
    }
    let file = root.join(relative);
    if let (Ok(root), Ok(file)) = (root.canonicalize(), file.canonicalize()) {
        return if file.starts_with(&root) && file.is_file() {
            Located::File(file)
        } else {
            Located::Nothing
        };
    }
    let incident = file.parent().map(|dir| dir.with_extension("removed"));
    if incident.is_some_and(|mark| mark.is_file()) { Located::Removed } else { Located::Nothing }
}

/// MIME type by extension.
pub(crate) fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()) {
        Some("jpg") => "image/jpeg",
        Some("mp4") => "video/mp4",
        Some("mkv") => "video/x-matroska",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_files_of_evidence_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("evidence");
        let incident = root.join("2026-11-22/abc");
        fs::create_dir_all(&incident).unwrap();
        fs::write(incident.join("snapshot.jpg"), b"x").unwrap();
        fs::write(dir.path().join("secret"), b"s").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), incident.join("link.jpg")).unwrap();
        fs::write(root.join("2026-11-22/gone.removed"), b"").unwrap();
        assert!(matches!(locate(&root, "2026-11-22/abc/snapshot.jpg"), Located::File(_)));
        assert_eq!(locate(&root, "2026-11-22/gone/snapshot.jpg"), Located::Removed);
        for bad in [
            "2026-11-22/abc/link.jpg",
            "../secret",
            "2026-11-22/../../secret",
            "/etc/hostname",
            "2026-11-22/abc",
            "2026-11-22/abc/..",
            "2026-11-22/abc/x\0",
            "2026-11-22/abc/nothing.jpg",
            "",
        ] {
            assert_eq!(locate(&root, bad), Located::Nothing, "{bad:?}");
        }
    }
}
