//! A small HTTP server over a package, with defects of its own.

use crate::bytes::Package;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What the server does wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    pub(crate) plain_playlists: bool,
    pub(crate) redirects: bool,
    pub(crate) wrong_types: bool,
    /// Ranges are answered with the whole, as RFC 9110 allows.
    pub(crate) no_ranges: bool,
}

/// Runs until dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start(package: Package, habits: Habits) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let package = Arc::new(package);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let package = Arc::clone(&package);
                let serve = service_fn(move |request| {
                    let answer = answer(&package, habits, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), serve));
            }
        });
        Self { address, _runtime: runtime }
    }
}

fn answer(package: &Package, habits: Habits, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches('/');
    let status = |status: u16| Response::builder().status(status);
    if habits.redirects && path.ends_with(".m4s") && !path.starts_with("moved/") {
        return status(302).header(header::LOCATION, format!("/moved/{path}")).body(Full::default()).unwrap();
    }
    let Some(object) = package.get(path.trim_start_matches("moved/")) else {
        return status(404).body(Full::default()).unwrap();
    };
    let type_ = match path.rsplit('.').next().unwrap() {
        _ if habits.wrong_types => "application/octet-stream",
        "m3u8" => "application/vnd.apple.mpegurl",
        "mp4" => "video/mp4",
        "m4s" => "video/iso.segment",
        "ts" => "video/mp2t",
        "vtt" => "text/vtt",
        _ => "application/json",
    };
    let range = request.headers().get(header::RANGE).filter(|_| !habits.no_ranges);
    if let Some(range) = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'))
    {
        let (first, last): (usize, usize) = (range.0.parse().unwrap(), range.1.parse().unwrap());
        let end = (last + 1).min(object.len());
        let told = format!("bytes {first}-{}/{}", end - 1, object.len());
        let part = Bytes::copy_from_slice(&object[first..end]);
        return status(206)
            .header(header::CONTENT_TYPE, type_)
            .header(header::CONTENT_RANGE, told)
            .body(Full::new(part))
            .unwrap();
    }
    let response = status(200).header(header::CONTENT_TYPE, type_);
    if path.ends_with(".m3u8") && !habits.plain_playlists {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(object).unwrap();
        let body = Full::new(Bytes::from(gzip.finish().unwrap()));
        return response.header(header::CONTENT_ENCODING, "gzip").body(body).unwrap();
    }
    response.body(Full::new(Bytes::copy_from_slice(object))).unwrap()
}
