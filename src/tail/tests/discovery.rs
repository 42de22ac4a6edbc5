//! Discovery: T31 to T38, clusters, what is left out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;
use crate::tail::From;
use crate::tail::wake::Hints;

#[test]
fn t31_a_directory_that_comes_later_is_read_from_the_beginning() {
    for given in ["logs", "logs/x.log", "logs/*.log", "*/x.log"] {
        let mut rig = Rig::new(&[given]);
        rig.poll();
        rig.expect_notice(|notice| {
            matches!(notice, Notice::Missing(_) | Notice::NoJobManagerLog(_)) || given == "*/x.log"
        });
        fs::create_dir(rig.path("logs")).unwrap();
        rig.append("logs/x.log", text(0, 10));
        rig.poll();
        assert_eq!(rig.sink.lines, lines(0, 10), "{given}");
    }
}

#[test]
fn a_pattern_that_leads_to_a_log_is_not_said_to_miss_one_where_else_it_leads() {
    let mut rig = Rig::new(&["*/x.log*"]);
    for dir in ["a", "b"] {
        fs::create_dir(rig.path(dir)).unwrap();
    }
    rig.poll();
    rig.expect_notice(|notice| matches!(notice, Notice::Missing(_)));
    rig.append("a/x.log", text(0, 10));
    rig.restart(&["*/x.log*"]);
    rig.poll();
    assert_eq!(rig.tailer.take_notices(), []);
}

#[test]
fn a_directory_is_read_oldest_content_first_whatever_the_numbers_say() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.log.2", text(0, 10));
    rig.append("x.log.1", text(10, 20));
    rig.append("x.log.3", text(20, 30));
    rig.append("x.log", text(30, 40));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 40));
    assert_eq!((rig.sink.ends, rig.stats().rotations.len()), (3, 0));
}

#[test]
fn a_named_file_comes_without_its_predecessors_and_with_its_successors() {
    let mut rig = Rig::new(&["x.log"]);
    rig.append("x.log.1", text(0, 10));
    rig.append("x.log", text(10, 20));
    rig.poll();
    rig.rename("x.log.1", "x.log.2");
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", text(20, 30));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(10, 30));
}

#[test]
fn from_end_skips_what_is_there_and_finishes_the_line_being_written() {
    let dir = tempfile::tempdir().unwrap();
    append(&dir.path().join("x.log.1"), text(0, 10).as_bytes());
    append(
        &dir.path().join("x.log"),
        format!("{}T77 be", text(10, 20)).as_bytes(),
    );
    let end = Settings {
        from: From::End,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], end, Arc::new(OsFs));
    rig.poll();
    rig.append("x.log", format!("gun\n{}", text(20, 30)));
    rig.append("new.log", text(30, 40));
    rig.poll();
    assert_eq!(
        rig.sink.lines[0],
        lines(30, 40)[0],
        "what appears later is read from its beginning"
    );
    assert_eq!(rig.sink.lines[10], "T77 begun");
    assert_eq!(rig.sink.lines[11..], lines(20, 30));
}

#[test]
fn taskmanager_logs_are_left_out_and_unknown_files_wait_until_they_show() {
    let mut rig = Rig::new(&["."]);
    rig.append("flink-u-taskexecutor-0-h.log", "T1 whatever\n");
    rig.append("tm.log", "T1 task\n");
    rig.append("jm.log", "");
    rig.append("jm.out", "hello\n");
    rig.append("notes.txt", "T1 not a log by name\n");
    rig.poll();
    rig.expect(&[]);
    let notices = rig.tailer.take_notices();
    assert_eq!(
        notices
            .iter()
            .filter(|n| matches!(n, Notice::TaskManagerLog(_)))
            .count(),
        2,
        "{notices:?}"
    );
    assert!(notices.iter().any(|n| matches!(n, Notice::NoJobManagerLog(_))));
    rig.append("jm.log", "T2 job\n");
    rig.append("jm.out", "T3 console\n");
    rig.append("tm.log", "T4 job\n");
    rig.poll();
    rig.sink.lines.sort();
    rig.expect(&["T2 job", "T3 console", "hello"]);
}

#[test]
fn a_pattern_takes_what_it_matches_but_taskmanagers() {
    let mut rig = Rig::new(&["*.txt"]);
    rig.append("a.txt", "of unknown layout\n");
    rig.append("b.txt", "T1 task\n");
    rig.append("c.log", "T1 job\n");
    rig.poll();
    rig.expect(&["of unknown layout"]);
}

