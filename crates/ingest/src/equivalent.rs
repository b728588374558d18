//! The `ffmpeg` command that makes the same ladder, to measure ourselves against. Pure.

use crate::plan::{Plan, Rung};
use package::Codec;
use std::path::Path;

/// One `ffmpeg` process from `source` to CMAF segments and playlists in `folder`, as a shell line.
///
/// The same x264 settings, sizes, picture rate, GOP and AAC rates; H.264 only. What it leaves to FFmpeg is what FFmpeg does best by
/// itself: threads (with ours, one an encoder, it would use one core), and `scale` from the full picture for each rung.
pub fn command_line(plan: &Plan, source: &Path, folder: &Path) -> String {
    let mut words =
        ["ffmpeg", "-hide_banner", "-nostdin", "-y", "-v", "error", "-i"].map(str::to_owned).to_vec();
    words.push(source.display().to_string());
    words.extend(["-filter_complex".to_owned(), filters(plan)]);
    for rung in rungs(plan) {
        words.extend(["-map".to_owned(), format!("[{}]", rung.slot)]);
        words.extend(video(rung));
        words.extend(hls(folder, rung.slot.as_str()));
    }
    for sound in plan.sounds.iter().filter(|_| plan.timing.sound.is_some()) {
        let name = sound.slot.as_str();
        let options = [
            "-map",
            &format!("[{name}]"),
            "-c:a",
            "aac",
            "-b:a",
            &sound.settings.bits_per_second.to_string(),
        ];
        words.extend(options.map(str::to_owned));
        words.extend(hls(folder, name));
    }
    let folders: Vec<String> = rungs(plan).map(|rung| rung.slot.to_string()).collect();
    let sounds: Vec<String> = plan.sounds.iter().map(|sound| sound.slot.to_string()).collect();
    let make = folders.iter().chain(&sounds).map(|name| quoted(&folder.join(name).display().to_string()));
    let make = make.collect::<Vec<_>>().join(" ");
    let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    format!("mkdir -p {make} && {line}")
}

fn rungs(plan: &Plan) -> impl Iterator<Item = &Rung> {
    plan.rungs.iter().filter(|rung| rung.slot.codec() == Codec::H264)
}

fn filters(plan: &Plan) -> String {
    let rate = plan.timing.rate.per_second();
    let outlets: String = rungs(plan).map(|rung| format!("[p{}]", rung.slot)).collect();
    let mut graph = format!("[0:v]fps={rate},split={}{outlets}", rungs(plan).count());
    for rung in rungs(plan) {
        let (slot, width, height) = (rung.slot, rung.settings.width, rung.settings.height);
        graph.push_str(&format!(
            ";[p{slot}]scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1,setsar=1,format=yuv420p[{slot}]"
        ));
    }
    if plan.timing.sound.is_some() {
        graph.push_str(";[0:a]aresample=48000:async=1,asplit=2[a0][a1];[a0]aformat=channel_layouts=stereo[hi];[a1]aformat=channel_layouts=mono[lo]");
    }
    graph
}

fn video(rung: &Rung) -> Vec<String> {
    let mut words = vec!["-c:v".to_owned(), "libx264".to_owned()];
    for (key, value) in &rung.settings.options {
        let flag = match key.as_str() {
            "profile" => "-profile:v",
            "maxrate" => "-maxrate",
            "bufsize" => "-bufsize",
            "preset" => "-preset",
            "crf" => "-crf",
            "forced-idr" => "-forced-idr",
            "tune" => "-tune",
            _ => "-x264-params",
        };
        words.extend([flag.to_owned(), value.clone()]);
    }
    words
}

fn hls(folder: &Path, name: &str) -> Vec<String> {
    let folder = folder.join(name).display().to_string();
    let segment = format!("{folder}/%05d.m4s");
    let playlist = format!("{folder}/index.m3u8");
    let options = [
        "-f",
        "hls",
        "-hls_time",
        "4.8",
        "-hls_playlist_type",
        "vod",
        "-hls_segment_type",
        "fmp4",
        "-hls_fmp4_init_filename",
        "init.mp4",
        "-hls_segment_filename",
        &segment,
        &playlist,
    ];
    options.map(str::to_owned).to_vec()
}

fn quoted(word: &str) -> String {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:=,%".contains(&byte));
    if plain && !word.is_empty() { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Ladder, Toolbox};
    use crate::probe::{SourceInfo, VideoInfo};
    use crate::timeline::Flicks;

    #[test]
    fn every_setting_of_ours_is_in_the_command() {
        let video = VideoInfo {
            stream: 0,
            decoder: "h264".to_owned(),
            width: 1_920,
            height: 1_080,
            sample_aspect: (1, 1),
            display_matrix: None,
            average_rate: (25, 1),
            start: Flicks::ZERO,
            interlaced: false,
        };
        let source = SourceInfo {
            container: "mov".to_owned(),
            video,
            sound: None,
            declared_end: None,
            notes: Vec::new(),
        };
        let plan = Plan::new(&source, &Ladder::shipped().unwrap(), Toolbox { zscale: true, tonemap: true });
        let line = command_line(&plan, Path::new("it's a lesson.mp4"), Path::new("out"));
        assert!(line.contains("-i 'it'\\''s a lesson.mp4'"), "{line}");
        for rung in rungs(&plan) {
            for (_, value) in &rung.settings.options {
                assert!(line.contains(value), "{} {value}", rung.slot);
            }
            assert!(line.contains(&format!("out/{}/index.m3u8", rung.slot)));
        }
    }
}
