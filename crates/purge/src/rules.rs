//! Whether an order is obeyed, at a given time.

use crate::order::{Group, Order};
use crate::refusal::Refusal;
use crate::signed::Signed;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use signing::{Trust, Trusted, Verdict};
use std::time::Duration;

/// The longest life of an order: long enough for a fleet on bad lines, short enough to remember all orders within it.
pub const MAX_LIFE: Duration = Duration::from_secs(600);

/// Whom a node obeys.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Whose orders.
    pub trust: Trust,
    /// The group that this node is in.
    pub group: Option<Group>,
    /// When this process began to obey. What came before, the one before may have obeyed.
    pub since: Timestamp,
}

/// An order that is to be obeyed, unless it has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What.
    pub order: Order,
    /// Whose.
    pub key: Trusted,
}

impl Rules {
    /// Judges what was sent. Nothing of the order is read before its signature is good.
    ///
    /// No clock is given the benefit of the doubt: an order from the future is refused, so that whatever was obeyed before a
    /// restart was also made before it.
    ///
    /// # Errors
    /// Why it is not to be obeyed.
    pub fn judge(&self, sent: &[u8], now: Timestamp) -> Result<Accepted, Refusal> {
        let Signed { order, signatures } = Signed::parse(sent).ok_or(Refusal::Malformed)?;
        let today = TimeZone::UTC.to_datetime(now).date();
        let key = match self.trust.judge(order.as_bytes(), &signatures, today) {
            Verdict::Good(key) => key,
            Verdict::Forged(_) => return Err(Refusal::BadSignature),
            Verdict::Outdated(_) => return Err(Refusal::OutdatedKey),
            Verdict::Unknown(_) => return Err(Refusal::UnknownKey),
            Verdict::Unsigned => return Err(Refusal::Unsigned),
        };
        let order = Order::parse(&order).ok_or(Refusal::Malformed)?;
        let life = Duration::try_from(order.expires_at.duration_since(order.made_at)).unwrap_or_default();
        if order.group != self.group {
            Err(Refusal::OtherGroup)
        } else if life > MAX_LIFE {
            Err(Refusal::LifeTooLong)
        } else if order.made_at > now {
            Err(Refusal::NotYetValid)
        } else if order.expires_at <= now {
            Err(Refusal::Expired)
        } else if order.made_at <= self.since {
            Err(Refusal::BeforeStart)
        } else {
            Ok(Accepted { order, key })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Mode, What};
    use signing::SigningKey;
    use std::path::Path;

    fn trusting(key: &SigningKey, more: &str) -> Trust {
        let text = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n{more}\n", key.id(), key.public());
        Trust::parse(&text, Path::new("keys.toml")).unwrap()
    }

    /// Seconds after eight in the morning of the first school day.
    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_788_249_600 + second).unwrap()
    }

    fn order(made_at: i64, life: u64, group: Option<&str>) -> Order {
        let what = What::Url("https://a/x".parse().unwrap());
        let group = group.map(|group| group.parse().unwrap());
        Order::new(what, Mode::Hard, group, at(made_at), Duration::from_secs(life)).unwrap()
    }

    #[test]
    fn attack_76_what_time_group_and_life_allow() {
        let key = SigningKey::generate().unwrap();
        let rules = |group: Option<&str>| Rules {
            trust: trusting(&key, ""),
            group: group.map(|group| group.parse().unwrap()),
            since: at(100),
        };
        for (what, made_at, life, group, now, refused) in [
            ("at once", 200, 60, None, 200, None),
            ("in its last moment", 200, 60, None, 259, None),
            ("when it expires", 200, 60, None, 260, Some(Refusal::Expired)),
            ("long after", 200, 60, None, 900, Some(Refusal::Expired)),
            ("before it was made", 200, 60, None, 199, Some(Refusal::NotYetValid)),
            ("made before this process", 99, 600, None, 200, Some(Refusal::BeforeStart)),
            ("made in the moment it began", 100, 600, None, 200, Some(Refusal::BeforeStart)),
            ("the longest life", 200, 600, None, 300, None),
            ("a longer one", 200, 601, None, 300, Some(Refusal::LifeTooLong)),
            ("no life", 200, 0, None, 200, Some(Refusal::Expired)),
            ("of no group", 200, 60, Some("west"), 200, Some(Refusal::OtherGroup)),
        ] {
            let sent = Signed::by(&order(made_at, life, group), &[&key]).to_bytes();
            assert_eq!(rules(None).judge(&sent, at(now)).err(), refused, "{what}");
        }
        for (group, refused) in [
            (Some("west"), None),
            (Some("east"), Some(Refusal::OtherGroup)),
            (None, Some(Refusal::OtherGroup)),
        ] {
            let sent = Signed::by(&order(200, 60, group), &[&key]).to_bytes();
            assert_eq!(rules(Some("west")).judge(&sent, at(200)).err(), refused, "{group:?}");
        }
    }

    #[test]
    fn attack_76_whose_signature_counts() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let (good, another) = (order(200, 60, None), order(200, 60, None));
        let forged = Signed { order: another.to_text(), ..Signed::by(&good, &[&key]) };
        let spaced = Signed { order: format!("{} ", good.to_text()), ..Signed::by(&good, &[&key]) };
        // Signed, and something else.
        let mut paper = Signed::by(&good, &[]);
        paper.order = "{\"objects\":[]}".to_owned();
        paper.signatures.add(key.sign(paper.order.as_bytes()));
        for (what, sent, more, refused) in [
            ("ours", Signed::by(&good, &[&key]), "", None),
            ("ours and another's", Signed::by(&good, &[&other, &key]), "", None),
            ("nobody's", Signed::by(&good, &[]), "", Some(Refusal::Unsigned)),
            ("another's", Signed::by(&good, &[&other]), "", Some(Refusal::UnknownKey)),
            ("under another order", forged, "", Some(Refusal::BadSignature)),
            ("one space more", spaced, "", Some(Refusal::BadSignature)),
            ("not yet ours", Signed::by(&good, &[&key]), "from = \"2026-09-02\"", Some(Refusal::OutdatedKey)),
            (
                "no more ours",
                Signed::by(&good, &[&key]),
                "until = \"2026-08-31\"",
                Some(Refusal::OutdatedKey),
            ),
            ("a manifest", paper, "", Some(Refusal::Malformed)),
        ] {
            let rules = Rules { trust: trusting(&key, more), group: None, since: at(0) };
            assert_eq!(rules.judge(&sent.to_bytes(), at(210)).err(), refused, "{what}");
        }
    }

    #[test]
    fn what_is_no_envelope() {
        let key = SigningKey::generate().unwrap();
        let rules = Rules { trust: trusting(&key, ""), group: None, since: at(0) };
        let good = String::from_utf8(Signed::by(&order(200, 60, None), &[&key]).to_bytes()).unwrap();
        let signature = good[good.find("[{").unwrap() + 1..good.len() - 2].to_owned();
        let many = good.replace(&signature, &vec![signature.as_str(); 17].join(","));
        for sent in
            ["", "{}", "[]", "null", "{\"order\":1}", &good[1..], &many, &good.replace("order", "orders")]
        {
            assert_eq!(rules.judge(sent.as_bytes(), at(210)).err(), Some(Refusal::Malformed), "{sent:.60}");
        }
        assert!(rules.judge(good.as_bytes(), at(210)).is_ok());
    }
}
