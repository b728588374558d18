//! Answers of our own when there is none to pass on.

use super::{Answer, CacheStatus, EdgeBody};
use crate::edge::Edge;
use crate::outcome::{Forwarded, Outcome};
use crate::overload::Shed;
use crate::request::{METHODS, Refusal};
use crate::upload::Uploaded;
use crate::upstream::UpstreamError;
use bytes::Bytes;
use faults::Blame;
use http::{HeaderValue, Response, StatusCode, Version, header};
use telemetry::Label;

/// When to ask again after a failure. Short: players try again by themselves, and a lesson does not wait.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

/// Less than the shortest wait that anybody is told.
const SHED_FOR: HeaderValue = HeaderValue::from_static("max-age=3");

/// The upstream gave nothing, and nothing stands in.
pub(crate) fn failed(edge: &Edge, error: UpstreamError, forwarded: Forwarded) -> Answer {
    let (code, text) = match error {
        UpstreamError::UnknownHost => (
            StatusCode::MISDIRECTED_REQUEST,
            "此节点不提供该主机的内容。\nThis node does not serve that host.\n",
        ),
        UpstreamError::UnknownPath => {
            (StatusCode::NOT_FOUND, "此节点不提供该路径的内容。\nThis node does not serve that path.\n")
        }
        UpstreamError::RequestBody => (
            StatusCode::BAD_REQUEST,
            "请求内容中断，请重试。\nThe request's body broke off; send it again.\n",
        ),
        UpstreamError::RequestTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
        UpstreamError::RequestTooSlow => (
            StatusCode::REQUEST_TIMEOUT,
            "请求内容发送过慢，请重试。\nThe request's body came too slowly; send it again.\n",
        ),
        UpstreamError::Rate => (
            StatusCode::SERVICE_UNAVAILABLE,
            "现在请求的人很多，请稍候再试。\nMany are asking just now; try again in a few seconds.\n",
        ),
        _ if error.is_disconnected() => (
            StatusCode::GATEWAY_TIMEOUT,
            "暂时连接不上源站，请稍候再试。\nThe origin cannot be reached; try again in a few seconds.\n",
        ),
        _ => (
            StatusCode::BAD_GATEWAY,
            "源站的应答无法识别，请稍候再试。\nThe origin's answer could not be used; try again in a few seconds.\n",
        ),
    };
    let status =
        CacheStatus { forwarded: Some(forwarded), detail: Some(error.as_str()), ..CacheStatus::default() };
    let mut answer = text_answer(edge, code, text, Outcome::Failed, status);
    if error.blame() == Blame::Ours {
        answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_S);
    }
    answer
}

/// There is no room to begin. Whoever asks again at once, or the caches on the way, may answer from this one.
pub(crate) fn shed(edge: &Edge, what: Shed) -> Answer {
    let text = "现在观看的人很多，请稍候，页面会自动重试；正在播放的课程不受影响。\nMany are watching just now. Wait a moment and try again; lessons that play go on.\n";
    let status = CacheStatus { detail: Some(what.as_str()), ..CacheStatus::default() };
    let mut answer = text_answer(edge, StatusCode::SERVICE_UNAVAILABLE, text, Outcome::Shed, status);
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(edge.overload.retry_after().as_secs()));
    headers.insert(header::CACHE_CONTROL, SHED_FOR);
    answer
}

/// All places for downloads are taken.
pub(crate) fn downloads_full(edge: &Edge, what: Shed) -> Answer {
    let text = "现在下载的人很多，请稍后再试；已经下载的部分不用重下。\nMany are downloading just now; try again later. What you have need not be fetched again.\n";
    let status = CacheStatus { detail: Some(what.as_str()), ..CacheStatus::default() };
    let mut answer = text_answer(edge, StatusCode::SERVICE_UNAVAILABLE, text, Outcome::Shed, status);
    let wait = HeaderValue::from(edge.overload.retry_after().as_secs());
    answer.headers_mut().insert(header::RETRY_AFTER, wait);
    answer
}

/// Its client has more requests in flight than any client may (RFC 6585 §4).
pub(crate) fn too_many(edge: &Edge, what: Shed) -> Answer {
    let text = "来自同一网络的请求过多，请稍候再试。\nToo many requests from one network; try again in a few seconds.\n";
    let status = CacheStatus { detail: Some(what.as_str()), ..CacheStatus::default() };
    let mut answer = text_answer(edge, StatusCode::TOO_MANY_REQUESTS, text, Outcome::Shed, status);
    let wait = HeaderValue::from(edge.overload.retry_after().as_secs());
    answer.headers_mut().insert(header::RETRY_AFTER, wait);
    answer
}

