use super::*;
use crate::probe::VideoInfo;

const TOOLS: Toolbox = Toolbox { zscale: true, tonemap: true };

fn source(width: u32, height: u32, rate: (i32, i32)) -> SourceInfo {
    SourceInfo {
        container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
        video: VideoInfo {
            stream: 0,
            decoder: "h264".to_owned(),
            width,
            height,
            sample_aspect: (1, 1),
            display_matrix: None,
            average_rate: rate,
            start: Flicks::ZERO,
            interlaced: false,
        },
        sound: None,
        declared_end: None,
        notes: Vec::new(),
    }
}

fn plan(source: &SourceInfo) -> Plan {
    let mut ladder = Ladder::shipped().unwrap();
    ladder.av1.enabled = true;
    Plan::new(source, &ladder, TOOLS)
}

#[test]
fn slots_are_filled_from_below_and_never_scaled_up() {
    for ((width, height, aspect), rungs, case) in [
        ((3_840, 2_160, (1, 1)), 6, "4K"),
        ((1_920, 1_080, (1, 1)), 6, "full HD"),
        ((1_080, 1_920, (1, 1)), 6, "a phone held upright: its height is more than any slot's"),
        ((1_280, 720, (1, 1)), 5, "HD"),
        ((1_024, 768, (1, 1)), 5, "an old projector: 768 rows fill 720"),
        ((720, 576, (64, 45)), 4, "anamorphic PAL is 1024 wide"),
        ((720, 576, (16, 15)), 4, "PAL 4:3"),
        ((720, 480, (8, 9)), 4, "NTSC 4:3 is 720 x 540"),
        ((640, 360, (1, 1)), 3, "360p"),
        ((352, 288, (1, 1)), 2, "CIF"),
        ((320, 240, (1, 1)), 2, "240 rows fill 234"),
        ((160, 120, (1, 1)), 1, "smaller than the smallest: it is made all the same, between bars"),
    ] {
        let mut source = source(width, height, (25, 1));
        source.video.sample_aspect = aspect;
        let plan = plan(&source);
        assert_eq!(plan.sizes(), Slot::H264[..rungs], "{case}");
        // AV1 begins with the third size.
        let av1 = rungs.saturating_sub(2);
        assert_eq!(plan.slots(), [&Slot::H264[..rungs], &Slot::AV1[..av1]].concat(), "{case}");
        let stand_in = |slots: &[Slot], made: usize| -> Vec<(Slot, Slot)> {
            let top = made.checked_sub(1).and_then(|top| slots.get(top));
            slots[made..].iter().filter_map(|&slot| Some((slot, *top?))).collect()
        };
        let aliases = [stand_in(&Slot::H264, rungs), stand_in(&Slot::AV1, av1)].concat();
        assert_eq!(plan.aliases, aliases, "{case}");
    }
}

#[test]
fn one_idr_a_segment_at_every_rate() {
    for (rate, pictures) in
        [((24_000, 1_001), 120), ((25, 1), 120), ((30_000, 1_001), 144), ((50, 1), 240), ((60, 1), 288)]
    {
        let plan = plan(&source(1_920, 1_080, rate));
        for rung in &plan.rungs {
            assert_eq!(rung.settings.gop, pictures, "{rate:?}");
            let Some((_, x264)) = rung.settings.options.iter().find(|(key, _)| key == "x264-params") else {
                assert_eq!(rung.slot.codec(), package::Codec::Av1);
                continue;
            };
            assert!(
                x264.starts_with(&format!("keyint={pictures}:min-keyint={pictures}:scenecut=0:open-gop=0"))
            );
        }
    }
}

#[test]
fn television_gets_three_gops_a_segment() {
    let text = SHIPPED.replace("gop = \"4.8s\"", "gop = \"1.6s\"");
    let ladder = Ladder::parse(&text, std::path::Path::new("tv.toml")).unwrap();
    for (rate, pictures) in [((25, 1), 40), ((30, 1), 48), ((50, 1), 80), ((60, 1), 96)] {
        let plan = Plan::new(&source(640, 360, rate), &ladder, TOOLS);
        assert!(plan.rungs.iter().all(|rung| rung.settings.gop == pictures), "{rate:?}");
    }
}

#[test]
fn the_lesson_starts_with_whatever_starts_first() {
    for (video_ms, sound_ms, origin_ms, case) in [
        (0, Some(0), 0, "together"),
        (1_400, Some(1_400), 1_400, "a transport stream"),
        (0, Some(-21), 0, "an encoder's priming is cut"),
        (0, Some(600), 0, "late sound stays late"),
        (600, Some(0), 0, "late pictures: the first is held under the sound"),
        (-500, Some(-480), -500, "below zero"),
        (700, None, 700, "no sound"),
    ] {
        let mut source = source(640, 360, (25, 1));
        source.video.start = Flicks::from_millis(video_ms);
        source.sound = sound_ms.map(|start| SoundInfo {
            stream: 1,
            decoder: "aac".to_owned(),
            channels: 2,
            start: Flicks::from_millis(start),
        });
        assert_eq!(plan(&source).timing.origin, Flicks::from_millis(origin_ms), "{case}");
    }
}
