//! The JSON of people, programs and what they did.

use parapet_core as core;
use parapet_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    problem::ApiError,
    shape::{Permission, Role},
};

/// How one can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignIn {
    /// By name and password.
    pub(crate) password: bool,
    /// By an identity provider.
    #[schema(required)]
    pub(crate) oidc: Option<Provider>,
}

/// An identity provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Provider {
    /// Its name for people.
    pub(crate) name: String,
}

/// A role at a place. Without site and camera it holds everywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    /// The role.
    pub(crate) role: Role,
    /// Only at this site.
    #[serde(default)]
    #[schema(required)]
    pub(crate) site: Option<String>,
    /// Only for this camera.
    #[serde(default)]
    #[schema(required)]
    pub(crate) camera: Option<String>,
}

impl From<core::Grant> for Grant {
    fn from(grant: core::Grant) -> Self {
        Self {
            role: grant.role.into(),
            site: grant.site.map(Into::into),
            camera: grant.camera.map(Into::into),
        }
    }
}

/// Grants as they were sent, if all of them make sense.
pub(crate) fn grants(sent: Vec<Grant>) -> Result<Vec<core::Grant>, ApiError> {
    const INVALID: ApiError =
        ApiError::Invalid { field: "grants", hint: "≤ 64; site, camera: a-z 0-9 - _" };
    if sent.len() > 64 {
        return Err(INVALID);
    }
    let grant = |grant: Grant| {
        Ok(core::Grant {
            role: grant.role.into(),
            site: grant.site.map(|site| site.parse()).transpose().map_err(|_| INVALID)?,
            camera: grant.camera.map(|camera| camera.parse()).transpose().map_err(|_| INVALID)?,
        })
    };
    sent.into_iter().map(grant).collect()
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// The name to sign in with.
    pub(crate) name: String,
    /// The name for people.
    pub(crate) display_name: String,
    /// What they were granted.
    pub(crate) grants: Vec<Grant>,
    /// What they may do somewhere.
    pub(crate) permissions: Vec<Permission>,
    /// To be sent as `x-parapet-csrf` with every change; empty for a program's token, which needs none.
    pub(crate) csrf: String,
}

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The name.
    #[schema(max_length = 64)]
    pub(crate) name: String,
    /// The password.
    #[schema(max_length = 200)]
    pub(crate) password: String,
}

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The present one.
    #[schema(max_length = 200)]
    pub(crate) old: String,
    /// The new one.
    #[schema(min_length = 10, max_length = 200)]
    pub(crate) new: String,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    /// The name to sign in with.
    pub(crate) name: String,
    /// The name for people.
    pub(crate) display_name: String,
    /// Whether they may sign in.
    pub(crate) enabled: bool,
    /// What they were granted.
    pub(crate) grants: Vec<Grant>,
    /// Since when they are known.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// When they last did something.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) last_seen_at: Option<Timestamp>,
    /// Until when nobody can sign in under this name, after too many wrong passwords.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) locked_until: Option<Timestamp>,
}

/// A person to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The name to sign in with: a-z, 0-9, `-` and `_`.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    /// The name for people.
    #[schema(min_length = 1, max_length = 80)]
    pub(crate) display_name: String,
    /// The password; without one, only an identity provider lets them in.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 200)]
    pub(crate) password: Option<String>,
    /// What they may do.
    pub(crate) grants: Vec<Grant>,
}

/// What is to change about a person; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserUpdate {
    /// The name for people.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    pub(crate) display_name: Option<String>,
    /// Whether they may sign in; to forbid it signs them out.
    #[serde(default)]
    pub(crate) enabled: Option<bool>,
    /// What they may do.
    #[serde(default)]
    pub(crate) grants: Option<Vec<Grant>>,
    /// A new password; it signs them out, and ends a lock.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 200)]
    pub(crate) password: Option<String>,
}

/// A program's token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its id (UUID).
    pub(crate) id: String,
    /// What it is for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) grants: Vec<Grant>,
    /// Since when it is there.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
    /// Until when it holds.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) expires_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) last_used_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for; on record as `token:NAME`.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    /// What it may do.
    pub(crate) grants: Vec<Grant>,
    /// Until when it holds; for ever without it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A token's secret: shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenSecret {
    /// The token's id (UUID).
    pub(crate) id: String,
    /// To be sent as `Authorization: Bearer SECRET`.
    pub(crate) secret: String,
}

/// Some deeds on record and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    /// Newest first.
    pub(crate) entries: Vec<AuditEntry>,
    /// Give it as `before` to get the next page; `null` at the end.
    #[schema(required)]
    pub(crate) next: Option<i64>,
}

/// What makes later changes visible.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ledger {
    /// The chains of hashes.
    pub(crate) chains: Vec<Chain>,
    /// The public key that checkpoints are signed with, Ed25519, in hex.
    pub(crate) key: String,
}

/// A chain of hashes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Chain {
    /// `ledger`: what nodes told; `audit`: what people did.
    pub(crate) name: String,
    /// Its rows.
    pub(crate) length: u64,
    /// The last link, in hex.
    pub(crate) head: String,
    /// The last that was signed.
    #[schema(required)]
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// A signed word on a chain.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checkpoint {
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Rows up to there.
    pub(crate) length: u64,
    /// The link of the last of them, in hex.
    pub(crate) head: String,
}

/// A deed on record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its number; later deeds have greater ones.
    pub(crate) id: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Who: a person's name, `token:NAME`, or `parapet` for the program itself.
    pub(crate) actor: String,
    /// What (`incident.status`, `user.change`).
    pub(crate) action: String,
    /// To what kind of thing.
    pub(crate) subject_kind: String,
    /// To which one.
    pub(crate) subject_id: String,
    /// What exactly.
    pub(crate) detail: serde_json::Value,
}
