//! A writer that rotates in every way there is, one step at a time, and keeps the books.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use super::disk::{Disk, Inode};
use crate::random::Random;

/// Jobs that it writes about.
pub const JOBS: usize = 3;

/// What every new file of a writer with a banner begins with: longer than the head by which files are known.
const BANNER: &str = "2026-03-02 00:00:00,000 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - \
    -----------------------------------------------------------------------------------------------------------------";

/// How its files follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `x.log` becomes `x.log.N`; the newest has the highest number (Log4j 2 with `fileIndex=nomax`).
    Counted,
    /// `x.log` becomes `x.log.1`, which becomes `x.log.2` (Log4j 1, logrotate).
    Shifted,
    /// `N.log` is followed by the next number, as kubelet does.
    Numbered,
    /// `x.log` is a symlink to the file that is written to.
    Linked,
}

/// What it does, beside writing and renaming.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// It copies and truncates.
    pub copies: bool,
    /// It packs.
    pub packs: bool,
    /// Files kept beside the one that is written to.
    pub kept: usize,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Truth {
    /// Every line, by its number.
    pub lines: Vec<String>,
    /// What else may be given as a line: what is left of torn ones, and banners.
    pub scraps: BTreeSet<String>,
    /// Lines destroyed before what came of them was kept.
    pub excused: BTreeSet<u32>,
    /// The files tell in which order they were written: they do not all begin with the same line.
    pub is_ordered: bool,
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Writing,
    /// `x.log.N` and below move up by one.
    Shifting(u64),
    /// Renamed; the file is still open.
    Renamed(String),
    /// Copied, to be cut.
    Copied,
    /// Deleted; the file is still open.
    Deleted,
    /// Half packed.
    Packing(String),
}

pub struct Writer {
    disk: Arc<Disk>,
    random: Random,
    style: Style,
    name: String,
    file: Arc<Inode>,
    /// Where it writes next, if it is one that keeps its place instead of appending.
    place: Option<usize>,
    banner: usize,
    /// The torn line, and what of it is still to be written.
    rest: Option<(u32, Vec<u8>)>,
    down: [bool; JOBS],
    rotation: u64,
    stage: Stage,
    habits: Habits,
    pub truth: Truth,
}

/// Whether what came of a line is kept.
pub type IsDurable<'a> = &'a dyn Fn(u32) -> bool;

impl Writer {
    pub fn new(disk: Arc<Disk>, mut random: Random, style: Style, habits: Habits) -> Self {
        let name = match style {
            Style::Counted | Style::Shifted => "jobmanager.log",
            Style::Numbered => "0.log",
            Style::Linked => "app-0.log",
        };
        let file = disk.create(name, Vec::new(), Vec::new());
        if style == Style::Linked {
            disk.link("jobmanager.log", name);
        }
        let place = (random.below(4) == 0).then_some(0);
        let mut writer = Self {
            disk,
            style,
            name: name.to_owned(),
            file,
            place,
            banner: random.pick(&[0, 0, 1, 8]),
            random,
            rest: None,
            down: [false; JOBS],
            rotation: 0,
            stage: Stage::Writing,
            habits,
            truth: Truth::default(),
        };
        writer.truth.scraps.insert(BANNER.to_owned());
        writer.truth.is_ordered = writer.banner == 0;
        writer.begin_file();
        writer.append();
        writer
    }

    /// A few lines, or the next step of a rotation.
    pub fn step(&mut self, durable: IsDurable<'_>) {
        if self.random.chance(700) {
            self.append();
            return;
        }
        match self.stage.clone() {
            Stage::Writing => self.begin_rotation(durable),
            stage => self.go_on(stage, durable),
        }
    }

    /// Ends what is under way, and writes a last line.
    pub fn finish(&mut self, durable: IsDurable<'_>) {
        while self.stage != Stage::Writing {
            self.go_on(self.stage.clone(), durable);
        }
        self.append();
        self.write_rest();
    }

