//! What a service takes by POST on its admin listener.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::timeout;

/// The longest wait for a body: it is small, and comes with its head.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer on its way: a status and a JSON text.
pub type Answering = Pin<Box<dyn Future<Output = (StatusCode, Vec<u8>)> + Send>>;

/// Takes what is posted to one path. Called on the admin listener's thread: work of any length belongs elsewhere.
pub trait Post: Send + Sync {
    /// The longest body.
    fn max_bytes(&self) -> usize;

    /// Answers it. A client that goes away drops the answer, not what it has set off.
    fn take(&self, body: Bytes) -> Answering;
}

/// Who takes what, by path.
#[derive(Default)]
pub struct Posts(RwLock<BTreeMap<&'static str, Arc<dyn Post>>>);

impl Posts {
    /// From now on `post` takes what comes to `path`.
    pub fn route(&self, path: &'static str, post: Arc<dyn Post>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path, post);
    }

    /// Who takes what comes to `path`.
    pub(crate) fn at(&self, path: &str) -> Option<Arc<dyn Post>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

/// Reads the body and has it answered.
pub(crate) async fn answer(post: &dyn Post, body: Incoming) -> Response<Full<Bytes>> {
    let (status, text) = match timeout(BODY_TIMEOUT, Limited::new(body, post.max_bytes()).collect()).await {
        Ok(Ok(body)) => post.take(body.to_bytes()).await,
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, b"{\"refused\":\"too_large\"}".to_vec()),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, b"{\"refused\":\"too_slow\"}".to_vec()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
