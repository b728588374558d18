//! An init section: brands, tracks, sample entries.

use super::Nonsense;
use super::aac::AudioConfig;
use super::av1::Av1Config;
use super::bits::Cursor;
use super::boxes::{self, need};
use super::h264::AvcConfig;
use std::collections::BTreeMap;

/// What an init section says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Init {
    pub(crate) brands: Vec<[u8; 4]>,
    pub(crate) tracks: Vec<Track>,
    /// `mvex` is there.
    pub(crate) fragmented: bool,
    /// By track.
    pub(crate) defaults: BTreeMap<u32, Defaults>,
}

/// What `trex` says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Defaults {
    pub(crate) duration: u32,
    pub(crate) size: u32,
    pub(crate) flags: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) id: u32,
    pub(crate) timescale: u32,
    pub(crate) handler: [u8; 4],
    pub(crate) has_edits: bool,
    pub(crate) has_loudness: bool,
    /// `stts` lists samples: no init section.
    pub(crate) has_samples: bool,
    pub(crate) entry: [u8; 4],
    /// Columns and rows of the sample entry.
    pub(crate) size: (u16, u16),
    /// Channels of the sample entry.
    pub(crate) channels: u16,
    pub(crate) config: Config,
}

/// What a decoder is set up with.
#[derive(Debug, Clone)]
pub(crate) enum Config {
    Avc(AvcConfig),
    Av1(Av1Config),
    Aac(AudioConfig),
    /// A codec whose configuration is not looked into.
    Other,
    /// It should be there and cannot be read.
    Broken(Nonsense),
}

impl Track {
    pub(crate) fn is_video(&self) -> bool {
        &self.handler == b"vide"
    }

    pub(crate) fn is_audio(&self) -> bool {
        &self.handler == b"soun"
    }

    /// RFC 6381; `None` where nothing is known of the codec.
    pub(crate) fn codec(&self) -> Option<String> {
        let entry = self.entry.escape_ascii().to_string();
        match &self.config {
            Config::Avc(avc) => avc.sps.as_ref().map(|sps| format!("{entry}.{}", sps.codec())),
            Config::Av1(av1) => Some(av1.codec()),
            Config::Aac(aac) => Some(format!("mp4a.40.{}", aac.object_type)),
            Config::Other | Config::Broken(_) => None,
        }
    }
}

/// Reads `ftyp` and `moov`.
pub(crate) fn read(bytes: &[u8]) -> Result<Init, Nonsense> {
    let mut init = Init::default();
    let ftyp = need(bytes, b"ftyp")?;
    let brands = ftyp.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1);
    init.brands = brands.filter_map(|(_, brand)| brand.try_into().ok()).collect();
    for atom in boxes::walk(need(bytes, b"moov")?)? {
        match &atom.kind {
            b"trak" => init.tracks.push(track(atom.body)?),
            b"mvex" => {
                init.fragmented = true;
                for trex in boxes::walk(atom.body)?.iter().filter(|atom| &atom.kind == b"trex") {
                    let mut cursor = Cursor::of(trex.body);
                    cursor.full()?;
                    let id = cursor.u32()?;
                    cursor.u32()?;
                    let (duration, size, flags) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
                    init.defaults.insert(id, Defaults { duration, size, flags });
                }
            }
            _ => {}
        }
    }
    Ok(init)
}

fn track(trak: &[u8]) -> Result<Track, Nonsense> {
    let mut tkhd = Cursor::of(need(trak, b"tkhd")?);
    let (version, _) = tkhd.full()?;
    tkhd.take(if version == 1 { 16 } else { 8 })?;
    let id = tkhd.u32()?;
    let has_loudness = match boxes::find(trak, b"udta")? {
        Some(udta) => boxes::find(udta.body, b"ludt")?.is_some(),
        None => false,
    };
    let mdia = need(trak, b"mdia")?;
    let mut mdhd = Cursor::of(need(mdia, b"mdhd")?);
    let (version, _) = mdhd.full()?;
    mdhd.take(if version == 1 { 16 } else { 8 })?;
    let timescale = mdhd.u32()?;
    let mut hdlr = Cursor::of(need(mdia, b"hdlr")?);
    hdlr.take(8)?;
    let mut handler = [0; 4];
    handler.copy_from_slice(hdlr.take(4)?);
    let stbl = need(need(mdia, b"minf")?, b"stbl")?;
    let has_samples = match boxes::find(stbl, b"stts")? {
        Some(stts) => stts.body.get(4..8).is_some_and(|count| count != [0; 4]),
        None => false,
    };
    let mut stsd = Cursor::of(need(stbl, b"stsd")?);
    stsd.take(8)?;
    let entry = boxes::walk(stsd.rest())?
        .into_iter()
        .next()
        .ok_or_else(|| Nonsense::new("stsd has no sample entry"))?;
    let mut track = Track {
        id,
        timescale,
        handler,
        has_edits: boxes::find(trak, b"edts")?.is_some(),
        has_loudness,
        has_samples,
        entry: entry.kind,
        size: (0, 0),
        channels: 0,
        config: Config::Other,
    };
    match &handler {
        b"vide" => video(&mut track, entry.body)?,
        b"soun" => audio(&mut track, entry.body)?,
        _ => {}
    }
    Ok(track)
}

/// ISO/IEC 14496-12 12.1.3
fn video(track: &mut Track, entry: &[u8]) -> Result<(), Nonsense> {
    let mut cursor = Cursor::of(entry);
    cursor.take(24)?;
    track.size = (cursor.u16()?, cursor.u16()?);
    cursor.take(50)?;
    let children = cursor.rest();
    let broken = |error| Config::Broken(error);
    track.config = match &track.entry {
        b"avc1" | b"avc3" => {
            need(children, b"avcC").and_then(AvcConfig::read).map_or_else(broken, Config::Avc)
        }
        b"av01" => need(children, b"av1C").and_then(Av1Config::read).map_or_else(broken, Config::Av1),
        _ => Config::Other,
    };
    Ok(())
}

/// ISO/IEC 14496-12 12.2.3
fn audio(track: &mut Track, entry: &[u8]) -> Result<(), Nonsense> {
    let mut cursor = Cursor::of(entry);
    cursor.take(16)?;
    track.channels = cursor.u16()?;
    cursor.take(10)?;
    if &track.entry == b"mp4a" {
        let config = need(cursor.rest(), b"esds").and_then(AudioConfig::from_esds);
        track.config = config.map_or_else(Config::Broken, Config::Aac);
    }
    Ok(())
}
