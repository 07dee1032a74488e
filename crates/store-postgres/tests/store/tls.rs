//! TLS against a real server, in each degree that `sslmode` has.

use mainstay_store_postgres::{PostgresSettings, PostgresStore};

use crate::engine::Engine;

/// Has the server make itself a certificate for `localhost`, which nobody has signed,
/// and use it.
const TURN_ON: [&str; 3] = [
    "COPY (SELECT '') TO PROGRAM 'umask 077; openssl req -new -x509 -days 30 -nodes \
     -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -out server.crt \
     -keyout server.key'",
    "ALTER SYSTEM SET ssl = on",
    "SELECT pg_reload_conf()",
];

#[tokio::test]
async fn a_certificate_is_looked_at_as_far_as_sslmode_says() {
    let engine = Engine::open().await;
    for sql in TURN_ON {
        engine.run(sql).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.crt");
    std::fs::write(&root, engine.text("SELECT pg_read_file('server.crt')").await).unwrap();
    let root = root.display();

    let named = engine.url.replace("127.0.0.1", "localhost");
    let cases = [
        (&engine.url, "sslmode=disable".to_owned(), Some(false)),
        (&engine.url, "sslmode=prefer".to_owned(), Some(true)),
        (&engine.url, "sslmode=require".to_owned(), Some(true)),
        (&engine.url, format!("sslmode=verify-ca&sslrootcert={root}"), Some(true)),
        (&engine.url, "sslmode=verify-ca".to_owned(), None),
        (&named, format!("sslmode=verify-full&sslrootcert={root}"), Some(true)),
        (&engine.url, format!("sslmode=verify-full&sslrootcert={root}"), None),
        (&named, "sslmode=verify-full".to_owned(), None),
    ];
    for (url, params, expected) in cases {
        // Told apart from the test's own connections by its name.
        let name = format!("tls{}", expected.map_or("none", |on| if on { "on" } else { "off" }));
        let url = format!("{url}?{params}&application_name={name}");
        let opened = PostgresStore::open(PostgresSettings::at(url)).await;
        let encrypted = match &opened {
            Ok(_) => {
                let sql = format!(
                    "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = '{name}' AND ssl"
                );
                Some(engine.number(&sql).await > 0)
            }
            Err(_) => None,
        };
        assert_eq!(encrypted, expected, "{params}: {:?}", opened.err());
    }
}
