//! Passwords of cameras: never in an answer, each in a file of its own, carried over where a person left them masked.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    ops::Range,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use parapet_core::{CameraId, Timestamp};
use uuid::Uuid;

/// What stands for a password.
pub(super) const MASK: &str = "***";
/// A password that no text names is kept for so long: somebody may be at work on a draft that does.
const KEPT: Duration = Duration::from_hours(24);

/// An address with user and password in a text: bytes of the whole up to the end of the host, and of the password.
struct Found {
    whole: Range<usize>,
    password: Range<usize>,
}

fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        let authority = at + 3;
        from = authority;
        let rest = &text[authority..];
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'<>,".contains(c)).unwrap_or(rest.len());
        // A password may hold an unescaped "@": the host begins after the last one.
        let Some(host) = rest[..end].rfind('@') else { continue };
        let Some(colon) = rest[..host].find(':') else { continue };
        let scheme = text[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |before| before + text[before..].chars().next().map_or(0, char::len_utf8));
        if host > colon + 1 {
            found.push(Found {
                whole: scheme..authority + end,
                password: authority + colon + 1..authority + host,
            });
        }
        from = authority + end;
    }
    found
}

/// The text with [`MASK`] in place of passwords in addresses.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for Found { password, .. } in find(text) {
        out.push_str(&text[from..password.start]);
        out.push_str(MASK);
        from = password.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Whether a text has a password in an address that the original does not have there.
pub(super) fn has_new(text: &str, original: &str) -> bool {
    let of = |text: &str, found: Found| (masked(&text[found.whole]), text[found.password].to_owned());
    let known: Vec<(String, String)> = find(original).into_iter().map(|found| of(original, found)).collect();
    find(text).into_iter().map(|found| of(text, found)).any(|new| new.1 != MASK && !known.contains(&new))
}

/// `draft` with the passwords that it masks, out of `original`: each for the same scheme, user and host.
///
/// # Errors
/// Where an address has a masked password that the original does not have.
pub(super) fn restored(draft: &str, original: &str) -> Result<String, Vec<Range<usize>>> {
    let known: Vec<(String, &str)> = find(original)
        .into_iter()
        .map(|found| (masked(&original[found.whole]), &original[found.password]))
        .collect();
    let mut out = String::with_capacity(draft.len());
    let (mut from, mut unknown) = (0, Vec::new());
    for Found { whole, password } in find(draft) {
        if &draft[password.clone()] != MASK {
            continue;
        }
        match known.iter().find(|(address, _)| *address == draft[whole.clone()]) {
            Some((_, secret)) => {
                out.push_str(&draft[from..password.start]);
                out.push_str(secret);
                from = password.end;
            }
            None => unknown.push(whole),
        }
    }
    out.push_str(&draft[from..]);
    if unknown.is_empty() { Ok(out) } else { Err(unknown) }
}

/// Files with a password each.
pub(super) struct Secrets {
    dir: PathBuf,
    /// Directory of the pipeline file.
    base: PathBuf,
}

impl Secrets {
    pub(super) fn below(data_dir: PathBuf, file: &Path) -> Self {
        let data_dir = data_dir.canonicalize().unwrap_or(data_dir);
        Self { dir: data_dir.join("secrets"), base: file.parent().unwrap_or(Path::new("/")).to_owned() }
    }

    /// Keeps a password in a new file that only this user reads; its path as the pipeline file names it.
    pub(super) fn keep(&self, camera: &CameraId, password: &str) -> io::Result<String> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let path = self.dir.join(format!("{camera}-{}.password", Uuid::now_v7().simple()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(format!("{password}\n").as_bytes())?;
        file.sync_all()?;
        let named = path.strip_prefix(&self.base).unwrap_or(&path);
        Ok(named.to_string_lossy().into_owned())
    }

    /// Whether a path that a pipeline file names is one of these files.
    pub(super) fn holds(&self, named: &str) -> bool {
        let path = self.base.join(named);
        path.parent() == Some(self.dir.as_path())
            && path.extension().is_some_and(|extension| extension == "password")
    }

    /// Removes the files that none of the texts names and that nobody is at work with.
    pub(super) fn forget(&self, texts: &[String], now: Timestamp) -> io::Result<()> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let made = Timestamp::try_from(entry.metadata()?.modified()?).unwrap_or(now);
            let old = now.duration_since(made).unsigned_abs() > KEPT;
            if old && name.ends_with(".password") && !texts.iter().any(|text| text.contains(&name)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const TEXT: &str = "# old: rtsp://a:b@h/1\nurl = \"rtsp://admin:p@ss:w@10.0.0.5:554/main\" # rtsp://10.0.0.6/x\nv = 'rtsp://viewer@10.0.0.7/y'\n";

    #[test]
    fn passwords_in_addresses_are_masked_and_come_back_for_the_same_host_only() {
        let shown = masked(TEXT);
        assert_eq!(
            shown,
            "# old: rtsp://a:***@h/1\nurl = \"rtsp://admin:***@10.0.0.5:554/main\" # rtsp://10.0.0.6/x\nv = 'rtsp://viewer@10.0.0.7/y'\n"
        );
        assert_eq!(masked(&shown), shown);
        assert_eq!(restored(&shown, TEXT).unwrap(), TEXT);
        let other_path = shown.replace("554/main", "554/sub");
        assert_eq!(restored(&other_path, TEXT).unwrap(), TEXT.replace("554/main", "554/sub"));
        let elsewhere = shown.replace("10.0.0.5", "6.6.6.6");
        let unknown = restored(&elsewhere, TEXT).unwrap_err();
        assert_eq!(&elsewhere[unknown[0].clone()], "rtsp://admin:***@6.6.6.6:554");
        let new = shown.replace("admin:***", "admin:new");
        assert!(has_new(&new, TEXT) && !has_new(&shown, TEXT) && !has_new(TEXT, TEXT));
        assert_eq!(masked("北://甲:乙@丙"), "北://甲:***@丙");
    }

    #[test]
    fn a_password_is_in_a_file_of_its_own_until_nothing_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let secrets = Secrets::below(dir.join("data"), &dir.join("p.toml"));
        let named = secrets.keep(&"gate".parse().unwrap(), "geheim").unwrap();
        assert!(named.starts_with("data/secrets/gate-"), "{named}");
        let path = dir.join(&named);
        assert_eq!(fs::read_to_string(&path).unwrap(), "geheim\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(dir.join("data/secrets")).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(secrets.holds(&named) && !secrets.holds("node.token"));
        assert!(!secrets.holds("data/secrets/../node.password"));
        let made = Timestamp::try_from(fs::metadata(&path).unwrap().modified().unwrap()).unwrap();
        let later = made + Duration::from_hours(25);
        secrets.forget(&[format!("password_file = \"{named}\"")], later).unwrap();
        secrets.forget(&[], made + Duration::from_hours(1)).unwrap();
        assert!(path.exists());
        secrets.forget(&[], later).unwrap();
        assert!(!path.exists());
    }
}
