//! "Did you mean …": the known word that is nearest to a misspelt one.

/// Longest word that something is suggested for, bytes.
const LONGEST: usize = 100;

/// `; did you mean "…"?` when a known word is near enough to be what was meant.
pub fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("; did you mean \"{near}\"?"))
}

/// The known word at the smallest edit distance, case ignored; none further than a third of the word's length.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // No key or value that is known is so long, and comparing takes time by the square.
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let limit = lower.chars().count().div_ceil(3);
    known
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j - 1] + same).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["path", "cluster", "timezone", "CANCELED", "FAILED"];
        for (word, expected) in [
            ("pahts", Some("path")),
            ("Cluster", Some("cluster")),
            ("time_zone", Some("timezone")),
            ("CANCELLED", Some("CANCELED")),
            ("failed", Some("FAILED")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_step() {
        for (a, b, expected) in [
            ("ab", "ba", 1),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
