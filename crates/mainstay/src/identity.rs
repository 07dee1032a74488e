//! Accounts and sessions, as an app's settings want them.

use std::{net::SocketAddr, sync::Arc};

use mainstay_auth::{
    AttemptLimits, Identity, IdentitySettings, Keyring, Outgoing, PasswordParams, RedirectTargets,
    Rows, Verifier,
};
use mainstay_core::{Roles, Settings};
use mainstay_mail::Waker;

use crate::{
    app::{Mode, StartError, token_settings},
    mail::MailSetup,
    running::local_url,
};

/// What identity is put together from.
pub(crate) struct Parts<'p> {
    pub(crate) settings: IdentitySettings,
    pub(crate) roles: &'p Roles,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) rows: Arc<Rows>,
    pub(crate) mail: &'p MailSetup,
    pub(crate) waker: Option<Waker>,
}

/// Puts it together.
pub(crate) fn identity(parts: Parts<'_>) -> Identity {
    let mails = Outgoing { templates: Arc::clone(&parts.mail.templates), waker: parts.waker };
    let Parts { settings, rows, keyring, verifier, .. } = parts;
    let identity = Identity::new(rows, keyring, verifier, settings, mails);
    identity.declare_roles(parts.roles.clone());
    identity
}

/// Refuses to serve an app whose users could not confirm their addresses.
///
/// # Errors
/// Where the settings want mails to be sent that cannot be.
pub(crate) fn check_mails_leave(
    settings: &Settings,
    mail: &MailSetup,
    mode: Mode,
) -> Result<(), StartError> {
    if mode == Mode::Production && settings.auth.confirm_email && mail.smtp.is_none() {
        return Err(StartError::Setting(
            "`[auth] confirm_email` wants mails to be sent, and `[mail] smtp` names no server: \
             set it, or set `[auth] confirm_email = false`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// How accounts and sessions are kept, of an app that listens at an address. It is asked
/// before anything is opened or made: what is refused here leaves nothing behind.
///
/// # Errors
/// Where a setting cannot be served with.
pub(crate) fn identity_settings(
    settings: &Settings,
    mode: Mode,
    address: Option<SocketAddr>,
) -> Result<IdentitySettings, StartError> {
    let auth = &settings.auth;
    let listened = address.map_or_else(|| "http://localhost:8000".to_owned(), local_url);
    let api_url = settings.server.public_url.clone().unwrap_or(listened);
    let api_url = api_url.trim_end_matches('/').to_owned();
    let site_url = auth.site_url.clone().unwrap_or_else(|| api_url.clone());
    let listed = auth.redirect_urls.iter().map(String::as_str);
    let redirects = RedirectTargets::new(&site_url, listed)
        .map_err(|error| StartError::Setting(format!("`[auth]` {error}")))?;
    let passwords = PasswordParams::new(auth.password_memory_kib, auth.password_iterations, 1)
        .map_err(|error| StartError::Setting(format!("`[auth]` {error}")))?;
    Ok(IdentitySettings {
        tokens: token_settings(settings),
        app_name: settings.app.name.clone(),
        api_url,
        redirects,
        sign_up: auth.sign_up,
        anonymous: auth.anonymous,
        totp: auth.totp,
        confirm_email: auth.confirm_email,
        access_token_s: auth.access_token_s,
        session_idle_s: auth.session_idle_s,
        session_max_s: auth.session_max_s,
        reauthenticate_s: auth.reauthenticate_s,
        reuse_s: auth.reuse_s,
        otp_s: auth.otp_s,
        mail_every_s: auth.mail_every_s,
        session_check_s: auth.session_check_s,
        takes_tokens_without_session: auth.sessionless_tokens.unwrap_or(mode == Mode::Development),
        passwords,
        password_threads: auth.password_threads,
        attempts: AttemptLimits {
            requests_max: auth.requests_max,
            tokens_max: auth.tokens_max,
            admin_requests_max: auth.admin_requests_max,
            ..AttemptLimits::default()
        },
    })
}
