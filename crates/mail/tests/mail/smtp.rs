//! SMTP against a real server.

mod on_smtp {
    use std::{sync::Arc, time::Duration};

    use mainstay_core::Timestamp;
    use mainstay_mail::{
        FromAddress, Mail, SendError, Smtp, SmtpTimeouts, SmtpUrl, Transport as _,
    };
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use uuid::Uuid;

    use crate::harness::Queue;
    use crate::server::{Server, address, header, smtp_to};

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
        let nowhere = smtp_to("smtp://127.0.0.1:1").unwrap().send(&later).await.unwrap_err();
        assert!(matches!(nowhere, SendError::Transient(_)), "{nowhere:?}");
    }

    #[tokio::test]
    async fn a_password_is_not_sent_to_whom_no_certificate_names() {
        let server = Server::of_tests();
        for (scheme, port) in [("smtps", &server.tls_port), ("smtp+starttls", &server.port)] {
            let url = server.certified(scheme, port);
            let to = address("ada");
            smtp_to(&url).unwrap().send(&mail(&to)).await.unwrap();
            let got = server.mails(&to).remove(0);
            assert_eq!(header(&got, "X-Encrypted"), "yes", "{scheme}");
            assert_eq!(header(&got, "X-User"), "ada@b.example", "{scheme}");

            let (unsigned, _) = url.split_once('?').unwrap();
            let misnamed = url.replace("localhost", "127.0.0.1");
            for url in [unsigned, &misnamed] {
                let refused = smtp_to(url).unwrap().send(&mail(&to)).await.unwrap_err();
                assert!(matches!(refused, SendError::Transient(_)), "{refused:?}");
            }
            assert_eq!(server.mails(&to).len(), 1);
        }
        let missing = smtp_to("smtps://localhost?sslrootcert=/nowhere.pem").unwrap_err();
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
        let (smtp, mail) = (smtp_to(&url).unwrap(), mail(&address("ada")));
        let (heard, sent) = tokio::join!(heard, smtp.send(&mail));
        let refused = sent.unwrap_err();
        assert!(matches!(&refused, SendError::Transient(why) if why.contains("STARTTLS")));
        assert_eq!(heard, "EHLO blog.example");
    }

    #[tokio::test]
    async fn a_wrong_password_is_no_fault_of_the_mail_s() {
        let server = Server::of_tests();
        let url = format!("smtp://ada:wrong@127.0.0.1:{}", server.port);
        let refused = smtp_to(&url).unwrap().send(&mail(&address("ada"))).await.unwrap_err();
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

    #[tokio::test]
    async fn the_queue_brings_mails_to_the_server_as_often_as_it_must() {
        let (store, _folder) = crate::engine::open().await;
        let (queue, server) = (Queue::on(store).await, Server::of_tests());
        let sender = queue.sender(Arc::new(server.plain()));
        let (later, refused, ada) = (address("later"), address("refused"), address("ada"));
        for to in [&later, &refused, &ada] {
            queue.put(to).await;
        }
        sender.send_due().await;
        assert!(server.mails(&later).is_empty());
        assert_eq!(server.mails(&ada).len(), 1);
        queue.pass(Duration::from_secs(60));
        sender.send_due().await;
        queue.pass(Duration::from_secs(3_600));
        sender.send_due().await;
        assert_eq!(server.mails(&later).len(), 1);
        assert!(server.mails(&refused).is_empty());
        let rows = queue.rows().await;
        assert_eq!(rows[0], "sent|2||||");
        assert!(rows[1].starts_with("dead|1||||") && rows[1].contains("550"), "{}", rows[1]);
        assert_eq!(rows[2], "sent|1||||");
    }
}
