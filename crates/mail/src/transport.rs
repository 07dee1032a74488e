//! How a mail leaves.

use std::{future::Future, pin::Pin};

use crate::Mail;

/// What [`Transport::send`] returns.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// A way for mails to leave.
pub trait Transport: Send + Sync + 'static {
    /// Sends a mail. Once this returns well, somebody else answers for the mail. It may be
    /// called concurrently, and dropping the future leaves open whether the mail has left.
    ///
    /// # Errors
    /// Why it has not left, as far as can be told, and whether trying again may help.
    fn send<'a>(&'a self, mail: &'a Mail) -> SendFuture<'a>;

    /// Nothing more is waiting: what is kept open for the next mail may be closed.
    fn rest(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// Why a mail has not left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Trying again may help: the server is away, busy or ill set up.
    #[error("{0}")]
    Transient(String),
    /// This mail was refused, and would be again.
    #[error("{0}")]
    Permanent(String),
}