#[test]
fn a_file_of_an_unknown_layout_is_told_once_it_has_shown_enough() {
    let mut rig = Rig::new(&["."]);
    rig.append("x.out", "no log at all\n".repeat(5000));
    rig.poll();
    rig.expect_notice(|notice| matches!(notice, Notice::NotRecognised(_)));
}

#[test]
fn t32_a_file_that_cannot_be_opened_is_tried_again() {
    // Not by its permissions: root may open everything.
    let (mut rig, fs) = Rig::faulty(&["."]);
    rig.append("x.log", text(0, 10));
    rig.append("y.log", text(10, 20));
    fs.fail_of("x.log", Op::Open);
    rig.poll();
    assert_eq!(rig.sink.lines, lines(10, 20));
    assert!(rig.errors(Op::Open) > 0);
    rig.expect_notice(|notice| matches!(notice, Notice::Failed { op: Op::Open, .. }));
    fs.fail(None);
    rig.wait(120);
    assert_eq!(rig.sink.lines[10..], lines(0, 10));
}

#[test]
fn t33_one_file_by_two_patterns_a_symlink_and_a_hard_link_is_read_once() {
    let mut rig = Rig::new(&["*.log", "x*", "."]);
    rig.append("x.log", text(0, 10));
    symlink("x.log", rig.path("y.log")).unwrap();
    fs::hard_link(rig.path("x.log"), rig.path("z.log")).unwrap();
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 10));
    rig.append("x.log", text(10, 20));
    rig.settle();
    assert_eq!(rig.sink.lines, lines(0, 20));
    rig.expect_notice(|notice| matches!(notice, Notice::Duplicate(_)));
    assert_eq!(rig.sink.opened.len(), 1);
}

#[test]
fn t34_two_files_that_begin_alike_are_both_read() {
    let mut rig = Rig::new(&["."]);
    let banner = "T1 banner\n".repeat(500);
    rig.append("a.log", format!("{banner}T2 a\n"));
    rig.append("b.log", format!("{banner}T2 b\n"));
    rig.append("b.log.1", format!("{banner}T2 c\n"));
    rig.poll();
    // And one beside those that were read to their end.
    rig.append("b.log.2", format!("{banner}T2 d\n"));
    rig.settle();
    let lines = rig.sink.lines.iter();
    let mut last: Vec<_> = lines.filter(|line| line.starts_with("T2")).collect();
    last.sort();
    assert_eq!(last, ["T2 a", "T2 b", "T2 c", "T2 d"]);
}

#[test]
fn t35_only_the_files_meant_are_touched_among_many() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..3000 {
        fs::write(dir.path().join(format!("other-{n}.dat")), "").unwrap();
    }
    for n in 0..10 {
        fs::write(dir.path().join(format!("x{n}.log")), text(n * 10, n * 10 + 10)).unwrap();
    }
    let fs = faulty::Faulty::new();
    let mut rig = Rig::with(dir, &["x*.log"], settings(), fs.clone());
    rig.poll();
    assert_eq!(rig.sink.lines.len(), 100);
    assert!(fs.stats() < 100, "{} files asked after", fs.stats());
    let opened = fs.opens();
    rig.poll();
    assert_eq!(fs.opens(), opened, "a pass over quiet files opens none");
}

#[test]
fn t36_what_is_no_regular_file_is_refused_without_blocking() {
    let mut rig = Rig::new(&["."]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        rig.path("fifo.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(rig.path("socket.log")).unwrap();
    symlink("/dev/zero", rig.path("zero.log")).unwrap();
    fs::create_dir(rig.path("dir.log")).unwrap();
    rig.append("x.log", text(0, 5));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 5));
    let notices = rig.tailer.take_notices();
    assert_eq!(
        notices
            .iter()
            .filter(|notice| matches!(notice, Notice::NotAFile(_)))
            .count(),
        3,
        "{notices:?}"
    );
    for name in ["fifo.log", "socket.log", "zero.log", "dir.log"] {
        // Not even opened: to open a device may be to act on it, and to open a socket is another error.
        let refused = OsFs.open(&rig.path(name)).err().map(|error| error.kind());
        assert_eq!(refused, Some(std::io::ErrorKind::InvalidInput), "{name}");
    }
}