    /// Lines that were written whole.
    pub fn whole(&self) -> usize {
        self.truth.lines.len() - usize::from(self.rest.is_some())
    }

    /// A few lines, seldom many; the last may be torn, and goes on with the next call.
    fn append(&mut self) {
        self.write_rest();
        let many = if self.random.chance(30) { 200 } else { 6 };
        for _ in 0..=self.random.below(many) {
            let number = self.line();
            let line = format!("{}\n", self.truth.lines[number as usize]).into_bytes();
            self.write(Some(number), &line);
        }
        if self.random.chance(200) {
            let number = self.line();
            let mut line = format!("{}\n", self.truth.lines[number as usize]).into_bytes();
            let rest = line.split_off(self.random.index(line.len()));
            self.write(None, &line);
            self.rest = Some((number, rest));
            self.tear();
        }
    }

    /// A deleted file is let go of after a while, and the line that was being written with it.
    fn tear(&mut self) {
        if self.stage == Stage::Deleted {
            self.truth.scraps.insert(last_line(&self.file));
        }
    }

    fn write_rest(&mut self) {
        if let Some((number, rest)) = self.rest.take() {
            self.write(Some(number), &rest);
        }
    }

    /// Writes bytes, with which a line is whole.
    fn write(&mut self, whole: Option<u32>, bytes: &[u8]) {
        let at = self.place.unwrap_or_else(|| self.file.content().bytes.len());
        self.disk.write_at(&self.file, at, bytes);
        if let Some(place) = &mut self.place {
            *place += bytes.len();
        }
        let Some(number) = whole else { return };
        self.file.content().lines.push(number);
        if !self.disk.has_name(&self.file) {
            self.truth.excused.insert(number);
        }
    }

    /// Makes up the next line; gives its number, which is its time of the day in milliseconds.
    fn line(&mut self) -> u32 {
        let number = u32::try_from(self.truth.lines.len()).unwrap();
        let (seconds, milli) = (number / 1000, number % 1000);
        let (minutes, second) = (seconds / 60, seconds % 60);
        let time = format!(
            "2026-03-02 {:02}:{:02}:{second:02},{milli:03}",
            minutes / 60,
            minutes % 60
        );
        let job = self.random.index(2 * JOBS);
        let line = if job < JOBS {
            let (from, to) = if self.down[job] {
                ("RESTARTING", "RUNNING")
            } else {
                ("RUNNING", "RESTARTING")
            };
            self.down[job] = !self.down[job];
            format!(
                "{time} INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph       [] - Job job-{job} ({job:032x}) \
                 switched from state {from} to {to}."
            )
        } else {
            format!(
                "{time} INFO  org.apache.flink.runtime.checkpoint.CheckpointCoordinator    [] - Completed checkpoint."
            )
        };
        self.truth.lines.push(line);
        number
    }

    fn begin_file(&mut self) {
        self.place = self.place.map(|_| 0);
        for _ in 0..self.banner {
            self.write(None, format!("{BANNER}\n").as_bytes());
        }
    }

    fn begin_rotation(&mut self, durable: IsDurable<'_>) {
        self.forget_oldest(durable);
        let by_name = matches!(self.style, Style::Counted | Style::Shifted);
        match self.random.below(10) {
            0..4 if self.style == Style::Shifted => self.stage = Stage::Shifting(self.rotation),
            0..4 if self.style == Style::Counted => self.rename(),
            0..4 => self.next_file(durable),
            4..6 if self.habits.copies && by_name && self.is_known_by_its_head() => self.copy(),
            6 if by_name && self.is_told_apart(durable) => self.rewrite(durable),
            7 if by_name => self.delete(durable),
            8..10 if self.habits.packs => self.pack(),
            _ => {}
        }
    }

