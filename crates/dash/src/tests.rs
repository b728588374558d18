//! A golden presentation, and a second opinion on its XML.

use crate::*;
use grid::SegmentCount;
use proptest::prelude::*;

fn lesson() -> Presentation {
    let rung = |id: &str, bandwidth, codecs: &str, width, height, rate| Representation {
        id: id.to_owned(),
        bandwidth,
        codecs: Some(codecs.to_owned()),
        video: Some(Video { width, height, rate: Some(rate) }),
        channels: None,
    };
    let sound = |id: &str, bandwidth, channels| Representation {
        id: id.to_owned(),
        bandwidth,
        codecs: Some("mp4a.40.2".to_owned()),
        video: None,
        channels: Some(channels),
    };
    let template = |folder: &str, each| Segments::Template {
        initialization: Some(format!("{folder}$RepresentationID$/init.mp4")),
        media: format!("{folder}$RepresentationID$/$Number%05d$.m4s"),
        each,
    };
    Presentation {
        segments: SegmentCount(251),
        sets: vec![
            AdaptationSet {
                id: SetId(1),
                content: Content::Video { switches_to: Some(SetId(2)), priority: 1 },
                segments: template("", 1),
                representations: vec![
                    rung("s0", 120_000, "avc1.4D400C", 256, 144, (25, 3)),
                    rung("s2", 400_000, "avc1.64001E", 640, 360, (25, 1)),
                ],
            },
            AdaptationSet {
                id: SetId(2),
                content: Content::Video { switches_to: Some(SetId(1)), priority: 2 },
                segments: template("", 1),
                representations: vec![rung("a2", 180_000, "av01.0.04M.08", 640, 360, (25, 1))],
            },
            AdaptationSet {
                id: SetId(3),
                content: Content::Audio { language: "zh-CN".into() },
                segments: template("audio/", 1),
                representations: vec![sound("lo", 33_000, 1), sound("hi", 65_000, 2)],
            },
            AdaptationSet {
                id: SetId(4),
                content: Content::Text { language: "en".into(), label: "English".into() },
                segments: Segments::Whole("subs/en/all.vtt".into()),
                representations: vec![Representation {
                    id: "subs-en".into(),
                    bandwidth: 900,
                    codecs: None,
                    video: None,
                    channels: None,
                }],
            },
            AdaptationSet {
                id: SetId(5),
                content: Content::Trick { of: SetId(1), max_rate: 20 },
                segments: template("", 1),
                representations: vec![rung("trick", 90_000, "avc1.64001E", 640, 360, (5, 4))],
            },
            AdaptationSet {
                id: SetId(6),
                content: Content::Storyboard(Storyboard { columns: 5, rows: 5 }),
                segments: Segments::Template {
                    initialization: None,
                    media: "thumbs/$Number%05d$.jpg".into(),
                    each: 25,
                },
                representations: vec![Representation {
                    id: "thumbs".into(),
                    bandwidth: 4_000,
                    codecs: None,
                    video: Some(Video { width: 800, height: 450, rate: None }),
                    channels: None,
                }],
            },
        ],
    }
}

#[test]
fn golden() {
    insta::assert_snapshot!(lesson().render(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="static" mediaPresentationDuration="PT1204.800S" minBufferTime="PT4.800S">
      <Period id="0" start="PT0S" duration="PT1204.800S">
        <AdaptationSet id="1" contentType="video" mimeType="video/mp4" selectionPriority="1" segmentAlignment="true" startWithSAP="1">
          <SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="2"/>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" duration="4800" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s"/>
          <Representation id="s0" bandwidth="120000" codecs="avc1.4D400C" width="256" height="144" frameRate="25/3" sar="1:1"/>
          <Representation id="s2" bandwidth="400000" codecs="avc1.64001E" width="640" height="360" frameRate="25" sar="1:1"/>
        </AdaptationSet>
        <AdaptationSet id="2" contentType="video" mimeType="video/mp4" selectionPriority="2" segmentAlignment="true" startWithSAP="1">
          <SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="1"/>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" duration="4800" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s"/>
          <Representation id="a2" bandwidth="180000" codecs="av01.0.04M.08" width="640" height="360" frameRate="25" sar="1:1"/>
        </AdaptationSet>
        <AdaptationSet id="3" contentType="audio" mimeType="audio/mp4" lang="zh-CN" segmentAlignment="true" startWithSAP="1">
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" duration="4800" startNumber="0" initialization="audio/$RepresentationID$/init.mp4" media="audio/$RepresentationID$/$Number%05d$.m4s"/>
          <Representation id="lo" bandwidth="33000" codecs="mp4a.40.2" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="1"/>
          </Representation>
          <Representation id="hi" bandwidth="65000" codecs="mp4a.40.2" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="4" contentType="text" mimeType="text/vtt" lang="en">
          <Label>English</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="subtitle"/>
          <Representation id="subs-en" bandwidth="900">
            <BaseURL>subs/en/all.vtt</BaseURL>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="5" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
          <EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode" value="1"/>
          <SegmentTemplate timescale="1000" duration="4800" startNumber="0" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s"/>
          <Representation id="trick" bandwidth="90000" codecs="avc1.64001E" width="640" height="360" frameRate="5/4" sar="1:1" maxPlayoutRate="20" codingDependency="false"/>
        </AdaptationSet>
        <AdaptationSet id="6" contentType="image" mimeType="image/jpeg">
          <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="5x5"/>
          <SegmentTemplate timescale="1000" duration="120000" startNumber="0" media="thumbs/$Number%05d$.jpg"/>
          <Representation id="thumbs" bandwidth="4000" width="800" height="450"/>
        </AdaptationSet>
      </Period>
    </MPD>
    "#);
}

#[test]
fn durations_are_exact() {
    // 251 segments of 4.8 s: no rounding anywhere, or the last segment would be asked for once too often or never.
    let text = lesson().render();
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().attribute("mediaPresentationDuration"), Some("PT1204.800S"));
    for template in document
        .descendants()
        .filter(|node| node.has_tag_name(("urn:mpeg:dash:schema:mpd:2011", "SegmentTemplate")))
    {
        assert_eq!(template.attribute("timescale"), Some("1000"));
        let duration: u64 = template.attribute("duration").unwrap().parse().unwrap();
        assert_eq!(duration % grid::SEGMENT_MS, 0);
    }
}

proptest! {
    /// Whatever a teacher typed: XML that says what was meant.
    #[test]
    fn names_cannot_break_out(label in "([<>&\"' a]|\\PC){0,20}") {
        let mut presentation = lesson();
        presentation.sets[3].content = Content::Text { language: "en".into(), label: label.clone() };
        let text = presentation.render();
        let document = roxmltree::Document::parse(&text).unwrap();
        let node = document.descendants().find(|node| node.tag_name().name() == "Label").unwrap();
        let kept: String = label.chars().filter(|c| !c.is_control() && !"\u{fffe}\u{ffff}".contains(*c)).collect();
        prop_assert_eq!(node.text().unwrap_or_default(), kept);
    }
}
