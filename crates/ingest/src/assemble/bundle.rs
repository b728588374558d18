//! One file for where there is no network: a rung, its sound and the papers, in POSIX.1-1988 tar.
//!
//! ```text
//! bundle.json       every member that follows: path, bytes, SHA-256
//! lesson.m3u8       the multivariant playlist of what is here; unpacked anywhere, it plays
//! s2/… audio/hi/… subs/… chapters.json chapters.vtt
//! ```
//!
//! The same package gives the same bytes: members in order of their paths, no times, no owners.

use super::AssembleError;
use super::desk::Desk;
use super::main_playlist;
use hls::MultivariantPlaylist;
use package::manifest::{MAX_BUNDLE_BYTES, Object};
use package::{Codec, Digest, Manifest, ObjectPath, Rendition, Slot, layout};
use serde::Serialize;

/// tar counts in blocks.
const BLOCK: usize = 512;
/// Which rung goes in, if it is there and fits; else the next smaller one.
const LARGEST: Slot = Slot::S2;

/// What `bundle.json` says.
#[derive(Serialize)]
struct Contents<'a> {
    format: u32,
    lesson: &'static str,
    members: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    path: &'a ObjectPath,
    bytes: u64,
    sha256: Digest,
}

/// Name of the list within the bundle.
const LIST: &str = "bundle.json";
/// Name of the playlist within the bundle.
const LESSON: &str = "lesson.m3u8";

/// Writes the bundle and says so in `manifest`; `main` is the package's main playlist. Without a rung that fits, there is
/// none.
pub(super) fn write(
    manifest: &mut Manifest,
    main: &MultivariantPlaylist,
    desk: &mut Desk<'_>,
) -> Result<(), AssembleError> {
    let real = |slot: &Slot| {
        manifest.video.iter().any(|rung| rung.slot == *slot && rung.alias_of.is_none() && *slot <= LARGEST)
    };
    for slot in Codec::H264.slots().iter().copied().rev().filter(real) {
        let members = members(desk.listed(), slot);
        let blocks: u64 = members.iter().map(|object| object.bytes.div_ceil(BLOCK as u64) + 1).sum();
        // The list and the playlist are less than what is left of the limit.
        if blocks * BLOCK as u64 <= MAX_BUNDLE_BYTES / 100 * 98 {
            let bytes = pack(&members, main_playlist::of_rung(main, slot).render(), desk)?;
            desk.write(layout::bundle(), bytes)?;
            manifest.bundle = Some(slot);
            return Ok(());
        }
    }
    Ok(())
}

/// What of the package goes in.
fn members(objects: &[Object], slot: Slot) -> Vec<Object> {
    let folders = [
        format!("{}/", Rendition::Video(slot)),
        format!("{}/", Rendition::Audio(slot.audio())),
        "subs/".to_owned(),
    ];
    let papers = [layout::chapters(), layout::chapters_vtt()];
    let belongs = |object: &&Object| {
        papers.contains(&object.path)
            || folders.iter().any(|folder| object.path.as_str().starts_with(folder.as_str()))
    };
    let mut members: Vec<Object> = objects.iter().filter(belongs).cloned().collect();
    members.sort_by(|a, b| a.path.cmp(&b.path));
    members
}

fn pack(members: &[Object], playlist: String, desk: &Desk<'_>) -> Result<Vec<u8>, AssembleError> {
    let lesson = ObjectPath::parse(LESSON).expect("a plain name");
    let own = Member { path: &lesson, bytes: playlist.len() as u64, sha256: Digest::of(playlist.as_bytes()) };
    let listed = members.iter().map(|object| Member {
        path: &object.path,
        bytes: object.bytes,
        sha256: object.sha256,
    });
    let contents =
        Contents { format: 1, lesson: LESSON, members: std::iter::once(own).chain(listed).collect() };
    let mut list = serde_json::to_vec(&contents).expect("plain structs with string keys");
    list.push(b'\n');
    let mut tar = Vec::new();
    add(&mut tar, LIST, &list);
    add(&mut tar, LESSON, playlist.as_bytes());
    for object in members {
        let bytes = desk.read(&object.path)?;
        // What is not what its digest says must not be handed on under that digest.
        if bytes.len() as u64 != object.bytes {
            return Err(AssembleError::Unreadable(object.path.clone()));
        }
        add(&mut tar, object.path.as_str(), &bytes);
    }
    tar.extend([0; 2 * BLOCK]);
    Ok(tar)
}

/// Header and content of one member, each in whole blocks (POSIX.1-1988 10.1.1).
///
/// ```text
/// 0 name[100]  100 mode[8]  108 uid[8]  116 gid[8]  124 size[12]  136 mtime[12]  148 checksum[8]  156 type
/// 157 linkname[100]  257 "ustar\0"  263 "00"  265 uname[32] gname[32] devmajor[8] devminor[8] prefix[155]
/// ```
fn add(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, field: &[u8]| header[at..at + field.len()].copy_from_slice(field);
    // Paths of a package are far shorter: the longest here names a subtitle segment.
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let checksum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{checksum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn another_program_unpacks_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut tar = Vec::new();
        let large = vec![7; 1_500];
        for (name, content) in [("bundle.json", &b"{}\n"[..]), ("s2/00000.m4s", &large), ("empty.vtt", b"")] {
            add(&mut tar, name, content);
        }
        tar.extend([0; 2 * BLOCK]);
        assert_eq!(tar.len() % BLOCK, 0);
        std::fs::write(folder.path().join("lesson.tar"), &tar).unwrap();
        let output =
            Command::new("tar").args(["-xf", "lesson.tar"]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(std::fs::read(folder.path().join("s2/00000.m4s")).unwrap(), large);
        assert_eq!(std::fs::read(folder.path().join("bundle.json")).unwrap(), b"{}\n");
    }
}