    /// A copy that is shorter than what was read by the time it is found, the original being cut, is known by its first
    /// KiB alone: not one of less, nor one in which every file begins with the same, be it a banner or a hole.
    fn is_known_by_its_head(&self) -> bool {
        self.file.content().bytes.len() > 1024 && self.banner < 8 && self.place.is_none()
    }

    /// An unread file that is shorter than the one that is cut, and begins with the same KiB, looks like its copy.
    fn is_told_apart(&self, durable: IsDurable<'_>) -> bool {
        let read = |name: &String| {
            let file = self.disk.file(name);
            file.is_none_or(|file| file.content().lines.iter().all(|line| durable(*line)))
        };
        self.banner < 8 || self.rotated().iter().all(read)
    }

    fn go_on(&mut self, stage: Stage, durable: IsDurable<'_>) {
        match stage {
            Stage::Writing => {}
            Stage::Shifting(0) => self.rename(),
            Stage::Shifting(number) => {
                for end in ["", ".gz"] {
                    let from = format!("{}.{number}{end}", self.name);
                    self.disk
                        .rename(&from, &format!("{}.{}{end}", self.name, number + 1));
                }
                self.stage = Stage::Shifting(number - 1);
            }
            // The new file cannot be opened: the name is taken back (kubernetes/kubernetes#59898).
            Stage::Renamed(to) if self.random.chance(50) => {
                self.disk.rename(&to, &self.name);
                self.stage = Stage::Writing;
            }
            Stage::Renamed(_) | Stage::Deleted => {
                self.leave_file();
                self.file = self.disk.create(&self.name, Vec::new(), Vec::new());
                self.stage = Stage::Writing;
                self.begin_file();
            }
            Stage::Copied => {
                self.write_rest();
                self.cut(durable);
                self.stage = Stage::Writing;
            }
            Stage::Packing(name) => {
                let (packed, lines) = self.packed(&name);
                let (from, to) = (self.disk.file(&name), self.disk.file(&format!("{name}.gz")));
                if let (Some(from), Some(to)) = (from, to) {
                    self.disk.write_at(&to, 0, &packed);
                    to.date_as(&from);
                    to.content().lines = lines;
                }
                self.disk.unlink(&name);
                self.stage = Stage::Writing;
            }
        }
    }

    fn rename(&mut self) {
        self.rotation += 1;
        let number = if self.style == Style::Shifted {
            1
        } else {
            self.rotation
        };
        let to = format!("{}.{number}", self.name);
        self.disk.rename(&self.name, &to);
        self.stage = Stage::Renamed(to);
    }

    /// The process that wrote is over, and may have died within a line.
    fn leave_file(&mut self) {
        if self.rest.is_some() && self.random.chance(300) {
            let (number, _) = self.rest.take().unwrap();
            self.truth.excused.insert(number);
            self.truth.scraps.insert(last_line(&self.file));
        }
        self.write_rest();
    }

    fn copy(&mut self) {
        self.rotation += 1;
        if self.style == Style::Shifted {
            for number in (1..self.rotation).rev() {
                for end in ["", ".gz"] {
                    let from = format!("{}.{number}{end}", self.name);
                    self.disk
                        .rename(&from, &format!("{}.{}{end}", self.name, number + 1));
                }
            }
        }
        let number = if self.style == Style::Shifted {
            1
        } else {
            self.rotation
        };
        self.truth.scraps.insert(last_line(&self.file));
        self.disk.copy(&self.file, &format!("{}.{number}", self.name));
        self.stage = Stage::Copied;
    }

    /// Cuts the file to nothing.
    fn cut(&mut self, durable: IsDurable<'_>) {
        let lines = self.file.content().lines.clone();
        self.disk.truncate(&self.file);
        self.destroyed(lines, durable);
    }

    /// Writes the file anew, to whatever size.
    fn rewrite(&mut self, durable: IsDurable<'_>) {
        self.write_rest();
        self.cut(durable);
        self.begin_file();
        for _ in 0..=self.random.below(4) {
            self.append();
        }
    }

