//! What a client says to PostgreSQL, as far as a commit can be told by it: the simple
//! query `COMMIT`, and a statement that writes to the outbox, which may be a transaction
//! by itself. (PostgreSQL's manual, chapter "Frontend/Backend Protocol".)

use std::collections::HashSet;

/// The table whose statements are looked for.
const OUTBOX: &[u8] = b"mainstay_outbox";
/// A message that has a type: one byte for that, four for its length.
const HEADER_BYTES: usize = 5;
/// The first message has none: its length, and what version it speaks.
const STARTUP_BYTES: usize = 4;
/// What stands in place of the version in the question whether the server speaks TLS. Ours
/// does not, and the first message comes after it.
const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// What was seen in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    /// The query `COMMIT`.
    Query,
    /// A statement that writes to the outbox, and the end of what is sent with it.
    Outbox,
}

/// Reads one client's messages from chunks that end anywhere.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    has_started: bool,
    /// The names of prepared statements that write to the outbox.
    statements: HashSet<Vec<u8>>,
    /// Portals that such a statement is bound to.
    portals: HashSet<Vec<u8>>,
    /// Whether one was executed since the last Sync.
    is_executed: bool,
}

impl Frames {
    /// Takes a chunk; gives the last commit in it, if there is one.
    pub(super) fn take(&mut self, chunk: &[u8]) -> Option<Commit> {
        self.buffer.extend_from_slice(chunk);
        let mut found = None;
        let mut begin = 0;
        while let Some((length, header)) = self.next_length(begin) {
            let message = self.buffer[begin..begin + length].to_vec();
            if header == HEADER_BYTES {
                found = self.message(message[0], &message[HEADER_BYTES..]).or(found);
            }
            self.has_started |= message[STARTUP_BYTES..] != SSL_REQUEST;
            begin += length;
        }
        self.buffer.drain(..begin);
        found
    }

    /// How long the message is that begins here, and its header, if all of it is there.
    fn next_length(&self, begin: usize) -> Option<(usize, usize)> {
        let header = if self.has_started { HEADER_BYTES } else { STARTUP_BYTES };
        let rest = &self.buffer[begin..];
        let number = rest.get(header - 4..header)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(number)).ok()?.max(4) + header - 4;
        (rest.len() >= length).then_some((length, header))
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Option<Commit> {
        let mut texts = body.split(|byte| *byte == 0);
        let (first, second) = (texts.next().unwrap_or(&[]), texts.next().unwrap_or(&[]));
        match kind {
            b'Q' => return first.eq_ignore_ascii_case(b"COMMIT").then_some(Commit::Query),
            b'P' => {
                let writes = second.windows(OUTBOX.len()).any(|text| text == OUTBOX)
                    && second.windows(6).any(|text| text.eq_ignore_ascii_case(b"INSERT"));
                set(&mut self.statements, first, writes);
            }
            b'B' => {
                let writes = self.statements.contains(second);
                set(&mut self.portals, first, writes);
            }
            b'E' => self.is_executed |= self.portals.contains(first),
            b'S' if std::mem::take(&mut self.is_executed) => return Some(Commit::Outbox),
            _ => {}
        }
        None
    }
}

fn set(names: &mut HashSet<Vec<u8>>, name: &[u8], is_in: bool) {
    if is_in {
        names.insert(name.to_vec());
    } else {
        names.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    fn started() -> Frames {
        let mut frames = Frames::default();
        assert_eq!(frames.take(&[&[0, 0, 0, 8][..], &SSL_REQUEST].concat()), None);
        assert_eq!(frames.take(&[0, 0, 0, 9, 0, 3, 0, 0, 0]), None);
        frames
    }

    #[test]
    fn a_commit_is_seen_wherever_chunks_end() {
        let said = [message(b'Q', b"BEGIN\0"), message(b'Q', b"COMMIT\0")].concat();
        for at in 0..said.len() {
            let mut frames = started();
            assert_eq!(frames.take(&said[..at]), None);
            assert_eq!(frames.take(&said[at..]), Some(Commit::Query));
        }
    }

    #[test]
    fn only_a_statement_that_writes_to_the_outbox_is_seen_and_with_its_sync() {
        let mut frames = started();
        let sql = b"s1\0INSERT INTO mainstay_outbox VALUES ($1)\0\0\0";
        let prepared =
            [message(b'P', sql), message(b'P', b"s2\0SELECT 1 FROM mainstay_outbox\0\0\0")];
        assert_eq!(frames.take(&prepared.concat()), None);
        assert_eq!(frames.take(&message(b'S', b"")), None);
        let run = |name: &str| {
            let bind = message(b'B', format!("\0{name}\0").as_bytes());
            [bind, message(b'E', b"\0\0\0\0\0")].concat()
        };
        assert_eq!(frames.take(&run("s2")), None);
        assert_eq!(frames.take(&message(b'S', b"")), None);
        assert_eq!(frames.take(&run("s1")), None);
        assert_eq!(frames.take(&message(b'S', b"")), Some(Commit::Outbox));
        assert_eq!(frames.take(&message(b'S', b"")), None);
    }
}
