//! Which log a file belongs to, by its name alone.
//!
//! A rotated file is its log's name with something after it that only counts or dates: `x.log.1`, `x.log.2024-05-01`,
//! `x.log-20240501`, `x.log.20240501-120000` (kubelet), each also with `.gz`. A container's `0.log`, `1.log` … are one
//! log: kubelet begins a new number when the container restarts. What the numbers of rotated files mean is not asked:
//! Flink 1.9 to 1.11 and 1.12 onwards count in opposite directions.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use super::Writer;

/// A file's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// What all files of the log share; [`CONTAINER`] for a container's.
    pub(super) stem: Arc<OsStr>,
    /// It carries a rotation's suffix or is packed: nobody writes to it by this name.
    pub(super) rotated: bool,
    /// Packed.
    pub(super) gz: bool,
    /// The first number of a rotation's suffix, or a container's number: the last resort when ordering.
    pub(super) number: u64,
}

/// The stem of a container's `N.log`.
pub(super) const CONTAINER: &str = "*.log";

/// Endings that a log's own name has; what follows one of them is a rotation's suffix.
const ENDINGS: [&[u8]; 6] = [b".log", b".out", b".err", b".txt", b".jsonl", b".json"];

impl Name {
    pub(super) fn parse(name: &OsStr) -> Self {
        Self::of(Self::stem(name).into(), name)
    }

    /// The parts of a name whose stem is held already.
    pub(super) fn of(stem: Arc<OsStr>, name: &OsStr) -> Self {
        let (bytes, gz) = unpacked(name);
        let (own, suffix) = split(bytes);
        Self {
            stem,
            rotated: gz || !suffix.is_empty(),
            gz,
            number: number(container(own).filter(|_| suffix.is_empty()).unwrap_or(suffix)),
        }
    }

    /// The stem that a name has.
    pub(super) fn stem(name: &OsStr) -> &OsStr {
        let (stem, _) = split(unpacked(name).0);
        container(stem).map_or(OsStr::from_bytes(stem), |_| OsStr::new(CONTAINER))
    }

    /// Whether a directory's files of this name are looked at without having been named.
    pub(super) fn is_log(name: &OsStr) -> bool {
        let stem = Self::stem(name).as_bytes();
        !stem.starts_with(b".") && (stem.ends_with(b".log") || stem.ends_with(b".out"))
    }

    /// Whether this is a container's log.
    pub(super) fn is_container(&self) -> bool {
        *self.stem == *CONTAINER
    }
}

/// A name without the ending of what is packed, and whether it had it.
fn unpacked(name: &OsStr) -> (&[u8], bool) {
    let whole = name.as_bytes();
    whole
        .strip_suffix(b".gz")
        .map_or((whole, false), |rest| (rest, true))
}

/// The number of a container's log.
fn container(stem: &[u8]) -> Option<&[u8]> {
    stem.strip_suffix(b".log")
        .filter(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// Whose log it is, where Flink's own file names say so (`flink-daemon.sh`, `flink-console.sh`, 1.9 to 2.3; YARN's
/// `jobmanager.log`). Standard output need not hold a log, whoever's it is.
pub(super) fn writer_by_name(stem: &OsStr) -> Option<Writer> {
    const TASK: [&[u8]; 2] = [b"taskexecutor", b"taskmanager"];
    const JOB: [&[u8]; 5] = [
        b"standalonesession",
        b"standalonejob",
        b"kubernetes-session",
        b"kubernetes-application",
        b"jobmanager",
    ];
    let named = |words: &[&[u8]]| {
        words
            .iter()
            .any(|word| memchr::memmem::find(stem.as_bytes(), word).is_some())
    };
    if named(&TASK) {
        return Some(Writer::TaskManager);
    }
    (stem.as_bytes().ends_with(b".log") && named(&JOB)).then_some(Writer::JobManager)
}

/// Parts a name into the log's own and the suffix that rotation gave it.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    for ending in ENDINGS {
        let at = memchr::memmem::rfind(name, ending).map(|at| at + ending.len());
        if let Some((stem, suffix)) = at.map(|at| name.split_at(at))
            && (suffix.is_empty() || counts_or_dates(suffix))
        {
            return (stem, suffix);
        }
    }
    // A name without a log's ending was named by the user; only a plain number is safe to take off it.
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    match name.len().checked_sub(digits + 1) {
        Some(dot) if digits > 0 && dot > 0 && name[dot] == b'.' => name.split_at(dot),
        _ => (name, &[]),
    }
}

fn counts_or_dates(suffix: &[u8]) -> bool {
    let separated = matches!(suffix[0], b'.' | b'-' | b'_');
    let plain = suffix
        .iter()
        .all(|byte| byte.is_ascii_digit() || b".-_:TZ+".contains(byte));
    separated && (suffix == b".old" || plain && suffix.iter().any(u8::is_ascii_digit))
}

fn number(text: &[u8]) -> u64 {
    text.iter()
        .skip_while(|byte| !byte.is_ascii_digit())
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_u64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::Name;

    #[test]
    fn the_files_of_a_log_share_its_stem() {
        for (name, stem, rotated, gz, number) in [
            ("x.log", "x.log", false, false, 0),
            ("x.log.1", "x.log", true, false, 1),
            ("x.log.12.gz", "x.log", true, true, 12),
            ("x.log.gz", "x.log", true, true, 0),
            ("x.log.2024-05-01", "x.log", true, false, 2024),
            ("x.log.2024-05-01.3", "x.log", true, false, 2024),
            ("x.log-20240501", "x.log", true, false, 20_240_501),
            ("x.log.old", "x.log", true, false, 0),
            ("x.out", "x.out", false, false, 0),
            ("x.out.2", "x.out", true, false, 2),
            ("0.log", "*.log", false, false, 0),
            ("12.log", "*.log", false, false, 12),
            ("0.log.20240501-120000", "*.log", true, false, 20_240_501),
            ("0.log.20240501-120000.gz", "*.log", true, true, 20_240_501),
            (
                "flink--standalonesession-0-host.log",
                "flink--standalonesession-0-host.log",
                false,
                false,
                0,
            ),
            ("flink-1.20.log.3", "flink-1.20.log", true, false, 3),
            ("jobs.jsonl.1", "jobs.jsonl", true, false, 1),
            ("app", "app", false, false, 0),
            ("app.3", "app", true, false, 3),
            (".3", ".3", false, false, 0),
            ("x.log.bak", "x.log.bak", false, false, 0),
            ("x.log.", "x.log.", false, false, 0),
            ("", "", false, false, 0),
        ] {
            let parsed = Name::parse(OsStr::new(name));
            let expected = Name {
                stem: OsStr::new(stem).into(),
                rotated,
                gz,
                number,
            };
            assert_eq!(parsed, expected, "{name}");
        }
    }

    #[test]
    fn a_directory_offers_logs_and_nothing_else() {
        for name in [
            "x.log",
            "x.log.1",
            "x.log.1.gz",
            "x.out",
            "0.log",
            "x.log-20240501.gz",
        ] {
            assert!(Name::is_log(OsStr::new(name)), "{name}");
        }
        for name in [
            "x.txt",
            ".x.log",
            "x.log.swp",
            "x.log.lck",
            "flink-conf.yaml",
            "x.gz",
            "log",
        ] {
            assert!(!Name::is_log(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn any_bytes_are_a_name() {
        for name in [&b"\xff\xfe.log.1"[..], b"a\nb.log", b"\"q\".log", &[b'x'; 255]] {
            let parsed = Name::parse(OsStr::from_bytes(name));
            assert!(!parsed.stem.is_empty());
        }
    }
}