    fn delete(&mut self, durable: IsDurable<'_>) {
        let lines = self.file.content().lines.clone();
        self.disk.unlink(&self.name);
        self.destroyed(lines, durable);
        self.stage = Stage::Deleted;
        self.tear();
    }

    fn next_file(&mut self, durable: IsDurable<'_>) {
        // A link must be seen where it leads: what was its target only between two looks, nothing names.
        let first = self.file.content().lines.first().copied();
        if self.style == Style::Linked && !first.is_some_and(durable) {
            return;
        }
        self.write_rest();
        self.rotation += 1;
        self.name = match self.style {
            Style::Numbered => format!("{}.log", self.rotation),
            _ => format!("app-{}.log", self.rotation),
        };
        self.file = self.disk.create(&self.name, Vec::new(), Vec::new());
        self.begin_file();
        self.append();
        if self.style == Style::Linked {
            self.disk.link("jobmanager.log", &self.name);
        }
    }

    /// Begins to pack a file that nobody writes to any more.
    fn pack(&mut self) {
        let files: Vec<String> = self.rotated().into_iter().filter(|name| !has_gz(name)).collect();
        if files.is_empty() || self.style == Style::Linked {
            return;
        }
        let name = files[self.random.index(files.len())].clone();
        let (mut packed, _) = self.packed(&name);
        packed.truncate(self.random.index(packed.len()));
        self.disk.create(&format!("{name}.gz"), packed, Vec::new());
        self.stage = Stage::Packing(name);
    }

    fn packed(&self, name: &str) -> (Vec<u8>, Vec<u32>) {
        let Some(file) = self.disk.file(name) else {
            return (Vec::new(), Vec::new());
        };
        let content = file.content();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&content.bytes).unwrap();
        (encoder.finish().unwrap(), content.lines.clone())
    }

    /// Deletes what is beyond the number of files kept.
    fn forget_oldest(&mut self, durable: IsDurable<'_>) {
        while let files = self.rotated()
            && files.len() > self.habits.kept
        {
            let oldest = files.into_iter().min_by_key(|name| {
                let first = self
                    .disk
                    .file(name)
                    .and_then(|file| file.content().lines.first().copied());
                first.unwrap_or(0)
            });
            let oldest = oldest.unwrap();
            let lines = self.disk.file(&oldest).unwrap().content().lines.clone();
            self.disk.unlink(&oldest);
            self.destroyed(lines, durable);
        }
    }

    /// Files that nobody writes to any more.
    fn rotated(&self) -> Vec<String> {
        let mut names = self.disk.names();
        names.retain(|name| *name != self.name && name != "jobmanager.log");
        names
    }

    /// Everything that was known of it is lost: what no name given leads to cannot be read again. `named`: only the file
    /// that is written to has such a name.
    pub fn forgotten(&mut self, named: bool) {
        let there = if named || self.style == Style::Linked {
            let file = self.disk.file("jobmanager.log");
            file.map_or_else(BTreeSet::new, |file| {
                file.content().lines.iter().copied().collect()
            })
        } else {
            self.disk.lines()
        };
        let all = 0..u32::try_from(self.truth.lines.len()).unwrap();
        self.truth
            .excused
            .extend(all.filter(|line| !there.contains(line)));
    }

    fn destroyed(&mut self, lines: Vec<u32>, durable: IsDurable<'_>) {
        let left = self.disk.lines();
        let gone = lines
            .into_iter()
            .filter(|line| !left.contains(line) && !durable(*line));
        self.truth.excused.extend(gone);
    }
}

fn has_gz(name: &str) -> bool {
    std::path::Path::new(name)
        .extension()
        .is_some_and(|end| end == "gz")
}

/// What a file has after its last newline.
fn last_line(file: &Inode) -> String {
    let content = file.content();
    let last = content.bytes.rsplit(|byte| *byte == b'\n').next().unwrap();
    String::from_utf8(last.to_vec()).unwrap()
}
