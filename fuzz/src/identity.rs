//! Accounts and sessions over a store without rows: the router as an app has it, with
//! nobody in it, no limit on how often may be tried, and a time that stands still.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response};
use mainstay_auth::{
    AttemptLimits, Identity, IdentitySettings, Keyring, Outgoing, PasswordParams, RedirectTargets,
    Rows, TokenSettings,
};
use mainstay_core::{BuiltIn, Limits, SourceFile, read_app};
use mainstay_mail::Templates;
use mainstay_web::{Settings, State, fuzz};
use tokio::runtime::{Builder, Runtime};

use crate::{
    app::{self, ISSUER, app, planner},
    empty::Empty,
};

/// The server, ready to answer.
pub(crate) struct Served {
    runtime: Runtime,
    state: State,
    store: Arc<Empty>,
}

/// It, made once.
pub(crate) fn identity() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(Served::new)
}

impl Served {
    fn new() -> Self {
        let built_in: Vec<BuiltIn> =
            mainstay_auth::models().iter().chain(mainstay_mail::models()).copied().collect();
        let settings =
            [SourceFile { path: "mainstay.toml".into(), text: "[app]\nname = \"fuzz\"\n".into() }];
        let read = read_app(&built_in, &settings, &[]);
        let catalog = Arc::new(read.unwrap_or_else(|_| panic!("BUG: a good app")).catalog);
        let rulebook = Arc::new(mainstay_rules::compile(&catalog).expect("BUG: no rules"));
        let planner = Arc::new(planner(&catalog, &rulebook, Limits::default()));
        let store = Arc::new(Empty::default());
        let verifier = Arc::new(app::verifier(&app().keyring));
        let rows = Arc::new(Rows::new(Arc::clone(&store) as _, Arc::clone(&planner)));
        let templates = Templates::read(&[]).unwrap_or_else(|_| panic!("BUG: good templates"));
        let identity = Identity::new(
            rows,
            Arc::new(Keyring::parse(&app().pem).expect("BUG: a key")),
            Arc::clone(&verifier),
            identity_settings(),
            Outgoing { templates: Arc::new(templates), waker: None },
        );
        let settings = Settings { clock: || app().now, ..Settings::new() };
        let served = mainstay_web::App::new("fuzz", planner, verifier);
        let state = State::new(served, Arc::clone(&store) as _, Arc::new(identity), settings);
        // Time passes where nothing else does: an answer that is held back costs none.
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("BUG: a runtime of one thread");
        Self { runtime, state, store }
    }

    /// The answer, and whether the store was asked for it.
    pub(crate) fn answer(&self, req: Request<Bytes>) -> (Response<Bytes>, bool) {
        let res = self.runtime.block_on(fuzz::answer(self.state.clone(), req));
        (res, self.store.0.was_asked())
    }
}

fn identity_settings() -> IdentitySettings {
    let url = "https://fuzz.example";
    let listed = ["https://fuzz.example/in"];
    IdentitySettings {
        tokens: TokenSettings::new(ISSUER),
        app_name: "fuzz".to_owned(),
        api_url: url.to_owned(),
        redirects: RedirectTargets::new(url, listed).expect("BUG: good addresses"),
        sign_up: true,
        anonymous: true,
        totp: true,
        confirm_email: true,
        access_token_s: 3_600,
        session_idle_s: 3_600,
        session_max_s: 3_600,
        reauthenticate_s: 3_600,
        reuse_s: 10,
        otp_s: 3_600,
        mail_every_s: 0,
        session_check_s: 5,
        takes_tokens_without_session: false,
        passwords: PasswordParams::new(8, 1, 1).expect("BUG: the least there is"),
        password_threads: 1,
        attempts: AttemptLimits {
            requests_max: u32::MAX,
            tokens_max: u32::MAX,
            admin_requests_max: u32::MAX,
            wrong_max: u32::MAX,
            wrong_in_all_max: u32::MAX,
        },
    }
}
