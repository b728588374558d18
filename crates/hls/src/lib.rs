//! HLS playlists: model, render, parse (RFC 8216bis).
