use super::*;
use proptest::prelude::*;

fn cues(text: &str, format: Format) -> Vec<(u64, u64, String)> {
    let cues = parse(text.as_bytes(), format).unwrap();
    cues.into_iter().map(|cue| (cue.start_ms, cue.end_ms, cue.text)).collect()
}

fn cue(start_ms: u64, end_ms: u64, text: &str) -> (u64, u64, String) {
    (start_ms, end_ms, text.to_owned())
}

#[test]
fn subrip_as_teachers_have_it() {
    let text = "\u{feff}1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>孔乙己</i>\r\n第二行\r\n\r\n\
                2\r\n00:00:03,000 --> 00:00:04,000 X1:0 X2:9\r\n7\r\n\r\n\
                3\r\n00:00:05,000 --> 00:00:06,000\r\nfirst\r\n\r\nbehind an empty line\r\n\r\n\
                4\r\n00:00:07,000 --> 00:00:08,000\r\n\r\n5\r\n00:00:09,000 --> 00:00:10,000\r\nlast";
    assert_eq!(
        cues(text, Format::Srt),
        [
            cue(1_000, 2_500, "<i>孔乙己</i>\n第二行"),
            cue(3_000, 4_000, "7"),
            cue(5_000, 6_000, "first\nbehind an empty line"),
            cue(9_000, 10_000, "last"),
        ]
    );
}

#[test]
fn numbers_may_be_missing_and_cues_out_of_order() {
    let text = "00:00:05.000 --> 00:00:06.000\nb\n\n00:00:01.000 --> 00:00:02.000\na\n\n00:00:03,0 --> 00:00:03,0\nno time\n";
    assert_eq!(cues(text, Format::Srt), [cue(1_000, 2_000, "a"), cue(5_000, 6_000, "b")]);
}

#[test]
fn webvtt_with_all_its_blocks() {
    let text = "WEBVTT - made elsewhere\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n\
                STYLE\n::cue { color: red }\n\nNOTE one\n\nintro\n00:01.000 --> 00:02.000 line:0\n- <v Ann>Hi\n- Ho\n\n\
                00:00:03.000 --> 00:00:04.000\n&lt;b&gt;\n";
    assert_eq!(cues(text, Format::WebVtt), [cue(1_000, 2_000, "- Hi\n- Ho"), cue(3_000, 4_000, "&lt;b&gt;")]);
}

#[test]
fn ass_gives_its_text() {
    let text = "[Script Info]\nTitle: x\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n[Events]\n\
                Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
                Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown\n\
                Dialogue: 0,0:00:01.50,0:00:03.00,Default,,0,0,0,,{\\i1}一{\\i0}，二\\Nthree, four\n";
    assert_eq!(cues(text, Format::Ass), [cue(1_500, 3_000, "<i>一</i>，二\nthree, four")]);
}

#[test]
fn a_very_long_cue_is_ended() {
    assert_eq!(cues("00:00:00,000 --> 20:00:00,000\na\n", Format::Srt), [cue(0, crate::MAX_CUE_MS, "a")]);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let many = "00:00:01,000 --> 00:00:02,000\na\n\n".repeat(MAX_CUES + 1);
    let long = format!("00:00:01,000 --> 00:00:02,000\n{}\n", "a".repeat(MAX_CUE_TEXT + 1));
    let timing = |line: &str| Problem::Timing(line.to_owned());
    for (format, text, line, problem) in [
        (Format::Srt, "", 1, Problem::Empty),
        (Format::Srt, "hello\n", 1, timing("hello")),
        (Format::Srt, "1\n00:00:01,000 --> soon\na\n", 2, timing("00:00:01,000 --> soon")),
        (Format::Srt, "\n1\n00:61:01,000 --> 00:62:00,000\n", 3, timing("00:61:01,000 --> 00:62:00,000")),
        (Format::Srt, &many, 3 * MAX_CUES + 1, Problem::TooManyCues),
        (Format::Srt, &long, 1, Problem::TextTooLong),
        (Format::WebVtt, "00:01.000 --> 00:02.000\na\n", 1, Problem::NotWebVtt),
        (Format::WebVtt, "WEBVTT\n\nid\nnot a time\n", 3, timing("id")),
        (Format::WebVtt, "WEBVTT\n\nid\n1 --> 2\n", 4, timing("1 --> 2")),
        (Format::Ass, "[Events]\nDialogue: 0,0:00:01.50,0:00:03.00,a\n", 2, Problem::NoFormat),
        (
            Format::Ass,
            "[Events]\nFormat: Start, End, Text\nDialogue: now,0:00:03.00,a\n",
            3,
            timing("Dialogue: now,0:00:03.00,a"),
        ),
    ] {
        assert_eq!(parse(text.as_bytes(), format), Err(problem.at(line)), "{text:.60}");
    }
    assert_eq!(parse(&vec![b' '; MAX_FILE_BYTES + 1], Format::Srt), Err(Problem::TooLong.at(1)));
}

proptest! {
    /// Any bytes end in cues or an error, never in a panic; and what comes out has times in order.
    #[test]
    fn no_file_is_too_strange(
        text in "(WEBVTT\n\n)?(\\[Events\\]\n|Format: Start, End, Text\n|Dialogue: [0-9:.,]{0,20}|[0-9:,.]{1,12} --> [0-9:,.]{1,12}\n|\\PC{0,8}\n|\n){0,12}",
        kind in 0..3usize,
    ) {
        let format = [Format::Srt, Format::Ass, Format::WebVtt][kind];
        for cue in parse(text.as_bytes(), format).unwrap_or_default() {
            prop_assert!(cue.start_ms < cue.end_ms && !cue.text.is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        for format in [Format::Srt, Format::Ass, Format::WebVtt] {
            let _ = parse(&bytes, format);
        }
    }
}
