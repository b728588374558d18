//! What is shown as it is: the page, built by npm from `page/`, and the runbooks.

/// A file of the admin listener.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Its URL path.
    pub path: &'static str,
    /// `Content-Type`.
    pub media_type: &'static str,
    /// All of it.
    pub bytes: &'static [u8],
}

macro_rules! built {
    ($path:literal, $name:literal, $media_type:literal) => {
        File {
            path: $path,
            media_type: $media_type,
            bytes: include_bytes!(concat!(env!("OUT_DIR"), "/", $name)),
        }
    };
}

macro_rules! runbooks {
    ($($name:literal)*) => {
        &[
            built!("/", "index.html", "text/html; charset=utf-8"),
            built!("/page/main.js", "main.js", "text/javascript; charset=utf-8"),
            built!("/page/style.css", "style.css", "text/css; charset=utf-8"),
            built!("/page/icon.svg", "icon.svg", "image/svg+xml"),
            built!("/page/licences.txt", "licences.txt", "text/plain; charset=utf-8"),
            $(File {
                path: concat!("/runbooks/", $name, ".md"),
                // As a browser shows it instead of saving it.
                media_type: "text/plain; charset=utf-8",
                bytes: include_bytes!(concat!("../../../docs/runbooks/", $name, ".md")),
            },)*
        ]
    };
}

/// The page at `/` and what it is made of, and the runbooks: a rack may have no other way to them.
pub const fn files() -> &'static [File] {
    runbooks! {
        "abuse-rising" "access-log-losing" "accounts-not-written" "bell-not-covered" "certificate-ends-soon"
        "checksum-failures" "clock-off" "control-down" "disk-not-well" "egress-near-capacity" "free-hours-short" "health-misses"
        "node-down" "node-not-renewed" "nodes-silent" "not-ready" "origin-overasked" "overload-high" "parent-down"
        "plan-not-heard" "plan-refused" "slower-than-realtime" "steering-down"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Script and style, in bytes as they are: an operator's line may be a phone's.
    const BUDGET_BYTES: usize = 100_000;

    fn text(path: &str) -> &'static str {
        let file = files().iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path}"));
        std::str::from_utf8(file.bytes).unwrap()
    }

    #[test]
    fn the_page_names_only_what_is_here_and_nobody_else() {
        let html = text("/");
        let named: Vec<&str> = html
            .split('"')
            .filter(|part| part.starts_with("/page/"))
            .inspect(|path| assert!(files().iter().any(|file| file.path == *path), "{path}"))
            .collect();
        assert_eq!(named.len(), 3, "icon, style, script: {named:?}");
        for forbidden in ["http://", "https://", "<style", " style=", " onload=", " onclick="] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert_eq!(
            html.matches("<script").count(),
            html.matches(" src=\"/page/").count(),
            "no inline script"
        );
        let style = text("/page/style.css");
        assert!(!style.contains("url(") && !style.contains("@import"), "style brings nothing else");
    }

    #[test]
    fn it_is_small() {
        let bytes = text("/page/main.js").len() + text("/page/style.css").len();
        assert!(bytes <= BUDGET_BYTES, "{bytes} bytes");
    }

    #[test]
    fn every_runbook_is_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbooks");
        let mut there: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("/runbooks/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        there.sort_unstable();
        let here: Vec<_> =
            files().iter().map(|file| file.path).filter(|path| path.starts_with("/runbooks/")).collect();
        assert_eq!(here, there);
    }
}
