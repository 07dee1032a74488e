//! Who a request is made for.
//!
//! Only a credential that was verified makes a user, and only a call with a
//! written reason makes the service actor, or Mainstay itself at work on its own rows;
//! the fields are private so that nothing else can.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::removal::removed;

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// No credential, or the `anon` key.
    Anonymous,
    /// A user whose token verified.
    User,
    /// The app itself: rules do not apply, constraints and limits do.
    Service,
}

/// What a verified token says of its user.
#[derive(Clone, Debug, Default)]
pub struct UserClaims {
    /// `sub`.
    pub id: String,
    /// `email`, where the token has one.
    pub email: Option<String>,
    /// The user's roles, with every role they inherit.
    pub roles: Vec<Box<str>>,
    /// What those roles can do, as `[roles]` names it.
    pub permissions: Vec<Box<str>>,
    /// All claims of the token.
    pub claims: Map<String, Json>,
    /// The tenant, in an app that has them.
    pub tenant: Option<String>,
}

/// The caller of a request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Actor {
    kind: ActorKind,
    user: Option<Arc<UserClaims>>,
    reason: Option<&'static str>,
    sees_internal: bool,
}

impl Actor {
    /// The caller without a credential.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, user: None, reason: None, sees_internal: false }
    }

    /// A user, of whom a verified token says this.
    #[must_use]
    pub fn user(claims: Arc<UserClaims>) -> Self {
        Self { kind: ActorKind::User, user: Some(claims), reason: None, sees_internal: false }
    }

    /// The app itself. `reason` says why rules do not apply at this call site; the
    /// call sites are listed and checked.
    #[must_use]
    pub fn service(reason: &'static str) -> Self {
        Self { kind: ActorKind::Service, user: None, reason: Some(reason), sees_internal: false }
    }

    /// Mainstay itself, at work on its own rows: the service actor, to whom the internal
    /// models are there too. `reason` is as of [`service`](Self::service), and the call
    /// sites are listed and checked with its. No credential ever makes this actor.
    #[must_use]
    pub fn system(reason: &'static str) -> Self {
        Self { sees_internal: true, ..Self::service(reason) }
    }

    /// What kind of caller it is.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    /// Whether rules do not apply.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.kind == ActorKind::Service
    }

    /// Whether internal models are there for this caller.
    #[must_use]
    pub fn sees_internal(&self) -> bool {
        self.sees_internal || removed("internal-models")
    }

    /// Whether there is no credential, so that a denial is 401 and not 403.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.kind == ActorKind::Anonymous
    }

    /// The user's id, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.user.as_deref().map(|user| user.id.as_str())
    }

    /// The user's email address, if the token has one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.user.as_deref().and_then(|user| user.email.as_deref())
    }

    /// The user's roles, inherited ones included; none for other callers.
    #[must_use]
    pub fn roles(&self) -> &[Box<str>] {
        self.user.as_deref().map_or(&[], |user| &user.roles)
    }

    /// Whether a role of the user's can do this.
    #[must_use]
    pub fn can(&self, permission: &str) -> bool {
        self.user
            .as_deref()
            .is_some_and(|user| user.permissions.iter().any(|held| &**held == permission))
    }

    /// The claim at a path, if the token has it.
    #[must_use]
    pub fn claim(&self, path: &[Box<str>]) -> Option<&Json> {
        let (first, rest) = path.split_first()?;
        let claims = &self.user.as_deref()?.claims;
        rest.iter().try_fold(claims.get(&**first)?, |json, step| json.get(&**step))
    }

    /// All that a verified token says of its user, if it is one.
    #[must_use]
    pub fn user_claims(&self) -> Option<&UserClaims> {
        self.user.as_deref()
    }

    /// The tenant, in an app that has them.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.user.as_deref().and_then(|user| user.tenant.as_deref())
    }

    /// Why this is the service actor, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }
}
