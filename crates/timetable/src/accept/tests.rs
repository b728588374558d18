use super::*;
use crate::sample::{moment, plan};
use jiff::civil::date;
use signing::SigningKey;
use std::path::Path;

fn trusting(key: &SigningKey, more: &str) -> Trust {
    let text = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n{more}\n", key.id(), key.public());
    Trust::parse(&text, Path::new("keys.toml")).unwrap()
}

fn judge(sent: &[u8], trust: &Trust, previous: Option<&Accepted>) -> Result<Accepted, Refusal> {
    accept(sent, trust, date(2026, 9, 1), previous, moment("08:00:00"))
}

#[test]
fn what_is_published_is_followed_or_refused_with_a_reason() {
    let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let trust = trusting(&key, "");
    let good = SignedPlan::by(&plan(), &[&key]).to_bytes();
    let followed = judge(&good, &trust, None).unwrap();
    assert_eq!(followed.plan, plan());

    let edition = |edition: u64| SignedPlan::by(&Plan { edition, ..plan() }, &[&key]).to_bytes();
    let mut changed = plan();
    changed.lessons[0].title.push('!');
    let mut contradictory = plan();
    contradictory.channels[0].programmes.remove(3);
    let paper = |text: &str| {
        let mut paper = SignedPlan { plan: text.to_owned(), ..SignedPlan::by(&plan(), &[]) };
        paper.signatures.add(key.sign(text.as_bytes()));
        paper.to_bytes()
    };
    let forged =
        SignedPlan { plan: plan().to_text().replace("00:30", "00:00"), ..SignedPlan::parse(&good).unwrap() };
    let half = &plan().to_text()[..900];
    for (what, sent, refused) in [
        ("nothing", Vec::new(), Refusal::HalfWritten),
        ("half of it", good[..good.len() / 2].to_vec(), Refusal::HalfWritten),
        ("something else", b"<html>502</html>".to_vec(), Refusal::Malformed),
        ("a signed half", paper(half), Refusal::Malformed),
        ("a signed manifest", paper("{\"format\":2}"), Refusal::Malformed),
        ("nobody's", SignedPlan::by(&plan(), &[]).to_bytes(), Refusal::Unsigned),
        ("another's", SignedPlan::by(&plan(), &[&other]).to_bytes(), Refusal::UnknownKey),
        ("under another plan", forged.to_bytes(), Refusal::WrongSignature),
        ("a day with a hole", SignedPlan::by(&contradictory, &[&key]).to_bytes(), Refusal::Contradictory),
        ("an old one", edition(2), Refusal::OldEdition),
        ("another of the same edition", SignedPlan::by(&changed, &[&key]).to_bytes(), Refusal::SameEdition),
        ("too much", vec![b' '; crate::MAX_ENVELOPE_BYTES + 1], Refusal::TooLong),
    ] {
        assert_eq!(judge(&sent, &trust, Some(&followed)).err(), Some(refused), "{what}");
    }
    assert_eq!(judge(&good, &trust, Some(&followed)).unwrap().digest, followed.digest);
    assert_eq!(judge(&edition(4), &trust, Some(&followed)).unwrap().plan.edition, 4);
    let late = trusting(&key, "until = \"2026-08-31\"");
    assert_eq!(judge(&good, &late, None).err(), Some(Refusal::OutdatedKey));
}

#[test]
fn the_day_and_the_time_must_be_right() {
    let key = SigningKey::generate().unwrap();
    let trust = trusting(&key, "");
    let good = SignedPlan::by(&plan(), &[&key]).to_bytes();
    let first = date(2026, 9, 1);
    for (what, day, now, refused) in [
        ("on the day", first, "08:00:00", None),
        ("the evening before", first, "2026-08-31T18:00:00+08:00", None),
        ("its first moment", first, "2026-08-31T00:00:00+08:00", None),
        ("before", first, "2026-08-30T23:59:59+08:00", Some(Refusal::NotYetValid)),
        ("its last moment", first, "2026-09-02T23:59:59+08:00", None),
        ("after", first, "2026-09-03T00:00:00+08:00", Some(Refusal::Expired)),
        ("as tomorrow's", date(2026, 9, 2), "08:00:00", Some(Refusal::AnotherDay)),
    ] {
        assert_eq!(accept(&good, &trust, day, None, moment(now)).err(), refused, "{what}");
    }
    // Yesterday's editions say nothing about today's.
    let yesterday = accept(&good, &trust, first, None, moment("08:00:00")).unwrap();
    let mut today = plan();
    today.date = date(2026, 9, 2);
    today.edition = 1;
    today.first_segment = crate::AirSegment(today.first_segment.0 + 18_000);
    today.valid_until = moment("2026-09-04T00:00:00+08:00");
    for lesson in &mut today.lessons {
        lesson.bell += jiff::SignedDuration::from_hours(24);
        lesson.release = lesson.bell;
    }
    let sent = SignedPlan::by(&today, &[&key]).to_bytes();
    accept(&sent, &trust, today.date, Some(&yesterday), moment("18:00:00")).unwrap();
}
