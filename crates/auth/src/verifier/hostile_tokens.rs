//! Every token a stranger might try, made by hand, and the ones that must hold.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use mainstay_core::{ActorKind, Code, Timestamp};
use p256::ecdsa::{
    Signature,
    signature::{Signer, Verifier as _},
};
use p256::pkcs8::DecodePrivateKey;
use serde_json::{Value as Json, json};

use crate::{Credentials, Keyring, SigningKey, TokenRequest, TokenSettings, Verifier, mint};

const NOW_S: i64 = 1_795_000_000;

struct App {
    keyring: Keyring,
    settings: TokenSettings,
    verifier: Verifier,
}

fn app() -> App {
    let keyring = Keyring::generate();
    let settings = TokenSettings::new("blog");
    let verifier = Verifier::new(&keyring, settings.clone(), Box::new(editor_inherits_author));
    App { keyring, settings, verifier }
}

fn editor_inherits_author(roles: &[Box<str>]) -> (Vec<Box<str>>, Vec<Box<str>>) {
    let mut all = roles.to_vec();
    if roles.iter().any(|role| &**role == "editor") {
        all.push("author".into());
        return (all, vec!["posts.publish".into()]);
    }
    (all, Vec::new())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn now() -> Timestamp {
    at(NOW_S)
}

fn ana() -> TokenRequest {
    TokenRequest {
        user_id: "ana".to_owned(),
        email: Some("ana@example.org".to_owned()),
        roles: vec!["editor".to_owned(), "authenticated".to_owned(), "editor".to_owned()],
        lifetime_s: 3600,
        ..TokenRequest::default()
    }
}

impl App {
    fn mint(&self, request: &TokenRequest) -> String {
        mint(&self.keyring, request, &self.settings, now()).unwrap()
    }

    /// The code with which a token is refused, or the kind of actor it makes.
    fn verdict(&self, token: &str) -> Result<ActorKind, Code> {
        self.verifier
            .verify(token.as_bytes(), now())
            .map(|verified| verified.actor().kind())
            .map_err(|error| error.code())
    }
}

/// Signs with p256 itself, so that it is not our own code that agrees with itself.
fn by_hand(key: &SigningKey, header: &Json, claims: &Json) -> String {
    by_hand_text(key, header, &claims.to_string())
}

fn by_hand_text(key: &SigningKey, header: &Json, claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(&header.to_string()), part(claims));
    let signer = p256::ecdsa::SigningKey::from_pkcs8_pem(&key.to_pem()).unwrap();
    let signature: Signature = signer.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn unsigned(header: &Json, claims: &Json) -> String {
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn header(key: &SigningKey) -> Json {
    json!({ "alg": "ES256", "kid": key.kid(), "typ": "JWT" })
}

fn claims() -> Json {
    json!({
        "iss": "blog", "aud": "authenticated", "sub": "ana", "role": "authenticated",
        "iat": NOW_S, "exp": NOW_S + 60, "app_metadata": { "roles": ["editor"] },
    })
}

fn with(mut json: Json, name: &str, value: Json) -> Json {
    json[name] = value;
    json
}

fn without(mut json: Json, name: &str) -> Json {
    json.as_object_mut().unwrap().remove(name);
    json
}

#[test]
fn a_minted_token_makes_its_user() {
    let app = app();
    let actor = app.verifier.verify(app.mint(&ana()).as_bytes(), now()).unwrap().into_actor();
    assert_eq!((actor.id(), actor.email()), (Some("ana"), Some("ana@example.org")));
    assert_eq!(actor.roles(), [Box::from("editor"), Box::from("author")]);
    assert!(actor.can("posts.publish") && !actor.can("posts.delete"));
    assert_eq!(actor.claim(&["app_metadata".into(), "roles".into()]), Some(&json!(["editor"])));
    assert_eq!(actor.claim(&["aud".into()]), Some(&json!("authenticated")));
}

#[test]
fn a_token_signed_by_hand_with_the_users_key_is_taken() {
    let app = app();
    let key = app.keyring.users();
    assert_eq!(app.verdict(&by_hand(key, &header(key), &claims())), Ok(ActorKind::User));
}

#[test]
fn a_minted_token_verifies_without_any_code_of_ours() {
    let app = app();
    let token = app.mint(&ana());
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&app.keyring.jwks()).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(jwks.find(&kid).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::ES256);
    validation.set_audience(&["authenticated"]);
    validation.set_issuer(&["blog"]);
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Json>(&token, &key, &validation).unwrap();
    assert_eq!(decoded.claims["sub"], "ana");

    let signer = p256::ecdsa::SigningKey::from_pkcs8_pem(&app.keyring.to_text()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    assert!(signer.verifying_key().verify(signed.as_bytes(), &signature).is_ok());
}

#[test]
fn a_minted_token_has_what_auth_js_reads() {
    let app = app();
    let token = app.mint(&ana());
    // auth-js's getClaims: `kid` present, `alg` not HS*, a numeric `exp`.
    let parts: Vec<&str> = token.split('.').collect();
    let part = |index: usize| -> Json {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap()
    };
    assert_eq!(part(0), json!({ "alg": "ES256", "typ": "JWT", "kid": app.keyring.users().kid() }));
    assert_eq!(
        part(1),
        json!({
            "iss": "blog", "aud": "authenticated", "sub": "ana", "role": "authenticated",
            "email": "ana@example.org", "iat": NOW_S, "exp": NOW_S + 3600,
            "app_metadata": { "roles": ["editor"] }, "user_metadata": {},
        })
    );
}

#[test]
fn further_claims_are_kept_and_never_replace_our_own() {
    let app = app();
    let mut request = ana();
    request.claims = json!({
        "sub": "eve", "role": "service_role", "iss": "evil", "aud": "x", "exp": 9, "iat": 9,
        "nbf": NOW_S + 999, "email": "eve@example.org", "plan": "gold",
        "app_metadata": { "provider": "email", "roles": ["admin"] },
    })
    .as_object()
    .unwrap()
    .clone();
    let actor = app.verifier.verify(app.mint(&request).as_bytes(), now()).unwrap().into_actor();
    assert_eq!((actor.id(), actor.email()), (Some("ana"), Some("ana@example.org")));
    assert_eq!(actor.roles(), [Box::from("editor"), Box::from("author")]);
    assert_eq!(actor.claim(&["plan".into()]), Some(&json!("gold")));
    assert_eq!(actor.claim(&["app_metadata".into(), "provider".into()]), Some(&json!("email")));
}

#[test]
fn a_token_is_not_minted_for_a_reserved_role_or_without_an_id() {
    let app = app();
    let refused =
        |request: TokenRequest| mint(&app.keyring, &request, &app.settings, now()).is_err();
    for role in ["anon", "service_role"] {
        assert!(refused(TokenRequest { roles: vec![role.to_owned()], ..ana() }), "{role}");
    }
    for user_id in ["".to_owned(), "a\0".to_owned(), "x".repeat(256)] {
        assert!(refused(TokenRequest { user_id, ..ana() }));
    }
    assert!(!refused(TokenRequest { user_id: "x".repeat(255), ..ana() }));
}

#[test]
fn an_hs256_token_made_with_the_public_key_is_refused() {
    let app = app();
    for (key, claims) in [
        (app.keyring.users(), claims()),
        (app.keyring.api_keys(), json!({ "iss": "blog", "role": "service_role" })),
    ] {
        let jwk = key.public_jwk();
        let mut point = vec![4];
        point.extend(URL_SAFE_NO_PAD.decode(&jwk.x).unwrap());
        point.extend(URL_SAFE_NO_PAD.decode(&jwk.y).unwrap());
        let secrets: [Vec<u8>; 6] = [
            key.public().pem().into(),
            key.public().pem().trim_end().into(),
            serde_json::to_vec(jwk).unwrap(),
            app.keyring.jwks().into(),
            point,
            jwk.x.clone().into(),
        ];
        for secret in secrets {
            let signed = unsigned(&with(header(key), "alg", json!("HS256")), &claims);
            let secret = EncodingKey::from_secret(&secret);
            let signature =
                jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Algorithm::HS256).unwrap();
            let verdict = app.verdict(&format!("{signed}.{signature}"));
            assert_eq!(verdict, Err(Code::TokenInvalid));
            // The same signature under the honest algorithm's name.
            let signed = unsigned(&header(key), &claims);
            let signature =
                jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Algorithm::HS256).unwrap();
            let verdict = app.verdict(&format!("{signed}.{signature}"));
            assert_eq!(verdict, Err(Code::TokenInvalid));
        }
    }
}

