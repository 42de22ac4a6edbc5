//! Which pod a container's log is of, by the paths that kubelet gives it.

use std::path::Path;

/// Digits of a container's id in the names of `/var/log/containers`.
const CONTAINER_ID: usize = 64;

/// `NAMESPACE/POD` of a file below `/var/log/pods` (`NAMESPACE_POD_UID/CONTAINER/N.log`) or in `/var/log/containers`
/// (`POD_NAMESPACE_CONTAINER-ID.log`, a link to the former). None of these names may have a `_` in it.
pub fn pod(path: &Path) -> Option<String> {
    of_container(path).or_else(|| of_pod(path))
}

fn of_container(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    let (pod, rest) = name.split_once('_')?;
    let (namespace, container) = rest.split_once('_')?;
    let (_, id) = container.rsplit_once('-')?;
    let is_id = id.len() == CONTAINER_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && is_name(pod) && is_name(namespace)).then(|| format!("{namespace}/{pod}"))
}

fn of_pod(path: &Path) -> Option<String> {
    let directory = path.parent()?.parent()?;
    if directory.parent()?.file_name()? != "pods" {
        return None;
    }
    let mut parts = directory.file_name()?.to_str()?.split('_');
    let (namespace, pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !uid.is_empty();
    (whole && is_name(namespace) && is_name(pod)).then(|| format!("{namespace}/{pod}"))
}

/// A DNS name as Kubernetes wants it for namespaces and pods (RFC 1123).
fn is_name(text: &str) -> bool {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::pod;

    #[test]
    fn kubelets_paths_name_the_pod() {
        let id = "0123456789abcdef".repeat(4);
        for (path, expected) in [
            (
                "/var/log/pods/flink_orders-jm-0_4b6e/flink-main-container/0.log",
                Some("flink/orders-jm-0"),
            ),
            (
                "/mnt/pods/flink_orders-jm-0_4b6e/main/0.log.20260302-090000.gz",
                Some("flink/orders-jm-0"),
            ),
            (
                &format!("/var/log/containers/orders-jm-0_flink_flink-main-container-{id}.log"),
                Some("flink/orders-jm-0"),
            ),
            ("/var/log/containers/orders-jm-0_flink_main-0123.log", None),
            ("/var/log/pods/flink_orders/main/0.log", None),
            ("/var/log/other/flink_orders-jm-0_4b6e/main/0.log", None),
            ("/opt/flink/log/flink--standalonesession-0-host.log", None),
            ("0.log", None),
            ("-", None),
        ] {
            assert_eq!(pod(Path::new(path)).as_deref(), expected, "{path}");
        }
    }
}
