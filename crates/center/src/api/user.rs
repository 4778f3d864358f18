//! People: who may come in, and what they may do.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use parapet_core::{Access, Grant, Permission, UserName};
use parapet_store::{UserChange, UserRow};
use serde_json::json;

use super::{
    App,
    incident::NAME,
    people_shape::{NewUser, User, UserUpdate, grants},
    problem::{ApiError, Problem},
};
use crate::{
    caller::Caller,
    people::{check_password, deed},
};

/// All people.
#[utoipa::path(
    get, path = "/api/users", tag = "people",
    responses(
        (status = 200, body = Vec<User>),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn users(State(app): State<App>, caller: Caller) -> Result<Json<Vec<User>>, ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    Ok(Json(app.store.users().await?.into_iter().map(|row| user(&app, row)).collect()))
}

fn user(app: &App, row: UserRow) -> User {
    User {
        locked_until: app.people.locked_until(&row.name),
        name: row.name.into(),
        display_name: row.display_name,
        enabled: row.enabled,
        grants: row.grants.into_iter().map(Into::into).collect(),
        created_at: row.created_at,
        last_seen_at: row.seen_at,
    }
}

/// Adds a person.
#[utoipa::path(
    post, path = "/api/users", tag = "people", request_body = NewUser,
    responses(
        (status = 201, body = User),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the name is taken"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(app): State<App>,
    caller: Caller,
    body: Result<Json<NewUser>, JsonRejection>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    let Json(new) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let name: UserName = new.name.parse().map_err(|_| ApiError::Invalid { field: "name", hint: NAME })?;
    let display_name = checked_name(&new.display_name)?;
    let grants = grants(new.grants)?;
    let password = match &new.password {
        Some(password) => {
            checked_password(name.as_str(), password)?;
            app.people.hash(password).await
        }
        None => None,
    };
    let now = app.clock.now();
    let mut entry = deed(now, &caller.name, "user.add", "user", name.as_str());
    entry.detail = json!({ "display_name": display_name, "grants": grants, "password": password.is_some() });
    let row = UserRow {
        name,
        display_name,
        password,
        subject: None,
        enabled: true,
        grants,
        created_at: now,
        seen_at: None,
    };
    if !app.store.add_user(&row, &entry).await? {
        return Err(ApiError::NameTaken);
    }
    Ok((StatusCode::CREATED, Json(user(&app, row))))
}

/// Changes a person. There is always an administrator who may sign in.
#[utoipa::path(
    put, path = "/api/users/{name}", tag = "people", request_body = UserUpdate,
    params(("name" = String, Path, description = "the person's name")),
    responses(
        (status = 200, body = User),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "this is the last administrator"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Json<UserUpdate>, JsonRejection>,
) -> Result<Json<User>, ApiError> {
    caller.require(Permission::ManageUsers, None, None)?;
    let Json(update) = body.map_err(|rejection| ApiError::Body(rejection.body_text()))?;
    let name: UserName = name.parse().map_err(|_| ApiError::NotFound)?;
    let display_name = update.display_name.as_deref().map(checked_name).transpose()?;
    let grants = update.grants.map(grants).transpose()?;
    let people = app.store.users().await?;
    let present = people.iter().find(|user| user.name == name).ok_or(ApiError::NotFound)?;
    let stays =
        manages(grants.as_deref().unwrap_or(&present.grants)) && update.enabled.unwrap_or(present.enabled);
    let others = people.iter().filter(|user| user.name != name);
    if !stays
        && manages(&present.grants)
        && !others.into_iter().any(|user| user.enabled && manages(&user.grants))
    {
        return Err(ApiError::LastAdministrator);
    }
    let password = match &update.password {
        Some(password) => {
            checked_password(name.as_str(), password)?;
            app.people.hash(password).await
        }
        None => None,
    };
    let mut entry = deed(app.clock.now(), &caller.name, "user.change", "user", name.as_str());
    entry.detail = json!({
        "display_name": display_name, "enabled": update.enabled, "grants": grants, "password": password.is_some(),
    });
    let signs_out = password.is_some() || update.enabled == Some(false);
    let new_password = password.is_some();
    let change = UserChange { display_name, password, enabled: update.enabled, grants, subject: None };
    let row = app.store.change_user(&name, &change, &entry).await?.ok_or(ApiError::NotFound)?;
    if signs_out {
        app.store.end_sessions(&name, None).await?;
    }
    if new_password {
        app.people.unlock(&name);
    }
    Ok(Json(user(&app, row)))
}

fn manages(grants: &[Grant]) -> bool {
    Access::new(grants.to_vec()).may(Permission::ManageUsers, None, None)
}

fn checked_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(ApiError::Invalid { field: "display_name", hint: "1–80" });
    }
    Ok(name.to_owned())
}

pub(super) fn checked_password(name: &str, password: &str) -> Result<(), ApiError> {
    check_password(name, password).map_err(|_| ApiError::Invalid {
        field: "password",
        hint: "10–200, ≥ 5 不同字符 different characters",
    })
}
