//! Statements of the developer's own.
//!
//! They run inside the migration's transaction and may not end it: what had been done by
//! then would stay, whatever became of the rest.

use rusqlite::{Batch, Connection, fallible_iterator::FallibleIterator as _};

use crate::error::Trouble;
use mainstay_core::{Code, Error};

/// Words that begin a statement which a migration cannot hold.
const REFUSED: [&str; 8] =
    ["begin", "commit", "end", "rollback", "savepoint", "release", "attach", "detach"];

/// Runs statements one after the other, and throws away what they answer.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), Trouble> {
    let mut batch = Batch::new(connection, sql);
    while let Some(mut statement) = batch.next().map_err(of_developer)? {
        let text = statement.expanded_sql().unwrap_or_default();
        let word = first_word(&text);
        if REFUSED.contains(&word.as_str()) {
            return Err(Trouble::Caller(Error::new(
                Code::Internal,
                format!(
                    "a migration is one transaction, to which {} does not belong",
                    word.to_uppercase()
                ),
            )));
        }
        let mut rows = statement.query([]).map_err(of_developer)?;
        while rows.next().map_err(of_developer)?.is_some() {}
    }
    Ok(())
}

/// What SQLite says of the developer's own text is for the developer.
fn of_developer(error: rusqlite::Error) -> Trouble {
    let said = error.to_string();
    match Trouble::from(error) {
        Trouble::Internal(source) => {
            Trouble::Caller(Error::new(Code::Internal, said).with_source(source))
        }
        other => other,
    }
}

/// The word a statement begins with, in lower case, comments passed over.
fn first_word(mut sql: &str) -> String {
    loop {
        sql = sql.trim_start();
        let rest = match (sql.strip_prefix("--"), sql.strip_prefix("/*")) {
            (Some(line), _) => line.split_once('\n'),
            (_, Some(block)) => block.split_once("*/"),
            (None, None) => break,
        };
        sql = rest.map_or("", |(_, rest)| rest);
    }
    let end = sql.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(sql.len());
    sql[..end].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_ends_the_transaction_is_refused_and_a_trigger_is_not() {
        let connection = Connection::open_in_memory().unwrap();
        let told = |sql: &str| match run(&connection, sql) {
            Ok(()) => "done".to_owned(),
            Err(trouble) => trouble.into_error().message().to_owned(),
        };
        let trigger = "CREATE TABLE t (n) ; -- one\n CREATE TRIGGER g AFTER INSERT ON t BEGIN \
                       DELETE FROM t; END; INSERT INTO t VALUES (1); SELECT * FROM t";
        assert_eq!(told(trigger), "done");
        for sql in ["COMMIT", " /* so */ -- and so\n commit;", "SELECT 1; END", "rollback to x"] {
            assert!(told(sql).contains("one transaction"), "{sql}");
        }
        assert!(told("SELECT nowhere").contains("no such column"), "{}", told("SELECT nowhere"));
    }
}
