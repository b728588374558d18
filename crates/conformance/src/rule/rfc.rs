//! RFC 8216bis, by section.

super::rules! {
    R4_1 Must "RFC 8216bis 4.1" "bytes" "a playlist is UTF-8 without a byte order mark or control characters, of one of the two kinds";
    R4_1_1 Must "RFC 8216bis 4.4.1.1" "first line" "a playlist begins with #EXTM3U";
    R4_1_2 Must "RFC 8216bis 4.4.1.2" "EXT-X-VERSION" "EXT-X-VERSION stands at most once and is high enough for what is used (8)";
    R4_2 Must "RFC 8216bis 4.2" "attribute lists" "attributes are well formed, and none stands twice";
    R4_3_1 Must "RFC 8216bis 4.4.3.1" "EXT-X-TARGETDURATION" "a media playlist tells its target duration";
    R4_3_2 Must "RFC 8216bis 4.4.3.2" "order of tags" "EXT-X-MEDIA-SEQUENCE and EXT-X-DISCONTINUITY-SEQUENCE stand before the first segment, at most once (4.4.3.3)";
    R4_3_5 Must "RFC 8216bis 4.4.3.5" "EXT-X-PLAYLIST-TYPE" "EXT-X-PLAYLIST-TYPE is EVENT or VOD";
    R4_4_1 Must "RFC 8216bis 4.4.4.1" "EXTINF" "every segment has an EXTINF";
    R4_4_2 Must "RFC 8216bis 4.4.4.2" "EXT-X-BYTERANGE" "byte ranges say where they begin and lie within their file";
    R4_4_6 Must "RFC 8216bis 4.4.4.6" "EXT-X-PROGRAM-DATE-TIME" "times of day can be read";
    R4_5_1 Must "RFC 8216bis 4.4.5.1" "EXT-X-DATERANGE" "a date range has ID and START-DATE, and says the same each time";
    R4_6_1 Must "RFC 8216bis 4.4.6.1" "EXT-X-MEDIA" "EXT-X-MEDIA has TYPE, GROUP-ID, NAME; names differ in a group, one is DEFAULT; CHANNELS are those of the media";
    R4_6_2 Must "RFC 8216bis 4.4.6.2" "EXT-X-STREAM-INF" "EXT-X-STREAM-INF has BANDWIDTH, a URI, and groups that exist";
    R4_6_3 Must "RFC 8216bis 4.4.6.3" "EXT-X-I-FRAME-STREAM-INF" "EXT-X-I-FRAME-STREAM-INF has BANDWIDTH and URI";
    R3 Must "RFC 8216bis 3.1" "segments" "a segment is fMP4, MPEG-TS, packed audio or WebVTT, and whole";
    R3_INIT Must "RFC 8216bis 3.1.2" "init sections" "an fMP4 init section has ftyp and a moov with mvex and no samples";
    R6_2_1 Must "RFC 8216bis 6.2.1" "EXTINF" "a segment's duration, rounded, is at most the target duration";
    R6_2_1_M5 Must "RFC 8216bis 6.2.1-M5" "init sections" "a change of encoding is marked with EXT-X-DISCONTINUITY";
    R6_2_1_M6 Must "RFC 8216bis 6.2.1-M6" "HTTP status" "what is listed can be fetched";
    R6_2_1_M10 Must "RFC 8216bis 6.2.1-M10" "two readings" "between readings only the allowed edits are made";
    R6_2_1_M11 Must "RFC 8216bis 6.2.1-M11" "two readings" "a VOD playlist never changes";
    R6_2_1_M13 Must "RFC 8216bis 6.2.1-M13" "two readings" "EXT-X-TARGETDURATION never changes";
    R6_2_1_S5 Should "RFC 8216bis 6.2.1-S5" "EXT-X-VERSION" "EXT-X-VERSION is no higher than needed";
    R6_2_2_M1 Must "RFC 8216bis 6.2.2-M1" "two readings" "EXT-X-MEDIA-SEQUENCE is there, grows by one for each segment that leaves, and never falls";
    R6_2_2_M6 Must "RFC 8216bis 6.2.2-M6" "EXTINF" "live: no less than three target durations are listed";
    R6_2_2_M7 Must "RFC 8216bis 6.2.2-M7" "HTTP status" "live: a segment that left can be fetched for as long as the longest playlist that held it";
    R6_2_2_M9 Must "RFC 8216bis 6.2.2-M9" "two readings" "EXT-X-DISCONTINUITY-SEQUENCE grows by one for each DISCONTINUITY that leaves, and never falls";
    R6_2_2_M12 Must "RFC 8216bis 6.2.2-M12" "EXT-X-PLAYLIST-TYPE" "live: a window that moves has no EXT-X-PLAYLIST-TYPE";
    R6_2_2_M21 Must "RFC 8216bis 6.2.2-M21" "readings" "live: a new segment comes within 1.5 target durations";
    R6_2_4_TYPE Must "RFC 8216bis 6.2.4-type" "EXT-X-PLAYLIST-TYPE" "all playlists are of one EXT-X-PLAYLIST-TYPE";
    R6_2_4_PDT Must "RFC 8216bis 6.2.4-pdt" "EXT-X-PROGRAM-DATE-TIME" "all playlists tell the time of day or none does, and the same";
    R6_2_4_START Must "RFC 8216bis 6.2.4-start" "time stamps" "VOD: the first segments of all playlists start at one media time";
    R6_2_4_DIS Must "RFC 8216bis 6.2.4-dis" "EXT-X-DISCONTINUITY" "matching content has matching discontinuity numbers";
    R6_2_4_SOUND Should "RFC 8216bis 6.2.4-sound" "CODECS" "variants share one bitstream of sound";
}
