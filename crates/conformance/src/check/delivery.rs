//! What HTTP says about playlists and media.

use super::Inspection;
use crate::fetch::Answer;
use crate::report::Place;
use crate::rule::delivery as apple;
use http::header;
use url::Url;

impl Inspection<'_> {
    /// Apple 10.1, 10.4, 12.1 of a playlist. Folders have no say.
    pub(super) fn playlist_delivery(&self, url: &Url, answer: &Answer) {
        let Some(http) = &answer.http else { return };
        let place = || Place::whole(url.as_str());
        self.judge.demand(&apple::A10_1, http.gzip, || (place(), "no Content-Encoding: gzip", "gzip"));
        if crate::read::m3u8::read(&String::from_utf8_lossy(&answer.body)).is_live_window() {
            let told = http.headers.contains_key(header::LAST_MODIFIED);
            self.judge.demand(&apple::A8_24, told, || (place(), "no Last-Modified", "one"));
        }
        self.mime(url, answer, &["application/vnd.apple.mpegurl", "audio/mpegurl"]);
        if url.scheme() == "https" {
            // The handshake went well, and we offer nothing weaker.
            self.judge.looked(&apple::A12_1);
        }
    }

    /// Apple 8.18, 10.4 of a segment, an init section or a text.
    pub(super) fn media_delivery(&self, url: &Url, answer: &Answer) {
        let Some(http) = &answer.http else { return };
        self.judge.demand(&apple::A8_18, http.redirects.is_empty(), || {
            let to = http.redirects.last().map(Url::to_string).unwrap_or_default();
            (Place::whole(url.as_str()), format!("a redirect to {to}"), "the media itself")
        });
        let path = url.path();
        let wanted: &[&str] = match path.rsplit('.').next().unwrap_or_default() {
            "mp4" => &["video/mp4", "audio/mp4"],
            "m4s" | "cmfv" | "cmfa" => &["video/iso.segment", "video/mp4", "audio/mp4"],
            "ts" => &["video/mp2t"],
            "vtt" => &["text/vtt"],
            "aac" => &["audio/aac"],
            _ => return,
        };
        self.mime(url, answer, wanted);
    }

    fn mime(&self, url: &Url, answer: &Answer, wanted: &[&str]) {
        let Some(http) = &answer.http else { return };
        let told =
            http.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let plain = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        self.judge.demand(&apple::A10_4, wanted.contains(&plain.as_str()), || {
            (Place::whole(url.as_str()), format!("Content-Type {told}"), wanted.join(" or "))
        });
    }
}
