//! The database file: how it is opened, its tables, and the steps from each older version to the present one.
//!
//! Tables are the program's own and may change with any version; the views are what people read (`docs/store.md`).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// Name of the database in the state directory.
pub(super) const FILE: &str = "flinktail.db";

/// `flnk`: says whose file it is (`PRAGMA application_id`).
const APPLICATION: i32 = 0x666c_6e6b;

/// The steps to each version from the one before. Never change one that was released: add the next, and keep a database
/// of the old version in `tests/store/`.
const MIGRATIONS: [(u32, &str); VERSION as usize] = [
    (1, include_str!("v1.sql")),
    (2, include_str!("v2.sql")),
    (3, include_str!("v3.sql")),
    (4, include_str!("v4.sql")),
    (5, include_str!("v5.sql")),
];

/// The present version (`PRAGMA user_version`).
pub(super) const VERSION: u32 = 5;

/// Page size of a new database, bytes. Of a row of a table without row numbers, as that of jobs, a page takes at most a quarter
/// of its own size; what is beyond goes into a page of this row alone. Rows of jobs have 1 to 2 KB: with pages of 4096
/// bytes the database was half as large again.
pub(super) const PAGE: u32 = 8192;

/// How long a writer waits for `sqlite3` in another terminal, which may hold a lock for the time of a query.
const BUSY: Duration = Duration::from_secs(2);

/// Makes the directory if it is not there, readable by its owner alone: jobs' names are not for everybody.
pub(super) fn make_dir(dir: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    // `SQLITE_OPEN_NOFOLLOW` refuses links anywhere in the path; those of the directory itself are the administrator's.
    dir.canonicalize()
}

/// Opens the database for writing, in the present version, made if it is not there.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    // SQLite gives its -wal and -shm files the mode of the database.
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let version = check_version(&connection)?;
    // Before anything is written: what is damaged is set aside as it was found.
    verify(&connection)?;
    if version == 0 {
        // Until its tables are there it holds nothing that could be lost.
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "page_size", PAGE)?;
        // Only an empty file takes it; it lets the file shrink when history is removed.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Pages that gather before they are brought from the log into the database (16 MiB), instead of 1000. The commit that does
    // that takes longer, and a page that is written again and again is brought there once.
    connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
    // KiB. Rows are written and seldom read again: more of the database in memory than this gains nothing.
    connection.pragma_update(None, "cache_size", -256)?;
    migrate(&mut connection)?;
    // FULL: a commit has reached the disk when it returns. What was shown must survive a loss of power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    if version == 0 {
        bring_to_disk(&connection, path)?;
    }
    Ok(connection)
}

/// Puts a new database with its name on the disk, in one go: with each step of its making there by itself, the first start
/// would wait for the disk a dozen times.
fn bring_to_disk(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    // Not the database's own file: opening and closing that beside SQLite drops the locks that SQLite holds on it.
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Opens the database for reading beside a running program.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let version = check_version(&connection)?;
    if version < VERSION {
        return Err(StoreError::Older { version });
    }
    Ok(connection)
}

/// Opens a database that cannot be written, for the program that holds its directory: on a disk that is full there is no room
/// for what `SQLite` puts beside it to be opened by several.
pub(super) fn open_alone(path: &Path) -> Result<Connection, StoreError> {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let connection = if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // The index of the log is then in memory (https://sqlite.org/wal.html#noshm).
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection
    } else {
        // It was closed in order: the file is all there is, and nobody writes to it.
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags)?
    };
    let version = check_version(&connection)?;
    if version < VERSION {
        return Err(StoreError::Older { version });
    }
    verify(&connection)?;
    Ok(connection)
}

/// A path as it stands in a URI.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                char::from(*byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Looks through the whole file: a damaged page that nobody happens to read now would be met in the middle of the night.
fn verify(connection: &Connection) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged(verdict))
    }
}

fn check_version(connection: &Connection) -> Result<u32, StoreError> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > VERSION {
        return Err(StoreError::Newer { version });
    }
    Ok(version)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let from = check_version(connection)?;
    if from == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for (_, step) in MIGRATIONS.iter().filter(|(version, _)| *version > from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Puts a database aside under the next free name `*.corrupt-N`, with what belongs to it; gives that name.
pub(super) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let named = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    let mut number = 1_u32;
    while named(&format!(".corrupt-{number}")).try_exists()? {
        number += 1;
    }
    let aside = named(&format!(".corrupt-{number}"));
    std::fs::rename(path, &aside)?;
    for end in ["-wal", "-shm"] {
        match std::fs::rename(named(end), named(&format!(".corrupt-{number}{end}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}
