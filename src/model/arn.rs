//! Which application of Managed Service for Apache Flink (Kinesis Data Analytics): its ARN.

use std::fmt;
use std::sync::Arc;

/// `arn:PARTITION:kinesisanalytics:REGION:ACCOUNT:application/NAME`. An application is its ARN: names repeat over
/// regions and accounts. Made only from a valid one; copies share the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationArn(Arc<str>);

/// Longest name of an application, bytes (`ApplicationName` of the API's model of 2018-05-23).
const NAME_BYTES: usize = 128;

impl ApplicationArn {
    /// Reads an ARN; anything else, also the ARN of something else, is no application.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let is_sound = next() == Some("arn")
            && is_partition(next()?)
            && next() == Some("kinesisanalytics")
            && is_lower(next()?)
            && is_account(next()?)
            && is_name(next()?.strip_prefix("application/")?);
        is_sound.then(|| Self(Arc::from(text)))
    }

    /// The ARN of an application that is told by its parts, as CloudTrail does; the region says which partition.
    #[must_use]
    pub fn of_parts(region: &str, account: &str, name: &str) -> Option<Self> {
        let partition = partition_of(region);
        Self::parse(&format!(
            "arn:{partition}:kinesisanalytics:{region}:{account}:application/{name}"
        ))
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region, e.g. `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account: twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// The application's name: unique within region and account.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }

    fn part(&self, index: usize) -> &str {
        self.0.split(':').nth(index).unwrap_or_default()
    }
}

/// Partitions by the beginnings of their regions' names ("AWS partitions" of the AWS General Reference).
const PARTITIONS: [(&str, &str); 5] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
];

fn partition_of(region: &str) -> &'static str {
    let of = PARTITIONS.iter().find(|(start, _)| region.starts_with(start));
    of.map_or("aws", |(_, partition)| partition)
}

fn is_partition(text: &str) -> bool {
    text == "aws" || (text.starts_with("aws-") && is_lower(text))
}

fn is_lower(text: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_sound)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[a-zA-Z0-9_.-]+`.
fn is_name(text: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= NAME_BYTES && text.bytes().all(is_sound)
}

impl fmt::Display for ApplicationArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ApplicationArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::ApplicationArn;

    #[test]
    fn an_arn_is_taken_apart_and_whatever_is_none_is_refused() {
        for (text, expected) in [
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:application/orders",
                Some(("us-east-1", "111122223333", "orders")),
            ),
            (
                "arn:aws-cn:kinesisanalytics:cn-north-1:000000000001:application/A_b.c-9",
                Some(("cn-north-1", "000000000001", "A_b.c-9")),
            ),
            ("", None),
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:application/",
                None,
            ),
            (
                "arn:aws:kinesisanalytics:us-east-1:11112222333:application/orders",
                None,
            ),
            ("arn:aws:kinesisanalytics::111122223333:application/orders", None),
            ("arn:aws:kinesis:us-east-1:111122223333:application/orders", None),
            (
                "arn:gcp:kinesisanalytics:us-east-1:111122223333:application/orders",
                None,
            ),
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:stream/orders",
                None,
            ),
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:application/a\nb",
                None,
            ),
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:application/a:b",
                None,
            ),
            (
                "arn:aws:kinesisanalytics:us-east-1:111122223333:application/a/b",
                None,
            ),
            (
                "ARN:aws:kinesisanalytics:us-east-1:111122223333:application/orders",
                None,
            ),
        ] {
            let arn = ApplicationArn::parse(text);
            let parts = arn.as_ref().map(|arn| (arn.region(), arn.account(), arn.name()));
            assert_eq!(parts, expected, "{text}");
            assert!(arn.is_none_or(|arn| arn.as_str() == text));
        }
        let long = "a".repeat(129);
        assert!(ApplicationArn::of_parts("us-east-1", "111122223333", &long).is_none());
        assert!(ApplicationArn::of_parts("us-east-1", "111122223333", &long[1..]).is_some());
    }

    #[test]
    fn a_region_tells_its_partition() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            let arn = ApplicationArn::of_parts(region, "111122223333", "orders").unwrap();
            assert_eq!(
                arn.as_str(),
                format!("arn:{partition}:kinesisanalytics:{region}:111122223333:application/orders")
            );
        }
        assert!(ApplicationArn::of_parts("us-east-1", "", "orders").is_none());
    }
}
