//! `/auth/v1/factors`: second factors, and the codes for when one is lost.

use axum::extract::{Path, State as AxumState, rejection::PathRejection};
use mainstay_auth::{AuthCode, AuthError, Counted, EnrolRequest, Proof, ShownCode, invalid};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    answer::{self, Answer, Failed},
    form::{Done, Posted},
    request::{Body, MaybeBody, SignedIn, given, no_authorization, refusal},
    session::{raised, rotated, with_cookie},
};
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct EnrolBody {
    factor_type: Option<String>,
    friendly_name: Option<String>,
    issuer: Option<String>,
    #[serde(flatten)]
    proof: ProofBody,
}

/// What shows once more who asks, where their session is old.
#[derive(Default, Deserialize)]
pub(super) struct ProofBody {
    nonce: Option<String>,
    current_password: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CodeBody {
    challenge_id: Option<String>,
    code: Option<String>,
}

impl ProofBody {
    fn proof(&self) -> Proof<'_> {
        Proof { nonce: self.nonce.as_deref(), current_password: self.current_password.as_deref() }
    }
}

/// Begins a factor.
pub(super) async fn enrol(
    AxumState(state): AxumState<State>,
    caller: SignedIn,
    Body(body): Body<EnrolBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.call);
    identity.count(Counted::Factor, call).await?;
    check_type(body.factor_type.as_deref())?;
    let request = EnrolRequest {
        friendly_name: body.friendly_name.as_deref().unwrap_or_default(),
        issuer: given(body.issuer.as_ref()),
        proof: body.proof.proof(),
    };
    let enrolled = identity.enrol_factor(caller.user, caller.session, request, call).await?;
    Ok(answer::ok(&json!({
        "id": enrolled.id.to_string(),
        "type": "totp",
        "friendly_name": enrolled.friendly_name,
        "totp": {
            "qr_code": enrolled.enrolment.qr_code,
            "secret": enrolled.enrolment.secret,
            "uri": enrolled.enrolment.uri,
        },
    })))
}

fn check_type(kind: Option<&str>) -> Result<(), AuthError> {
    match kind {
        Some("totp") => Ok(()),
        Some("phone") => {
            let message = "MFA enroll is disabled for Phone";
            Err(refusal(422, AuthCode::MfaPhoneEnrollNotEnabled, message))
        }
        Some("webauthn") => {
            let message = "MFA enroll is disabled for WebAuthn";
            Err(refusal(422, AuthCode::MfaWebauthnEnrollNotEnabled, message))
        }
        _ => Err(invalid("factor_type needs to be totp, phone, or webauthn")),
    }
}

/// Asks for a factor's code. What the body says is in the path already.
pub(super) async fn challenge(
    AxumState(state): AxumState<State>,
    factor: Result<Path<String>, PathRejection>,
    caller: SignedIn,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.call);
    identity.count(Counted::Factor, call).await?;
    let factor = factor_id(factor)?;
    let asked = identity.challenge_factor(caller.user, caller.session, factor, call).await?;
    Ok(answer::ok(&json!({
        "id": asked.id.to_string(), "type": "totp", "expires_at": asked.expires_at_s,
    })))
}

/// Takes a factor's code.
pub(super) async fn verify(
    AxumState(state): AxumState<State>,
    factor: Result<Path<String>, PathRejection>,
    caller: SignedIn,
    Body(body): Body<CodeBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.rotating());
    identity.count(Counted::Factor, call).await?;
    let shown = ShownCode {
        factor: factor_id(factor)?,
        challenge: challenge_id(body.challenge_id.as_deref())?,
        code: body.code.as_deref().unwrap_or_default(),
    };
    let issued = identity.verify_factor(caller.user, caller.session, shown, call).await?;
    Ok(raised(&state, call, &issued))
}

/// Takes a factor away.
pub(super) async fn remove(
    AxumState(state): AxumState<State>,
    factor: Result<Path<String>, PathRejection>,
    caller: SignedIn,
    MaybeBody(body): MaybeBody<ProofBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.call);
    identity.count(Counted::Factor, call).await?;
    let factor = factor_id(factor)?;
    let (user, session) = (caller.user, caller.session);
    identity.remove_factor(user, session, factor, body.proof(), call).await?;
    Ok(answer::ok(&json!({ "id": factor.to_string() })))
}

/// Makes the codes that stand in for a lost factor. Ours, beside Supabase Auth's dialect.
pub(super) async fn make_recovery_codes(
    AxumState(state): AxumState<State>,
    caller: SignedIn,
    MaybeBody(body): MaybeBody<ProofBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.call);
    identity.count(Counted::Factor, call).await?;
    let (user, session) = (caller.user, caller.session);
    let codes = identity.make_recovery_codes(user, session, body.proof(), call).await?;
    Ok(answer::ok(&json!({ "codes": codes })))
}

/// Takes one of them.
pub(super) async fn verify_recovery_code(
    AxumState(state): AxumState<State>,
    caller: SignedIn,
    Body(body): Body<CodeBody>,
) -> Answer {
    let (identity, call) = (state.identity(), &caller.rotating());
    identity.count(Counted::Factor, call).await?;
    let code = body.code.as_deref().unwrap_or_default();
    let issued = identity.verify_recovery_code(caller.user, caller.session, code, call).await?;
    Ok(raised(&state, call, &issued))
}

/// Takes a code of any factor, or a recovery code, in the session of a cookie: from a page
/// without a script, which does not know what factors there are.
pub(super) async fn verify_any(
    AxumState(state): AxumState<State>,
    caller: Result<SignedIn, Failed>,
    posted: Posted<CodeBody>,
) -> Answer {
    let verify = async |code: &str| {
        let caller = caller?;
        let call = caller.rotating();
        state.identity().count(Counted::Factor, &call).await?;
        // Whoever comes with a token would be left without those of the raised session.
        let cookie = rotated(&state, &call).ok_or_else(no_authorization)?;
        let (user, session) = (caller.user, caller.session);
        let issued = state.identity().verify_any_code(user, session, code, &call).await?;
        Ok::<_, Failed>((issued.account, cookie))
    };
    match posted {
        Posted::Json(body) => {
            let (account, cookie) = verify(body.code.as_deref().unwrap_or_default()).await?;
            Ok(with_cookie(answer::ok(&answer::user(&account)), cookie))
        }
        Posted::Form(form) => {
            let verified = verify(form.text("code")).await;
            form.answer(verified.map(|(_, cookie)| Done::at(form.next.clone()).with_cookie(cookie)))
        }
    }
}

fn factor_id(path: Result<Path<String>, PathRejection>) -> Result<Uuid, AuthError> {
    let id = path.ok().and_then(|Path(text)| Uuid::parse_str(&text).ok());
    id.ok_or_else(|| refusal(404, AuthCode::ValidationFailed, "factor_id must be an UUID"))
}

fn challenge_id(text: Option<&str>) -> Result<Uuid, AuthError> {
    let unreadable = || invalid("challenge_id must be an UUID");
    text.and_then(|text| Uuid::parse_str(text).ok()).ok_or_else(unreadable)
}
