//! Connections: how each is opened, and what SQLite is told to be strict about.

use mainstay_core::Error;
use rusqlite::{Connection, OpenFlags, config::DbConfig, vtab::array};

use crate::{
    error::Trouble,
    functions,
    settings::{Durability, SqliteSettings},
};

/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: u32 = 8_192;
/// Page cache of each reader, in KiB. Readers are as many as the server has threads.
const READER_CACHE_KIB: u32 = 4_096;
/// Pages of write-ahead log after which it is written back into the file, which the
/// writes of that moment wait for: more of them would make for fewer waits, and each
/// longer. This is SQLite's usual number.
const LOG_PAGES: u32 = 1_000;
/// Bytes of write-ahead log that are kept after it was written back.
const LOG_BYTES_KEPT: u32 = 32 * 1024 * 1024;

/// Opens the one connection that writes, and makes the file where it is missing.
///
/// # Errors
/// `Unavailable` where the file cannot be opened or another process has locked it.
pub(crate) fn open_writer(settings: &SqliteSettings) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let synchronous = match settings.durability {
        Durability::Full => "FULL",
        Durability::Process => "NORMAL",
    };
    let pages = settings
        .pages_max
        .map_or_else(String::new, |pages| format!("PRAGMA max_page_count = {pages};"));
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&settings.path, flags)?;
        connection.busy_timeout(settings.busy_timeout)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{WRITER_CACHE_KIB};
             PRAGMA wal_autocheckpoint = {LOG_PAGES};
             PRAGMA journal_size_limit = {LOG_BYTES_KEPT};
             {pages}"
        ))?;
        prepare(&connection)?;
        Ok(connection)
    };
    open().map_err(|error| cannot_open(settings, error))
}

/// Opens a connection that only reads.
///
/// # Errors
/// `Unavailable` where the file cannot be opened.
pub(crate) fn open_reader(settings: &SqliteSettings) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&settings.path, flags)?;
        connection.busy_timeout(settings.busy_timeout)?;
        connection.execute_batch(&format!(
            "PRAGMA query_only = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{READER_CACHE_KIB};"
        ))?;
        prepare(&connection)?;
        Ok(connection)
    };
    open().map_err(|error| cannot_open(settings, error))
}

/// What every connection needs: our functions, and none of SQLite's leniencies.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A prepared statement keeps its plan. Otherwise SQLite parses it anew whenever a value
    // that could change the plan is bound, a LIMIT among them: dearer than the query itself.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(0);
    array::load_module(connection)?;
    functions::register(connection)
}

fn cannot_open(settings: &SqliteSettings, error: rusqlite::Error) -> Error {
    let path = settings.path.display();
    let why = match &error {
        rusqlite::Error::SqliteFailure(code, _) => match code.code {
            rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked => {
                "another process has locked it"
            }
            rusqlite::ErrorCode::NotADatabase => "it is not a SQLite database",
            rusqlite::ErrorCode::CannotOpen => {
                "it cannot be opened: its folder must exist and be writable"
            }
            rusqlite::ErrorCode::ReadOnly => "it cannot be written",
            rusqlite::ErrorCode::DiskFull => "the disk is full",
            _ => "SQLite refuses it",
        },
        _ => "SQLite refuses it",
    };
    Error::unavailable(format!("cannot open the database {path}: {why}"))
        .with_source(Trouble::from(error).into_error())
}
