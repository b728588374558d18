//! Apple's rules for the multivariant playlist, delivery, security and protection (sections 8.18 and 9 to 14).

super::rules! {
    A8_18 Must "Apple 8.18" "HTTP status" "media requests are not redirected";
    A8_24 Should "Apple 8.24" "Last-Modified" "live: playlists tell when they were modified";
    A9_1 Must "Apple 9.1" "CODECS, sample entries" "EXT-X-STREAM-INF has CODECS, which name what is in the media";
    A9_2 Must "Apple 9.2" "RESOLUTION, SPS" "EXT-X-STREAM-INF of pictures has RESOLUTION, which is that of the media";
    A9_3 Must "Apple 9.3" "CODECS" "EXT-X-I-FRAME-STREAM-INF has CODECS";
    A9_4 Must "Apple 9.4" "RESOLUTION" "EXT-X-I-FRAME-STREAM-INF has RESOLUTION";
    A9_5 Should "Apple 9.5" "tracks" "sound and pictures are in segments of their own";
    A9_7 Must "Apple 9.7" "EXT-X-MEDIA" "alternative sound is apart from the pictures";
    A9_9 Must "Apple 9.9" "EXT-X-STREAM-INF" "pictures come in several bit rates";
    A9_11 Should "Apple 9.11" "EXT-X-INDEPENDENT-SEGMENTS" "EXT-X-INDEPENDENT-SEGMENTS stands in the multivariant playlist";
    A9_12 Must "Apple 9.12" "EXT-X-INDEPENDENT-SEGMENTS" "EXT-X-INDEPENDENT-SEGMENTS stands there or in every video playlist";
    A9_13 Must "Apple 9.13" "BANDWIDTH" "EXT-X-STREAM-INF has BANDWIDTH: the largest sum of peaks that can play together";
    A9_14 Must "Apple 9.14" "AVERAGE-BANDWIDTH" "EXT-X-STREAM-INF has AVERAGE-BANDWIDTH";
    A9_15 Must "Apple 9.15" "FRAME-RATE, sample durations" "EXT-X-STREAM-INF of pictures has FRAME-RATE, which is that of the media";
    A9_16 Must "Apple 9.16" "VIDEO-RANGE, VUI" "VIDEO-RANGE is there unless all is SDR";
    A9_18 Should "Apple 9.18" "PATHWAY-ID" "variants name their pathway";
    A9_19 Must "Apple 9.19" "SCORE" "all variants have a SCORE or none has";
    A9_20 Must "Apple 9.20" "EXT-X-STREAM-INF" "no variants of sound alone beside those of pictures (tvOS)";
    A9_21 Must "Apple 9.21" "BANDWIDTH" "over cellular there is a variant of at most 192 kbit/s (iOS)";
    A10_1 Must "Apple 10.1" "Content-Encoding" "playlists are gzip-encoded";
    A10_4 Should "Apple 10.4" "Content-Type" "playlists, segments and texts have their media types";
    A12_1 Must "Apple 12.1" "TLS handshake" "TLS is 1.2 or newer with forward secrecy and sound primitives (12.1 to 12.3)";
    A12_4 Should "Apple 12.4" "URIs" "addresses of segments are not static";
    A13_2 Must "Apple 13.2" "EXT-X-KEY" "FairPlay: METHOD is SAMPLE-AES, never SAMPLE-AES-CTR (13.11)";
    A13_3 Must "Apple 13.3" "EXT-X-KEY" "FairPlay: KEYFORMAT is com.apple.streamingkeydelivery";
    A14_2 Must "Apple 14.2a" "EXT-X-PART-INF" "LL-HLS: PART-TARGET is told and is at most the target duration";
    A14_3 Must "Apple 14.3" "EXT-X-SERVER-CONTROL" "LL-HLS: PART-HOLD-BACK is at least three parts";
}
