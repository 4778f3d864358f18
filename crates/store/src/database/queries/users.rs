//! People, sessions and tokens. What changes them goes on record in the same transaction.

use parapet_core::{Grant, Timestamp, UserName};
use sqlx::{QueryBuilder, Row, types::Json};
use uuid::Uuid;

use super::{Database, Db, people::insert_audit};
use crate::{
    AuditEntry, PasswordHash, SecretHash, SessionRow, StoreError, TokenRow, UserChange, UserRow,
    choice::{instant, micros, storable, text, unreadable},
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;

impl Database {
    /// Whether the person is new.
    pub(crate) async fn add_user(&self, user: &UserRow, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query::<Db>(
            "INSERT INTO users (name, display_name, password, subject, enabled, grants, created_at, seen_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(user.name.as_str())
        .bind(storable(&user.display_name))
        .bind(user.password.as_ref().map(|hash| hash.0.as_str()))
        .bind(&user.subject)
        .bind(user.enabled)
        .bind(Json(&user.grants))
        .bind(micros(user.created_at))
        .bind(user.seen_at.map(micros))
        .execute(&mut *tx)
        .await
        .attempt("store a person")?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_audit(&mut tx, entry).await?;
        tx.commit().await.attempt("commit a person")?;
        Ok(true)
    }

    /// The person as they are now; `None` if there is no such person.
    pub(crate) async fn change_user(
        &self,
        name: &UserName,
        change: &UserChange,
        entry: &AuditEntry,
    ) -> Result<Option<UserRow>, StoreError> {
        let mut tx = self.begin().await?;
        let mut query = QueryBuilder::<Db>::new("UPDATE users SET name = name");
        if let Some(display_name) = &change.display_name {
            query.push(", display_name = ").push_bind(storable(display_name));
        }
        if let Some(password) = &change.password {
            query.push(", password = ").push_bind(password.0.clone());
        }
        if let Some(enabled) = change.enabled {
            query.push(", enabled = ").push_bind(enabled);
        }
        if let Some(grants) = &change.grants {
            query.push(", grants = ").push_bind(Json(grants.clone()));
        }
        if let Some(subject) = &change.subject {
            query.push(", subject = ").push_bind(subject.clone());
        }
        query.push(" WHERE name = ").push_bind(name.as_str()).push(" RETURNING *");
        let row = query.build().fetch_optional(&mut *tx).await.attempt("change a person")?;
        let Some(row) = row else { return Ok(None) };
        let user = user(&row)?;
        insert_audit(&mut tx, entry).await?;
        tx.commit().await.attempt("commit a change of a person")?;
        Ok(Some(user))
    }

    pub(crate) async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM users ORDER BY name")
            .fetch_all(&self.reader)
            .await
            .attempt("list people")?;
        rows.iter().map(user).collect()
    }

    pub(crate) async fn user(&self, name: &UserName) -> Result<Option<UserRow>, StoreError> {
        let row = sqlx::query::<Db>("SELECT * FROM users WHERE name = $1")
            .bind(name.as_str())
            .fetch_optional(&self.reader)
            .await
            .attempt("read a person")?;
        row.as_ref().map(user).transpose()
    }

    pub(crate) async fn user_of_subject(&self, subject: &str) -> Result<Option<UserRow>, StoreError> {
        let row = sqlx::query::<Db>("SELECT * FROM users WHERE subject = $1")
            .bind(subject)
            .fetch_optional(&self.reader)
            .await
            .attempt("read a person of an identity provider")?;
        row.as_ref().map(user).transpose()
    }

    pub(crate) async fn add_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO sessions (hash, user_name, created_at, seen_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(session.hash.0.as_slice())
        .bind(session.user.as_str())
        .bind(micros(session.created_at))
        .bind(micros(session.seen_at))
        .execute(&self.writer)
        .await
        .attempt("store a session")?;
        Ok(())
    }

    pub(crate) async fn session(
        &self,
        hash: SecretHash,
    ) -> Result<Option<(SessionRow, UserRow)>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT sessions.created_at AS began_at, sessions.seen_at AS asked_at, users.name, users.display_name, \
             users.password, users.subject, users.enabled, users.grants, users.created_at, users.seen_at \
             FROM sessions JOIN users ON users.name = sessions.user_name WHERE sessions.hash = $1",
        )
        .bind(hash.0.as_slice())
        .fetch_optional(&self.reader)
        .await
        .attempt("read a session")?;
        let Some(row) = row else { return Ok(None) };
        let user = user(&row)?;
        let action = "read a session";
        let session = SessionRow {
            hash,
            user: user.name.clone(),
            created_at: instant("created_at", row.try_get("began_at").attempt(action)?)?,
            seen_at: instant("seen_at", row.try_get("asked_at").attempt(action)?)?,
        };
        Ok(Some((session, user)))
    }

    pub(crate) async fn touch_session(
        &self,
        hash: SecretHash,
        user: &UserName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>("UPDATE sessions SET seen_at = $1 WHERE hash = $2")
            .bind(micros(at))
            .bind(hash.0.as_slice())
            .execute(&mut *tx)
            .await
            .attempt("mark a session as used")?;
        sqlx::query::<Db>("UPDATE users SET seen_at = $1 WHERE name = $2")
            .bind(micros(at))
            .bind(user.as_str())
            .execute(&mut *tx)
            .await
            .attempt("mark a person as seen")?;
        tx.commit().await.attempt("commit that a session was used")
    }

    pub(crate) async fn end_session(&self, hash: SecretHash) -> Result<(), StoreError> {
        sqlx::query::<Db>("DELETE FROM sessions WHERE hash = $1")
            .bind(hash.0.as_slice())
            .execute(&self.writer)
            .await
            .attempt("end a session")?;
        Ok(())
    }

    pub(crate) async fn end_sessions(
        &self,
        user: &UserName,
        but: Option<SecretHash>,
    ) -> Result<(), StoreError> {
        let but = but.map(|hash| hash.0.to_vec()).unwrap_or_default();
        sqlx::query::<Db>("DELETE FROM sessions WHERE user_name = $1 AND hash <> $2")
            .bind(user.as_str())
            .bind(but)
            .execute(&self.writer)
            .await
            .attempt("end a person's sessions")?;
        Ok(())
    }

    pub(crate) async fn forget_sessions(
        &self,
        unused_since: Timestamp,
        begun_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query::<Db>("DELETE FROM sessions WHERE seen_at < $1 OR created_at < $2")
            .bind(micros(unused_since))
            .bind(micros(begun_before))
            .execute(&self.writer)
            .await
            .attempt("forget old sessions")?;
        Ok(done.rows_affected())
    }

    pub(crate) async fn add_token(&self, token: &TokenRow, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query::<Db>(
            "INSERT INTO tokens (id, name, hash, grants, created_at, expires_at, used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(token.id)
        .bind(storable(&token.name))
        .bind(token.hash.0.as_slice())
        .bind(Json(&token.grants))
        .bind(micros(token.created_at))
        .bind(token.expires_at.map(micros))
        .bind(token.used_at.map(micros))
        .execute(&mut *tx)
        .await
        .attempt("store a token")?;
        insert_audit(&mut tx, entry).await?;
        tx.commit().await.attempt("commit a token")
    }

    /// Whether there was such a token.
    pub(crate) async fn delete_token(&self, id: Uuid, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query::<Db>("DELETE FROM tokens WHERE id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await
            .attempt("delete a token")?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_audit(&mut tx, entry).await?;
        tx.commit().await.attempt("commit that a token was deleted")?;
        Ok(true)
    }

    pub(crate) async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query::<Db>("SELECT * FROM tokens ORDER BY created_at, id")
            .fetch_all(&self.reader)
            .await
            .attempt("list tokens")?;
        rows.iter().map(token).collect()
    }

    pub(crate) async fn token(&self, hash: SecretHash) -> Result<Option<TokenRow>, StoreError> {
        let row = sqlx::query::<Db>("SELECT * FROM tokens WHERE hash = $1")
            .bind(hash.0.as_slice())
            .fetch_optional(&self.reader)
            .await
            .attempt("read a token")?;
        row.as_ref().map(token).transpose()
    }

    pub(crate) async fn touch_token(&self, id: Uuid, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query::<Db>("UPDATE tokens SET used_at = $1 WHERE id = $2")
            .bind(micros(at))
            .bind(id)
            .execute(&self.writer)
            .await
            .attempt("mark a token as used")?;
        Ok(())
    }
}

