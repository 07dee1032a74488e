//! Where a form leads: a page of this site, and none of another's.
//!
//! A form says in `next` where its sender ends. Whoever makes a link to a form can write
//! that field, so that a page of theirs there would be reached from a sign-in that the
//! visitor trusts (an open redirect). A path is taken that every reader of URLs resolves
//! to this site: one slash, then characters of RFC 3986 with no backslash, no second slash
//! beside another, no segment of dots and no control character, be it percent-encoded.

/// Bytes of a path, its query and fragment included.
const PATH_BYTES_MAX: usize = 2_048;

/// A page of this site: a path, with a query and a fragment where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePath(String);

/// A text that is no path of this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a path on this site, such as `/account.html`")]
pub struct SitePathError;

impl SitePath {
    /// The site's first page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Reads a path.
    ///
    /// # Errors
    /// Whatever is not certainly a page of this site.
    pub fn parse(text: &str) -> Result<Self, SitePathError> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%#".contains(&byte);
        let is_bounded = text.len() <= PATH_BYTES_MAX && text.starts_with('/');
        if !is_bounded || !text.bytes().all(plain) || text.matches('#').count() > 1 {
            return Err(SitePathError);
        }
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let decoded = percent_encoding::percent_decode_str(&text[..end]).collect::<Vec<u8>>();
        let is_odd = |byte: &u8| byte.is_ascii_control() || *byte == b'\\';
        let mut segments = decoded[1..].split(|byte| *byte == b'/').peekable();
        let mut is_site = !decoded.iter().any(is_odd);
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            is_site &= is_last || !segment.is_empty();
            is_site &= segment != b"." && segment != b"..";
        }
        if is_site { Ok(Self(text.to_owned())) } else { Err(SitePathError) }
    }

    /// The path, for `Location`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same page told why a form was refused: `?error=CODE#CODE`, the fragment for
    /// pages without a script, which show what `:target` selects.
    #[must_use]
    pub fn with_error(&self, code: &str) -> Self {
        let page = self.0.split('#').next().unwrap_or_default();
        let (path, query) = page.split_once('?').unwrap_or((page, ""));
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("error="));
        let pairs: Vec<&str> = kept.collect();
        let joint = if pairs.is_empty() { "" } else { "&" };
        Self(format!("{path}?{}{joint}error={code}#{code}", pairs.join("&")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_this_site_is_taken_as_it_is_written() {
        for path in ["/", "/account.html", "/a/b/?x=1&y=//z#top", "/caf%C3%A9", "/a?next=/b", "/.x"]
        {
            assert_eq!(SitePath::parse(path).map(|it| it.0).as_deref(), Ok(path));
        }
    }

    #[test]
    fn whatever_some_reader_takes_for_another_site_is_refused() {
        for path in [
            "",
            "account.html",
            "//evil.test",
            "///evil.test",
            "/\\evil.test",
            "\\/evil.test",
            "/%5cevil.test",
            "/%2fevil.test",
            "/%2Fevil.test/",
            "/a//evil.test",
            "/.//evil.test",
            "/../evil.test",
            "/%2e%2e//evil.test",
            "/a/..",
            "/\t/evil.test",
            "/\n/evil.test",
            "/%09/evil.test",
            "/%0d%0aLocation:x",
            " /a",
            "/a b",
            "/a#b#c",
            "/\u{ff0f}evil.test",
            "http:/evil.test",
            "https://evil.test/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
        ] {
            assert_eq!(SitePath::parse(path), Err(SitePathError), "{path:?}");
        }
        assert!(SitePath::parse(&format!("/{}", "x".repeat(PATH_BYTES_MAX))).is_err());
    }

    #[test]
    fn an_error_is_told_once_and_beside_what_was_there() {
        let told = |path: &str| SitePath::parse(path).unwrap().with_error("weak_password").0;
        assert_eq!(told("/a"), "/a?error=weak_password#weak_password");
        assert_eq!(told("/a?x=1#top"), "/a?x=1&error=weak_password#weak_password");
        assert_eq!(told("/a?error=old#old"), "/a?error=weak_password#weak_password");
    }
}
