//! A mail that is ready to leave.

use mainstay_core::Timestamp;
use uuid::Uuid;

/// A mail that is ready to leave. Sent again it is the same, so that whoever receives it
/// twice can tell.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its row's id, of which its `Message-ID` is made.
    pub id: Uuid,
    /// What it is for: the name of a [`MailKind`](crate::MailKind).
    pub kind: Box<str>,
    /// The address it goes to.
    pub to: Box<str>,
    /// Its subject.
    pub subject: Box<str>,
    /// Its plain text.
    pub text: Box<str>,
    /// The same as HTML, where it is to be sent.
    pub html: Option<Box<str>>,
    /// When it was written.
    pub written_at: Timestamp,
}

impl std::fmt::Debug for Mail {
    /// Without its words, which hold links that sign people in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, kind, .. } = self;
        f.debug_struct("Mail").field("id", id).field("kind", kind).finish_non_exhaustive()
    }
}
