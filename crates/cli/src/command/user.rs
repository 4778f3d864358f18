//! `parapet user`: who may sign in at a center, straight in its store.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Read},
};

use parapet_center::{check_password, hash_password, random_password};
use parapet_core::{CameraId, Clock, Grant, Language, Role, SiteId, SystemClock, UserName};
use parapet_store::{AuditEntry, Store, StoreError, UserChange, UserRow};

use crate::failure::Mistake;

/// Who goes on record for what is done here.
const ACTOR: &str = "parapet";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Add a person. A password is made up and printed, unless one comes on standard input.
    Add(Add),
    /// All people and what they may do.
    List(At),
    /// Give a person a new password and sign them out everywhere. One is made up and printed, unless it comes on
    /// standard input.
    Password(Named),
    /// Let a person no longer sign in, and sign them out everywhere.
    Disable(Named),
    /// Let a person sign in again.
    Enable(Named),
}

/// Which store.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Address of the center's store, `sqlite://PATH` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, env = "PARAPET_STORE", hide_env_values = true, value_name = "URL")]
    store: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    #[command(flatten)]
    at: At,
    /// The person's name.
    #[arg(value_name = "NAME")]
    name: UserName,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    /// Name for people; the name without it.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// What they may do: `ROLE`, `ROLE@SITE` or `ROLE@SITE/CAMERA`, with viewer, operator, dispatcher, auditor or
    /// administrator as the role. Can be given several times.
    #[arg(long = "grant", required = true, value_name = "GRANT", value_parser = grant)]
    grants: Vec<Grant>,
}

fn grant(text: &str) -> Result<Grant, String> {
    let (role, place) = text.split_once('@').map_or((text, None), |(role, place)| (role, Some(place)));
    let role = Role::ALL.iter().copied().find(|known| known.as_str() == role);
    let role = role.ok_or("no such role; hint: viewer, operator, dispatcher, auditor or administrator")?;
    let (site, camera) = match place {
        None => (None, None),
        Some(place) => {
            let (site, camera) = place.split_once('/').map_or((place, None), |(s, c)| (s, Some(c)));
            let site: SiteId = site.parse().map_err(|error| format!("{error}"))?;
            let camera: Option<CameraId> =
                camera.map(str::parse).transpose().map_err(|error| format!("{error}"))?;
            (Some(site), camera)
        }
    };
    Ok(Grant { role, site, camera })
}

fn shown(grant: &Grant) -> String {
    let mut text = format!("{} {}", grant.role.as_str(), grant.role.name(Language::ZhCn));
    if let Some(site) = &grant.site {
        let _ = write!(text, "@{site}");
    }
    if let Some(camera) = &grant.camera {
        let _ = write!(text, "/{camera}");
    }
    text
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    super::block_on(async {
        match command {
            Command::Add(options) => add(options).await,
            Command::List(at) => list(&at).await,
            Command::Password(named) => password(named).await,
            Command::Disable(named) => enable(named, false).await,
            Command::Enable(named) => enable(named, true).await,
        }
    })
}

async fn open(at: &At) -> anyhow::Result<Store> {
    Store::open_existing(&at.store).await.map_err(|error| match error {
        StoreError::UnknownAddress(_) => Mistake(error.to_string()).into(),
        error => anyhow::Error::new(error),
    })
}

/// The password from standard input, or one that is made up; whether it was made up.
fn new_password(name: &UserName) -> anyhow::Result<(String, bool)> {
    let mut input = std::io::stdin();
    let mut text = String::new();
    if !input.is_terminal() {
        input.read_to_string(&mut text)?;
    }
    let given = text.lines().next().unwrap_or_default().trim();
    if given.is_empty() {
        return Ok((random_password(), true));
    }
    check_password(name.as_str(), given).map_err(Mistake::of)?;
    Ok((given.to_owned(), false))
}

fn entry(action: &str, name: &UserName, detail: serde_json::Value) -> AuditEntry {
    AuditEntry::new(SystemClock::new().now(), ACTOR, action, "user", name.as_str(), detail)
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
async fn add(options: Add) -> anyhow::Result<()> {
    let store = open(&options.named.at).await?;
    let name = options.named.name;
    let (password, made_up) = new_password(&name)?;
    let user = UserRow {
        display_name: options.display_name.unwrap_or_else(|| name.to_string()),
        password: Some(hash_password(&password)),
        subject: None,
        enabled: true,
        grants: options.grants,
        created_at: SystemClock::new().now(),
        seen_at: None,
        name,
    };
    let entry = entry("user.add", &user.name, serde_json::json!({ "grants": user.grants }));
    let added = store.add_user(&user, &entry).await?;
    store.close().await;
    if !added {
        let text = format!("there is a person \"{}\" already; hint: parapet user list", user.name);
        return Err(Mistake(text).into());
    }
    if made_up {
        println!("{password}");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
async fn list(at: &At) -> anyhow::Result<()> {
    let store = open(at).await?;
    for user in store.users().await? {
        let grants: Vec<String> = user.grants.iter().map(shown).collect();
        let state = if user.enabled { "" } else { "  [停用 disabled]" };
        println!("{:<20} {}  {}{state}", user.name.as_str(), user.display_name, grants.join(", "));
    }
    store.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
async fn password(named: Named) -> anyhow::Result<()> {
    let (password, made_up) = new_password(&named.name)?;
    let change = UserChange { password: Some(hash_password(&password)), ..UserChange::default() };
    let entry = entry("user.change", &named.name, serde_json::json!({ "password": true }));
    changed(&named, &change, &entry).await?;
    if made_up {
        println!("{password}");
    }
    Ok(())
}

async fn enable(named: Named, enabled: bool) -> anyhow::Result<()> {
    let change = UserChange { enabled: Some(enabled), ..UserChange::default() };
    let entry = entry("user.change", &named.name, serde_json::json!({ "enabled": enabled }));
    changed(&named, &change, &entry).await
}

async fn changed(named: &Named, change: &UserChange, entry: &AuditEntry) -> anyhow::Result<()> {
    let store = open(&named.at).await?;
    let user = store.change_user(&named.name, change, entry).await?;
    if change.password.is_some() || change.enabled == Some(false) {
        store.end_sessions(&named.name, None).await?;
    }
    store.close().await;
    match user {
        Some(_) => Ok(()),
        None => {
            Err(Mistake(format!("there is no person \"{}\"; hint: parapet user list", named.name)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_a_role_and_perhaps_a_place() {
        assert_eq!(grant("viewer"), Ok(Grant::everywhere(Role::Viewer)));
        let gate = grant("operator@harbour/gate").unwrap();
        assert_eq!((gate.site.unwrap().as_str(), gate.camera.unwrap().as_str()), ("harbour", "gate"));
        assert_eq!(shown(&grant("auditor@harbour").unwrap()), "auditor 审计员@harbour");
        for wrong in ["boss", "viewer@", "viewer@North Harbour", "viewer@harbour/"] {
            assert!(grant(wrong).unwrap_err().contains("hint:"), "{wrong}");
        }
    }
}