#[test]
fn t37_any_file_name_will_do() {
    let mut rig = Rig::new(&["."]);
    let names = [
        b"new\nline.log".to_vec(),
        b"\"quoted\".log".to_vec(),
        b"\xff\xfe.log".to_vec(),
        [&[b'n'; 251][..], b".log"].concat(),
    ];
    for name in &names {
        append(&rig.dir.path().join(OsStr::from_bytes(name)), b"T1 read\n");
    }
    rig.poll();
    rig.expect(&["T1 read"; 4]);
    assert!(
        rig.sink
            .opened
            .iter()
            .any(|info| info.name.ends_with("\\xff\\xfe.log"))
    );
}

#[test]
fn t38_few_descriptors_for_many_files() {
    let dir = tempfile::tempdir().unwrap();
    let few = Settings {
        open_files: 8,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], few, Arc::new(OsFs));
    for round in 0..3 {
        for file in 0..100 {
            rig.append(&format!("{file}-x.log"), text(round, round + 1));
        }
        rig.poll();
        assert!(rig.tailer.open_files() <= 8);
        assert!(rig.tailer.files_closed() > 0, "what the cap costs is counted");
    }
    assert_eq!(rig.sink.lines.len(), 300);
}

#[test]
fn one_busy_file_does_not_starve_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let small = Settings {
        log_budget: 8192,
        pass_budget: 16 << 10,
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], small, Arc::new(OsFs));
    rig.append("a.log", text(0, 10_000));
    rig.append("b.log", text(10_000, 10_001));
    for _ in 0..3 {
        assert!(rig.tailer.poll(rig.now, &mut rig.sink).more);
    }
    assert!(rig.sink.lines.contains(&lines(10_000, 10_001)[0]));
}

#[test]
fn the_cluster_comes_from_the_capture_or_the_directories_that_wildcards_matched() {
    let dir = tempfile::tempdir().unwrap();
    for cluster in ["prod", "test"] {
        fs::create_dir_all(dir.path().join(cluster).join("eu/log")).unwrap();
        fs::write(dir.path().join(cluster).join("eu/log/jm.log"), "T1 x\n").unwrap();
    }
    let cluster = |pattern: &str, capture: Option<&str>| {
        let path = dir.path().join(pattern);
        let sources = vec![source(path.to_str().unwrap(), capture)];
        let mut tailer = Tailer::new(Arc::new(OsFs), sources, classify(), settings(), Vec::new());
        let mut sink = Recorder::default();
        tailer.poll(Duration::ZERO, &mut sink);
        sink.opened
            .into_iter()
            .map(|info| info.cluster.unwrap_or_else(|| "-".into()))
            .collect::<Vec<_>>()
    };
    assert_eq!(cluster("*/eu/log/jm.log", None), ["prod", "test"]);
    assert_eq!(cluster("*/*/log", None), ["prod/eu", "test/eu"]);
    assert_eq!(cluster("*/*/log/*.log", None), ["prod/eu", "test/eu"]);
    assert_eq!(cluster("prod/eu/log/*.log", None), ["-"]);
    assert_eq!(cluster("prod/eu/log/jm.log", None), ["-"]);
    assert_eq!(cluster("prod/eu/log", Some("/(?<cluster>[^/]+)/eu/")), ["prod"]);
    let both = "/(?<namespace>[a-z]+)/(?<cluster>[a-z]+)/log";
    assert_eq!(cluster("*/eu/log", Some(both)), ["prod/eu", "test/eu"]);
    assert_eq!(
        cluster("**/*.log", Some("/(?<cluster>prod|live)/")),
        ["prod", "test/eu/log"]
    );
    assert_eq!(cluster("**", None), ["prod/eu/log", "test/eu/log"]);
    assert_eq!(
        cluster("prod/eu", None),
        Vec::<String>::new(),
        "a directory is not searched below"
    );
}

#[test]
fn a_source_that_cannot_be_used_says_why() {
    for (path, cluster, words) in [
        ("/log/[", None, "unclosed character class"),
        ("/log", Some("("), "unclosed group"),
        ("/log", Some("([a-z]+)"), "no group named `cluster`"),
    ] {
        let error = Source::new(OsStr::new(path), cluster).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn t41_hints_alone_are_enough_through_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let rare = Settings {
        period: Duration::from_secs(1000),
        ..settings()
    };
    let mut rig = Rig::with(dir, &["x.log"], rare, Arc::new(OsFs));
    rig.append("x.log", text(0, 10));
    rig.poll();
    let dirs = Hints {
        dirs: [rig.dir.path().to_owned()].into(),
        ..Hints::default()
    };
    let file = |rig: &Rig, name: &str| Hints {
        files: [rig.path(name)].into(),
        ..Hints::default()
    };
    rig.append("x.log", text(10, 20));
    rig.tailer.hint(file(&rig, "x.log"));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 20));
    rig.rename("x.log", "x.log.1");
    rig.append("x.log", "");
    rig.tailer.hint(dirs);
    rig.poll();
    rig.append("x.log.1", text(20, 30));
    rig.tailer.hint(file(&rig, "x.log.1"));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 30));
    rig.append("x.log", text(30, 40));
    rig.tailer.hint(file(&rig, "x.log"));
    rig.poll();
    assert_eq!(rig.sink.lines, lines(0, 40));
}

