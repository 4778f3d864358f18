//! People and programs: signing in and out, whose request it is, and what they may not try too often.
//!
//! Secrets of sessions and tokens are only at their owners'; the store holds hashes.

mod attempts;
mod first;
mod oidc;
mod password;

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use parapet_core::{Access, Clock, Timestamp, UserName};
use parapet_store::{AuditEntry, SecretHash, SessionRow, Store, StoreError, UserChange, UserRow};
use tokio::sync::Semaphore;
use tracing::{info, warn};

pub use first::{FirstError, FirstUser};
pub(crate) use first::{make_first, write_secret};
pub(crate) use oidc::{CALLBACK, Oidc, OidcError, PATIENCE};
pub use password::{WeakPassword, check_password, hash_password, random_password};
pub(crate) use password::{csrf, hash_secret, random, same, secret};

use crate::{
    caller::{Caller, Via},
    config::SignInConfig,
    privacy::Sight,
};
use attempts::{Attempts, Changes};

/// Uses within this time are not written down one by one.
const SEEN_EVERY: Duration = Duration::from_mins(1);
/// Each takes 19 MiB and a core for a moment.
const PASSWORDS_AT_ONCE: usize = 2;
/// So much is kept in mind of who has seen what; then it is put on record anew.
const SEEN_AT_ONCE: usize = 50_000;
/// Begin of every token's secret, so that a scanner knows it where it does not belong.
pub(crate) const TOKEN_PREFIX: &str = "prp_";

/// Why nobody was signed in.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// No such person, not enabled, or another password: nobody is told which.
    Wrong,
    /// Too many wrong passwords.
    Locked(Duration),
    Store(StoreError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Somebody who has just signed in.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// What the browser keeps.
    pub(crate) secret: String,
    pub(crate) caller: Caller,
}

/// Who is who.
#[derive(Debug, Clone)]
pub(crate) struct People {
    store: Store,
    clock: Arc<dyn Clock>,
    idle: Duration,
    longest: Duration,
    guesses: Arc<Mutex<Guesses>>,
    changes: Arc<Mutex<Changes>>,
    seen: Arc<Mutex<Seen>>,
    hashing: Arc<Semaphore>,
}

/// Who has seen what in this hour.
#[derive(Debug, Default)]
struct Seen {
    hour: u64,
    keys: HashSet<(String, String)>,
}

#[derive(Debug)]
struct Guesses {
    names: Attempts<String>,
    addresses: Attempts<IpAddr>,
}

impl People {
    pub(crate) fn new(store: Store, clock: Arc<dyn Clock>, config: &SignInConfig) -> Self {
        Self {
            store,
            clock,
            idle: Duration::from_secs(u64::from(config.idle_minutes) * 60),
            longest: Duration::from_secs(u64::from(config.longest_hours) * 60 * 60),
            guesses: Arc::new(Mutex::new(Guesses {
                names: Attempts::of_names(),
                addresses: Attempts::of_addresses(),
            })),
            changes: Arc::default(),
            seen: Arc::default(),
            hashing: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
        }
    }

