//! The first administrator: without one nobody could let anybody in.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use parapet_core::{Clock, Grant, Role, UserName};
use parapet_store::{Store, StoreError, UserRow};
use tracing::warn;

use super::{check_password, deed, hash_password, random_password};
use crate::config::SignInConfig;

/// Where the first password is written, below the data directory.
const FILE: &str = "admin-password";

/// Why there is no first administrator.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// The file with the password cannot be read or written.
    #[error("cannot use the password file {}; hint: check the path and who may read or write there", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The password in the file will not do.
    #[error("the password in {} will not do: {source}", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: super::WeakPassword,
    },
    /// The store failed.
    #[error("cannot add the first people")]
    Store(#[from] StoreError),
}

/// A person who is there from the first start, as the demo has them.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstUser {
    /// The name to sign in with.
    pub name: UserName,
    /// The name for people.
    pub display_name: String,
    /// The password.
    pub password: String,
    /// What they may do.
    pub grants: Vec<Grant>,
}

impl fmt::Debug for FirstUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstUser")
            .field("name", &self.name)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// Makes `first`, or an administrator, where the store knows nobody.
pub(crate) async fn make_first(
    store: &Store,
    clock: &dyn Clock,
    config: &SignInConfig,
    data: &Path,
    first: &[FirstUser],
) -> Result<(), FirstError> {
    if !store.users().await?.is_empty() {
        return Ok(());
    }
    for user in first {
        let password = user.password.clone();
        add(store, clock, user.name.clone(), user.display_name.clone(), &password, &user.grants).await?;
    }
    if !first.is_empty() {
        return Ok(());
    }
    let admin: UserName = "admin".parse().expect("a good name");
    let grants = [Grant::everywhere(Role::Administrator)];
    let password = if let Some(path) = &config.admin_password_file {
        let text =
            fs::read_to_string(path).map_err(|source| FirstError::File { path: path.clone(), source })?;
        let password = text.lines().next().unwrap_or_default().trim().to_owned();
        check_password(admin.as_str(), &password)
            .map_err(|source| FirstError::Weak { path: path.clone(), source })?;
        password
    } else {
        let password = random_password();
        let path = data.join(FILE);
        write_secret(&path, format!("{password}\n").as_bytes())
            .map_err(|source| FirstError::File { path: path.clone(), source })?;
        warn!(
            name = %admin, file = %path.display(),
            "the first administrator was made; the password is in the file; hint: sign in, change it and delete the file"
        );
        password
    };
    add(store, clock, admin, "管理员 Administrator".to_owned(), &password, &grants).await
}

async fn add(
    store: &Store,
    clock: &dyn Clock,
    name: UserName,
    display_name: String,
    password: &str,
    grants: &[Grant],
) -> Result<(), FirstError> {
    let now = clock.now();
    let mut entry = deed(now, "parapet", "user.add", "user", name.as_str());
    entry.detail = serde_json::json!({ "grants": grants, "first": true });
    let password = password.to_owned();
    let hash =
        tokio::task::spawn_blocking(move || hash_password(&password)).await.expect("hashing does not panic");
    let user = UserRow {
        name,
        display_name,
        password: Some(hash),
        subject: None,
        enabled: true,
        grants: grants.to_vec(),
        created_at: now,
        seen_at: None,
    };
    store.add_user(&user, &entry).await?;
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let part = path.with_extension("part");
    // One that is left over could be readable for others.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&part, path)
}
