//! Where a link in a mail may lead after it has done its work.
//!
//! The token that a session begins with travels with that redirect, so a target of an
//! attacker's choice is an account given away. Supabase allows all of the site's own
//! host and patterns with stars; each has let somebody out: through a page that
//! redirects again, or a star that matched more than was meant. Here a target is the
//! site's address or one of those listed, whole: scheme, host, port, path and query.
//!
//! What is compared is the parsed target, with only that made equal which every
//! client makes equal: the case of scheme and host, the port a scheme implies, and an
//! empty path. What is answered is never the caller's text, but the text in the
//! settings that it equals; so where another reads a URL otherwise than we do, it still
//! reads one of the operator's own. A refused target is no error: the site's address
//! takes its place, as in Supabase Auth.

use mainstay_core::removal::removed;

/// Bytes of a target.
const TARGET_BYTES_MAX: usize = 2048;
/// Schemes that run what they are given or read the caller's machine.
const FORBIDDEN_SCHEMES: [&str; 8] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"];

/// The targets that are allowed.
#[derive(Clone, Debug)]
pub struct RedirectTargets {
    site_url: Target,
    listed: Vec<Target>,
}

/// A target that cannot be allowed, because it is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is no target of a redirect: {why}")]
pub struct RedirectTargetError {
    /// What stands in the settings.
    pub target: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// One target: as it is written, and as it is compared.
#[derive(Clone, Debug)]
struct Target {
    text: String,
    compared: String,
}

impl RedirectTargets {
    /// Those of an app with this address and this list: `[auth] site_url` and
    /// `redirect_urls`.
    ///
    /// # Errors
    /// When one of them is no absolute URL without userinfo and fragment, has a scheme
    /// that no redirect should have, or a star, which would match nothing.
    pub fn new<'a>(
        site_url: &str,
        listed: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RedirectTargetError> {
        let read = |text: &str| {
            let refused = |why| RedirectTargetError { target: text.to_owned(), why };
            if text.contains('*') {
                return Err(refused("targets are listed whole; `*` matches nothing else"));
            }
            let compared = compared(text).map_err(refused)?;
            Ok(Target { text: text.to_owned(), compared })
        };
        let site_url = read(site_url)?;
        if !is_http(&site_url.compared) {
            let why = "expected the site's address, which begins with `https://` or `http://`";
            return Err(RedirectTargetError { target: site_url.text, why });
        }
        let listed = listed.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { site_url, listed })
    }

    /// The site's own address.
    #[must_use]
    pub fn site_url(&self) -> &str {
        &self.site_url.text
    }

    /// Where to: the allowed target that this one equals, or else the site's address.
    #[must_use]
    pub fn resolve<'a>(&'a self, requested: Option<&'a str>) -> &'a str {
        let Some(requested) = requested else { return self.site_url() };
        if removed("redirect-exactness") && requested.starts_with(self.site_url()) {
            return requested;
        }
        let Ok(compared) = compared(requested) else { return self.site_url() };
        std::iter::once(&self.site_url)
            .chain(&self.listed)
            .find(|target| target.compared == compared)
            .map_or(self.site_url(), |target| &target.text)
    }
}

fn is_http(compared: &str) -> bool {
    compared.starts_with("http://") || compared.starts_with("https://")
}

/// A target in the form in which two are compared, or why it is none.
fn compared(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > TARGET_BYTES_MAX {
        return Err("expected 1 to 2048 bytes");
    }
    // RFC 3986's characters and no others. Spaces and control characters, which some
    // readers strip, and backslashes, which some take for slashes, are not among them.
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte);
    if text.contains('#') {
        return Err("a fragment is added by the redirect and cannot be asked for");
    }
    if !text.bytes().all(allowed) {
        return Err("expected the characters of a URL, others percent-encoded");
    }
    let (scheme, rest) = text.split_once(':').ok_or("expected an absolute URL")?;
    let scheme = scheme.to_ascii_lowercase();
    let begins = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !begins || !scheme.bytes().all(continues) || rest.is_empty() {
        return Err("expected an absolute URL");
    }
    if FORBIDDEN_SCHEMES.contains(&scheme.as_str()) {
        return Err("this scheme runs or reads what it is given");
    }
    if scheme != "http" && scheme != "https" {
        // Of an app's own scheme nothing is known but that it is compared whole.
        return Ok(format!("{scheme}:{rest}"));
    }
    let rest = rest.strip_prefix("//").ok_or("expected `//` and a host")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let authority = authority_compared(authority, if scheme == "http" { 80 } else { 443 })?;
    let slash = if tail.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{authority}{slash}{tail}"))
}

