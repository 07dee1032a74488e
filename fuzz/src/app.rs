//! The app that inputs are planned against: every type, refs of every kind, rules of
//! every shape, and three callers. Made once, from the files under `fuzz/app`.

use std::sync::{Arc, OnceLock};

use mainstay_auth::{
    CookieValues, Keyring, RefreshTokens, TokenRequest, TokenSettings, Verifier, mint,
};
use mainstay_core::{
    Actor, Catalog, Colour, Error, Limits, Roles, SourceFile, Timestamp, read_app,
    render_diagnostics,
};
use mainstay_plan::{Features, Planner, ReadPlan, WritePlan};
use mainstay_rules::Rulebook;
use mainstay_web::fuzz::{self, Sent};
use p256::{
    SecretKey,
    pkcs8::{EncodePrivateKey, LineEnding},
};

use crate::Reached;

/// The files of the app.
const FILES: [(&str, &str); 8] = [
    ("mainstay.toml", include_str!("../app/mainstay.toml")),
    ("models/bans.toml", include_str!("../app/models/bans.toml")),
    ("models/comments.toml", include_str!("../app/models/comments.toml")),
    ("models/items.toml", include_str!("../app/models/items.toml")),
    ("models/post_tags.toml", include_str!("../app/models/post_tags.toml")),
    ("models/posts.toml", include_str!("../app/models/posts.toml")),
    ("models/tags.toml", include_str!("../app/models/tags.toml")),
    ("models/users.toml", include_str!("../app/models/users.toml")),
];

/// The moment at which everything happens: 2026-03-04 05:06:07 UTC.
const NOW_MICROS: i64 = 1_772_600_767_000_000;

/// The issuer of this app's tokens, which is its name.
pub(crate) const ISSUER: &str = "fuzz";

/// Bytes of a body that is worth planning once only.
const LONG_BODY_BYTES: usize = 64 * 1024;

/// The app, ready to plan.
pub(crate) struct App {
    pub(crate) catalog: Arc<Catalog>,
    /// The anonymous caller, a user with roles and claims, the service.
    pub(crate) callers: [Actor; 3],
    pub(crate) now: Timestamp,
    pub(crate) verifier: Verifier,
    /// Signs as the users' key does, whatever it is given to sign.
    pub(crate) users_key: p256::ecdsa::SigningKey,
    pub(crate) users_kid: String,
    pub(crate) pem: String,
    pub(crate) keyring: Keyring,
    pub(crate) cookies: CookieValues,
    pub(crate) refresh_tokens: RefreshTokens,
    remembering: Planner,
    forgetful: Planner,
}

/// Makes the app now, so that the first input is not charged for it.
pub fn prepare() {
    app();
}

/// The app.
pub(crate) fn app() -> &'static App {
    static APP: OnceLock<App> = OnceLock::new();
    APP.get_or_init(App::new)
}

/// A planner as an app has it, or one that makes every plan afresh.
pub(crate) fn planner(catalog: &Arc<Catalog>, rulebook: &Arc<Rulebook>, limits: Limits) -> Planner {
    let features = Features { aggregates: true };
    Planner::new(Arc::clone(catalog), Arc::clone(rulebook), limits, features)
}

