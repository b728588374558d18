//! What a multivariant playlist offers a player.

use crate::outcome::ErrorKind;
use crate::place::{Base, name};
use hls::{MediaType, MultivariantPlaylist, Variant};
use http::uri::PathAndQuery;

/// A lesson's or a channel's rungs, by what the device decodes.
#[derive(Debug)]
pub(crate) struct Ladder {
    /// Lowest first; never empty.
    h264: Vec<Rung>,
    /// With AV1 beside the rest; never empty.
    av1: Vec<Rung>,
    pub(crate) sounds: Vec<Rendition>,
}

/// A picture and the sound that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) picture: Rendition,
    /// Peak bits a second, sound included.
    pub(crate) bandwidth: u64,
    height: u32,
    /// Its place among the sounds; `None` when the sound is within.
    pub(crate) sound: Option<usize>,
}

/// A media playlist and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rendition {
    pub(crate) path: PathAndQuery,
    pub(crate) name: Box<str>,
}

impl Ladder {
    /// Reads what the playlist at `path` offers.
    ///
    /// # Errors
    /// When it is no playlist, leads to another server, or offers nothing.
    pub(crate) fn parse(path: &PathAndQuery, text: &str) -> Result<Self, ErrorKind> {
        let playlist = MultivariantPlaylist::parse(text).map_err(|_| ErrorKind::Playlist)?;
        let base = Base::new(path)?;
        let mut sounds: Vec<(&str, Rendition)> = Vec::new();
        for sound in playlist.renditions.iter().filter(|sound| sound.type_ == MediaType::Audio) {
            let Some(uri) = &sound.uri else { continue };
            let path = base.join(uri)?;
            let rendition = Rendition { name: format!("audio/{}", name(&path)).into(), path };
            match sounds.iter_mut().find(|(group, _)| *group == sound.group) {
                None => sounds.push((&sound.group, rendition)),
                // Of several the one that plays unless somebody chooses.
                Some((_, known)) if sound.default => *known = rendition,
                Some(_) => {}
            }
        }
        let sees = playlist.variants.iter().any(|variant| variant.resolution.is_some());
        let mut rungs = Vec::with_capacity(playlist.variants.len());
        for variant in playlist.variants.iter().filter(|variant| variant.resolution.is_some() == sees) {
            let path = base.join(&variant.uri)?;
            let group = variant.audio_group.as_deref();
            let rung = Rung {
                picture: Rendition { name: name(&path).into(), path },
                bandwidth: variant.bandwidth,
                height: variant.resolution.map_or(0, |resolution| resolution.height),
                sound: group.and_then(|group| sounds.iter().position(|(known, _)| *known == group)),
            };
            rungs.push((is_av1(variant), rung));
        }
        let h264 = worthwhile(rungs.iter().filter(|(av1, _)| !av1).map(|(_, rung)| rung));
        let av1 = worthwhile(rungs.iter().map(|(_, rung)| rung));
        let sounds = sounds.into_iter().map(|(_, sound)| sound).collect();
        if h264.is_empty() { Err(ErrorKind::Playlist) } else { Ok(Self { h264, av1, sounds }) }
    }

    /// The rungs for a device that does or does not decode AV1.
    pub(crate) fn rungs(&self, av1: bool) -> &[Rung] {
        if av1 { &self.av1 } else { &self.h264 }
    }
}

impl Rung {
    /// How many of `rungs`, lowest first, are no higher than `height` lines; the lowest always is.
    pub(crate) fn up_to(rungs: &[Self], height: u32) -> usize {
        rungs.iter().take_while(|rung| rung.height <= height).count().max(1).min(rungs.len())
    }
}

/// Those beside which no other shows at least as much for no more bits, lowest first, as the page offers them.
fn worthwhile<'a>(rungs: impl Iterator<Item = &'a Rung> + Clone) -> Vec<Rung> {
    let beats = |other: &Rung, at: usize, rung: &Rung, place: usize| {
        other.height >= rung.height
            && other.bandwidth <= rung.bandwidth
            // Of two that are equal the first stays.
            && (other.height > rung.height || other.bandwidth < rung.bandwidth || at < place)
    };
    let mut kept: Vec<Rung> = rungs
        .clone()
        .enumerate()
        .filter(|&(place, rung)| {
            !rungs.clone().enumerate().any(|(at, other)| at != place && beats(other, at, rung, place))
        })
        .map(|(_, rung)| rung.clone())
        .collect();
    kept.sort_by_key(|rung| rung.bandwidth);
    kept
}

fn is_av1(variant: &Variant) -> bool {
    let codecs = variant.codecs.as_deref().unwrap_or_default();
    codecs.split(',').any(|codec| codec.trim().starts_with("av01"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MAIN: &str = "#EXTM3U\n#EXT-X-VERSION:4\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"a\",DEFAULT=YES,AUTOSELECT=YES,URI=\"audio/hi/index.m3u8\"\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"lo\",NAME=\"a\",DEFAULT=YES,AUTOSELECT=YES,URI=\"audio/lo/index.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=700000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=640x360,AUDIO=\"hi\"\ns2/index.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=180000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=256x144,AUDIO=\"lo\"\ns0/index.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,AUDIO=\"hi\"\ns4/index.m3u8\n\
        #EXT-X-STREAM-INF:BANDWIDTH=600000,CODECS=\"av01.0.05M.08,mp4a.40.2\",RESOLUTION=1280x720,AUDIO=\"hi\"\na4/index.m3u8\n";

    fn names(rungs: &[Rung]) -> Vec<&str> {
        rungs.iter().map(|rung| &*rung.picture.name).collect()
    }

    #[test]
    fn a_device_is_offered_what_it_decodes_and_nothing_needless() {
        let ladder = Ladder::parse(&"/p/x/main.m3u8".parse().unwrap(), MAIN).unwrap();
        assert_eq!(names(ladder.rungs(false)), ["s0", "s2", "s4"]);
        assert_eq!(names(ladder.rungs(true)), ["s0", "a4"]);
        let rung = &ladder.rungs(false)[1];
        let sound = &ladder.sounds[rung.sound.unwrap()];
        assert_eq!((&*sound.name, sound.path.as_str()), ("audio/hi", "/p/x/audio/hi/index.m3u8"));
        assert_eq!(Rung::up_to(ladder.rungs(false), 360), 2);
        assert_eq!(Rung::up_to(ladder.rungs(false), 100), 1);
    }

    #[test]
    fn what_offers_nothing_is_no_playlist_to_watch() {
        let path = "/main.m3u8".parse().unwrap();
        let only_av1 = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"av01.0\",RESOLUTION=1x1\na.m3u8\n";
        let away = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://b.example/a.m3u8\n";
        for (text, kind) in [
            ("", ErrorKind::Playlist),
            ("#EXTM3U\n", ErrorKind::Playlist),
            (only_av1, ErrorKind::Playlist),
            (away, ErrorKind::Elsewhere),
        ] {
            assert_eq!(Ladder::parse(&path, text).unwrap_err(), kind, "{text}");
        }
    }

    #[test]
    fn sound_alone_and_sound_within_play_too() {
        let path = "/a/main.m3u8".parse().unwrap();
        let radio = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\nradio.m3u8\n";
        let ladder = Ladder::parse(&path, radio).unwrap();
        assert_eq!((names(ladder.rungs(false)), ladder.rungs(false)[0].sound), (vec!["radio"], None));
        let both = format!("{radio}#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1x1\nts/index.m3u8\n");
        assert_eq!(names(Ladder::parse(&path, &both).unwrap().rungs(false)), ["ts"]);
    }
}
