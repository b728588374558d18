use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// An edge that answers so, one question after the other.
async fn edge<const N: usize>(answers: [String; N]) -> Local {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local = Local::new(listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            let length = answer.len();
            let answer = format!("HTTP/1.1 200 x\r\ncontent-length: {length}\r\n\r\n{answer}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    local
}

const DONE: Result<Obeyed, Unheard> = Ok(Obeyed::Ended(Effect::Done));

fn refused() -> Result<Obeyed, Unheard> {
    Ok(Obeyed::Ended(Effect::Refused("unknown_key".to_owned())))
}

fn tomorrow() -> Date {
    let now = jiff::tz::TimeZone::UTC.to_datetime(clock::now()).date();
    now.tomorrow().unwrap()
}

fn envelope(text: &str) -> Bytes {
    format!(r#"{{"plan":"{text}","signatures":[]}}"#).into()
}

/// As an edge tells that it follows one text, and refuses one envelope.
fn says(date: Date, followed: Option<&str>, refused: Option<&str>) -> String {
    let followed = followed.map(|text| Digest::of(text.as_bytes()).to_string());
    let refused = refused.map(|text| (Digest::of(&envelope(text)).to_string(), "unknown_key"));
    serde_json::json!({ date.to_string(): { "followed": followed, "refused": refused } }).to_string()
}

fn there(plans: &Plans, date: Date) -> Bytes {
    fs::read(plans.file(date)).unwrap().into()
}

fn files(plans: &Plans) -> Vec<String> {
    let entries = fs::read_dir(plans.folder()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The last good plan was lost where the next one was refused: a process that was started then had the bad one alone.
#[tokio::test]
async fn a_plan_that_is_refused_does_not_take_the_place_of_the_last_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    let edge = edge([
        says(date, Some("good"), None),
        says(date, Some("good"), Some("bad")),
        says(date, Some("better"), None),
    ])
    .await;
    assert_eq!(plans.obey(edge, date, &envelope("good")).await, DONE);
    assert_eq!(plans.obey(edge, date, &envelope("bad")).await, refused());
    assert_eq!(there(&plans, date), envelope("good"));
    assert_eq!(plans.obey(edge, date, &envelope("better")).await, DONE);
    assert_eq!(there(&plans, date), envelope("better"));
    assert_eq!(files(&plans), [format!("{date}.json")]);
}

/// Without another one the bad one stays, so that the node says that it has no plan where there should be one.
#[tokio::test]
async fn a_first_plan_that_is_refused_stays_until_another_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    let edge = edge([says(date, None, Some("bad")), says(date, Some("good"), None)]).await;
    assert_eq!(plans.obey(edge, date, &envelope("bad")).await, refused());
    assert_eq!(there(&plans, date), envelope("bad"));
    assert_eq!(plans.obey(edge, date, &envelope("good")).await, DONE);
    assert_eq!((there(&plans, date), files(&plans)), (envelope("good"), vec![format!("{date}.json")]));
}

/// Ordered days before, they were all written one over the other.
#[tokio::test]
async fn of_plans_that_were_ordered_early_the_newest_good_one_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    let far = || "{}".to_owned();
    let edge = edge([
        far(),
        far(),
        far(),
        far(),
        far(),
        says(date, None, Some("worse")),
        says(date, None, Some("worse")),
        says(date, None, Some("bad")),
        says(date, Some("good"), None),
    ])
    .await;
    for text in ["old", "good", "bad", "worse"] {
        assert_eq!(plans.obey(edge, date, &envelope(text)).await, Ok(Obeyed::Kept(Effect::Done)));
    }
    assert_eq!(plans.judgements(edge, BTreeSet::new()).await, []);
    assert_eq!((there(&plans, date), files(&plans).len()), (envelope("worse"), 4));
    // The day comes near.
    for kept in ["bad", "bad", "good", "good"] {
        plans.judgements(edge, BTreeSet::new()).await.iter().for_each(|settled| plans.settle(settled));
        assert_eq!(there(&plans, date), envelope(kept));
    }
    assert_eq!(files(&plans), [format!("{date}.json")]);
    // Nobody is asked where nothing is open.
    assert_eq!(plans.judgements(edge, BTreeSet::new()).await, []);
}

/// Ordered days before, it was done as far as the control knew, and stayed so when the edge refused it.
#[tokio::test]
async fn what_comes_of_a_plan_that_was_ordered_early_is_told_when_its_day_comes_near() {
    for (text, judged) in [("bad", Judged::Refused("unknown_key".to_owned())), ("good", Judged::Followed)] {
        let folder = tempfile::tempdir().unwrap();
        let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
        let edge = edge(["{}".to_owned(), "{}".to_owned(), says(date, Some("good"), Some("bad"))]).await;
        assert_eq!(plans.obey(edge, date, &envelope(text)).await, Ok(Obeyed::Kept(Effect::Done)));
        // As on all days before, without another plan of its day.
        assert_eq!(plans.judgements(edge, [date].into()).await, []);
        let told = plans.judgements(edge, [date].into()).await;
        assert_eq!(told, [Settled { date, body: Digest::of(&envelope(text)), judged }]);
        plans.settle(&told[0]);
        assert_eq!(there(&plans, date), envelope(text));
    }
}

/// The edge hung for a while: it followed the plan, and the control was told for good that it did not.
#[tokio::test(start_paused = true)]
async fn what_an_edge_says_of_a_plan_that_it_was_slow_to_look_at_is_told_after_all() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    let mut looks: [_; 200] = std::array::from_fn(|_| says(date, None, None));
    let last = looks.len() - 1;
    looks[last] = says(date, Some("good"), None);
    let edge = edge(looks).await;
    let obeyed = plans.obey(edge, date, &envelope("good")).await.unwrap();
    assert!(
        matches!(&obeyed, Obeyed::Kept(Effect::Refused(why)) if why.contains("does not look")),
        "{obeyed:?}"
    );
    let told = loop {
        let told = plans.judgements(edge, [date].into()).await;
        if !told.is_empty() {
            break told;
        }
    };
    assert_eq!(told, [Settled { date, body: Digest::of(&envelope("good")), judged: Judged::Followed }]);
}

/// The agent stopped between the two: the one before had taken its place, and nobody was told of the refusal.
#[tokio::test]
async fn a_refusal_is_found_anew_until_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    plans.put(date, &envelope("good")).unwrap();
    plans.put(date, &envelope("bad")).unwrap();
    let edge = edge([says(date, None, Some("bad")), says(date, None, Some("bad"))]).await;
    let first = plans.judgements(edge, [date].into()).await;
    assert_eq!(first.len(), 1);
    assert_eq!(
        (plans.judgements(edge, [date].into()).await, there(&plans, date)),
        (first.clone(), envelope("bad"))
    );
    plans.settle(&first[0]);
    assert_eq!(there(&plans, date), envelope("good"));
}

