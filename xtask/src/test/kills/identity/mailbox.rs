//! What arrived at the mail server, which keeps each mail as a file.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::services::Smtp;

/// The mails of everybody.
pub(super) struct Mailbox {
    folder: PathBuf,
}

/// How often each mail arrived, by its id, at each address.
pub(super) type Arrived = HashMap<String, HashMap<String, usize>>;

impl Mailbox {
    pub(super) fn new(smtp: &Smtp) -> Self {
        Self { folder: smtp.folder().join("mails") }
    }

    /// All that has arrived.
    pub(super) fn all(&self) -> anyhow::Result<Arrived> {
        let mut arrived = Arrived::new();
        for address in files(&self.folder)? {
            let name = address.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mails = arrived.entry(name).or_default();
            for text in texts(&address)? {
                let id = message_id(&text).context("a mail without Message-ID")?;
                *mails.entry(id).or_default() += 1;
            }
        }
        Ok(arrived)
    }

    /// The tokens to confirm this address with, the newest first.
    pub(super) fn confirmations(&self, email: &str) -> anyhow::Result<Vec<String>> {
        let mut texts = texts(&self.folder.join(email))?;
        texts.reverse();
        Ok(texts.iter().filter_map(|text| confirmation(text)).collect())
    }
}

/// What is in a folder; one that is not there yet is empty.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The mails in a folder, in the order in which they arrived.
fn texts(folder: &Path) -> anyhow::Result<Vec<String>> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.strip_suffix(".eml")?.parse::<u32>().ok()
    };
    let mut numbered: Vec<_> =
        files(folder)?.into_iter().filter_map(|path| Some((number(&path)?, path))).collect();
    numbered.sort();
    numbered.into_iter().map(|(_, path)| Ok(fs::read_to_string(path)?)).collect()
}

/// The id of the queue's row, which stands before the `@`.
fn message_id(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("Message-ID: <"))?;
    Some(line.split('@').next()?.replace('-', ""))
}

/// The token of the link in a mail that confirms a sign-up. The text is in
/// quoted-printable (RFC 2045, section 6.7).
fn confirmation(text: &str) -> Option<String> {
    let plain = text.replace("=\r\n", "").replace("=3D", "=");
    let link = plain.split("/auth/v1/verify?").nth(1)?.split_whitespace().next()?;
    let value = |name: &str| link.split('&').find_map(|pair| pair.strip_prefix(name));
    value("type=").filter(|kind| *kind == "signup")?;
    value("token=").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_link_of_a_mail_are_read() {
        let mail = "Message-ID: <0190-ab@example.com>\r\n\r\nhttp://x/auth/v1/verify?token=3Dab=\r\ncd&type=3Dsignup&redirect_to=3Dx\r\n";
        assert_eq!(message_id(mail).unwrap(), "0190ab");
        assert_eq!(confirmation(mail).unwrap(), "abcd");
        assert_eq!(confirmation(&mail.replace("signup", "recovery")), None);
    }
}