fn user(row: &DbRow) -> Result<UserRow, StoreError> {
    let action = "read a person";
    let seen_at: Option<i64> = row.try_get("seen_at").attempt(action)?;
    Ok(UserRow {
        name: text("name", &row.try_get::<String, _>("name").attempt(action)?)?,
        display_name: row.try_get("display_name").attempt(action)?,
        password: row.try_get::<Option<String>, _>("password").attempt(action)?.map(PasswordHash),
        subject: row.try_get("subject").attempt(action)?,
        enabled: row.try_get("enabled").attempt(action)?,
        grants: row.try_get::<Json<Vec<Grant>>, _>("grants").attempt(action)?.0,
        created_at: instant("created_at", row.try_get("created_at").attempt(action)?)?,
        seen_at: seen_at.map(|at| instant("seen_at", at)).transpose()?,
    })
}

fn token(row: &DbRow) -> Result<TokenRow, StoreError> {
    let action = "read a token";
    let time = |column: &'static str| -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = row.try_get(column).attempt(action)?;
        at.map(|at| instant(column, at)).transpose()
    };
    let hash: Vec<u8> = row.try_get("hash").attempt(action)?;
    Ok(TokenRow {
        id: row.try_get("id").attempt(action)?,
        name: row.try_get("name").attempt(action)?,
        hash: SecretHash(hash.try_into().map_err(|_| unreadable("hash", "(not 32 bytes)"))?),
        grants: row.try_get::<Json<Vec<Grant>>, _>("grants").attempt(action)?.0,
        created_at: instant("created_at", row.try_get("created_at").attempt(action)?)?,
        expires_at: time("expires_at")?,
        used_at: time("used_at")?,
    })
}