impl App {
    fn new() -> Self {
        let files: Vec<SourceFile> = FILES
            .iter()
            .map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() })
            .collect();
        let read = read_app(&[], &files, &[]).unwrap_or_else(|refused| {
            panic!("BUG: {}", render_diagnostics(&refused.found, &files, Colour::Plain))
        });
        let catalog = Arc::new(read.catalog);
        let rulebook = mainstay_rules::compile(&catalog)
            .unwrap_or_else(|mistakes| panic!("BUG: {}", mistakes[0]));
        let rulebook = Arc::new(rulebook);
        let limits = Limits::default();
        let no_cache = Limits { plan_cache_bytes_max: 0, ..limits.clone() };

        let now = Timestamp::from_micros(NOW_MICROS).expect("BUG: 2026 is a time");
        let secret = SecretKey::from_slice(&[7; 32]).expect("BUG: a scalar of the curve");
        let pem = secret.to_pkcs8_pem(LineEnding::LF).expect("BUG: every secret has a form");
        let keyring = Keyring::parse(&pem).expect("BUG: a key of the right curve");
        let roles = read.settings.roles;
        let verifier = verifier_with(&keyring, roles);
        let callers = callers(&verifier, &keyring, now);
        Self {
            callers,
            now,
            verifier,
            users_key: secret.into(),
            users_kid: keyring.users().kid().to_owned(),
            pem: pem.to_string(),
            cookies: CookieValues::new(&keyring),
            refresh_tokens: RefreshTokens::new(&keyring),
            keyring,
            remembering: planner(&catalog, &rulebook, limits),
            forgetful: planner(&catalog, &rulebook, no_cache),
            catalog,
        }
    }

    /// Plans a read for every caller.
    pub(crate) fn read(&self, model: &str, query: &str) -> Reached {
        self.callers
            .iter()
            .fold(Reached::Refused, |reached, actor| reached.or(self.read_as(model, query, actor)))
    }

    /// Plans a read for one caller, with the plan cache and without, which must agree.
    pub(crate) fn read_as(&self, model: &str, query: &str, actor: &Actor) -> Reached {
        let remembered = fuzz::read_plan(&self.remembering, model, query, actor, self.now);
        let made = fuzz::read_plan(&self.forgetful, model, query, actor, self.now);
        let shown = |plan: &ReadPlan| {
            let shape = plan.shape();
            let told = (shape.count(), plan.answers_nothing(), plan.values().to_vec());
            (shape.root().clone(), told)
        };
        agree(&remembered, &made, |plan| format!("{:?}", shown(plan)));
        Reached::of(&made)
    }

    /// Plans a write for every caller, with the plan cache and without. A long body is
    /// planned once, for the user, so that its time is that of one request.
    pub(crate) fn write(&self, sent: &Sent<'_>) -> Reached {
        if sent.body.len() > LONG_BODY_BYTES {
            let user = &self.callers[1];
            return Reached::of(&fuzz::write_plan(&self.forgetful, sent, user, self.now));
        }
        self.callers.iter().fold(Reached::Refused, |reached, actor| {
            let remembered = fuzz::write_plan(&self.remembering, sent, actor, self.now);
            let made = fuzz::write_plan(&self.forgetful, sent, actor, self.now);
            // New rows have ids of their own each time, so values are left out.
            let shown = |plan: &WritePlan| {
                let shape = plan.shape();
                let returning = shape.returning().cloned();
                (shape.model(), shape.action().clone(), returning, plan.rows().len())
            };
            agree(&remembered, &made, |plan| format!("{:?}", shown(plan)));
            reached.or(Reached::of(&made))
        })
    }
}

/// Holds the cache to what it stands for: a plan out of it is the plan that would
/// have been made, and an error the error.
fn agree<P>(remembered: &Result<P, Error>, made: &Result<P, Error>, shown: impl Fn(&P) -> String) {
    match (remembered, made) {
        (Ok(remembered), Ok(made)) => {
            assert_eq!(shown(remembered), shown(made), "the plan cache holds another plan");
        }
        (Err(remembered), Err(made)) => {
            assert_eq!(remembered.code(), made.code(), "the plan cache changes an error");
        }
        (remembered, made) => panic!(
            "with the plan cache there is {}, without it there is {}",
            remembered.as_ref().map_or_else(|error| error.message(), |_| "a plan"),
            made.as_ref().map_or_else(|error| error.message(), |_| "a plan"),
        ),
    }
}

/// What verifies tokens of this key, in an app without roles.
pub(crate) fn verifier(keyring: &Keyring) -> Verifier {
    verifier_with(keyring, Roles::default())
}

fn verifier_with(keyring: &Keyring, roles: Roles) -> Verifier {
    let settings = TokenSettings::new(ISSUER);
    Verifier::new(keyring, settings, Box::new(move |held| roles.expand(held)))
}

/// The callers, each by a credential that verifies.
fn callers(verifier: &Verifier, keyring: &Keyring, now: Timestamp) -> [Actor; 3] {
    let settings = TokenSettings::new(ISSUER);
    let request = TokenRequest {
        user_id: "ada".to_owned(),
        email: Some("ada@example.org".to_owned()),
        roles: vec!["editor".to_owned()],
        lifetime_s: 3_600,
        ..TokenRequest::default()
    };
    let token = mint(keyring, &request, &settings, now).expect("BUG: a usual user");
    let verify = |token: &str| {
        let verified = verifier.verify(token.as_bytes(), now);
        verified.expect("BUG: a credential of this app").into_actor()
    };
    let user = verify(&token);
    let service = verify(&keyring.service_key(ISSUER));
    [Actor::anonymous(), user, service]
}
