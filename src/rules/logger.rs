//! Is this the logger that a rule names? Layouts shorten names, each in its own way.

/// True when `observed` is `full`, or, where the layout shortens, a shortening of it.
///
/// Known ways to shorten: log4j 1 `%c{1}` and log4j 2 `%c{-2}` drop packages from the left, log4j 2 `%c{1.}` and
/// logback `%logger{36}` cut packages to their first letters, `%.30c` cuts characters from the left. All of them keep the
/// class name (the last segment), so that is compared whole; packages are compared from the right, each a beginning of
/// the full one; the leftmost may also be its end (`%.30c`). Where the layout does not shorten, a user's class named
/// `ExecutionGraph` in no package must not pass; but logback's stock `%logger{60}` prints most names whole and takes
/// letters from the left of those that are longer (`o.apache.flink.….AdaptiveScheduler`), which passes everywhere.
#[must_use]
pub fn logger_matches(observed: &[u8], full: &str, shortened: bool) -> bool {
    if observed == full.as_bytes() {
        return true;
    }
    let (packages, class) = split_class(observed);
    let (full_packages, full_class) = split_class(full.as_bytes());
    // First what tells most loggers apart.
    if class != full_class {
        return false;
    }
    if !shortened {
        return is_too_long_for_logback(observed, full.as_bytes());
    }
    packages.is_none_or(|packages| packages_match(packages, full_packages.unwrap_or_default()))
}

/// All packages are there, those on the left as single letters, the others whole.
fn is_too_long_for_logback(observed: &[u8], full: &[u8]) -> bool {
    let mut segments = observed.split(|byte| *byte == b'.');
    let mut whole = full.split(|byte| *byte == b'.');
    let mut letters = true;
    loop {
        match (segments.next(), whole.next()) {
            (None, None) => return true,
            (Some(segment), Some(whole)) if letters && whole.starts_with(segment) && segment.len() == 1 => {}
            (Some(segment), Some(whole)) if segment == whole => letters = false,
            _ => return false,
        }
    }
}

/// The class name: the part after the last dot.
#[must_use]
pub fn class_of(logger: &[u8]) -> &[u8] {
    split_class(logger).1
}

fn split_class(logger: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match memchr::memrchr(b'.', logger) {
        Some(dot) => (Some(&logger[..dot]), &logger[dot + 1..]),
        None => (None, logger),
    }
}

fn packages_match(observed: &[u8], full: &[u8]) -> bool {
    let mut full = full.rsplit(|byte| *byte == b'.');
    let mut observed = observed.rsplit(|byte| *byte == b'.').peekable();
    while let Some(segment) = observed.next() {
        let Some(whole) = full.next() else { return false };
        let leftmost = observed.peek().is_none();
        if !(whole.starts_with(segment) || leftmost && whole.ends_with(segment)) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::logger_matches;

    const GRAPH: &str = "org.apache.flink.runtime.executiongraph.ExecutionGraph";

    #[test]
    fn every_way_to_shorten_a_logger_is_known() {
        for observed in [
            GRAPH,
            "ExecutionGraph",
            "executiongraph.ExecutionGraph",
            "o.a.f.r.e.ExecutionGraph",
            "o.a.f.runtime.executiongraph.ExecutionGraph",
            "or.ap.fl.ru.ex.ExecutionGraph",
            "flink.runtime.executiongraph.ExecutionGraph",
            "ink.runtime.executiongraph.ExecutionGraph",
            ".runtime.executiongraph.ExecutionGraph",
        ] {
            assert!(logger_matches(observed.as_bytes(), GRAPH, true), "{observed}");
            assert_eq!(
                logger_matches(observed.as_bytes(), GRAPH, false),
                [
                    GRAPH,
                    "o.a.f.r.e.ExecutionGraph",
                    "o.a.f.runtime.executiongraph.ExecutionGraph"
                ]
                .contains(&observed),
                "{observed}"
            );
        }
    }

    #[test]
    fn other_classes_and_other_packages_are_told_apart() {
        for observed in [
            "",
            "Graph",
            "MyExecutionGraph",
            "ExecutionGraph$1",
            "ExecutionGraph.",
            "c.a.f.r.e.ExecutionGraph",
            "com.acme.ExecutionGraph",
            "x.org.apache.flink.runtime.executiongraph.ExecutionGraph",
            "org.apache.flink.runtime.executiongraph.failover.ExecutionGraph",
        ] {
            assert!(!logger_matches(observed.as_bytes(), GRAPH, true), "{observed}");
        }
    }
}