/// Host and port: the host in lower case, the port where it is not the scheme's own.
fn authority_compared(authority: &str, own_port: u16) -> Result<String, &'static str> {
    if authority.contains('@') {
        return Err("a target has no user name");
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let address: std::net::Ipv6Addr =
                address.parse().map_err(|_| "expected an IPv6 address between brackets")?;
            (format!("[{address}]"), port)
        }
        None => {
            let colon = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(colon);
            let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            if host.is_empty() || !host.bytes().all(named) {
                return Err("expected a host of letters, digits, dots and hyphens");
            }
            (host.to_ascii_lowercase(), port)
        }
    };
    if port.is_empty() {
        return Ok(host);
    }
    let digits = port.strip_prefix(':').filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let port: u16 = digits
        .and_then(|port| port.parse().ok())
        .ok_or("expected a port from 1 to 65535 after the host")?;
    Ok(if port == own_port { host } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "https://blog.test";

    /// What is on no list, though it looks or reads like something that is.
    const HOSTILE: &[&str] = &[
        "",
        "/welcome",
        "//evil.test",
        "///evil.test",
        "https:evil.test",
        "https:/evil.test",
        "https:///evil.test",
        "https://evil.test",
        "https://evil.test/welcome",
        // Near the site's own address.
        "http://blog.test/",
        "https://blog.test:444/",
        "https://blog.test:0443x/",
        "https://blog.test.evil.test/",
        "https://blog.test.",
        "https://blog.test./welcome",
        "https://evilblog.test/",
        "https://blog.testevil/",
        "https://blog.test/other",
        "https://blog.test/welcome/",
        "https://blog.test/welcome?x=1",
        "https://blog.test/welcome?",
        "https://blog.test/Welcome",
        "https://blog.test//welcome",
        "https://blog.test/./welcome",
        "https://blog.test/x/../welcome",
        "https://blog.test/%77elcome",
        "https://blog.test/welcome%2f",
        "https://blog.test/welcome%00",
        "https://blog%2etest/welcome",
        "https://blog.test/welcome#x",
        "https://blog.test#@evil.test/",
        // Who is the host?
        "https://blog.test@evil.test/",
        "https://blog.test:443@evil.test/",
        "https://blog.test:x@evil.test",
        "https://user:pass@blog.test/welcome",
        "https://@blog.test/welcome",
        "https://evil.test\\@blog.test/welcome",
        "https://blog.test\\.evil.test/",
        "https://blog.test\\welcome",
        "https:\\\\blog.test/welcome",
        "\\\\evil.test",
        // What readers strip.
        " https://blog.test/welcome",
        "https://blog.test/welcome ",
        "https://blog.test/wel\ncome",
        "https://blog.test/welcome\r\nset-cookie: a=b",
        "ht\ttps://blog.test/welcome",
        "https://blog.test/\0welcome",
        "https://bl\u{ad}og.test/welcome",
        "https://blog\u{3002}test/welcome",
        "https://bIog.test/welcome\u{200b}",
        // The query counts.
        "https://app.blog.test:8443/cb",
        "https://app.blog.test:8443/cb?from=mail&x=1",
        "https://app.blog.test:8443/cb?FROM=mail",
        "https://app.blog.test/cb?from=mail",
        // Local names are not special.
        "http://localhost/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1:5173/cb",
        "http://2130706433:5173/cb",
        "http://localhost:5173",
        "https://localhost:5173/cb",
        // Other schemes.
        "myapp://login2",
        "myapp://login/",
        "myapp:login",
        "myapp2://login",
        "javascript:alert(1)",
        "JavaScript://blog.test/%0aalert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://blog.test/x",
        ":",
        "://",
        "https://",
        "https://:443/",
        "https://[::1/x",
        "https://[::1%25eth0]:9000/x",
        "https://blog.test:99999/",
        "https://blog.test:/",
    ];

    fn targets() -> RedirectTargets {
        let listed = [
            "https://blog.test/welcome",
            "https://app.blog.test:8443/cb?from=mail",
            "http://localhost:5173/cb",
            "myapp://login",
            "https://[::1]:9000/x",
        ];
        RedirectTargets::new(SITE, listed).unwrap()
    }

    #[test]
    fn a_listed_target_is_answered_as_it_is_listed() {
        let targets = targets();
        for (requested, expected) in [
            ("https://blog.test", SITE),
            ("https://blog.test/", SITE),
            ("HTTPS://Blog.Test:443/", SITE),
            ("https://blog.test/welcome", "https://blog.test/welcome"),
            ("https://BLOG.test/welcome", "https://blog.test/welcome"),
            ("https://app.blog.test:8443/cb?from=mail", "https://app.blog.test:8443/cb?from=mail"),
            ("http://localhost:5173/cb", "http://localhost:5173/cb"),
            ("myapp://login", "myapp://login"),
            ("MyApp://login", "myapp://login"),
            ("https://[0:0:0:0:0:0:0:1]:9000/x", "https://[::1]:9000/x"),
        ] {
            assert_eq!(targets.resolve(Some(requested)), expected, "{requested}");
        }
        assert_eq!(targets.resolve(None), SITE);
    }

    #[test]
    fn a_target_off_the_list_becomes_the_sites_address() {
        let targets = targets();
        for requested in HOSTILE {
            assert_eq!(targets.resolve(Some(requested)), SITE, "{requested:?}");
        }
        let long = format!("{SITE}/?{}", "x".repeat(TARGET_BYTES_MAX));
        assert_eq!(targets.resolve(Some(&long)), SITE);
    }

    #[test]
    fn what_cannot_be_a_target_is_an_error_of_the_settings() {
        for listed in [
            "",
            "/cb",
            "blog.test/cb",
            "https://*.blog.test/cb",
            "https://blog.test/**",
            "javascript:alert(1)",
            "https://user@blog.test/",
            "https://blog.test/#x",
            "https://blög.test/",
            "https://blog.test:x/",
        ] {
            let error = RedirectTargets::new(SITE, [listed]).unwrap_err();
            assert_eq!(error.target, listed);
        }
        assert!(RedirectTargets::new("myapp://home", []).is_err());
        assert!(RedirectTargets::new("http://localhost:3000", []).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_asked_for_the_answer_is_from_the_settings(requested: String) {
            let targets = targets();
            proptest::prop_assert_eq!(targets.resolve(Some(&requested)), SITE);
        }
    }
}
