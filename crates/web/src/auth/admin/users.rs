//! `/auth/v1/admin/users` and `/auth/v1/admin/users/{id}`.

use axum::{
    extract::{Path, RawQuery, State as AxumState},
    http::{HeaderName, HeaderValue, header},
};
use mainstay_auth::{
    AccountChanges, AuthCode, AuthError, BanDuration, Deletion, PAGE_ACCOUNTS_MAX, invalid,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Admin, user_id_of};
use crate::{
    auth::{
        answer::{self, Answer},
        request::{Body, MaybeBody, given, query_value, refusal},
    },
    state::State,
};

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// Accounts of a page where nothing is asked for.
const PER_PAGE: u64 = 50;
/// The last page that can be asked for.
const PAGE_MAX: u64 = u32::MAX as u64;

#[derive(Deserialize)]
pub(in crate::auth) struct AccountBody {
    id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
    email_confirm: Option<bool>,
    user_metadata: Option<Map<String, Json>>,
    app_metadata: Option<Map<String, Json>>,
    ban_duration: Option<String>,
    role: Option<String>,
}

/// A misspelt name is refused: what it was to spare could not be brought back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::auth) struct DeleteBody {
    should_soft_delete: Option<bool>,
}

/// Lists accounts, the latest first.
pub(in crate::auth) async fn list(
    AxumState(state): AxumState<State>,
    admin: Admin,
    RawQuery(query): RawQuery,
) -> Answer {
    let page = page_parameter(query.as_deref(), "page", 1)?.min(PAGE_MAX);
    let per_page = page_parameter(query.as_deref(), "per_page", PER_PAGE)?;
    let rows_max = state.app().planner().limits().page_rows_max;
    let per_page = per_page.min(rows_max).min(PAGE_ACCOUNTS_MAX);
    let found = state.identity().accounts(page, per_page, &admin.call).await?;
    let users: Vec<Json> = found.accounts.iter().map(answer::user).collect();
    let mut res = answer::ok(&json!({ "users": users, "aud": "authenticated" }));
    res.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(found.total));
    let link = HeaderValue::try_from(links(page, per_page, found.total));
    let link = link.map_err(|error| AuthError::Failed(mainstay_core::Error::internal(error)))?;
    res.headers_mut().insert(header::LINK, link);
    Ok(res)
}

/// Makes an account.
pub(in crate::auth) async fn create(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Body(body): Body<AccountBody>,
) -> Answer {
    let id = match given(body.id.as_ref()) {
        None => None,
        Some(text) => match Uuid::parse_str(text) {
            Ok(id) if id.is_nil() => return Err(invalid("ID cannot be a nil uuid").into()),
            Ok(id) => Some(id),
            Err(_) => return Err(invalid("ID must be a UUID").into()),
        },
    };
    let account = state.identity().create_account(id, changes(body)?, &admin.call).await?;
    Ok(answer::ok(&answer::user(&account)))
}

/// Shows an account.
pub(in crate::auth) async fn get(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Path(id): Path<String>,
) -> Answer {
    let account = state.identity().account(user_id_of(&id)?, &admin.call).await?;
    let gone = || refusal(404, AuthCode::UserNotFound, "User not found");
    Ok(answer::ok(&answer::user(&account.ok_or_else(gone)?)))
}

/// Changes an account.
pub(in crate::auth) async fn update(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Path(id): Path<String>,
    Body(body): Body<AccountBody>,
) -> Answer {
    let id = user_id_of(&id)?;
    let account = state.identity().update_account(id, changes(body)?, &admin.call).await?;
    Ok(answer::ok(&answer::user(&account)))
}

/// Deletes an account.
pub(in crate::auth) async fn delete(
    AxumState(state): AxumState<State>,
    admin: Admin,
    Path(id): Path<String>,
    MaybeBody(body): MaybeBody<DeleteBody>,
) -> Answer {
    let deletion = match body.should_soft_delete {
        Some(true) => Deletion::Soft,
        Some(false) | None => Deletion::Hard,
    };
    state.identity().delete_account(user_id_of(&id)?, deletion, &admin.call).await?;
    Ok(answer::ok(&json!({})))
}

fn changes(body: AccountBody) -> Result<AccountChanges, AuthError> {
    if given(body.phone.as_ref()).is_some() {
        return Err(refusal(400, AuthCode::PhoneProviderDisabled, "Unsupported phone provider"));
    }
    if given(body.role.as_ref()).is_some_and(|role| role != "authenticated") {
        return Err(invalid(
            "`role` is `authenticated` for every user; the app's own roles are \
             `app_metadata.roles`",
        ));
    }
    let ban = match given(body.ban_duration.as_ref()) {
        Some(text) => Some(BanDuration::parse(text).map_err(|error| invalid(error.to_string()))?),
        None => None,
    };
    Ok(AccountChanges {
        email: body.email,
        confirms_email: body.email_confirm.unwrap_or(false),
        password: body.password,
        password_hash: body.password_hash,
        app_metadata: body.app_metadata,
        user_metadata: body.user_metadata,
        ban,
    })
}

/// A number from 1 on; clients send the empty text where they ask for nothing.
fn page_parameter(query: Option<&str>, name: &str, unset: u64) -> Result<u64, AuthError> {
    let Some(text) = query_value(query, name) else { return Ok(unset) };
    let number = text.parse().ok().filter(|number| *number > 0);
    let expected = "expected a number from 1 on";
    number.ok_or_else(|| {
        invalid(format!("Bad Pagination Parameters: `{name}` is {text:?}, {expected}"))
    })
}

/// The pages there are besides, as `@supabase/auth-js` reads them: `page` first, `rel` in
/// double quotes.
fn links(page: u64, per_page: u64, total: u64) -> String {
    let last = total.div_ceil(per_page.max(1));
    let link =
        |page: u64, rel| format!("</admin/users?page={page}&per_page={per_page}>; rel=\"{rel}\"");
    match page < last {
        true => format!("{}, {}", link(page + 1, "next"), link(last, "last")),
        false => link(last, "last"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_is_always_named_and_the_next_where_there_is_one() {
        let last = |page| format!("</admin/users?page={page}&per_page=50>; rel=\"last\"");
        let next = |page| format!("</admin/users?page={page}&per_page=50>; rel=\"next\"");
        assert_eq!(links(1, 50, 0), last(0));
        assert_eq!(links(1, 50, 50), last(1));
        assert_eq!(links(1, 50, 120), format!("{}, {}", next(2), last(3)));
        assert_eq!(links(3, 50, 120), last(3));
        assert_eq!(links(9, 50, 120), last(3));
    }

    #[test]
    fn a_page_is_a_number_from_1_on_and_the_empty_text_is_none() {
        let read = |query| page_parameter(Some(query), "page", 1).ok();
        assert_eq!(read("page=&per_page="), Some(1));
        assert_eq!(read("page=7"), Some(7));
        for query in ["page=0", "page=-1", "page=x", "page=1.5", "page=99999999999999999999"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
