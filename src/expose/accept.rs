//! What a client accepts: a text format by `Accept`, compression by `Accept-Encoding`, both with q-values (RFC 9110 §12).

use super::render::Format;

/// The format for this `Accept`. OpenMetrics only where it is named and liked at least as much as the classic text;
/// the classic text otherwise, also where nothing offered is acceptable: a scrape is worth more than a 406.
#[must_use]
pub fn format(accept: &str) -> Format {
    let openmetrics = quality(accept, |media, parameters| {
        (media == "application/openmetrics-text" && has_version(parameters, "1.0.0")).then_some(0)
    });
    let text = quality(accept, |media, parameters| match media {
        "text/plain" if has_version(parameters, "0.0.4") => Some(2),
        "text/*" => Some(1),
        "*/*" => Some(0),
        _ => None,
    });
    if openmetrics > 0 && openmetrics >= text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// May the answer be gzipped? Only where gzip is named: `*` asks for nothing in particular.
#[must_use]
pub fn gzip(accept_encoding: &str) -> bool {
    quality(accept_encoding, |coding, _| {
        matches!(coding, "gzip" | "x-gzip").then_some(0)
    }) > 0
}

/// A version that is not named is any version.
fn has_version(parameters: &str, offered: &str) -> bool {
    parameter(parameters, "version").is_none_or(|asked| asked == offered)
}

/// The quality, in thousandths, of the most specific entry that `rank` knows; 0 where it knows none.
fn quality(header: &str, rank: impl Fn(&str, &str) -> Option<u8>) -> u16 {
    let entries = header.split(',').filter_map(|entry| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let rank = rank(&name.trim().to_ascii_lowercase(), parameters)?;
        let asked = parameter(parameters, "q")
            .map_or(Some(1.0), |q| q.parse::<f32>().ok())
            .unwrap_or(0.0);
        // Clamped to 0..=1 first; NaN becomes 0.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1000 fits"
        )]
        let thousandths = (asked.clamp(0.0, 1.0) * 1000.0) as u16;
        Some((rank, thousandths))
    });
    entries.max().map_or(0, |(_, quality)| quality)
}

fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_accept() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, expected) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "Application/OpenMetrics-Text; Version=\"1.0.0\"",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            (
                "application/openmetrics-text; version=2.0.0, */*;q=0.1",
                Format::Text,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
            (
                "application/openmetrics-text;q=0.4,text/plain;q=0.5",
                Format::Text,
            ),
            (
                "application/openmetrics-text;q=0.5,text/*;q=0.5",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;q=0.5,text/plain;q=0.3,*/*;q=0.9",
                Format::OpenMetrics,
            ),
            ("application/vnd.google.protobuf", Format::Text),
            ("text/html,;;=,q=,application/openmetrics-text;q=x", Format::Text),
        ] {
            assert_eq!(format(accept), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_used_only_where_it_is_named() {
        for (accept, expected) in [
            ("", false),
            ("*", false),
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
        ] {
            assert_eq!(gzip(accept), expected, "{accept}");
        }
    }
}