/// Whoever asks is in a network that the node's owner has not opened it to.
pub(crate) fn elsewhere(edge: &Edge) -> Answer {
    let text = "此节点不为您所在的网络服务，请从主页重新打开课程。\nThis node is not for your network; open the lesson anew from the main page.\n";
    let status = CacheStatus { detail: Some("other-network"), ..CacheStatus::default() };
    text_answer(edge, StatusCode::FORBIDDEN, text, Outcome::Refused, status)
}

/// A request's body that is not sent on.
pub(crate) fn upload_denied(edge: &Edge, denied: Uploaded) -> Answer {
    let status = CacheStatus { detail: Some(denied.as_str()), ..CacheStatus::default() };
    if denied == Uploaded::TooLarge {
        return text_answer(edge, StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE, Outcome::Refused, status);
    }
    let text = "正在上传的人很多，请稍候再试。\nMany are sending just now; try again in a few seconds.\n";
    let mut answer = text_answer(edge, StatusCode::SERVICE_UNAVAILABLE, text, Outcome::Shed, status);
    let wait = HeaderValue::from(edge.overload.retry_after().as_secs());
    answer.headers_mut().insert(header::RETRY_AFTER, wait);
    answer
}

const TOO_LARGE: &str = "上传的内容太大。\nWhat is sent is larger than this node passes on.\n";

/// The client wanted it from the cache or not at all (RFC 9111 §5.2.1.7).
pub(crate) fn not_cached(edge: &Edge) -> Answer {
    let status = CacheStatus { detail: Some("only-if-cached"), ..CacheStatus::default() };
    let text = "缓存中没有此内容。\nNot in this cache, and only-if-cached forbids to ask further.\n";
    text_answer(edge, StatusCode::GATEWAY_TIMEOUT, text, Outcome::OnlyIfCached, status)
}

/// The request itself cannot be answered. Whoever sent one like it over HTTP/1 may see its end elsewhere than we do, so
/// nothing behind it is read (attack 25); HTTP/2 frames its requests apart.
pub(crate) fn refused(edge: &Edge, refusal: Refusal, version: Version) -> Answer {
    let text = match refusal {
        Refusal::Host => "请求缺少唯一的主机名。\nThe request must name one host.\n",
        Refusal::Target => "请求的地址无效。\nThe request's target is not one that is served here.\n",
        Refusal::Method => "不支持此请求方法。\nThis method is not passed on.\n",
        Refusal::Expectation => "无法满足请求的期望。\nWhat the request expects is not known here.\n",
        Refusal::Loop => "请求形成环路。\nThis node has passed the request on before.\n",
    };
    let status = CacheStatus { detail: Some(refusal.reason()), ..CacheStatus::default() };
    let mut answer = text_answer(edge, refusal.status(), text, Outcome::Refused, status);
    if version <= Version::HTTP_11 {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// To OPTIONS that goes no further, for the server as a whole (RFC 9110 §9.3.7) or with no forwards left (§7.6.2): what goes through here.
pub(crate) fn options(edge: &Edge) -> Answer {
    edge.metrics.answered(Outcome::Refused);
    let mut answer = Response::new(EdgeBody::empty(Outcome::Refused, &edge.metrics));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    let methods = HeaderValue::try_from(METHODS.join(", "));
    headers.insert(header::ALLOW, methods.expect("names of methods are a field value"));
    let status = CacheStatus { detail: Some("options"), ..CacheStatus::default() };
    status.append_to(headers, edge.identity.name());
    answer
}

fn text_answer(
    edge: &Edge,
    code: StatusCode,
    text: &'static str,
    outcome: Outcome,
    status: CacheStatus,
) -> Answer {
    edge.metrics.answered(outcome);
    let support = &edge.config.support;
    let text = if support.is_empty() {
        Bytes::from_static(text.as_bytes())
    } else {
        format!("{text}{}", support.text()).into()
    };
    let length = text.len();
    let mut answer = Response::new(EdgeBody::text(text, outcome, &edge.metrics));
    *answer.status_mut() = code;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    // A player on another host must see that this is an error, and of which kind.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    status.append_to(headers, edge.identity.name());
    answer
}