#[test]
fn an_order_that_is_obeyed_again_keeps_nothing_twice_and_many_have_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().join("plans")), tomorrow());
    plans.put(date, &envelope("first")).unwrap();
    for number in 0..20 {
        let text = number.to_string();
        plans.put(date, &envelope(&text)).unwrap();
        plans.put(date, &envelope(&text)).unwrap();
    }
    let before = plans.before().unwrap().remove(&date).unwrap();
    assert_eq!(before.len(), MOST_BEFORE);
    let first = fs::read(plans.one_before(date, before[0])).unwrap();
    assert_eq!(Bytes::from(first), envelope("first"));
    // Cut off between keeping and putting.
    let newest = *before.last().unwrap();
    fs::copy(plans.one_before(date, newest), plans.file(date)).unwrap();
    plans.put(date, &envelope("next")).unwrap();
    assert_eq!(plans.before().unwrap().remove(&date).unwrap(), before);
}

/// All of it was read, and kept beside the plan.
#[test]
fn what_is_too_long_for_a_plan_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, date) = (Plans::new(folder.path().to_owned()), tomorrow());
    fs::write(plans.file(date), vec![b' '; timetable::MAX_ENVELOPE_BYTES + 1]).unwrap();
    plans.put(date, &envelope("x")).unwrap();
    assert_eq!((there(&plans, date), files(&plans)), (envelope("x"), vec![format!("{date}.json")]));
}

#[test]
fn what_is_over_is_cleared_away_with_those_before() {
    let folder = tempfile::tempdir().unwrap();
    let plans = Plans::new(folder.path().to_owned());
    for name in ["2020-09-01.json", "2020-09-01.json.1", "keys.json", "2020-09-01.jsonx", "x"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    // Asked for once: midnight may be between.
    let date = tomorrow();
    plans.put(date, &envelope("x")).unwrap();
    let mut left = vec![format!("{date}.json")];
    left.splice(0..0, ["2020-09-01.jsonx".to_owned()]);
    left.extend(["keys.json".to_owned(), "x".to_owned()]);
    assert_eq!(files(&plans), left);
}
