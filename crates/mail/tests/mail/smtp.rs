//! SMTP against a real server.

mod on_smtp {
    use std::{path::PathBuf, time::Duration};

    use mainstay_core::Timestamp;
    use mainstay_mail::{
        FromAddress, Mail, SendError, Smtp, SmtpError, SmtpTimeouts, SmtpUrl, Transport as _,
    };
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use uuid::Uuid;

    /// The server that `cargo xtask services` runs; what it does with a mail, the mail's
    /// address says.
    struct Server {
        port: String,
        tls_port: String,
        folder: PathBuf,
    }

    impl Server {
        fn of_tests() -> Self {
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
        fn mails(&self, to: &str) -> Vec<String> {
            let folder = self.folder.join("mails").join(to);
            let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
        }

        fn plain(&self) -> Smtp {
            smtp(&format!("smtp://127.0.0.1:{}", self.port)).unwrap()
        }

        /// `localhost`, whose certificate is signed by nobody but itself.
        fn certified(&self, scheme: &str, port: &str) -> String {
            let root = self.folder.join("root.crt");
            let root = root.display();
            format!("{scheme}://ada%40b.example:open%20sesame@localhost:{port}?sslrootcert={root}")
        }
    }

    fn smtp(url: &str) -> Result<Smtp, SmtpError> {
        let from = FromAddress::parse("Blög <no-reply@blog.example>").unwrap();
        Smtp::new(SmtpUrl::parse(url).unwrap(), from, SmtpTimeouts::default())
    }

    /// An address that no other test and no other run has.
    fn address(beginning: &str) -> String {
        format!("{beginning}{}@example.com", Uuid::new_v4().simple())
    }

    fn mail(to: &str) -> Mail {
        Mail {
            id: Uuid::now_v7(),
            kind: "confirmation".into(),
            to: to.into(),
            subject: "Grüße, 你好".into(),
            text: "Hallo Ädä\n.\n.. open https://blog.example/?token=x\n".into(),
            html: Some("<p>Hallo Ädä</p>".into()),
            written_at: Timestamp::parse("2026-11-23T09:30:00Z").unwrap(),
        }
    }