    /// Signs somebody in by name and password.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let user = self.proved(name, password, address).await?;
        let signed_in = self.open_session(user).await?;
        info!(name, "signed in");
        Ok(signed_in)
    }

    /// The enabled person with this name and password; a wrong one counts.
    async fn proved(
        &self,
        name: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<UserRow, SignInError> {
        // Case and length of what is no name must not make it a name of its own for the lock.
        let key: String = name.trim().to_lowercase().chars().take(64).collect();
        // One after the other from here on: many tries at once must not all pass before the first one counts.
        let _turn = self.hashing.acquire().await;
        if let Some(wait) = self.wait(&key, address) {
            return Err(SignInError::Locked(wait));
        }
        let user = match key.parse::<UserName>() {
            Ok(name) => self.store.user(&name).await?.filter(|user| user.enabled),
            Err(_) => None,
        };
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let right = self.fits(password, hash).await;
        let now = self.clock.monotonic();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = user.filter(|_| right) {
            guesses.names.succeeded(&key);
            return Ok(user);
        }
        metrics::counter!("parapet_center_sign_in_failures_total").increment(1);
        warn!(name = key, "a sign-in failed");
        guesses.names.failed(key, now);
        if let Some(address) = address {
            guesses.addresses.failed(address, now);
        }
        Err(SignInError::Wrong)
    }

    fn wait(&self, name: &str, address: Option<IpAddr>) -> Option<Duration> {
        let now = self.clock.monotonic();
        let guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = address.and_then(|address| guesses.addresses.wait(&address, now));
        guesses.names.wait(&name.to_owned(), now).max(of_address)
    }

    /// Until when nobody can sign in under this name.
    pub(crate) fn locked_until(&self, name: &UserName) -> Option<Timestamp> {
        self.wait(name.as_str(), None).map(|wait| self.clock.now() + wait)
    }

    /// Lets somebody try again at once.
    pub(crate) fn unlock(&self, name: &UserName) {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.names.succeeded(&name.to_string());
    }

    async fn fits(&self, password: &str, hash: Option<parapet_store::PasswordHash>) -> bool {
        if password.chars().count() > password::LONGEST {
            return false;
        }
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || password::verify(&password, hash.as_ref())).await.unwrap_or(false)
    }

    /// The hash of a new password, off the runtime's threads.
    pub(crate) async fn hash(&self, password: &str) -> Option<parapet_store::PasswordHash> {
        let _turn = self.hashing.acquire().await.ok()?;
        let password = password.to_owned();
        tokio::task::spawn_blocking(move || hash_password(&password)).await.ok()
    }

    async fn open_session(&self, user: UserRow) -> Result<SignedIn, SignInError> {
        let now = self.clock.now();
        self.store.forget_sessions(before(now, self.idle), before(now, self.longest)).await?;
        let secret = secret();
        let hash = hash_secret(&secret);
        let session = SessionRow { hash, user: user.name.clone(), created_at: now, seen_at: now };
        self.store.add_session(&session).await?;
        self.store.touch_session(hash, &user.name, now).await?;
        let entry = deed(now, user.name.as_str(), "session.begin", "user", user.name.as_str());
        self.store.record_audit(&entry).await?;
        Ok(SignedIn { secret, caller: Caller::of_user(user, Via::Session(hash)) })
    }

    /// Whose session it is, if it still holds.
    pub(crate) async fn of_session(&self, secret: &str) -> Result<Option<Caller>, StoreError> {
        let hash = hash_secret(secret);
        let Some((session, user)) = self.store.session(hash).await? else { return Ok(None) };
        let now = self.clock.now();
        let over = session.seen_at < before(now, self.idle) || session.created_at < before(now, self.longest);
        if over || !user.enabled {
            return Ok(None);
        }
        if session.seen_at < before(now, SEEN_EVERY) {
            self.store.touch_session(hash, &user.name, now).await?;
        }
        Ok(Some(Caller::of_user(user, Via::Session(hash))))
    }

    /// Which program's token it is, if it still holds.
    pub(crate) async fn of_token(&self, secret: &str) -> Result<Option<Caller>, StoreError> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let Some(token) = self.store.token(hash_secret(secret)).await? else { return Ok(None) };
        let now = self.clock.now();
        if token.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        if token.used_at.is_none_or(|used| used < before(now, SEEN_EVERY)) {
            self.store.touch_token(token.id, now).await?;
        }
        Ok(Some(Caller {
            name: format!("token:{}", token.name),
            display_name: token.name,
            access: Access::new(token.grants),
            via: Via::Token(hash_secret(secret)),
        }))
    }

    /// The caller as they may act now; `None` when they no longer may. For connections that last.
    pub(crate) async fn again(&self, caller: &Caller) -> Result<Option<Caller>, StoreError> {
        let now = self.clock.now();
        Ok(match caller.via {
            // A page that is open is a page that is used.
            Via::Session(hash) => match self.store.session(hash).await? {
                Some((session, user)) if user.enabled && session.created_at >= before(now, self.longest) => {
                    if session.seen_at < before(now, SEEN_EVERY) {
                        self.store.touch_session(hash, &user.name, now).await?;
                    }
                    Some(Caller::of_user(user, caller.via))
                }
                _ => None,
            },
            Via::Token(hash) => self
                .store
                .token(hash)
                .await?
                .filter(|token| token.expires_at.is_none_or(|end| end > now))
                .map(|token| Caller { access: Access::new(token.grants), ..caller.clone() }),
        })
    }

    /// Signs a browser out.
    pub(crate) async fn sign_out(&self, caller: &Caller) -> Result<(), StoreError> {
        let Via::Session(hash) = caller.via else { return Ok(()) };
        self.store.end_session(hash).await?;
        let entry = deed(self.clock.now(), &caller.name, "session.end", "user", &caller.name);
        self.store.record_audit(&entry).await
    }

    /// Changes the caller's own password and ends their other sessions.
    pub(crate) async fn change_password(
        &self,
        name: &UserName,
        session: SecretHash,
        old: &str,
        new: &str,
        address: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        self.proved(name.as_str(), old, address).await?;
        let Some(hash) = self.hash(new).await else { return Err(SignInError::Wrong) };
        let change = UserChange { password: Some(hash), ..UserChange::default() };
        let entry = deed(self.clock.now(), name.as_str(), "user.password", "user", name.as_str());
        self.store.change_user(name, &change, &entry).await?;
        self.store.end_sessions(name, Some(session)).await?;
        Ok(())
    }

    /// Puts on record that somebody saw a picture as it was taken; once an hour for each thing and person, for a page asks
    /// for the same picture many times.
    pub(crate) async fn saw(
        &self,
        caller: &Caller,
        kind: &str,
        id: &str,
        what: &str,
    ) -> Result<(), StoreError> {
        self.note_look("picture.seen", caller, kind, id, what).await
    }

    /// Puts on record what somebody sees so; a mosaic needs none.
    pub(crate) async fn looked(
        &self,
        caller: &Caller,
        sight: &Sight,
        kind: &str,
        id: &str,
        what: &str,
    ) -> Result<(), StoreError> {
        match sight {
            Sight::Unsealed => self.unsealed(caller, kind, id, what).await,
            Sight::Clear | Sight::Masked(_) => self.saw(caller, kind, id, what).await,
            Sight::Blurred => Ok(()),
        }
    }

    /// The same for a picture or a clip in which something is private, and was not hidden.
    pub(crate) async fn unsealed(
        &self,
        caller: &Caller,
        kind: &str,
        id: &str,
        what: &str,
    ) -> Result<(), StoreError> {
        self.note_look("picture.unsealed", caller, kind, id, what).await
    }

    async fn note_look(
        &self,
        action: &str,
        caller: &Caller,
        kind: &str,
        id: &str,
        what: &str,
    ) -> Result<(), StoreError> {
        let hour = self.clock.monotonic().as_secs() / 3600;
        let key = (caller.name.clone(), format!("{action}/{kind}/{id}/{what}"));
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.hour != hour || seen.keys.len() >= SEEN_AT_ONCE {
                *seen = Seen { hour, keys: HashSet::new() };
            }
            if !seen.keys.insert(key) {
                return Ok(());
            }
        }
        let mut entry = deed(self.clock.now(), &caller.name, action, kind, id);
        entry.detail = serde_json::json!({ "what": what });
        self.store.record_audit(&entry).await
    }

    /// Counts a change by this caller; or how long to wait, when there were too many.
    pub(crate) fn count_change(&self, name: &str) -> Result<(), Duration> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).count(name, self.clock.monotonic())
    }
}

/// A deed without further detail.
pub(crate) fn deed(at: Timestamp, actor: &str, action: &str, kind: &str, id: &str) -> AuditEntry {
    AuditEntry::new(at, actor, action, kind, id, serde_json::json!({}))
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}
