//! The mails an app sends: their texts, the queue they wait in, and how they leave.

mod address;
mod built_in;
mod dev_outbox;
mod kind;
mod mail;
mod message;
mod queue;
mod sender;
mod smtp;
mod template;
mod transport;

pub use address::{FromAddress, is_address};
pub use built_in::{migrations, models};
pub use dev_outbox::DevOutbox;
pub use kind::{AccountChange, MailKind};
pub use mail::Mail;
pub use message::MessageError;
pub use queue::{ATTEMPTS_MAX, NewMail, Plans, enqueue};
pub use sender::{Sender, Waker};
pub use smtp::{Smtp, SmtpError, SmtpTimeouts, SmtpUrl, SmtpUrlError};
pub use template::{Content, RenderError, TEMPLATES_FOLDER, Templates, Variables};
pub use transport::{SendError, SendFuture, Transport};
