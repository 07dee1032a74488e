//! Forms of pages without a script: how they are read, and where they lead.
//!
//! A form is answered with a redirect (303), so that going back and reloading send nothing
//! twice. Its own fields say where to: `next` is the page its sender ends on, `sent` the one
//! to wait on where a mail was sent, `factor` the one that asks for a second factor's code,
//! `back` the one with the form, which is told what went wrong as `?error=CODE#CODE`. All
//! are paths of this site ([`SitePath`]); one that is not is refused, whatever else the form
//! says. The codes are those of the JSON API, so that a form tells no more than it does.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mainstay_auth::{AuthError, SitePath, invalid};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::{
    answer::{Answer, Failed, code_of, limit_headers},
    request::Body as JsonBody,
};
use crate::{middleware::is_form, state::State};

/// Bytes of a form.
const FORM_BYTES_MAX: usize = 64 * 1024;
/// Fields of a form.
const FIELDS_MAX: usize = 100;
/// What a field's name begins with that is said of a new account.
const DATA_PREFIX: &str = "data.";

/// A form's fields, and where it leads.
pub(super) struct Form {
    fields: Vec<(String, String)>,
    /// The page its sender ends on.
    pub(super) next: SitePath,
    /// The page to wait on for a mail.
    pub(super) sent: SitePath,
    /// The page that asks for the code of a second factor.
    pub(super) factor: Option<SitePath>,
    back: SitePath,
}

/// What is posted: JSON by a program, or a form by a page.
pub(super) enum Posted<T> {
    Json(T),
    Form(Form),
}

/// What a form has come to.
#[derive(Debug)]
pub(super) struct Done {
    to: SitePath,
    cookie: Option<HeaderValue>,
}

impl Done {
    /// It leads there.
    pub(super) fn at(to: SitePath) -> Self {
        Self { to, cookie: None }
    }

    /// The same with a cookie.
    pub(super) fn with_cookie(self, cookie: HeaderValue) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

impl Form {
    fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, AuthError> {
        let fields: Vec<(String, String)> =
            url::form_urlencoded::parse(bytes).into_owned().take(FIELDS_MAX + 1).collect();
        if fields.len() > FIELDS_MAX {
            return Err(invalid(format!("a form has {FIELDS_MAX} fields at most")));
        }
        let path = |name: &str| {
            let text = fields.iter().find(|(field, _)| field == name).map(|(_, text)| text);
            let path = text.filter(|text| !text.is_empty()).map(|text| SitePath::parse(text));
            path.transpose().map_err(|error| invalid(format!("`{name}`: {error}")))
        };
        let next = path("next")?.unwrap_or_else(SitePath::root);
        let sent = path("sent")?.unwrap_or_else(|| next.clone());
        let back = path("back")?.or_else(|| page_before(headers)).unwrap_or_else(SitePath::root);
        let factor = path("factor")?;
        Ok(Self { fields, next, sent, factor, back })
    }

    /// A field's text, where it has one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }

    /// The same, or the empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// What is said of a new account: the fields `data.NAME`.
    pub(super) fn data(&self) -> Map<String, Json> {
        let said = self.fields.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(DATA_PREFIX)?.to_owned(), text.as_str().into()))
        });
        said.collect()
    }

    /// Sends its sender on, or back to be told why not.
    pub(super) fn answer(&self, outcome: Result<Done, Failed>) -> Answer {
        match outcome {
            Ok(done) => Ok(see_other(&done.to, done.cookie)),
            Err(failed) => match code_of(&failed.0) {
                Some(code) => {
                    let mut res = see_other(&self.back.with_error(code), None);
                    limit_headers(&failed.0, res.headers_mut());
                    Ok(res)
                }
                None => Err(failed),
            },
        }
    }
}

/// A redirect to a page of this site, which is then asked for with GET.
pub(super) fn see_other(to: &SitePath, cookie: Option<HeaderValue>) -> Response {
    let mut res = Response::new(Body::empty());
    *res.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(to.as_str());
    let headers = res.headers_mut();
    headers.insert(header::LOCATION, location.expect("BUG: a path is ASCII without controls"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    res
}

/// The page a form was sent from, where its browser says so and it is this site's.
fn page_before(headers: &HeaderMap) -> Option<SitePath> {
    let referer = url::Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()?;
    let authority = match referer.port() {
        Some(port) => format!("{}:{port}", referer.host_str()?),
        None => referer.host_str()?.to_owned(),
    };
    let is_ours = headers.get(header::HOST)?.as_bytes().eq_ignore_ascii_case(authority.as_bytes());
    let query = referer.query().map(|query| format!("?{query}")).unwrap_or_default();
    SitePath::parse(&format!("{}{query}", referer.path())).ok().filter(|_| is_ours)
}

impl FromRequest<State> for Form {
    type Rejection = Failed;

    async fn from_request(req: Request, _: &State) -> Result<Self, Failed> {
        let (head, body) = req.into_parts();
        let bytes = to_bytes(body, FORM_BYTES_MAX)
            .await
            .map_err(|_| invalid(format!("a form has {FORM_BYTES_MAX} bytes at most")))?;
        Ok(Self::read(&head.headers, &bytes)?)
    }
}

impl<T: DeserializeOwned> FromRequest<State> for Posted<T> {
    type Rejection = Response;

    async fn from_request(req: Request, state: &State) -> Result<Self, Response> {
        let content_type = req.headers().get(header::CONTENT_TYPE);
        let read = match content_type.is_some_and(|it| is_form(it.as_bytes())) {
            true => Form::from_request(req, state).await.map(Self::Form),
            false => JsonBody::from_request(req, state).await.map(|JsonBody(it)| Self::Json(it)),
        };
        read.map_err(Failed::into_response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(headers: &[(&str, &str)], body: &str) -> Result<Form, AuthError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.insert(name, HeaderValue::from_str(value).unwrap());
        }
        Form::read(&map, body.as_bytes())
    }

    fn back(referer: &str) -> String {
        let form = form(&[("host", "blog.test:81"), ("referer", referer)], "").unwrap();
        form.back.as_str().to_owned()
    }

    #[test]
    fn what_is_said_of_an_account_is_what_is_called_so() {
        let form = form(&[], "email=a%40b.test&data.name=Ada+L&password2=x&data.handle=ada");
        let form = form.unwrap();
        assert_eq!(Json::Object(form.data()).to_string(), r#"{"handle":"ada","name":"Ada L"}"#);
        assert_eq!(form.get("email"), Some("a@b.test"));
    }

    #[test]
    fn a_form_leads_to_a_page_of_this_site_or_nowhere() {
        assert_eq!(form(&[], "next=%2Fa%3Fb").unwrap().next.as_str(), "/a?b");
        assert_eq!(form(&[], "next=").unwrap().next.as_str(), "/");
        for field in ["next", "back", "sent", "factor"] {
            for to in ["//evil.test", "https://evil.test/", "%2F%5Cevil.test", "a.html"] {
                assert!(form(&[], &format!("{field}={to}")).is_err(), "{field}={to}");
            }
        }
    }

    #[test]
    fn who_is_sent_back_ends_on_the_page_with_the_form() {
        assert_eq!(back("http://blog.test:81/log-in.html?x=1#y"), "/log-in.html?x=1");
        for other in ["http://blog.test/log-in.html", "http://evil.test:81/a", "about:blank", "x"] {
            assert_eq!(back(other), "/", "{other}");
        }
        let form = form(&[("host", "a.test"), ("referer", "http://a.test/x")], "back=/y").unwrap();
        assert_eq!(form.back.as_str(), "/y");
    }
}
