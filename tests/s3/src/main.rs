//! An S3 server for tests: `s3-for-tests FOLDER [--no-conditions]`.
//!
//! It is s3s-fs, over a folder whose subfolders are the buckets, with two differences: it prints the address that the
//! system picked, and lets nothing run beside a write: s3s-fs looks at conditions and writes in two steps, and a read opens
//! the file first and looks for its ETag then, so that old bytes would go out under the new one.
//! `--no-conditions` makes it one of the servers that pass over `If-Match` and `If-None-Match` without a word; signatures,
//! which cover those fields, are then not asked for.

use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use hyper::service::service_fn;
use hyper::{Method, Request, body::Incoming};
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::error::Error;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::RwLock;

/// Tests sign with these; a request signed with others is refused.
const KEYS: (&str, &str) = ("test-key", "test-secret");

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("give the folder of the buckets")?;
    let heeds_conditions = words.next().is_none();
    let files = s3s_fs::FileSystem::new(folder).map_err(|error| format!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    if heeds_conditions {
        builder.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
    }
    let service = Arc::new((builder.build(), RwLock::new(()), heeds_conditions));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    // Whoever started us holds the other end of our standard input: when it ends, so do we.
    let parent = tokio::spawn(async { tokio::io::stdin().read_to_end(&mut Vec::new()).await });
    tokio::select! {
        end = serve(listener, service) => end,
        _ = parent => Ok(()),
    }
}

type Shared = Arc<(S3Service, RwLock<()>, bool)>;

async fn serve(listener: TcpListener, shared: Shared) -> Result<(), Box<dyn Error + Send + Sync>> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let shared = Arc::clone(&shared);
        let answer = service_fn(move |request: Request<Incoming>| {
            let shared = Arc::clone(&shared);
            async move {
                let (service, writing, heeds_conditions) = &*shared;
                let mut request = request.map(s3s::Body::from);
                let writes = matches!(*request.method(), Method::PUT | Method::DELETE | Method::POST);
                if writes && !heeds_conditions {
                    request.headers_mut().remove(IF_MATCH);
                    request.headers_mut().remove(IF_NONE_MATCH);
                }
                if writes {
                    let _alone = writing.write().await;
                    service.call(request).await
                } else {
                    // What it gives is read from the opened file, which no write changes.
                    let _beside_reads = writing.read().await;
                    service.call(request).await
                }
            }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}
