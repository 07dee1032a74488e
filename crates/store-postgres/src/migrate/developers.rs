//! Statements of the developer's own.
//!
//! They run inside the migration's transaction and may not end it: what had been done by
//! then would stay, whatever became of the rest. Inside a block PostgreSQL itself refuses
//! to end one.

use crate::{connection::Connection, error::Trouble};
use mainstay_core::{Code, Error};

/// Runs statements one after the other, and throws away what they answer.
pub(super) async fn run(connection: &Connection, sql: &str) -> Result<(), Trouble> {
    if sql.trim().is_empty() {
        return Ok(());
    }
    match connection.batch(&block(sql)).await {
        // What PostgreSQL says of the developer's own text is for the developer.
        Err(Trouble::Internal(source)) => {
            let cause = std::error::Error::source(&source).map(ToString::to_string);
            let said = cause.unwrap_or_else(|| source.message().to_owned());
            Err(Trouble::Caller(Error::new(Code::Internal, said).with_source(source)))
        }
        other => other,
    }
}

/// `DO $block$ BEGIN EXECUTE $sql$…$sql$; END $block$`, with tags that are not in the text.
fn block(sql: &str) -> String {
    let mut tag = "sql".to_owned();
    while sql.contains(&format!("${tag}")) || sql.contains(&format!("${tag}_block")) {
        tag.push('_');
    }
    format!("DO ${tag}_block$ BEGIN EXECUTE ${tag}${sql}${tag}$; END ${tag}_block$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_has_the_tag_in_it_gets_another() {
        assert_eq!(
            block("SELECT 1"),
            "DO $sql_block$ BEGIN EXECUTE $sql$SELECT 1$sql$; END $sql_block$"
        );
        let text = block("SELECT $sql$ $sql_$");
        assert!(text.starts_with("DO $sql___block$ BEGIN EXECUTE $sql__$SELECT"), "{text}");
    }
}
