//! Types that hold passwords, tokens or codes are named in logs and never shown.

use std::fmt;

use crate::{
    AccountChanges, Issued, LinkRequest, MadeLink, Presented, Redeemed, SignUpRequest, UserChanges,
};

/// `Debug` by the name alone.
macro_rules! hidden {
    ($($name:ident)*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )*
    };
}

hidden!(AccountChanges Issued LinkRequest MadeLink Redeemed SignUpRequest UserChanges);

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_shows_its_secret() {
        let secret = || "quite a secret".to_owned();
        let sign_up = SignUpRequest { password: secret(), ..SignUpRequest::default() };
        let changes = UserChanges { password: Some(secret()), ..UserChanges::default() };
        let shown = [
            format!("{sign_up:?}"),
            format!("{changes:?}"),
            format!("{:?}", Presented::Link("quite a secret")),
            format!("{:?}", Redeemed::Code(secret())),
        ];
        assert!(shown.iter().all(|it| !it.contains("secret")), "{shown:?}");
        assert_eq!(shown[0], "SignUpRequest { .. }");
    }
}
