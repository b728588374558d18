//! Orders that come too late, or too early, to be taken as they are.
//!
//! An edge takes an order for minutes only, and none from before its own start, so that nobody can play an old one again. A
//! node that was away for an hour has missed orders all the same, and must not serve what they mean. So its agent judges
//! such an order by the same keys, leaving its times out, and gives the edge one of its own that says the same. So does one whose
//! clock is hours behind: to it every order comes from the future.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use purge::{Order, Signed};
use signing::{SigningKey, TrustFile, Verdict};
use std::time::Duration;

/// How long the edge may take to hear it.
const LIFE: Duration = Duration::from_secs(60);

/// How long an order may take whose key has ended since: as long as the control keeps it. Who still has the key could date back what it
/// signs, but not for ever.
const LATEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Makes late orders new.
pub(crate) struct Relay {
    /// Whose orders count here.
    pub(crate) keys: TrustFile,
    /// Which the edge knows as one of these.
    pub(crate) own: SigningKey,
}

impl Relay {
    /// The same order, given `now`; or why it is none.
    pub(crate) fn anew(&mut self, envelope: &[u8], now: Timestamp) -> Result<Vec<u8>, &'static str> {
        let Signed { order, signatures } = Signed::parse(envelope).ok_or("malformed")?;
        let trust = self.keys.now();
        let judge = |at| trust.judge(order.as_bytes(), &signatures, TimeZone::UTC.to_datetime(at).date());
        let today = judge(now);
        if !matches!(today, Verdict::Good(_) | Verdict::Outdated(_)) {
            return Err(today.as_str());
        }
        let Order { what, mode, group, made_at, .. } = Order::parse(&order).ok_or("malformed")?;
        let counted = || now.duration_since(made_at) <= LATEST && matches!(judge(made_at), Verdict::Good(_));
        if matches!(today, Verdict::Outdated(_)) && !counted() {
            return Err(today.as_str());
        }
        let anew = Order::new(what, mode, group, now, LIFE)?;
        Ok(Signed::by(&anew, &[&self.own]).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purge::{Mode, What};
    use std::path::Path;

    fn entry(key: &SigningKey, more: &str) -> String {
        format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n{more}\n", key.id(), key.public())
    }

    fn keys(entries: &[String], folder: &Path) -> TrustFile {
        let path = folder.join("keys.toml");
        std::fs::write(&path, entries.concat()).unwrap();
        TrustFile::read(&path).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_old_order_is_given_anew_and_a_forged_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (operator, own, stranger) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let (long_ago, now) = (at("2026-09-01T00:00:00Z"), at("2027-09-01T00:00:00Z"));
        let what = What::Prefix("http://a/x".parse().unwrap());
        let old = Order::new(what.clone(), Mode::Soft, None, long_ago, LIFE).unwrap();
        let mut relay = Relay { keys: keys(&[entry(&operator, ""), entry(&own, "")], folder.path()), own };
        let anew = relay.anew(&Signed::by(&old, &[&operator]).to_bytes(), now).unwrap();
        let anew = Order::parse(&Signed::parse(&anew).unwrap().order).unwrap();
        assert_eq!((anew.what, anew.mode), (what, Mode::Soft));
        assert!(anew.made_at > old.made_at && anew.id != old.id);
        assert_eq!(relay.anew(&Signed::by(&old, &[&stranger]).to_bytes(), now), Err("unknown"));
        assert_eq!(relay.anew(&Signed::by(&old, &[]).to_bytes(), now), Err("unsigned"));
        let mut wider = Signed::by(&old, &[&operator]);
        wider.order = wider.order.replace("/x", "/");
        assert_eq!(relay.anew(&wider.to_bytes(), now), Err("forged"));
        assert_eq!(relay.anew(b"x", now), Err("malformed"));
    }

    #[test]
    fn an_order_counts_by_the_key_of_its_day() {
        let folder = tempfile::tempdir().unwrap();
        let (operator, own) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let entries = [entry(&operator, "from = \"2026-08-01\"\nuntil = \"2026-08-31\""), entry(&own, "")];
        let mut relay = Relay { keys: keys(&entries, folder.path()), own };
        for (made_at, now, relayed) in [
            ("2026-08-31T23:59:59Z", "2026-09-01T00:10:00Z", None),
            ("2026-08-31T23:59:59Z", "2026-09-30T00:00:00Z", None),
            ("2026-08-31T23:59:59Z", "2026-10-02T00:00:00Z", Some("outdated")),
            ("2026-09-01T00:00:00Z", "2026-09-01T00:10:00Z", Some("outdated")),
            ("2026-07-31T23:59:59Z", "2026-09-01T00:00:00Z", Some("outdated")),
        ] {
            let what = What::Url("http://a/x".parse().unwrap());
            let order = Order::new(what, Mode::Hard, None, at(made_at), LIFE).unwrap();
            let anew = relay.anew(&Signed::by(&order, &[&operator]).to_bytes(), at(now));
            assert_eq!(anew.err(), relayed, "{made_at} {now}");
        }
    }
}
