//! An MPD (ISO/IEC 23009-1), as far as segment templates go.

use super::Nonsense;
use roxmltree::{Document, Node};

#[derive(Debug, Clone, Default)]
pub(crate) struct Mpd {
    pub(crate) is_static: bool,
    /// Milliseconds.
    pub(crate) duration: Option<u64>,
    pub(crate) representations: Vec<Representation>,
    /// What is required and is not there.
    pub(crate) missing: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Representation {
    pub(crate) id: String,
    pub(crate) codecs: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    /// BaseURLs from the MPD inwards.
    pub(crate) base: Vec<String>,
    pub(crate) init: Option<String>,
    pub(crate) timescale: u64,
    /// Address, start and duration in ticks.
    pub(crate) segments: Vec<(String, u64, u64)>,
    /// Pictures or sound; not text, and not the sheets of a storyboard.
    pub(crate) is_media: bool,
}

/// Segments of one representation that are expanded: a day and more.
const MAX_SEGMENTS: u64 = 100_000;

pub(crate) fn read(text: &str) -> Result<Mpd, Nonsense> {
    let document = Document::parse(text).map_err(|error| Nonsense::new(format!("no XML: {error}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "MPD" {
        return Err(Nonsense::new(format!("a <{}>, no <MPD>", root.tag_name().name())));
    }
    let mut mpd = Mpd {
        is_static: root.attribute("type").is_none_or(|kind| kind == "static"),
        duration: root.attribute("mediaPresentationDuration").and_then(iso_duration),
        ..Mpd::default()
    };
    for name in ["profiles", "minBufferTime"] {
        if root.attribute(name).is_none() {
            mpd.missing.push(format!("MPD@{name}"));
        }
    }
    for period in children(root, "Period") {
        let length = period.attribute("duration").and_then(iso_duration).or(mpd.duration);
        for set in children(period, "AdaptationSet") {
            for node in children(set, "Representation") {
                let lineage = [root, period, set, node];
                let found = representation(&lineage, length, &mut mpd.missing)?;
                mpd.representations.push(found);
            }
        }
    }
    if mpd.representations.is_empty() {
        mpd.missing.push("Representation".to_owned());
    }
    Ok(mpd)
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn representation(
    lineage: &[Node<'_, '_>; 4],
    length: Option<u64>,
    missing: &mut Vec<String>,
) -> Result<Representation, Nonsense> {
    let inherited = |name: &str| lineage.iter().rev().find_map(|node| node.attribute(name));
    let node = lineage[3];
    let mut found = Representation {
        id: node.attribute("id").unwrap_or_default().to_owned(),
        codecs: inherited("codecs").map(str::to_owned),
        size: inherited("width")
            .and_then(|w| w.parse().ok())
            .zip(inherited("height").and_then(|h| h.parse().ok())),
        timescale: 1,
        ..Representation::default()
    };
    found.base = lineage
        .iter()
        .filter_map(|node| children(*node, "BaseURL").next()?.text())
        .map(|t| t.trim().to_owned())
        .collect();
    let kind = inherited("mimeType").unwrap_or_default();
    found.is_media = kind.starts_with("video/") || kind.starts_with("audio/");
    let bandwidth = node.attribute("bandwidth");
    for (name, there) in [
        ("id", !found.id.is_empty()),
        ("bandwidth", bandwidth.is_some()),
        ("mimeType", inherited("mimeType").is_some()),
    ] {
        if !there {
            missing.push(format!("Representation {}@{name}", found.id));
        }
    }
    let templates: Vec<_> =
        lineage.iter().rev().filter_map(|node| children(*node, "SegmentTemplate").next()).collect();
    let told = |name: &str| templates.iter().find_map(|template| template.attribute(name));
    let Some(media) = told("media") else {
        // 5.3.9.1: one segment that needs no index is told by its BaseURL alone.
        if let (Some(length), Some(_)) = (length, children(node, "BaseURL").next()) {
            found.timescale = 1_000;
            found.segments.push((String::new(), 0, length));
            return Ok(found);
        }
        missing.push(format!("SegmentTemplate@media of {}", found.id));
        return Ok(found);
    };
    let number = |name: &str| told(name).and_then(|text| text.parse::<u64>().ok());
    found.timescale = number("timescale").unwrap_or(1).max(1);
    let fill = |template: &str, n: u64, time: u64| {
        expand(template, &found.id, bandwidth.unwrap_or_default(), n, time)
    };
    found.init = told("initialization").map(|template| fill(template, 0, 0)).transpose()?;
    let mut times = Vec::new();
    let timeline = templates.iter().find_map(|template| children(*template, "SegmentTimeline").next());
    if let Some(timeline) = timeline {
        let mut at = 0u64;
        for run in children(timeline, "S") {
            let value = |name: &str| run.attribute(name).and_then(|text| text.parse::<u64>().ok());
            at = value("t").unwrap_or(at);
            let duration = value("d").unwrap_or(0);
            let repeat = value("r").unwrap_or(0);
            for _ in 0..=repeat.min(MAX_SEGMENTS) {
                if times.len() as u64 >= MAX_SEGMENTS {
                    return Err(Nonsense::new(format!("more than {MAX_SEGMENTS} segments")));
                }
                times.push((at, duration));
                at = at.saturating_add(duration);
            }
        }
    } else if let (Some(duration), Some(length)) = (number("duration").filter(|d| *d > 0), length) {
        let total = u128::from(length) * u128::from(found.timescale);
        let count = total.div_ceil(u128::from(duration) * 1_000).min(u128::from(MAX_SEGMENTS)) as u64;
        times.extend((0..count).map(|n| (n * duration, duration)));
    }
    let first = number("startNumber").unwrap_or(1);
    for (place, (at, duration)) in times.into_iter().enumerate() {
        let address = fill(media, first + place as u64, at)?;
        found.segments.push((address, at, duration));
    }
    Ok(found)
}

/// 5.3.9.4.4
fn expand(template: &str, id: &str, bandwidth: &str, number: u64, time: u64) -> Result<String, Nonsense> {
    let mut text = String::new();
    for (place, part) in template.split('$').enumerate() {
        if place % 2 == 0 {
            text.push_str(part);
            continue;
        }
        let (name, width) = match part.split_once("%0") {
            Some((name, format)) => (name, format.trim_end_matches('d').parse().unwrap_or(1)),
            None => (part, 1usize),
        };
        let width = width.min(20);
        match name {
            "" => text.push('$'),
            "RepresentationID" => text.push_str(id),
            "Bandwidth" => text.push_str(bandwidth),
            "Number" => text.push_str(&format!("{number:0width$}")),
            "Time" => text.push_str(&format!("{time:0width$}")),
            other => return Err(Nonsense::new(format!("${other}$ in a template"))),
        }
    }
    Ok(text)
}

/// `PT1H2M3.4S` in milliseconds.
fn iso_duration(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0f64, String::new());
    for c in text.strip_prefix("PT")?.chars() {
        let unit = match c {
            '0'..='9' | '.' => {
                digits.push(c);
                continue;
            }
            'H' => 3_600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => return None,
        };
        total += std::mem::take(&mut digits).parse::<f64>().ok()? * unit;
    }
    Some((total * 1_000.0).round() as u64)
}
