//! The server that `cargo xtask services` runs; what it does with a mail, the mail's
//! address says.

use std::path::PathBuf;

use mainstay_mail::{FromAddress, Smtp, SmtpError, SmtpTimeouts, SmtpUrl};
use uuid::Uuid;

/// Where it is.
pub(crate) struct Server {
    pub(crate) port: String,
    pub(crate) tls_port: String,
    folder: PathBuf,
}

impl Server {
    /// The one that the environment names.
    pub(crate) fn of_tests() -> Self {
        let url = std::env::var("MAINSTAY_TEST_SMTP_URL")
            .expect("run by `cargo xtask test` or below `cargo xtask services --`");
        let part = |from: &str, to: char| {
            let rest = url.split_once(from).unwrap().1;
            rest.split(to).next().unwrap().to_owned()
        };
        Self {
            port: part("127.0.0.1:", '?'),
            tls_port: part("tls_port=", '&'),
            folder: part("folder=", '&').into(),
        }
    }

    /// The mails that this address has got: what is known of their journey, and they.
    pub(crate) fn mails(&self, to: &str) -> Vec<String> {
        let folder = self.folder.join("mails").join(to);
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// A way to it without encryption.
    pub(crate) fn plain(&self) -> Smtp {
        smtp_to(&format!("smtp://127.0.0.1:{}", self.port)).unwrap()
    }

    /// `localhost`, whose certificate is signed by nobody but itself.
    pub(crate) fn certified(&self, scheme: &str, port: &str) -> String {
        let root = self.folder.join("root.crt");
        let root = root.display();
        format!("{scheme}://ada%40b.example:open%20sesame@localhost:{port}?sslrootcert={root}")
    }
}

/// A way to the server at this URL.
pub(crate) fn smtp_to(url: &str) -> Result<Smtp, SmtpError> {
    let from = FromAddress::parse("Blög <no-reply@blog.example>").unwrap();
    Smtp::new(SmtpUrl::parse(url).unwrap(), from, SmtpTimeouts::default())
}

/// An address that no other test and no other run has.
pub(crate) fn address(beginning: &str) -> String {
    format!("{beginning}{}@example.com", Uuid::new_v4().simple())
}

/// The value of a header.
pub(crate) fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}
