//! Texts: read whole, named by their content, and gzip-encoded once.
//!
//! Apple 10.1 asks for gzip-encoded playlists: one of 250 segments shrinks from 7 kB to 1 kB. Compressing it for every
//! request would cost more than everything else we do, so both forms are kept, found by the content's digest: a text that
//! changed is another text, and nothing has to be thrown away by hand.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use httpcache::etag::Etag;
use moka::sync::Cache;
use package::Digest;
use std::io::Write;
use std::sync::Arc;
use units::ByteCount;

/// The largest text read whole and encoded. Larger ones (a manifest of a day) are streamed as they are, so that memory
/// does not depend on what is in the store.
pub(crate) const MAX_TEXT: u64 = 1 << 20;
/// Below this, gzip's own 18 bytes and a header line save nothing worth a second form. The playlist of a single segment has 190.
const MIN_GZIP: usize = 128;
/// Level 6: level 9 is a third slower for a hundredth less.
const LEVEL: Compression = Compression::new(6);
/// Bytes an entry takes beside its two forms.
const OVERHEAD: usize = 512;

/// A text in the forms it is served in.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) plain: Form,
    /// `None` where it would not be shorter.
    pub(crate) gzip: Option<Form>,
}

/// One representation of a text, with its own entity tag (RFC 9110 §8.8.3.3).
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) bytes: Bytes,
    pub(crate) etag: Etag,
}

/// Texts served lately, by the digest of their plain form. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Texts(Cache<Digest, Arc<Text>>);

impl Texts {
    /// With room for about `room` bytes of texts in both forms.
    pub(crate) fn new(room: ByteCount) -> Self {
        let weigh = |_: &Digest, text: &Arc<Text>| {
            let gzip = text.gzip.as_ref().map_or(0, |form| form.bytes.len());
            u32::try_from(text.plain.bytes.len() + gzip + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weigh).max_capacity(room.0).build())
    }

    /// The text whose plain form is `plain`. Those who read the same bytes share one copy of them.
    pub(crate) async fn text(&self, plain: Bytes) -> Arc<Text> {
        let digest = Digest::of(&plain);
        if let Some(text) = self.0.get(&digest) {
            return text;
        }
        // Compressing takes milliseconds: not on the core that sends segments meanwhile.
        let source = plain.clone();
        let encoded = tokio::task::spawn_blocking(move || gzip(&source)).await.ok().flatten();
        let gzip = encoded.map(|bytes| Form { etag: tag(&Digest::of(&bytes)), bytes });
        let text = Arc::new(Text { plain: Form { bytes: plain, etag: tag(&digest) }, gzip });
        self.0.insert(digest, Arc::clone(&text));
        text
    }
}

/// Half of the digest: enough to tell any two texts apart. The gzip form is named by its own bytes, because another release
/// of the compressor may make others.
fn tag(digest: &Digest) -> Etag {
    Etag::strong(&digest.to_string()[..32]).expect("hexadecimal digits may stand in a tag")
}

/// `None` when it is not shorter.
fn gzip(plain: &[u8]) -> Option<Bytes> {
    if plain.len() < MIN_GZIP {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), LEVEL);
    encoder.write_all(plain).ok()?;
    let encoded = encoder.finish().ok()?;
    (encoded.len() < plain.len()).then(|| encoded.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[tokio::test]
    async fn a_text_is_encoded_once() {
        let texts = Texts::new(ByteCount::mib(1));
        let plain = Bytes::from("#EXTINF:4.800,\n00000.m4s\n".repeat(250));
        let text = texts.text(plain.clone()).await;
        let gzip = text.gzip.as_ref().unwrap();
        assert!(gzip.bytes.len() * 4 < plain.len());
        assert!(!gzip.etag.is_strongly(text.plain.etag.value().as_bytes()));
        let mut decoded = Vec::new();
        flate2::read::GzDecoder::new(&gzip.bytes[..]).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, plain);
        let again = texts.text(Bytes::from(plain.to_vec())).await;
        assert!(Arc::ptr_eq(&text, &again));
    }

    #[tokio::test]
    async fn the_playlist_of_a_single_segment_is_encoded_too() {
        let shortest = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
            #EXTINF:4.800,\n00000.m4s\n#EXT-X-ENDLIST\n";
        let texts = Texts::new(ByteCount::mib(1));
        let text = texts.text(shortest.into()).await;
        assert!(text.gzip.is_some(), "{} bytes", shortest.len());
    }

    #[tokio::test]
    async fn what_gets_no_shorter_has_one_form() {
        let texts = Texts::new(ByteCount::mib(1));
        let noise: Vec<u8> = (0..64u32).flat_map(|n| Digest::of(&n.to_be_bytes()).0).collect();
        for plain in [Bytes::new(), Bytes::from_static(b"short"), noise.into()] {
            assert!(texts.text(plain).await.gzip.is_none());
        }
    }

    #[tokio::test]
    async fn the_room_is_a_bound() {
        let texts = Texts::new(ByteCount::kib(64));
        for n in 0..200 {
            texts.text(format!("{n} ").repeat(1_000).into()).await;
        }
        texts.0.run_pending_tasks();
        assert!(texts.0.weighted_size() <= 64 << 10, "{}", texts.0.weighted_size());
    }
}
