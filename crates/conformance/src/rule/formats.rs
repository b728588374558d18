//! CMAF, codecs, MPEG-TS, WebVTT, DASH, and what Airclass promises on top.

super::rules! {
    CMAF_BRANDS Must "CMAF brands" "ftyp" "an init section says the brands cmfc and iso6 (ISO/IEC 23000-19 7.2)";
    CMAF_TRACK Must "CMAF track" "moov" "one track a file (ISO/IEC 23000-19 7.3.1)";
    CMAF_TRAF Must "CMAF traf" "moof" "one traf a moof, one moof and one mdat a chunk (ISO/IEC 23000-19 7.3.2.3)";
    CMAF_TFDT Must "CMAF tfdt" "traf" "every traf has a tfdt (ISO/IEC 23000-19 7.5.16)";
    CMAF_EDTS Must "CMAF edts" "trak" "no edit list: players differ in what they make of one";
    CMAF_CTS Must "CMAF cts" "trun" "composition offsets are such that the first presentation time is the tfdt";
    CMAF_TRUN Must "CMAF trun" "trun" "trun is version 1, for signed offsets, where there are offsets";
    CMAF_DATA Must "CMAF data" "trun, mdat" "samples lie within mdat and own all of it";
    CMAF_ENTRY Must "CMAF entry" "sample entry" "avc1, hvc1 or av01 with parameter sets in the sample entry";
    CMAF_COLOUR Must "CMAF colour" "SPS" "colour and sample aspect ratio are the same in all rungs of a codec";
    H264_CONFIG Must "H.264 avcC" "avcC, SPS" "avcC tells profile, constraints and level of its SPS (ISO/IEC 14496-15 5.3.3)";
    H264_LEVEL Must "H.264 A.3" "SPS, sample durations" "the level allows the pictures' size and rate";
    H264_NAL Must "H.264 NAL" "samples" "samples are whole NAL units whose slices name parameter sets that are there";
    AV1_CONFIG Must "AV1 av1C" "av1C, sequence header" "av1C tells what the sequence header tells";
    AV1_OBU Must "AV1 OBU" "samples" "samples are whole OBUs with sizes, and key pictures have their sequence header";
    AAC_CONFIG Must "AAC config" "AudioSpecificConfig, frames" "the AudioSpecificConfig tells the rate and the channels that the frames have";
    AAC_FRAMES Must "AAC frames" "sample durations" "frames of AAC-LC last 1,024 samples each";
    TS_PSI Must "TS PSI" "packets" "a segment begins with PAT and PMT and consists of whole packets (RFC 8216bis 3.1.1)";
    TS_PES Must "TS PES" "packets" "pictures and sound have time stamps; a segment's pictures have SPS and PPS in it";
    VTT_SYNTAX Must "WebVTT syntax" "text" "a text begins with WEBVTT, its cues end after they start";
    VTT_RANGE Should "WebVTT range" "text" "cues lie in their segment's time";
    BOARD_CUES Must "storyboard cues" "WebVTT" "a storyboard's cues run from 0 to the end without gaps";
    BOARD_TILES Must "storyboard tiles" "JPEG" "a cue's rectangle lies within a JPEG that is there";
    MPD_XML Must "DASH XML" "MPD" "the MPD is well formed and has what ISO/IEC 23009-1 requires";
    MPD_ADDRESS Must "DASH addresses" "SegmentTemplate" "what the MPD addresses is there";
    MPD_SAME Must "DASH same" "SegmentTemplate" "DASH and HLS play the same segments";
    MPD_TIME Must "DASH time" "SegmentTimeline" "DASH's times are those of the segments and of the whole";
    MPD_CODECS Must "DASH codecs" "Representation" "codecs and sizes are those of the media";
    GRID Must "Airclass grid" "EXTINF, tfdt" "segment n of every rendition starts at n x 4.8 s and lasts 4.8 s";
    PACKAGE Must "Airclass package" "object list" "the package's own papers can be read";
}
