//! One connection, kept open: to ask often, and to hold a lock.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use anyhow::{Context as _, ensure};

use super::psql;

/// What psql prints after each answer.
const END: &str = "-- the end of an answer";

/// A psql that reads from a pipe; dropped, it ends, and its transaction is rolled back.
#[derive(Debug)]
pub(crate) struct Session {
    psql: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Session {
    pub(super) fn open(url: &str) -> anyhow::Result<Self> {
        let mut psql =
            psql(url)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("psql")?;
        let questions = psql.stdin.take();
        let answers = BufReader::new(psql.stdout.take().context("BUG: it is piped")?);
        Ok(Self { psql, questions, answers })
    }

    /// Asks: a row on a line, its columns parted by `|`. A mistake ends the session.
    pub(crate) fn ask(&mut self, sql: &str) -> anyhow::Result<String> {
        let questions = self.questions.as_mut().context("BUG: it is piped")?;
        // At once: a psql that minds the beginning would not wait for the rest.
        let question = format!("{sql};\n\\echo '{END}'\n");
        let asked = questions.write_all(question.as_bytes());
        asked.with_context(|| format!("psql ended at: {sql}"))?;
        let mut answer = String::new();
        loop {
            let begun = answer.len();
            ensure!(self.answers.read_line(&mut answer)? > 0, "psql ended at: {sql}");
            if answer[begun..].trim_end() == END {
                answer.truncate(begun);
                return Ok(answer.trim_end().to_owned());
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of what it reads is its end; one that is stuck in a question is killed.
        self.questions = None;
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

#[cfg(test)]
mod tests {
    mod on_postgres {
        use crate::services::Postgres;

        #[test]
        fn a_session_keeps_its_transaction_from_one_question_to_the_next() {
            let postgres = Postgres::start_new(&[]).unwrap();
            let mut session = postgres.session("postgres").unwrap();
            assert_eq!(session.ask("BEGIN; CREATE TABLE mine (n int)").unwrap(), "");
            assert_eq!(session.ask("VALUES (1, 'a'), (2, 'b')").unwrap(), "1|a\n2|b");
            assert_eq!(session.ask("SELECT count(*) FROM mine").unwrap(), "0");
            assert!(postgres.ask("SELECT count(*) FROM mine").is_err());
            assert!(session.ask("SELECT nonsense").unwrap_err().to_string().contains("psql ended"));
        }
    }
}
