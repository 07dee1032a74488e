//! Which mails there are.

/// What a mail is for: one per purpose for which a one-time token is sent, and one that only
/// tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailKind {
    /// To whoever signed up: is the address theirs?
    Confirmation,
    /// To whoever asked to sign in without a password.
    MagicLink,
    /// To whoever forgot their password.
    Recovery,
    /// To whoever was invited by an administrator.
    Invite,
    /// To the address a user has, when they want another.
    EmailChangeCurrent,
    /// To the address a user wants.
    EmailChangeNew,
    /// To a signed-in user who is to show once more that it is they: a code alone.
    Reauthentication,
    /// To a user whose account was changed in how they sign in: nothing to do, if it was they.
    AccountChanged,
}

/// What was changed of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The password.
    Password,
    /// The address; it is told to the one before.
    Email,
    /// A second factor counts from now on.
    FactorAdded,
    /// A second factor does not any more.
    FactorRemoved,
    /// There are new recovery codes.
    RecoveryCodesMade,
    /// A recovery code was used in place of a factor.
    RecoveryCodeUsed,
}

impl AccountChange {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::Email,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
    ];

    /// What templates know it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
        }
    }
}

impl MailKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Confirmation,
        Self::MagicLink,
        Self::Recovery,
        Self::Invite,
        Self::EmailChangeCurrent,
        Self::EmailChangeNew,
        Self::Reauthentication,
        Self::AccountChanged,
    ];

    /// Its name: that of its template's files, and what its rows say.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::MagicLink => "magic_link",
            Self::Recovery => "recovery",
            Self::Invite => "invite",
            Self::EmailChangeCurrent => "email_change_current",
            Self::EmailChangeNew => "email_change_new",
            Self::Reauthentication => "reauthentication",
            Self::AccountChanged => "account_changed",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it carries a link besides its code.
    #[must_use]
    pub const fn has_link(self) -> bool {
        !matches!(self, Self::Reauthentication | Self::AccountChanged)
    }

    /// Whether it carries a code.
    #[must_use]
    pub const fn has_code(self) -> bool {
        !self.has_change()
    }

    /// Whether it tells of a change.
    #[must_use]
    pub const fn has_change(self) -> bool {
        matches!(self, Self::AccountChanged)
    }

    /// Whether it is about two addresses.
    #[must_use]
    pub const fn has_new_email(self) -> bool {
        matches!(self, Self::EmailChangeCurrent | Self::EmailChangeNew | Self::AccountChanged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in MailKind::ALL {
            assert_eq!(MailKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(MailKind::of_name("confirm"), None);
    }
}
