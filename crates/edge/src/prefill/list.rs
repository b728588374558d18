//! What of a package is fetched, in which order.

use package::{Manifest, Slot};

/// The objects of `manifest` that are wanted, by their place in its list: playlists and what begins a rendition first, then
/// segment by segment, so that what is there of a lesson plays from its beginning. `rungs`: `None` for all.
///
/// The bundle, all of a lesson in one file for who takes it home, is not among them.
pub(crate) fn wanted(manifest: &Manifest, rungs: Option<&[Slot]>) -> Vec<u32> {
    let mut wanted: Vec<(Urgency, u32)> = (0..)
        .zip(&manifest.objects)
        .filter(|(_, object)| is_wanted(object.path.as_str(), rungs))
        .map(|(at, object)| (urgency(object.path.as_str()), at))
        .collect();
    // Lists are in order of their paths: what is equally urgent stays so.
    wanted.sort_by_key(|(urgency, _)| *urgency);
    wanted.into_iter().map(|(_, at)| at).collect()
}

/// Smaller is sooner: the kind, then which segment.
type Urgency = (u8, u32);

fn urgency(path: &str) -> Urgency {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    if !path.contains('/') {
        return (0, 0);
    }
    match stem.parse() {
        Ok(number) => (2, number),
        Err(_) => (1, 0),
    }
}

fn is_wanted(path: &str, rungs: Option<&[Slot]>) -> bool {
    let mut steps = path.split('/');
    let folder = match steps.next() {
        Some("bundle") => return false,
        Some("ts") => steps.next(),
        first => first,
    };
    let slot = folder.and_then(|folder| Slot::ALL.into_iter().find(|slot| slot.as_str() == folder));
    match (slot, rungs) {
        (Some(slot), Some(rungs)) => rungs.contains(&slot),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_plays_from_its_beginning_while_it_comes() {
        let mut paths = [
            "a2/00000.m4s",
            "audio/hi/00001.m4s",
            "audio/hi/init.mp4",
            "main.m3u8",
            "s0/00000.m4s",
            "s0/00001.m4s",
            "s0/index.m3u8",
            "s0/init.mp4",
            "thumbs/00000.jpg",
        ];
        paths.sort_by_key(|path| urgency(path));
        assert_eq!(paths[0], "main.m3u8");
        assert_eq!(&paths[1..4], ["audio/hi/init.mp4", "s0/index.m3u8", "s0/init.mp4"]);
        assert_eq!(&paths[4..7], ["a2/00000.m4s", "s0/00000.m4s", "thumbs/00000.jpg"]);
    }

    #[test]
    fn a_small_node_takes_the_rungs_it_has_room_for() {
        let small = Some(&[Slot::S0][..]);
        for (path, all, some) in [
            ("s0/00000.m4s", true, true),
            ("s5/00000.m4s", true, false),
            ("a2/init.mp4", true, false),
            ("ts/s0/00000.ts", true, true),
            ("ts/s1/index.m3u8", true, false),
            ("ts/subs/zh-CN/index.m3u8", true, true),
            ("audio/hi/00000.m4s", true, true),
            ("main.m3u8", true, true),
            ("bundle/lesson.tar", false, false),
        ] {
            assert_eq!((is_wanted(path, None), is_wanted(path, small)), (all, some), "{path}");
        }
    }
}
