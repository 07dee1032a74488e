//! The database behind an app, past the app: SQLite's file in the application folder, or
//! one of its own on the PostgreSQL server that `MAINSTAY_TEST_DATABASE_URL` names.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use mainstay::store_postgres::ScratchDatabase;
use tokio_postgres::NoTls;

use crate::support::App;

/// The databases of application folders that are not files in them.
static ELSEWHERE: Mutex<Vec<(PathBuf, String)>> = Mutex::new(Vec::new());

/// Notes where a folder's database is, for the commands that a test runs.
pub(crate) fn note(folder: &Path, url: String) {
    ELSEWHERE.lock().expect("no panic").push((folder.to_owned(), url));
}

/// The `[database] url` of a folder, where it is none of the folder's files.
pub(crate) fn url_of(folder: &Path) -> Option<String> {
    let elsewhere = ELSEWHERE.lock().expect("no panic");
    elsewhere.iter().find(|(it, _)| it == folder).map(|(_, url)| url.clone())
}

/// A database for a folder that only commands are run on.
pub(crate) fn for_commands(folder: &Path) -> Option<ScratchDatabase> {
    let server = std::env::var("MAINSTAY_TEST_DATABASE_URL").ok()?;
    let making = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let making = ScratchDatabase::create(&server, "mainstay_commands");
        runtime.expect("a runtime").block_on(making).expect("a database")
    });
    let database = making.join().expect("made");
    note(folder, database.url());
    Some(database)
}

/// Changes rows: SQL that both engines read alike.
pub(crate) async fn change_rows(app: &App, sql: &str) {
    let changed = match url_of(app.folder()) {
        Some(url) => connect(&url).await.execute(sql, &[]).await.expect("SQL") as usize,
        None => file(app).execute(sql, []).expect("SQL"),
    };
    assert_ne!(changed, 0, "{sql}");
}

/// Has a time of all rows of a table lie further back.
pub(crate) async fn move_back(app: &App, table: &str, column: &str, seconds: i64) {
    let earlier = match url_of(app.folder()) {
        Some(_) => format!("interval '{seconds} seconds'"),
        None => format!("{seconds}000000"),
    };
    change_rows(app, &format!("UPDATE {table} SET {column} = {column} - {earlier}")).await;
}

/// An id as it is written in SQL.
pub(crate) fn uuid(app: &App, id: &str) -> String {
    match url_of(app.folder()) {
        Some(_) => format!("'{id}'"),
        None => format!("x'{}'", id.replace('-', "")),
    }
}

/// A number in a table's only row.
pub(crate) async fn number(app: &App, table: &str, column: &str) -> i64 {
    let sql = format!("SELECT {column} FROM {table}");
    match url_of(app.folder()) {
        Some(url) => connect(&url).await.query_one(&sql, &[]).await.expect("a row").get(0),
        None => file(app).query_row(&sql, [], |row| row.get(0)).expect("a row"),
    }
}

/// The bytes in a column, of all rows of a table.
pub(crate) async fn bytes(app: &App, table: &str, column: &str) -> Vec<Vec<u8>> {
    let sql = format!("SELECT {column} FROM {table}");
    match url_of(app.folder()) {
        Some(url) => {
            let rows = connect(&url).await.query(&sql, &[]).await.expect("SQL");
            rows.iter().map(|row| row.get(0)).collect()
        }
        None => {
            let file = file(app);
            let mut statement = file.prepare(&sql).expect("SQL");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, _>>().expect("bytes")
        }
    }
}

/// Whether these bytes stand anywhere in others.
pub(crate) fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|it| it == part)
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

fn file(app: &App) -> rusqlite::Connection {
    let file = app.folder().join(".mainstay/data.db");
    let database = rusqlite::Connection::open(file).expect("the database's file");
    let patience = std::time::Duration::from_secs(10);
    database.busy_timeout(patience).expect("a connection that can wait");
    database
}
