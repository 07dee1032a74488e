//! A mail as it travels: RFC 5322 and MIME.
//!
//! What lettre writes: headers encoded and folded, each part encoded as it must be. A
//! subject or an address that could end its header is refused before that.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Message,
    address::Envelope,
    message::{
        MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use crate::{FromAddress, Mail, address::address};

/// Why a mail cannot be written down; trying again does not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It goes to something that is no address.
    #[error("the mail goes to what is no address")]
    Recipient,
    /// Its subject is not one line.
    #[error("the subject holds a control character")]
    Subject,
    /// It cannot be written for another reason.
    #[error("the mail cannot be written: {0}")]
    Unwritable(#[from] lettre::error::Error),
}

/// A mail as it travels, and from whom to whom.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a mail down. The same mail is the same at every time but for its boundary.
///
/// # Errors
/// Where it can never be sent.
pub(crate) fn compose(mail: &Mail, from: &FromAddress) -> Result<Composed, MessageError> {
    let to = address(&mail.to).ok_or(MessageError::Recipient)?;
    if mail.subject.chars().any(char::is_control) {
        return Err(MessageError::Subject);
    }
    let micros = u64::try_from(mail.written_at.as_micros()).unwrap_or_default();
    let builder = Message::builder()
        .from(from.mailbox().clone())
        .to(to.into())
        .subject(&*mail.subject)
        .date(UNIX_EPOCH + Duration::from_micros(micros))
        .message_id(Some(format!("<{}@{}>", mail.id, from.domain())))
        // RFC 3834, section 5: nobody's out-of-office answers this.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    let text = SinglePart::plain(mail.text.to_string());
    let message = match &mail.html {
        Some(html) => builder.multipart(
            MultiPart::alternative()
                .singlepart(text)
                .singlepart(SinglePart::html(html.to_string())),
        ),
        None => builder.singlepart(text),
    }?;
    Ok(Composed { envelope: message.envelope().clone(), bytes: message.formatted() })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use mainstay_core::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn mail() -> Mail {
        Mail {
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
            kind: "recovery".into(),
            to: "ada@example.com".into(),
            subject: "Passwort zurücksetzen".into(),
            text: "Grüße\n.\nhttps://blog.example/?a=b\n".into(),
            html: Some("<p>Grüße</p>".into()),
            written_at: Timestamp::parse("2026-11-23T09:30:00Z").unwrap(),
        }
    }

    fn from() -> FromAddress {
        FromAddress::parse("Mein Blog äöü <no-reply@blog.example>").unwrap()
    }

    fn written(mail: &Mail) -> String {
        String::from_utf8(compose(mail, &from()).unwrap().bytes).unwrap()
    }

    #[test]
    fn a_mail_has_two_parts_and_the_headers_of_a_machine_s() {
        let text = written(&mail());
        let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let text = text.replace(boundary, "BOUNDARY").replace('\r', "");
        expect![[r#"
            From: =?utf-8?b?TWVpbiBCbG9nIMOkw7bDvA==?= <no-reply@blog.example>
            To: ada@example.com
            Subject: Passwort =?utf-8?b?enVyw7xja3NldHplbg==?=
            Date: Mon, 23 Nov 2026 09:30:00 +0000
            Message-ID: <01900000-0000-7000-8000-000000000001@blog.example>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/alternative;
             boundary="BOUNDARY"

            --BOUNDARY
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            Gr=C3=BC=C3=9Fe
            .
            https://blog.example/?a=3Db

            --BOUNDARY
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            <p>Gr=C3=BC=C3=9Fe</p>
            --BOUNDARY--
        "#]]
        .assert_eq(&text);
        let composed = compose(&mail(), &from()).unwrap();
        assert_eq!(composed.envelope.from().unwrap().to_string(), "no-reply@blog.example");
        assert!(composed.bytes.is_ascii());
        let lines = String::from_utf8(composed.bytes).unwrap();
        assert!(!lines.replace("\r\n", "").contains(['\r', '\n']), "a line ends with CRLF");
    }

    #[test]
    fn a_mail_without_html_is_one_part() {
        let text = written(&Mail { html: None, ..mail() });
        assert!(text.contains("Content-Type: text/plain; charset=utf-8"), "{text}");
        assert!(!text.contains("multipart"), "{text}");
    }

    #[test]
    fn no_value_makes_a_header_of_its_own() {
        for ending in ["\r\n", "\n", "\r", "\0", "\u{85}"] {
            let hostile = format!("x{ending}Bcc: all@example.com");
            let subject = Mail { subject: hostile.as_str().into(), ..mail() };
            assert!(matches!(compose(&subject, &from()), Err(MessageError::Subject)));
            let to = Mail { to: format!("ada@example.com{ending}Bcc: a@b.c").into(), ..mail() };
            assert!(matches!(compose(&to, &from()), Err(MessageError::Recipient)));
            let text = Mail { text: hostile.as_str().into(), html: None, ..mail() };
            let written = written(&text);
            let (head, _) = written.split_once("\r\n\r\n").unwrap();
            assert!(!head.contains("Bcc"), "{head}");
        }
        let long = Mail { subject: "ä\u{2028}word ".repeat(500).into(), ..mail() };
        let written = written(&long);
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| line.len() < 100), "{head}");
    }
}
