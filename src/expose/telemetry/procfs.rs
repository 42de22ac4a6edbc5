//! `process_*` from `/proc/self`, by the names that every Prometheus client uses. (The `prometheus` crate's own
//! collector would bring a dependency for six numbers.) Where there is no `/proc`, the families are absent.

use std::fs;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};

use super::options;
use crate::expose::families::process;

/// Clock ticks per second in `/proc`: `USER_HZ`, 100 on every architecture that Rust supports on Linux.
const TICKS: f64 = 100.0;

/// Looks at `/proc/self` whenever the registry gathers.
#[derive(Debug)]
pub struct ProcessCollector {
    cpu: Counter,
    open_fds: Gauge,
    max_fds: Gauge,
    virtual_memory: Gauge,
    resident_memory: Gauge,
    threads: Gauge,
    start_time: Gauge,
}

impl ProcessCollector {
    /// With nothing read yet.
    pub fn new() -> prometheus::Result<Self> {
        let gauge = |family| Gauge::with_opts(options(family));
        Ok(Self {
            cpu: Counter::with_opts(options(&process::CPU))?,
            open_fds: gauge(&process::OPEN_FDS)?,
            max_fds: gauge(&process::MAX_FDS)?,
            virtual_memory: gauge(&process::VIRTUAL_MEMORY)?,
            resident_memory: gauge(&process::RESIDENT_MEMORY)?,
            threads: gauge(&process::THREADS)?,
            start_time: gauge(&process::START_TIME)?,
        })
    }

    fn gauges(&self) -> [&Gauge; 6] {
        [
            &self.open_fds,
            &self.max_fds,
            &self.virtual_memory,
            &self.resident_memory,
            &self.threads,
            &self.start_time,
        ]
    }

    /// None where any part of `/proc` cannot be read: half a picture is no use.
    fn read(&self) -> Option<()> {
        let stat = Stat::parse(&fs::read_to_string("/proc/self/stat").ok()?)?;
        if self.start_time.get() <= 0.0 {
            // Once: the kernel adds up every interrupt of every core for whoever reads this file.
            let boot = field(&fs::read_to_string("/proc/stat").ok()?, "btime ")?;
            self.start_time.set(boot + stat.start_ticks / TICKS);
        }
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        // The listing holds one descriptor of its own.
        let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);

        self.cpu
            .inc_by((stat.cpu_ticks / TICKS - self.cpu.get()).max(0.0));
        self.threads.set(stat.threads);
        self.virtual_memory.set(stat.virtual_bytes);
        self.resident_memory.set(field(&status, "VmRSS:")? * 1024.0);
        self.max_fds
            .set(field(&limits, "Max open files").unwrap_or(f64::INFINITY));
        self.open_fds.set(open as f64);
        Some(())
    }
}

/// The fields used of `/proc/self/stat` (proc(5)).
struct Stat {
    cpu_ticks: f64,
    threads: f64,
    start_ticks: f64,
    virtual_bytes: f64,
}

impl Stat {
    /// The second field is the program's name in brackets and may hold anything, so fields are counted from its end.
    fn parse(text: &str) -> Option<Self> {
        let rest: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // `rest[0]` is field 3 of the manual.
        let number = |field: usize| rest.get(field - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_ticks: number(14)? + number(15)?,
            threads: number(20)?,
            start_ticks: number(22)?,
            virtual_bytes: number(23)?,
        })
    }
}

/// The number that follows `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.gauges()
            .into_iter()
            .flat_map(Collector::desc)
            .chain(self.cpu.desc())
            .collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if self.read().is_none() {
            return Vec::new();
        }
        self.gauges()
            .into_iter()
            .flat_map(Collector::collect)
            .chain(self.cpu.collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_name_looks_like_fields_is_read_right() {
        let numbers = (3..=24).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let stat = Stat::parse(&format!("1 (a) 9 9 (b) {numbers}\n")).unwrap();
        assert_eq!((stat.cpu_ticks, stat.threads), (29.0, 20.0));
        assert_eq!((stat.start_ticks, stat.virtual_bytes), (22.0, 23.0));
        assert!(Stat::parse("1 (a) S 1 2").is_none());
    }
}
