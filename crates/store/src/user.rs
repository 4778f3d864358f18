//! People and programs as the store keeps them: names, grants, and what their secrets are compared with.

use std::fmt;

use parapet_core::{Grant, Timestamp, UserName};
use uuid::Uuid;

/// The hash of a password, as a PHC string. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// The SHA-256 of a session's or token's secret. Never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The name to sign in with.
    pub name: UserName,
    /// The name for people.
    pub display_name: String,
    /// What the password is compared with; `None` for who has none.
    pub password: Option<PasswordHash>,
    /// Who this is at the identity provider: its issuer, a space, and its subject.
    pub subject: Option<String>,
    /// Whether they may sign in.
    pub enabled: bool,
    /// What they may do.
    pub grants: Vec<Grant>,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// When they last did something.
    pub seen_at: Option<Timestamp>,
}

/// What is to change about a person; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    /// The name for people.
    pub display_name: Option<String>,
    /// What the password is compared with.
    pub password: Option<PasswordHash>,
    /// Whether they may sign in.
    pub enabled: Option<bool>,
    /// What they may do.
    pub grants: Option<Vec<Grant>>,
    /// Who this is at the identity provider.
    pub subject: Option<String>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// What its secret is compared with.
    pub hash: SecretHash,
    /// Who.
    pub user: UserName,
    /// Since when.
    pub created_at: Timestamp,
    /// When it last asked for something, to about a minute.
    pub seen_at: Timestamp,
}

/// A program that may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its identity.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What its secret is compared with.
    pub hash: SecretHash,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub used_at: Option<Timestamp>,
}
