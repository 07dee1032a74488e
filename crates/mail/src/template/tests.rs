use expect_test::{Expect, expect};
use mainstay_core::{Colour, render_diagnostics};

use super::*;

const VARIABLES: Variables<'_> = Variables {
    app_name: "Blog & Sons",
    site_url: "https://blog.example",
    email: "ada@example.com",
    new_email: "grace@example.com",
    link: "https://blog.example/auth/v1/verify?token=t0ken&type=signup",
    token: "t0ken",
    redirect_to: "https://blog.example/in",
    code: "042042",
    expires_minutes: 60,
    change: Some(AccountChange::Password),
};

fn files(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: format!("mails/{path}"),
        text: (*text).to_owned(),
    };
    files.iter().map(file).collect()
}

fn rendered(given: &[(&str, &str)], kind: MailKind) -> Content {
    let templates = Templates::read(&files(given)).map_err(|found| format!("{found:?}")).unwrap();
    templates.render(kind, &VARIABLES).unwrap()
}

fn mistakes(given: &[(&str, &str)], expected: &Expect) {
    let files = files(given);
    let found = Templates::read(&files).unwrap_err();
    expected.assert_eq(&render_diagnostics(&found, &files, Colour::Plain));
}

#[test]
fn every_built_in_mail_says_what_it_must() {
    let templates = Templates::read(&[]).unwrap();
    for kind in MailKind::ALL {
        let mail = templates.render(kind, &VARIABLES).unwrap();
        let html = mail.html.unwrap();
        for part in [&mail.text, &html] {
            assert_eq!(part.contains("042042") && part.contains("60 minutes"), kind.has_code());
            assert!(!part.contains("{{") && !part.contains("src="), "{part}");
        }
        assert_eq!(mail.text.contains(VARIABLES.link), kind.has_link());
        assert!(!mail.subject.contains("042042"), "a subject is shown on locked screens");
        assert_eq!(
            html.contains("grace@example.com") && mail.text.contains("grace@example.com"),
            kind.has_new_email() && !kind.has_change()
        );
    }
}

#[test]
fn each_change_of_an_account_is_told_in_its_own_words() {
    let templates = Templates::read(&[]).unwrap();
    let told = |change| {
        let of = Variables { change: Some(change), ..VARIABLES };
        let mail = templates.render(MailKind::AccountChanged, &of).unwrap();
        assert!(mail.text.contains("ada@example.com") && mail.text.contains("If it was not"));
        mail.text
    };
    let told: std::collections::BTreeSet<String> =
        AccountChange::ALL.into_iter().map(told).collect();
    assert_eq!(told.len(), AccountChange::ALL.len());
    assert!(told.iter().any(|it| it.contains("has\ngrace@example.com now")), "{told:?}");
}