    fn header<'m>(mail: &'m str, name: &str) -> &'m str {
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
    }

    #[tokio::test]
    async fn a_mail_arrives_with_both_parts_and_its_headers() {
        let (server, to) = (Server::of_tests(), address("ada"));
        let sent = mail(&to);
        server.plain().send(&sent).await.unwrap();
        let got = server.mails(&to).remove(0);
        assert_eq!(header(&got, "X-From"), "no-reply@blog.example");
        assert_eq!(header(&got, "X-Hello"), "blog.example");
        assert_eq!(header(&got, "X-Encrypted"), "no");
        assert_eq!(header(&got, "Subject"), "=?utf-8?b?R3LDvMOfZSwg5L2g5aW9?=");
        assert_eq!(header(&got, "To"), to);
        assert_eq!(header(&got, "From"), "=?utf-8?b?QmzDtmc=?= <no-reply@blog.example>");
        assert_eq!(header(&got, "Message-ID"), format!("<{}@blog.example>", sent.id));
        assert_eq!(header(&got, "Date"), "Mon, 23 Nov 2026 09:30:00 +0000");
        assert_eq!(header(&got, "Auto-Submitted"), "auto-generated");
        assert!(header(&got, "Content-Type").starts_with("multipart/alternative"));
        assert!(got.contains("Content-Type: text/plain; charset=utf-8"), "{got}");
        assert!(got.contains("Hallo =C3=84d=C3=A4\r\n.\r\n.. open https"), "{got}");
        assert!(got.contains("<p>Hallo =C3=84d=C3=A4</p>"), "{got}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_as_what_it_is() {
        let server = Server::of_tests();
        let smtp = server.plain();
        let later = mail(&address("later"));
        let refused = smtp.send(&later).await.unwrap_err();
        assert!(
            matches!(&refused, SendError::Transient(why) if why.contains("451")),
            "{refused:?}"
        );
        smtp.send(&later).await.unwrap();
        for (beginning, code) in [("refused", "550"), ("spam", "554")] {
            let refused = smtp.send(&mail(&address(beginning))).await.unwrap_err();
            assert!(
                matches!(&refused, SendError::Permanent(why) if why.contains(code)),
                "{refused:?}"
            );
        }
        // The server's SMTP has no letters for it.
        let refused = smtp.send(&mail("ädä@example.com")).await.unwrap_err();
        assert!(matches!(refused, SendError::Permanent(_)), "{refused:?}");
        let nowhere = self::smtp("smtp://127.0.0.1:1").unwrap().send(&later).await.unwrap_err();
        assert!(matches!(nowhere, SendError::Transient(_)), "{nowhere:?}");
    }

    #[tokio::test]
    async fn a_password_is_not_sent_to_whom_no_certificate_names() {
        let server = Server::of_tests();
        for (scheme, port) in [("smtps", &server.tls_port), ("smtp+starttls", &server.port)] {
            let url = server.certified(scheme, port);
            let to = address("ada");
            smtp(&url).unwrap().send(&mail(&to)).await.unwrap();
            let got = server.mails(&to).remove(0);
            assert_eq!(header(&got, "X-Encrypted"), "yes", "{scheme}");
            assert_eq!(header(&got, "X-User"), "ada@b.example", "{scheme}");

            let (unsigned, _) = url.split_once('?').unwrap();
            let misnamed = url.replace("localhost", "127.0.0.1");
            for url in [unsigned, &misnamed] {
                let refused = smtp(url).unwrap().send(&mail(&to)).await.unwrap_err();
                assert!(matches!(refused, SendError::Transient(_)), "{refused:?}");
            }
            assert_eq!(server.mails(&to).len(), 1);
        }
        let missing = smtp("smtps://localhost?sslrootcert=/nowhere.pem").unwrap_err();
        assert!(missing.to_string().contains("/nowhere.pem"), "{missing}");
    }

    #[tokio::test]
    async fn a_server_that_cannot_encrypt_is_told_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("smtp+starttls://ada:secret@127.0.0.1:{port}");
        let heard = async {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = tokio::io::split(stream);
            let mut heard = String::new();
            let mut lines = tokio::io::BufReader::new(reader).lines();
            writer.write_all(b"220 hello\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                heard.push_str(&line);
                writer.write_all(b"250 hello\r\n").await.unwrap();
            }
            heard
        };
        let (smtp, mail) = (smtp(&url).unwrap(), mail(&address("ada")));
        let (heard, sent) = tokio::join!(heard, smtp.send(&mail));
        let refused = sent.unwrap_err();
        assert!(matches!(&refused, SendError::Transient(why) if why.contains("STARTTLS")));
        assert_eq!(heard, "EHLO blog.example");
    }

    #[tokio::test]
    async fn a_wrong_password_is_no_fault_of_the_mail_s() {
        let server = Server::of_tests();
        let url = format!("smtp://ada:wrong@127.0.0.1:{}", server.port);
        let refused = smtp(&url).unwrap().send(&mail(&address("ada"))).await.unwrap_err();
        assert!(
            matches!(&refused, SendError::Transient(why) if why.contains("535")),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for_forever() {
        let url = |port: &str| SmtpUrl::parse(&format!("smtp://127.0.0.1:{port}")).unwrap();
        let from = FromAddress::parse("no-reply@blog.example").unwrap();
        let short = Duration::from_millis(50);
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port().to_string();
        let timeouts = SmtpTimeouts { connect: short, ..SmtpTimeouts::default() };
        let smtp = Smtp::new(url(&port), from.clone(), timeouts).unwrap();
        let refused = smtp.send(&mail(&address("ada"))).await.unwrap_err();
        assert!(matches!(&refused, SendError::Transient(why) if why.contains("ready")));

        let server = Server::of_tests();
        let timeouts = SmtpTimeouts { send: short, ..SmtpTimeouts::default() };
        let smtp = Smtp::new(url(&server.port), from, timeouts).unwrap();
        let refused = smtp.send(&mail(&address("silent"))).await.unwrap_err();
        assert!(matches!(&refused, SendError::Transient(why) if why.contains("take the mail")));
    }

    #[tokio::test]
    async fn a_connection_is_used_again_after_a_mail_was_taken_and_never_else() {
        let server = Server::of_tests();
        let smtp = server.plain();
        let to = address("ada");
        let port = |number: usize| header(&server.mails(&to)[number], "X-Port").to_owned();
        smtp.send(&mail(&to)).await.unwrap();
        smtp.send(&mail(&to)).await.unwrap();
        assert_eq!(port(0), port(1));
        smtp.send(&mail(&address("refused"))).await.unwrap_err();
        smtp.send(&mail(&to)).await.unwrap();
        assert_ne!(port(1), port(2));

        let silent = mail(&address("silent"));
        let broken_off = tokio::time::timeout(Duration::from_millis(50), smtp.send(&silent)).await;
        assert!(broken_off.is_err());
        smtp.send(&mail(&to)).await.unwrap();
        assert_ne!(port(2), port(3));
        smtp.rest().await;
        smtp.send(&mail(&to)).await.unwrap();
        assert_ne!(port(3), port(4));
    }
}
