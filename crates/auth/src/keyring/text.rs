//! The text of a keyring: PEM blocks, and before each what is said of it.
//!
//! RFC 7468 lets text stand between blocks, and tools skip it. Here it is read,
//! because a misspelt line that is skipped would keep a key in force: a line outside
//! a block is blank, a comment that begins with `#`, `Retired:` with the moment from
//! which another key signs, `For: Next rotation` or `For: API keys`. Everything else is
//! refused, and no error repeats it.

use mainstay_core::Timestamp;

use super::KeyringError;
use crate::SigningKey;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const RETIRED: &str = "Retired:";
const FOR: &str = "For:";
const NEXT: &str = "Next rotation";
const API_KEYS: &str = "API keys";

/// One key, and what the text says of it.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) key: SigningKey,
    pub(super) retired_at: Option<Timestamp>,
    pub(super) signs: Signs,
}

/// What a block's key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Signs {
    #[default]
    UserTokens,
    /// Users' tokens from the next rotation on, verified already.
    NextUserTokens,
    ApiKeys,
}

/// What was said before a block.
#[derive(Default)]
struct Said {
    retired_at: Option<Timestamp>,
    signs: Signs,
}

impl Said {
    fn nothing(&self) -> bool {
        self.retired_at.is_none() && self.signs == Signs::UserTokens
    }
}

/// The blocks of a text, in order.
///
/// An environment file cannot always hold several lines, so a text of one line may
/// have the two characters `\n` for each line's end.
///
/// # Errors
/// Where a block is no P-256 private key, or a line says nothing that is known.
pub(super) fn parse(text: &str) -> Result<Vec<Block>, KeyringError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(KeyringError::Empty);
    }
    let unfolded = if text.contains('\n') || !text.contains("\\n") {
        text.to_owned()
    } else {
        text.replace("\\r", "").replace("\\n", "\n")
    };
    let mut blocks = Vec::new();
    let mut said = Said::default();
    let mut lines = unfolded.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line.starts_with(BEGIN) {
            let pem = block(line, &mut lines);
            // `openssl ecparam -genkey` names the curve in a block of its own first.
            if line == "-----BEGIN EC PARAMETERS-----" {
                continue;
            }
            let Said { retired_at, signs } = std::mem::take(&mut said);
            blocks.push(Block { key: SigningKey::from_pem(&pem)?, retired_at, signs });
        } else if !line.is_empty() && !line.starts_with('#') {
            let known = say(line, &mut said);
            let at_the_start = blocks.is_empty() && said.nothing();
            known.ok_or(if at_the_start { KeyringError::NotPem } else { KeyringError::Line })?;
        }
    }
    match (blocks.is_empty(), said.nothing()) {
        (_, false) => Err(KeyringError::Line),
        (true, true) => Err(KeyringError::Empty),
        (false, true) => Ok(blocks),
    }
}

/// The lines from a block's first to its last.
fn block<'a>(first: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut pem = first.to_owned();
    for line in lines {
        pem.push('\n');
        pem.push_str(line);
        if line.starts_with(END) {
            break;
        }
    }
    pem
}

/// Takes a line outside a block to heart, if it is one of ours.
fn say(line: &str, said: &mut Said) -> Option<()> {
    if let Some(moment) = line.strip_prefix(RETIRED) {
        said.retired_at = Some(Timestamp::parse(moment)?);
        return Some(());
    }
    said.signs = match line.strip_prefix(FOR)?.trim() {
        NEXT => Signs::NextUserTokens,
        API_KEYS => Signs::ApiKeys,
        _ => return None,
    };
    Some(())
}

/// The text of one key, with what is said of it.
pub(super) fn write(
    text: &mut String,
    key: &SigningKey,
    retired_at: Option<Timestamp>,
    signs: Signs,
) {
    if let Some(retired_at) = retired_at {
        let mut moment = Vec::new();
        retired_at.write_to(&mut moment);
        text.push_str(&format!("{RETIRED} {}\n", String::from_utf8_lossy(&moment)));
    }
    match signs {
        Signs::UserTokens => {}
        Signs::NextUserTokens => text.push_str(&format!("{FOR} {NEXT}\n")),
        Signs::ApiKeys => text.push_str(&format!("{FOR} {API_KEYS}\n")),
    }
    text.push_str(&key.to_pem());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        SigningKey::generate().to_pem()
    }

    #[test]
    fn several_blocks_are_read_with_what_is_said_before_each() {
        let (one, two, three) = (pem(), pem(), pem());
        let text = format!(
            "# the newest\n{one}\nRetired: 2026-11-23T09:30:00+00:00\n{two}\r\nFor: API keys\n{three}"
        );
        for text in [text.clone(), text.replace('\r', "").replace('\n', "\\n")] {
            let blocks = parse(&text).unwrap();
            let pems: Vec<_> = blocks.iter().map(|block| block.key.to_pem()).collect();
            assert_eq!(pems, [one.clone(), two.clone(), three.clone()]);
            assert_eq!(blocks[0].retired_at, None);
            assert_eq!(blocks[1].retired_at, Timestamp::parse("2026-11-23T09:30:00Z"));
            assert_eq!(
                blocks.iter().map(|block| block.signs).collect::<Vec<_>>(),
                [Signs::UserTokens, Signs::UserTokens, Signs::ApiKeys]
            );
        }
    }

    #[test]
    fn a_line_that_is_not_known_is_refused_and_never_skipped() {
        let (one, two) = (pem(), pem());
        for between in [
            "Retierd: 2026-11-23T09:30:00Z",
            "Retired:",
            "Retired: yesterday",
            "retired: 2026-11-23",
            "For: everything",
            "For:",
            "-----END PRIVATE KEY-----",
        ] {
            let error = parse(&format!("{one}{between}\n{two}")).unwrap_err();
            assert_eq!(error, KeyringError::Line, "{between}");
        }
        let error = parse(&format!("{one}Retired: 2026-11-23T09:30:00Z\n")).unwrap_err();
        assert_eq!(error, KeyringError::Line, "it is said of no key");
        assert_eq!(parse("# nothing yet").unwrap_err(), KeyringError::Empty);
    }

    #[test]
    fn the_block_that_openssl_names_the_curve_in_is_passed_over() {
        let text = format!(
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{}",
            pem()
        );
        assert_eq!(parse(&text).unwrap().len(), 1);
    }
}
