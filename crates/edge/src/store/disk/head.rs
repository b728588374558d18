//! A response without its body, as it lies on the disk.
//!
//! ```text
//! version u8 | kind u8 | orders u64
//! kind 1, a response:   run u64 | since start ms u64 | unix ms u64 | status u16 | flags u8
//!                       | initial age, lifetime, while revalidating, if error: ms u64 each
//!                       | fields: name length u16, name, value length u32, value
//! kind 2, a sign-post:  generation u64 | the values of Vary, joined by commas
//! ```
//! `orders` is the number of the latest order to purge when it was written: later ones are about it, earlier ones are not.
//! Little-endian. The store has verified every byte; what cannot be read is another version's, and a miss.

use crate::store::Object;
use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use httpcache::freshness::{Freshness, StaleUse};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const VERSION: u8 = 2;
const RESPONSE: u8 = 1;
const SIGN_POST: u8 = 2;
const FORBIDDEN: u8 = 1;
const ONLY_BY_WORD: u8 = 2;
const IMMUTABLE: u8 = 4;
const IF_ERROR: u8 = 8;
const WEAK_DATE: u8 = 16;

/// What is read.
#[derive(Debug)]
pub(super) enum Head {
    Response {
        orders: u64,
        status: StatusCode,
        headers: HeaderMap,
        freshness: Freshness,
        times: Times,
        /// Whether Last-Modified may be a strong validator, as far as its fields say so.
        strong_date: bool,
    },
    Varies {
        orders: u64,
        generation: u64,
        vary: HeaderMap,
    },
}

/// What the clocks said when a head was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Of which process.
    pub(super) run: u64,
    /// By its monotonic clock.
    pub(super) since_start_ms: u64,
    /// By the wall clock.
    pub(super) unix_ms: u64,
}

impl Times {
    /// `freshness` as it was at these times, `now`. In the same process the monotonic clock counts, whatever happened to
    /// the wall clock (attack 73). After a restart there is only the latter; where it says that the response comes from the
    /// future, nobody knows its age, and it is asked about.
    pub(super) fn aged(self, freshness: Freshness, now: Self) -> Freshness {
        let passed = if self.run == now.run {
            Some(now.since_start_ms.saturating_sub(self.since_start_ms))
        } else {
            now.unix_ms.checked_sub(self.unix_ms)
        };
        match passed.map(Duration::from_millis) {
            Some(passed) => {
                Freshness { initial_age: freshness.initial_age.saturating_add(passed), ..freshness }
            }
            None => Freshness { lifetime: Duration::ZERO, ..freshness },
        }
    }
}

impl Head {
    /// Of a response as it is at `now`, when `orders` was the latest order.
    pub(super) fn write_response(object: &Object, now: Times, orders: u64) -> Bytes {
        let freshness = &object.freshness;
        let StaleUse { while_revalidating, if_error, forbidden, only_by_word } = freshness.stale;
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut out = Vec::with_capacity(512);
        out.put_u8(VERSION);
        out.put_u8(RESPONSE);
        out.put_u64_le(orders);
        out.put_u64_le(now.run);
        out.put_u64_le(now.since_start_ms);
        out.put_u64_le(now.unix_ms);
        out.put_u16_le(object.status.as_u16());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.put_u8(
            flag(forbidden, FORBIDDEN)
                | flag(only_by_word, ONLY_BY_WORD)
                | flag(freshness.immutable, IMMUTABLE)
                | flag(if_error.is_some(), IF_ERROR)
                | flag(!object.strong_date, WEAK_DATE),
        );
        out.put_u64_le(millis(freshness.age(object.resident(tokio::time::Instant::now()))));
        out.put_u64_le(millis(freshness.lifetime));
        out.put_u64_le(millis(while_revalidating));
        out.put_u64_le(millis(if_error.unwrap_or_default()));
        for (name, value) in &object.headers {
            // No field is longer than hyper takes, which is far below these.
            let (Ok(name_length), Ok(value_length)) =
                (u16::try_from(name.as_str().len()), u32::try_from(value.len()))
            else {
                continue;
            };
            out.put_u16_le(name_length);
            out.put_slice(name.as_str().as_bytes());
            out.put_u32_le(value_length);
            out.put_slice(value.as_bytes());
        }
        out.into()
    }

    /// Of the sign-post to variants.
    pub(super) fn write_varies<'a>(
        generation: u64,
        vary: impl Iterator<Item = &'a HeaderValue>,
        orders: u64,
    ) -> Bytes {
        let mut out = vec![VERSION, SIGN_POST];
        out.put_u64_le(orders);
        out.put_u64_le(generation);
        let values: Vec<_> = vary.map(HeaderValue::as_bytes).collect();
        out.put_slice(&values.join(&b","[..]));
        out.into()
    }

    /// `None` where it is not one of ours.
    pub(super) fn parse(bytes: &Bytes) -> Option<Self> {
        let mut bytes = bytes.clone();
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let kind = bytes.try_get_u8().ok()?;
        let orders = bytes.try_get_u64_le().ok()?;
        match kind {
            RESPONSE => response(bytes, orders),
            SIGN_POST => {
                let generation = bytes.try_get_u64_le().ok()?;
                let mut vary = HeaderMap::new();
                vary.insert(header::VARY, HeaderValue::from_maybe_shared(bytes).ok()?);
                Some(Self::Varies { orders, generation, vary })
            }
            _ => None,
        }
    }
}

