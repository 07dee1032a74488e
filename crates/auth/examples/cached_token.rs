//! What it costs to know a caller again: a token that has verified before, of a session
//! whose standing is remembered. Every request of a user's pays it.
//!
//! `cargo xtask bench --logins` runs this, and reads the last line.
#![expect(clippy::print_stdout, reason = "it measures, and says what")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use mainstay_auth::{
    Aal, AccessTokenRequest, Call, Credentials, Identity, IdentitySettings, Keyring, Outgoing,
    PasswordParams, Recalled, RedirectTargets, Rows, TokenSettings, Verifier, mint_access_token,
};
use mainstay_core::{BuiltIn, Error, Limits, SourceFile, Timestamp, ValueRef, read_app};
use mainstay_mail::Templates;
use mainstay_plan::{Features, Planner, ReadPlan};
use mainstay_store::{Cx, ReadDone, RowSink, Told, ToldStore};
use serde_json::json;
use uuid::Uuid;

/// The user, and the session too.
const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const ISSUER: &str = "bench";
/// Calls of one run, and runs; the median of the runs counts.
const CALLS: u32 = 200_000;
const RUNS: usize = 9;

fn main() {
    let keyring = Arc::new(Keyring::generate());
    let now = Timestamp::from_micros(1_772_600_767_000_000).expect("BUG: 2026 is a time");
    let verify = Verifier::new(
        &keyring,
        TokenSettings::new(ISSUER),
        Box::new(|roles| (roles.to_vec(), Vec::new())),
    );
    let identity = identity(&keyring, Arc::new(verify));
    let bearer = format!("Bearer {}", token(&keyring, now));
    let credentials =
        Credentials { authorization: Some(bearer.as_bytes()), ..Credentials::default() };
    let known = || {
        let verified = identity.verifier().credential(credentials, now);
        let verified = verified.expect("BUG: it verifies").expect("BUG: it is there");
        identity.recall(verified, now).expect("BUG: the session stands")
    };
    let Recalled::Unknown(verified, session) = known() else {
        unreachable!("BUG: the session was never looked up")
    };
    let cx = Cx::until(Instant::now() + Duration::from_secs(10));
    let call = Call::new(now, cx, "127.0.0.1".to_owned(), "bench");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let looked_up = identity.look_up(*verified, session, &call);
    let actor = runtime.expect("BUG: a runtime").block_on(looked_up);
    assert_eq!(actor.expect("BUG: the session stands").id(), Some(&*ID.to_string()));
    assert!(matches!(known(), Recalled::Known(_)), "BUG: what was looked up is remembered");

    let run = |_| {
        let began = Instant::now();
        for _ in 0..CALLS {
            black_box(known());
        }
        began.elapsed().as_nanos() / u128::from(CALLS)
    };
    let mut runs: Vec<u128> = (0..RUNS).map(run).collect();
    runs.sort_unstable();
    println!("nanoseconds {}", runs[RUNS / 2]);
}

/// A token as a sign-in gives it, of a user with two roles.
fn token(keyring: &Keyring, now: Timestamp) -> String {
    let metadata = |json: serde_json::Value| json.as_object().cloned().unwrap_or_default();
    let request = AccessTokenRequest {
        user: ID,
        email: Some("ada@example.com"),
        is_anonymous: false,
        app_metadata: &metadata(json!({ "provider": "email", "providers": ["email"] })),
        user_metadata: &metadata(json!({ "name": "Ada", "email_verified": true })),
        session: ID,
        aal: Aal::One,
        amr: &[],
        lifetime_s: 3_600,
    };
    let minted = mint_access_token(keyring, &request, &TokenSettings::new(ISSUER), now);
    minted.expect("BUG: an hour is a lifetime").text
}

fn identity(keyring: &Arc<Keyring>, verifier: Arc<Verifier>) -> Identity {
    let built_in: Vec<BuiltIn> =
        mainstay_auth::models().iter().chain(mainstay_mail::models()).copied().collect();
    let text = "[app]\nname = \"bench\"\n".to_owned();
    let files = [SourceFile { path: "mainstay.toml".to_owned(), text }];
    let read = read_app(&built_in, &files, &[]).unwrap_or_else(|_| panic!("BUG: a good app"));
    let catalog = Arc::new(read.catalog);
    let rulebook = Arc::new(mainstay_rules::compile(&catalog).expect("BUG: no rules"));
    let features = Features { aggregates: true };
    let planner = Arc::new(Planner::new(catalog, rulebook, Limits::default(), features));
    let templates = Templates::read(&[]).unwrap_or_else(|_| panic!("BUG: good templates"));
    let url = "https://bench.example";
    let redirects = RedirectTargets::new(url, []).expect("BUG: a good address");
    let settings = IdentitySettings {
        passwords: PasswordParams::new(8, 1, 1).expect("BUG: the least there is"),
        ..IdentitySettings::new(TokenSettings::new(ISSUER), url, redirects)
    };
    let mails = Outgoing { templates: Arc::new(templates), waker: None };
    let rows = Arc::new(Rows::new(Arc::new(ToldStore(One)), planner));
    Identity::new(rows, Arc::clone(keyring), verifier, settings, mails)
}

/// One user and one session, of which nothing is known but the ids.
struct One;

impl Told for One {
    fn read(&self, plan: &ReadPlan, sink: &mut dyn RowSink) -> Result<ReadDone, Error> {
        sink.begin_row();
        for column in &plan.shape().root().columns {
            match &*column.name {
                "id" | "user" => sink.value(ValueRef::Uuid(ID)),
                _ => sink.value(ValueRef::Null),
            }
        }
        sink.end_row()?;
        Ok(ReadDone { rows: 1, total: None })
    }
}
