//! Tokens, with which programs call the API.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use parapet_core::Permission;
use parapet_store::TokenRow;
use serde_json::json;
use uuid::Uuid;

use super::{
    App,
    people_shape::{NewToken, Token, TokenSecret, grants},
    problem::{ApiError, Problem},
};
use crate::{
    caller::Caller,
    people::{TOKEN_PREFIX, deed, hash_secret, secret},
};

/// All tokens, oldest first, without their secrets.
#[utoipa::path(
    get, path = "/api/tokens", tag = "people",
    responses(
        (status = 200, body = Vec<Token>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn tokens(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Token>>, ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    let token = |row: TokenRow| Token {
        id: row.id.to_string(),
        name: row.name,
        grants: row.grants.into_iter().map(Into::into).collect(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.used_at,
    };
    Ok(Json(app.store.tokens().await?.into_iter().map(token).collect()))
}

/// Makes a token. Its secret is in this answer and never again.
#[utoipa::path(
    post, path = "/api/tokens", tag = "people", request_body = NewToken,
    responses(
        (status = 201, body = TokenSecret),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<(StatusCode, Json<TokenSecret>), ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    let Json(new) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(ApiError::Invalid { field: "name", hint: "1–64" });
    }
    let now = app.clock.now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiError::Invalid { field: "expires_at", hint: "> now" });
    }
    let secret = format!("{TOKEN_PREFIX}{}", secret());
    let token = TokenRow {
        id: Uuid::now_v7(),
        name,
        hash: hash_secret(&secret),
        grants: grants(new.grants)?,
        created_at: now,
        expires_at: new.expires_at,
        used_at: None,
    };
    let mut entry = deed(now, &caller.name, "token.add", "token", &token.id.to_string());
    entry.detail = json!({ "name": token.name, "grants": token.grants, "expires_at": token.expires_at });
    app.store.add_token(&token, &entry).await?;
    Ok((StatusCode::CREATED, Json(TokenSecret { id: token.id.to_string(), secret })))
}

/// Deletes a token; it opens nothing from now on.
#[utoipa::path(
    delete, path = "/api/tokens/{id}", tag = "people",
    params(("id" = String, Path, description = "the token's id")),
    responses(
        (status = 204),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    let id: Uuid = id.parse().map_err(|_| ApiError::NotFound)?;
    let entry = deed(app.clock.now(), &caller.name, "token.delete", "token", &id.to_string());
    if app.store.delete_token(id, &entry).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}
