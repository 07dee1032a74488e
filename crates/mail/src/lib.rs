//! The mails an app sends: their texts, the queue they wait in, and how they leave.

mod kind;
mod template;

pub use kind::MailKind;
pub use template::{Content, RenderError, TEMPLATES_FOLDER, Templates, Variables};