#[test]
fn t41_a_hint_of_one_file_reads_that_file_without_a_look_at_the_others() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..50 {
        fs::write(dir.path().join(format!("x{n}.log")), text(n, n + 1)).unwrap();
    }
    let fs = faulty::Faulty::new();
    let rare = Settings {
        period: Duration::from_secs(10),
        ..settings()
    };
    let mut rig = Rig::with(dir, &["."], rare, fs.clone());
    rig.poll();
    let before = fs.stats();
    rig.append("x7.log", text(100, 101));
    let path = rig.path("x7.log");
    rig.tailer.hint(Hints {
        files: [path].into(),
        ..Hints::default()
    });
    rig.poll();
    assert_eq!(rig.sink.lines.last(), lines(100, 101).last());
    assert_eq!(fs.stats(), before);
    // Without a hint, the periodic look finds it.
    rig.append("x8.log", text(101, 102));
    rig.poll();
    assert_eq!(rig.sink.lines.len(), 51);
    rig.wait(10);
    assert_eq!(rig.sink.lines.last(), lines(101, 102).last());
}

#[test]
fn t41_what_goes_on_in_files_that_are_not_read_costs_no_look() {
    for (given, beside) in [
        (".", "flink-x-taskexecutor-0-host.log"),
        ("x.log", "syslog"),
        ("x.*", "y.log"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.log"), text(0, 1)).unwrap();
        fs::write(dir.path().join(beside), text(0, 1)).unwrap();
        let fs = faulty::Faulty::new();
        let rare = Settings {
            period: Duration::from_secs(1000),
            ..settings()
        };
        let mut rig = Rig::with(dir, &[given], rare, fs.clone());
        rig.poll();
        let before = (fs.lists(), fs.stats());
        rig.append(beside, text(1, 2));
        let files = [rig.path(beside)].into();
        rig.tailer.hint(Hints {
            files,
            ..Hints::default()
        });
        rig.poll();
        assert_eq!((fs.lists(), fs.stats()), before, "{given}: {beside}");
        assert_eq!(rig.sink.lines, lines(0, 1));
    }
}

#[test]
fn a_look_at_logs_without_news_touches_none_of_them() {
    let mut rig = Rig::new(&["*.log"]);
    for name in ["a.log", "b.log", "c.log"] {
        rig.append(name, "T1 old\n");
    }
    rig.settle();
    let touched = |rig: &mut Rig| {
        rig.now += Duration::from_secs(60);
        rig.tailer.poll(rig.now, &mut rig.sink);
        rig.tailer.take_touched().len()
    };
    assert_eq!(touched(&mut rig), 0);
    rig.append("b.log", "T2 new\n");
    assert_eq!(touched(&mut rig), 1);
}

#[test]
fn t10_an_inode_that_one_log_left_is_news_to_another() {
    for emptied in [false, true] {
        let mut rig = Rig::new(&["."]);
        rig.append("x.log", text(0, 5));
        rig.append("y.log", text(10, 15));
        rig.settle();
        if emptied {
            rig.write("x.log", "");
            rig.settle();
        }
        // The file goes, and its inode comes back as the copy of another log: what a file system does that gives freed
        // inodes away at once.
        fs::create_dir(rig.path("freed")).unwrap();
        rig.rename("x.log", "freed/inode");
        rig.append("x.log", text(20, 25));
        rig.settle();
        rig.append("y.log", text(15, 18));
        let copy = fs::read(rig.path("y.log")).unwrap();
        rig.write("freed/inode", copy);
        rig.rename("freed/inode", "y.log.1");
        rig.write("y.log", "");
        rig.settle();
        let mut got = rig.sink.lines.clone();
        got.sort();
        let expected = [lines(0, 5), lines(10, 18), lines(20, 25)].concat();
        assert_eq!(got, expected, "emptied before: {emptied}");
    }
}