#[test]
fn a_mistake_in_what_is_said_of_one_change_is_found() {
    let own = "Subject: x\n\n{% if change == 'email' %}{{ change|nosuch }}{% endif %}";
    mistakes(
        &[("account_changed.txt", own)],
        &expect![[r#"
        error: unknown filter: filter nosuch is unknown
         --> mails/account_changed.txt:3:37
          |
        3 | {% if change == 'email' %}{{ change|nosuch }}{% endif %}
          |                                     ^^^^^^
    "#]],
    );
}

#[test]
fn a_built_in_mail_is_plain_and_to_the_point() {
    let mail = rendered(&[], MailKind::Recovery);
    expect![[r#"
        Reset your password for Blog & Sons
    "#]]
    .assert_eq(&(mail.subject + "\n"));
    expect![[r#"
        Hello,

        You asked to reset the password of ada@example.com at Blog & Sons.
        Reset your password:

        https://blog.example/auth/v1/verify?token=t0ken&type=signup

        Or enter this code: 042042

        The link and the code work once, and for 60 minutes.

        If you did not ask for this, you need do nothing: your password stays as
        it is. Do not pass the link or the code on.

        Blog & Sons
        https://blog.example
    "#]]
    .assert_eq(&mail.text);
    expect![[r#"
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Reset your password for Blog &amp; Sons</title>
        </head>
        <body style="margin:0;padding:24px;font-family:sans-serif;font-size:16px;line-height:1.5">
        <div style="max-width:560px;margin:0 auto">

        <p>Hello,</p>
        <p>You asked to reset the password of ada@example.com at Blog &amp; Sons.</p>
        <p><a href="https://blog.example/auth/v1/verify?token=t0ken&amp;type=signup" style="font-weight:bold">Reset your password</a></p>
        <p>Or enter this code: <strong style="font-size:20px;letter-spacing:2px">042042</strong></p>
        <p>The link and the code work once, and for 60 minutes. If the link cannot be
        opened, copy this address into your browser:<br>https://blog.example/auth/v1/verify?token=t0ken&amp;type=signup</p>
        <p>If you did not ask for this, you need do nothing: your password stays as
        it is. Do not pass the link or the code on.</p>

        <p style="margin-top:32px;font-size:14px">Sent by Blog &amp; Sons, <a href="https://blog.example">https://blog.example</a></p>
        </div>
        </body>
        </html>"#]].assert_eq(&mail.html.unwrap());
}

#[test]
fn values_are_escaped_in_html_and_left_alone_in_text() {
    let templates = Templates::read(&[]).unwrap();
    let hostile = Variables { email: "<b>\"x\"@example.com", ..VARIABLES };
    let mail = templates.render(MailKind::Invite, &hostile).unwrap();
    assert!(mail.text.contains("<b>\"x\"@example.com"));
    let html = mail.html.unwrap();
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
}

#[test]
fn a_value_cannot_end_the_subject() {
    let templates =
        Templates::read(&files(&[("invite.txt", "Subject: To {{ email }}\n\n{{ link }}\n")]));
    let hostile = Variables { email: "a@b.c\r\nBcc: all@b.c\u{2028}\u{0}x", ..VARIABLES };
    let mail = templates.unwrap().render(MailKind::Invite, &hostile).unwrap();
    assert_eq!(mail.subject, "To a@b.c Bcc: all@b.c x");
    assert_eq!(mail.text, format!("{}\n", VARIABLES.link));
    let long = Variables { email: &"x".repeat(10_000), ..VARIABLES };
    let subject = Templates::read(&files(&[("invite.txt", "Subject: {{ email }}\n{{ code }}")]));
    let mail = subject.unwrap().render(MailKind::Invite, &long).unwrap();
    assert_eq!(mail.subject.len(), SUBJECT_CHARS_MAX);
}

#[test]
fn an_app_s_text_without_html_is_sent_alone() {
    let own = ("recovery.txt", "Subject: Forgot?\n\nGo to {{ site_url }}/reset?t={{ token }}\n");
    let mail = rendered(&[own], MailKind::Recovery);
    assert_eq!(mail.subject, "Forgot?");
    assert_eq!(mail.text, "Go to https://blog.example/reset?t=t0ken\n");
    assert_eq!(mail.html, None);
    let with_html = ("recovery.html", "<p>{{ code }}</p>");
    assert_eq!(rendered(&[own, with_html], MailKind::Recovery).html.unwrap(), "<p>042042</p>");
    assert!(rendered(&[own], MailKind::Invite).html.is_some());
}

#[test]
fn a_layout_of_the_app_s_changes_every_mail() {
    let own = ("_layout.html", "<main>{% block body %}{% endblock %}</main>");
    for kind in MailKind::ALL {
        let html = rendered(&[own], kind).html.unwrap();
        assert!(html.starts_with("<main>") && html.contains("@example.com"), "{html}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    mistakes(
        &[
            ("confirmaton.txt", "Subject: x\n{{ code }}"),
            ("invite.txt", "Hello\n{{ code }}"),
            ("recovery.txt", "Subject: {{ app_nam }}\n\nlnk: {{ lnk }} {{ code }}\n"),
            ("reauthentication.html", "<a href=\"{{ link }}\">{{ code }}</a>"),
            ("magic_link.html", "<p>\n{% if code %}{{ code }}\n</p>"),
        ],
        &expect![[r#"
            error: `confirmaton.txt` is no mail's template
             --> mails/confirmaton.txt:1:1
              |
            1 | Subject: x
              | ^
              |
            help: did you mean `mails/confirmation.txt`?

            error: the first line of a mail's text is `Subject: …`
             --> mails/invite.txt:1:1
              |
            1 | Hello
              | ^^^^^

            error: syntax error: unexpected end of input, expected end of block
             --> mails/magic_link.html:2:24
              |
            2 | {% if code %}{{ code }}
              |                        ^

            error: the mail `reauthentication` has no `link`
             --> mails/reauthentication.html:1:13
              |
            1 | <a href="{{ link }}">{{ code }}</a>
              |             ^^^^

            error: the mail `recovery` has no `app_nam`
             --> mails/recovery.txt:1:13
              |
            1 | Subject: {{ app_nam }}
              |             ^^^^^^^
              |
            help: did you mean `app_name`?

            error: the mail `recovery` has no `lnk`
             --> mails/recovery.txt:3:9
              |
            3 | lnk: {{ lnk }} {{ code }}
              |         ^^^
              |
            help: did you mean `link`?
        "#]],
    );
}

#[test]
fn what_fails_only_when_rendered_is_told_with_its_place() {
    mistakes(
        &[
            ("_layout.html", "<main>\n{{ new_email }}{% block body %}{% endblock %}</main>"),
            ("recovery.txt", "Subject: {{ '' }}\n\nGo to {{ site_url }}.\n"),
            ("invite.txt", "Subject: a\n\n{{ code|upper|nosuch }}\n"),
            ("magic_link.html", "{% extends '_base.html' %}"),
        ],
        &expect![[r#"
            error: undefined value: `new_email` is undefined
             --> mails/_layout.html:2:4
              |
            2 | {{ new_email }}{% block body %}{% endblock %}</main>
              |    ^^^^^^^^^

            error: unknown filter: filter nosuch is unknown
             --> mails/invite.txt:3:15
              |
            3 | {{ code|upper|nosuch }}
              |               ^^^^^^

            error: template not found: template "_base.html" does not exist
             --> mails/magic_link.html:1:4
              |
            1 | {% extends '_base.html' %}
              |    ^^^^^^^^^^^^^^^^^^^^

            error: the subject is empty
             --> mails/recovery.txt:1:1
              |
            1 | Subject: {{ '' }}
              | ^

            error: whoever gets this mail can do nothing: it names neither `link` nor `code`
             --> mails/recovery.txt:1:1
              |
            1 | Subject: {{ '' }}
              | ^
        "#]],
    );
}

#[test]
fn a_template_that_is_too_large_is_refused() {
    let large = "x".repeat(70_000);
    let found = Templates::read(&files(&[("invite.html", &large)])).unwrap_err();
    assert!(found[0].message.contains("65536 bytes"), "{found:?}");
}