#[test]
fn a_token_that_says_alg_none_is_refused() {
    let app = app();
    let key = app.keyring.users();
    let good = by_hand(key, &header(key), &claims());
    let signature = good.rsplit_once('.').unwrap().1;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let signed = unsigned(&with(header(key), "alg", json!(alg)), &claims());
        for signature in ["", "AA", signature] {
            let verdict = app.verdict(&format!("{signed}.{signature}"));
            assert_eq!(verdict, Err(Code::TokenInvalid), "{alg} {signature}");
        }
    }
}

#[test]
fn a_signature_that_is_not_the_keys_is_refused() {
    let app = app();
    let (key, stranger) = (app.keyring.users(), SigningKey::generate());
    let good = by_hand(key, &header(key), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    let der = Signature::from_slice(&bytes).unwrap().to_der();
    let changed = unsigned(&header(key), &with(claims(), "sub", json!("eve")));

    for (name, token) in [
        ("a stranger's key under our kid", by_hand(&stranger, &header(key), &claims())),
        ("a stranger's key under its own kid", by_hand(&stranger, &header(&stranger), &claims())),
        ("our key under a stranger's kid", by_hand(key, &header(&stranger), &claims())),
        (
            "the API keys' key under the users' kid",
            by_hand(app.keyring.api_keys(), &header(key), &claims()),
        ),
        (
            "the users' key under the API keys' kid",
            by_hand(
                key,
                &header(app.keyring.api_keys()),
                &json!({ "iss": "blog", "role": "service_role" }),
            ),
        ),
        ("other claims under this signature", format!("{changed}.{signature}")),
        ("one bit flipped", format!("{signed}.{}", encode(&flipped))),
        ("no signature", format!("{signed}.")),
        ("half a signature", format!("{signed}.{}", encode(&bytes[..32]))),
        ("a signature and more", format!("{signed}.{}", encode(&[&bytes[..], &[0]].concat()))),
        ("zeros, which a careless verifier takes", format!("{signed}.{}", encode(&[0; 64]))),
        ("the signature as DER", format!("{signed}.{}", encode(der.as_bytes()))),
        ("padding", format!("{good}==")),
        ("a space", format!("{good} ")),
        ("a line's end", format!("{good}\n")),
    ] {
        assert_eq!(app.verdict(&token), Err(Code::TokenInvalid), "{name}");
    }
    assert_eq!(app.verdict(&good), Ok(ActorKind::User));
}

#[test]
fn a_header_that_brings_a_key_or_asks_for_more_is_refused_though_the_signature_holds() {
    let app = app();
    let key = app.keyring.users();
    let stranger = SigningKey::generate();
    let jwk = serde_json::to_value(stranger.public_jwk()).unwrap();
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.test/jwks.json")),
        ("x5u", json!("https://evil.test/x5u")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        let ours = by_hand(key, &with(header(key), name, value.clone()), &claims());
        assert_eq!(app.verdict(&ours), Err(Code::TokenInvalid), "{name}, signed by us");
        let theirs = by_hand(&stranger, &with(header(&stranger), name, value), &claims());
        assert_eq!(app.verdict(&theirs), Err(Code::TokenInvalid), "{name}, signed by them");
    }
    let nameless = by_hand(key, &without(header(key), "kid"), &claims());
    assert_eq!(app.verdict(&nameless), Err(Code::TokenInvalid));
}

#[test]
fn claims_that_do_not_hold_are_refused_though_the_signature_holds() {
    let app = app();
    let key = app.keyring.users();
    for (name, claims) in [
        ("expired", with(claims(), "exp", json!(NOW_S))),
        ("no exp", without(claims(), "exp")),
        ("exp as text", with(claims(), "exp", json!("1795000060"))),
        ("not yet", with(claims(), "nbf", json!(NOW_S + 31))),
        ("issued later", with(claims(), "iat", json!(NOW_S + 31))),
        ("no audience", without(claims(), "aud")),
        ("another audience", with(claims(), "aud", json!("shop"))),
        ("no issuer", without(claims(), "iss")),
        ("another issuer", with(claims(), "iss", json!("shop"))),
        ("no subject", without(claims(), "sub")),
        ("no role", without(claims(), "role")),
        ("anon, signed with the users' key", with(claims(), "role", json!("anon"))),
        ("service, signed with the users' key", with(claims(), "role", json!("service_role"))),
    ] {
        let token = by_hand(key, &header(key), &claims);
        assert_eq!(app.verdict(&token), Err(Code::TokenClaims), "{name}");
    }
    for claims in [json!([]), json!("ana"), json!(null)] {
        let token = by_hand(key, &header(key), &claims);
        assert_eq!(app.verdict(&token), Err(Code::TokenInvalid), "{claims}");
    }
}

#[test]
fn claims_that_nest_too_deep_are_refused_and_never_overflow() {
    let app = app();
    let key = app.keyring.users();
    let nested = |depth: usize| {
        let mut claims = claims().to_string();
        claims.truncate(claims.len() - 1);
        format!(r#"{claims},"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert_eq!(app.verdict(&by_hand_text(key, &header(key), &nested(100))), Ok(ActorKind::User));
    for depth in [128, 2500] {
        let token = by_hand_text(key, &header(key), &nested(depth));
        assert_eq!(app.verdict(&token), Err(Code::TokenInvalid), "{depth}");
    }
}

#[test]
fn an_api_key_is_only_what_its_own_key_signed() {
    let app = app();
    let key = app.keyring.api_keys();
    assert_eq!(app.verdict(&app.keyring.anon_key("blog")), Ok(ActorKind::Anonymous));
    assert_eq!(app.verdict(&app.keyring.service_key("blog")), Ok(ActorKind::Service));
    for (name, claims) in [
        ("another issuer's", json!({ "iss": "shop", "role": "service_role" })),
        ("no issuer", json!({ "role": "service_role" })),
        ("no role", json!({ "iss": "blog" })),
        ("a user's claims", claims()),
        ("an unknown role", json!({ "iss": "blog", "role": "postgres" })),
        ("expired", json!({ "iss": "blog", "role": "service_role", "exp": NOW_S })),
    ] {
        let token = by_hand(key, &header(key), &claims);
        assert_eq!(app.verdict(&token), Err(Code::TokenClaims), "{name}");
    }
    let other = Keyring::generate();
    assert_eq!(app.verdict(&other.service_key("blog")), Err(Code::TokenInvalid));
}

#[test]
fn a_remembered_token_stops_to_hold_on_its_exp() {
    let app = app();
    let token = app.mint(&ana());
    let verify = |seconds| {
        let verified = app.verifier.verify(token.as_bytes(), at(seconds));
        verified.map(|it| it.expires_at()).map_err(|error| error.code())
    };
    let exp = NOW_S + 3600;
    assert_eq!(verify(NOW_S), Ok(Some(at(exp))));
    assert!(app.verifier.remembers(token.as_bytes()));
    assert_eq!(verify(exp - 1), Ok(Some(at(exp))));
    assert_eq!(verify(exp), Err(Code::TokenClaims));
    assert!(!app.verifier.remembers(token.as_bytes()));
    assert_eq!(verify(exp), Err(Code::TokenClaims));
}

#[test]
fn a_remembered_token_has_the_roles_in_force_not_those_of_when_it_was_first_seen() {
    let app = app();
    let token = app.mint(&ana());
    let can = || {
        let verified = app.verifier.verify(token.as_bytes(), now()).unwrap();
        verified.actor().can("posts.publish")
    };
    assert!(can());
    app.verifier.set_roles(Box::new(|roles| (roles.to_vec(), Vec::new())));
    assert!(!can());
    app.verifier.set_roles(Box::new(editor_inherits_author));
    assert!(can());
}

#[test]
fn what_failed_is_not_remembered_and_a_shared_ending_is_not_enough() {
    let app = app();
    let key = app.keyring.users();
    let good = by_hand(key, &header(key), &claims());
    assert_eq!(app.verdict(&good), Ok(ActorKind::User));
    let signature = good.rsplit_once('.').unwrap().1;
    let other = unsigned(&header(key), &with(claims(), "sub", json!("eve")));
    let forged = format!("{other}.{signature}");
    assert_eq!(app.verdict(&forged), Err(Code::TokenInvalid));
    assert!(app.verifier.remembers(good.as_bytes()));
    assert!(!app.verifier.remembers(forged.as_bytes()));
}

#[test]
fn one_credential_decides_and_a_bad_one_is_never_a_step_down() {
    let app = app();
    let user = app.mint(&ana());
    let (anon, service) = (app.keyring.anon_key("blog"), app.keyring.service_key("blog"));
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let invalid = Err(Code::TokenInvalid);
    let caller = |authorization: Option<String>, apikey: Option<&str>, origin: Option<&str>| {
        let credentials = Credentials {
            authorization: authorization.as_deref().map(str::as_bytes),
            apikey: apikey.map(str::as_bytes),
            origin: origin.map(str::as_bytes),
        };
        let actor = app.verifier.caller(credentials, now());
        actor.map(|actor| actor.kind()).map_err(|error| error.code())
    };
    let site = Some("https://blog.test");

    assert_eq!(caller(None, None, None), Ok(ActorKind::Anonymous));
    assert_eq!(caller(None, Some(""), None), Ok(ActorKind::Anonymous));
    assert_eq!(caller(None, Some(&anon), site), Ok(ActorKind::Anonymous));
    assert_eq!(caller(bearer(&anon), Some(&anon), site), Ok(ActorKind::Anonymous));
    assert_eq!(caller(bearer(&user), Some(&anon), site), Ok(ActorKind::User));
    assert_eq!(caller(Some(format!("bearer   {user} ")), None, None), Ok(ActorKind::User));
    assert_eq!(caller(None, Some(&service), None), Ok(ActorKind::Service));
    assert_eq!(caller(bearer(&service), Some(&service), None), Ok(ActorKind::Service));
    assert_eq!(caller(bearer(&service), Some(&anon), None), Ok(ActorKind::Service));

    // The bearer decides: what stands in `apikey` neither lifts nor spoils it.
    assert_eq!(caller(bearer(&user), Some(&service), None), Ok(ActorKind::User));
    assert_eq!(caller(bearer(&anon), Some(&service), None), Ok(ActorKind::Anonymous));
    assert_eq!(caller(bearer(&user), Some("nonsense"), None), Ok(ActorKind::User));
    assert_eq!(caller(bearer(&user), Some("nonsense"), site), Ok(ActorKind::User));
    assert_eq!(caller(bearer("nonsense"), Some(&anon), None), invalid);
    assert_eq!(caller(bearer("nonsense"), Some(&service), None), invalid);
    assert_eq!(caller(bearer(""), Some(&anon), None), invalid);
    assert_eq!(caller(Some("Bearer".to_owned()), Some(&anon), None), invalid);
    assert_eq!(caller(None, Some("nonsense"), None), invalid);

    // Another scheme is not ours.
    assert_eq!(caller(Some("Basic YTpi".to_owned()), None, None), Ok(ActorKind::Anonymous));
    assert_eq!(caller(Some("Basic YTpi".to_owned()), Some(&user), None), Ok(ActorKind::User));
    assert_eq!(caller(Some(format!("Bearer{user}")), None, None), Ok(ActorKind::Anonymous));
}

#[test]
fn a_service_key_from_a_browser_is_refused_wherever_it_stands() {
    let app = app();
    let (user, service) = (app.mint(&ana()), app.keyring.service_key("blog"));
    let as_bearer = format!("Bearer {service}");
    let user_bearer = format!("Bearer {user}");
    for origin in ["https://blog.test", "null", ""] {
        for (authorization, apikey) in [
            (None, Some(&service)),
            (Some(&as_bearer), None),
            (Some(&as_bearer), Some(&service)),
            (Some(&as_bearer), Some(&user)),
            (Some(&user_bearer), Some(&service)),
        ] {
            let credentials = Credentials {
                authorization: authorization.map(String::as_bytes),
                apikey: apikey.map(String::as_bytes),
                origin: Some(origin.as_bytes()),
            };
            let error = app.verifier.caller(credentials, now()).unwrap_err();
            assert_eq!(error.code(), Code::ServiceFromBrowser, "{authorization:?} {apikey:?}");
        }
    }
}

#[test]
fn a_retired_keys_tokens_hold_for_a_day_and_not_on_its_last_moment() {
    let app = app();
    let day = i64::from(crate::RETIRED_KEY_S);
    let token = app.mint(&TokenRequest { lifetime_s: 10 * crate::RETIRED_KEY_S, ..ana() });
    let rotated = app.keyring.rotated(now()).unwrap();
    let text = rotated.to_text();
    let verifier = || {
        let keyring = Keyring::parse(&text).unwrap();
        Verifier::new(&keyring, app.settings.clone(), Box::new(editor_inherits_author))
    };
    let fresh = mint(&rotated, &ana(), &app.settings, now()).unwrap();
    let after = verifier();
    for token in [&token, &fresh, &app.keyring.anon_key("blog")] {
        assert!(after.verify(token.as_bytes(), now()).is_ok());
    }
    assert!(after.verify(token.as_bytes(), at(NOW_S + day - 1)).is_ok());
    let remembered = after.verify(token.as_bytes(), at(NOW_S + day)).unwrap_err();
    assert_eq!(remembered.code(), Code::TokenClaims);
    let anew = verifier().verify(token.as_bytes(), at(NOW_S + day)).unwrap_err();
    assert_eq!(anew.code(), Code::TokenInvalid);
    assert_eq!(app.verdict(&fresh), Err(Code::TokenInvalid), "a node that has only the old key");
}

#[test]
fn no_refusal_repeats_the_token() {
    let app = app();
    let key = app.keyring.users();
    for token in [
        "sEcReT.sEcReT.sEcReT".to_owned(),
        by_hand(key, &header(key), &with(claims(), "aud", json!("sEcReT"))),
        by_hand(key, &with(header(key), "kid", json!("sEcReT")), &claims()),
        by_hand(key, &with(header(key), "sEcReT", json!(1)), &claims()),
    ] {
        let error = app.verifier.verify(token.as_bytes(), now()).unwrap_err();
        assert!(!format!("{error:?}").contains("sEcReT"), "{error:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_caller_or_a_panic(
        authorization: Option<Vec<u8>>,
        apikey in "[A-Za-z0-9._=-]{1,60}",
    ) {
        thread_local! { static APP: App = app(); }
        let bearer = authorization.map(|bytes| [b"Bearer ".as_slice(), &bytes].concat());
        let credentials = Credentials {
            authorization: bearer.as_deref(),
            apikey: Some(apikey.as_bytes()),
            origin: None,
        };
        let caller = APP.with(|app| app.verifier.caller(credentials, now()));
        proptest::prop_assert!(caller.is_err());
    }
}