fn response(mut bytes: Bytes, orders: u64) -> Option<Head> {
    let mut number = || bytes.try_get_u64_le().ok();
    let times = Times { run: number()?, since_start_ms: number()?, unix_ms: number()? };
    let status = StatusCode::from_u16(bytes.try_get_u16_le().ok()?).ok()?;
    let flags = bytes.try_get_u8().ok()?;
    let mut span = || bytes.try_get_u64_le().ok().map(Duration::from_millis);
    let (initial_age, lifetime, while_revalidating, if_error) = (span()?, span()?, span()?, span()?);
    let freshness = Freshness {
        initial_age,
        lifetime,
        stale: StaleUse {
            while_revalidating,
            if_error: (flags & IF_ERROR != 0).then_some(if_error),
            forbidden: flags & FORBIDDEN != 0,
            only_by_word: flags & ONLY_BY_WORD != 0,
        },
        immutable: flags & IMMUTABLE != 0,
    };
    let mut headers = HeaderMap::new();
    while bytes.has_remaining() {
        let name = usize::from(bytes.try_get_u16_le().ok()?);
        let name = HeaderName::from_bytes(&taken(&mut bytes, name)?).ok()?;
        let value = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(taken(&mut bytes, value)?).ok()?);
    }
    let strong_date = flags & WEAK_DATE == 0;
    Some(Head::Response { orders, status, headers, freshness, times, strong_date })
}

fn taken(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Body;
    use proptest::prelude::*;
    use std::sync::Arc;
    use tokio::time::Instant;

    const NOW: Times = Times { run: 7, since_start_ms: 5_000, unix_ms: 1_000_000 };

    fn freshness(if_error: Option<u64>, flags: (bool, bool, bool)) -> Freshness {
        let second = Duration::from_secs(1);
        Freshness {
            initial_age: second,
            lifetime: second * 60,
            stale: StaleUse {
                while_revalidating: second * 5,
                if_error: if_error.map(Duration::from_millis),
                forbidden: flags.0,
                only_by_word: flags.1,
            },
            immutable: flags.2,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            if_error: Option<u64>, flags: (bool, bool, bool), status in 100u16..600,
            fields in prop::collection::vec(("[a-z][a-z0-9-]{0,20}", "[ -~]{0,40}"), 0..12), cut: prop::sample::Index,
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in &fields {
                let name = HeaderName::try_from(name.as_str()).unwrap();
                if name != header::AGE {
                    headers.append(name, HeaderValue::try_from(value.as_str()).unwrap());
                }
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let _paused = runtime.enter();
            let body = Body::Complete(Arc::default());
            let status = StatusCode::from_u16(status).unwrap();
            let object = Object::new(status, headers.clone(), freshness(if_error, flags), Instant::now(), body);
            let bytes = Head::write_response(&object, NOW, 6);
            let Some(Head::Response { orders: 6, status: read, headers: fields, freshness: fresh, times, .. }) = Head::parse(&bytes) else {
                panic!("it is a response");
            };
            prop_assert_eq!((read, fields, times), (status, headers, NOW));
            prop_assert_eq!(fresh.lifetime, object.freshness.lifetime);
            prop_assert_eq!(fresh.stale, object.freshness.stale);
            // Whatever is left of it: read or refused.
            let _ = Head::parse(&bytes.slice(..cut.index(bytes.len())));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..4) {
            let _ = Head::parse(&[&[VERSION, kind], &bytes[..]].concat().into());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_date_that_was_no_strong_validator_when_the_bytes_came_is_none_after_a_restart() {
        // RFC 9110 §8.8.2.2
        let mut headers = HeaderMap::new();
        for (name, second) in [(header::LAST_MODIFIED, "37"), (header::DATE, "59")] {
            let date = format!("Sun, 06 Nov 1994 08:49:{second} GMT");
            headers.insert(name, HeaderValue::try_from(date).unwrap());
        }
        for strong in [false, true] {
            let (freshness, body) = (freshness(None, (false, false, false)), Body::Complete(Arc::default()));
            let object = Object::new(StatusCode::OK, headers.clone(), freshness, Instant::now(), body);
            let written = Head::write_response(&object.with_date(strong), NOW, 6);
            let Some(Head::Response { strong_date, .. }) = Head::parse(&written) else {
                panic!("it is a response")
            };
            assert_eq!(strong_date, strong);
        }
    }

    #[test]
    fn attack_73_a_wall_clock_that_jumps_ages_nothing_in_the_same_process() {
        let age = |now: Times| NOW.aged(freshness(None, (false, false, false)), now).initial_age.as_secs();
        let hour = 3_600_000;
        for unix_ms in [0, NOW.unix_ms + hour, NOW.unix_ms.saturating_sub(hour)] {
            assert_eq!(age(Times { since_start_ms: 8_000, unix_ms, ..NOW }), 4);
        }
        // After a restart the wall clock is all there is.
        let restarted = |unix_ms| Times { run: 8, since_start_ms: 1, unix_ms };
        assert_eq!(age(restarted(NOW.unix_ms + hour)), 3_601);
        let future = NOW.aged(freshness(None, (false, false, false)), restarted(NOW.unix_ms - 1));
        assert_eq!(future.lifetime, Duration::ZERO, "from the future: to be asked about");
    }

    #[test]
    fn a_sign_post_says_by_what_it_varies() {
        let values = [HeaderValue::from_static("accept-encoding"), HeaderValue::from_static("x-a, x-b")];
        let Some(Head::Varies { orders: 6, generation, vary }) =
            Head::parse(&Head::write_varies(9, values.iter(), 6))
        else {
            panic!("it is a sign-post");
        };
        assert_eq!(generation, 9);
        assert_eq!(vary[header::VARY], "accept-encoding,x-a, x-b");
    }
}
