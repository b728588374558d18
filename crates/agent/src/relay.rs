//! Orders that come too late to be taken as they are.
//!
//! An edge takes an order for minutes only, and none from before its own start, so that nobody can play an old one again. A
//! node that was away for an hour has missed orders all the same, and must not serve what they mean. So its agent judges
//! such an order by the same keys, leaving its times out, and gives the edge one of its own that says the same.

use crate::clock;
use jiff::tz::TimeZone;
use purge::{Order, Signed};
use signing::{SigningKey, TrustFile, Verdict};
use std::time::Duration;

/// How long the edge may take to hear it.
const LIFE: Duration = Duration::from_secs(60);

/// Makes late orders new.
pub(crate) struct Relay {
    /// Whose orders count here.
    pub(crate) keys: TrustFile,
    /// Which the edge knows as one of these.
    pub(crate) own: SigningKey,
}

impl Relay {
    /// The same order, given now; or why it is none.
    pub(crate) fn anew(&mut self, envelope: &[u8]) -> Result<Vec<u8>, &'static str> {
        let Signed { order, signatures } = Signed::parse(envelope).ok_or("malformed")?;
        let now = clock::now();
        match self.keys.now().judge(order.as_bytes(), &signatures, TimeZone::UTC.to_datetime(now).date()) {
            // It counted when it was given, which the control has recorded.
            Verdict::Good(_) | Verdict::Outdated(_) => {}
            verdict => return Err(verdict.as_str()),
        }
        let Order { what, mode, group, .. } = Order::parse(&order).ok_or("malformed")?;
        let anew = Order::new(what, mode, group, now, LIFE)?;
        Ok(Signed::by(&anew, &[&self.own]).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purge::{Mode, What};
    use std::path::Path;

    fn keys(keys: &[&SigningKey], folder: &Path) -> TrustFile {
        let path = folder.join("keys.toml");
        let entry =
            |key: &&SigningKey| format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        std::fs::write(&path, keys.iter().map(entry).collect::<String>()).unwrap();
        TrustFile::read(&path).unwrap()
    }

    #[test]
    fn an_old_order_is_given_anew_and_a_forged_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (operator, own, stranger) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let long_ago = "2026-09-01T00:00:00Z".parse().unwrap();
        let what = What::Prefix("http://a/x".parse().unwrap());
        let old = Order::new(what.clone(), Mode::Soft, None, long_ago, LIFE).unwrap();
        let mut relay = Relay { keys: keys(&[&operator, &own], folder.path()), own };
        let anew = relay.anew(&Signed::by(&old, &[&operator]).to_bytes()).unwrap();
        let anew = Order::parse(&Signed::parse(&anew).unwrap().order).unwrap();
        assert_eq!((anew.what, anew.mode), (what, Mode::Soft));
        assert!(anew.made_at > old.made_at && anew.id != old.id);
        assert_eq!(relay.anew(&Signed::by(&old, &[&stranger]).to_bytes()), Err("unknown"));
        assert_eq!(relay.anew(&Signed::by(&old, &[]).to_bytes()), Err("unsigned"));
        let mut wider = Signed::by(&old, &[&operator]);
        wider.order = wider.order.replace("/x", "/");
        assert_eq!(relay.anew(&wider.to_bytes()), Err("forged"));
        assert_eq!(relay.anew(b"x"), Err("malformed"));
    }
}
