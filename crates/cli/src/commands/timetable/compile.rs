//! `compile`: the plan of each day, signed, and the guides that follow from it.

use super::fault::TimetableFault;
use super::published::{self, Published, is_over, same_place};
use super::{Compile, guides, read, stock};
use faults::AnyFault;
use jiff::Timestamp;
use jiff::civil::Date;
use package::LessonId;
use signing::SigningKey;
use std::io::Write;
use storage::Store;
use timetable::guide::Day;
use timetable::{Making, Plan, Rule, SignedPlan, Timetable, Weight, day_path, plan_path};

/// `airclass timetable compile`
pub(super) fn compile(options: &Compile) -> Result<(), AnyFault> {
    let key = SigningKey::read(&options.key)?;
    let timetable = match read::timetable(&options.written)? {
        Ok(timetable) => timetable,
        Err(findings) => return Ok(read::tell(&findings)?),
    };
    let now = read::now()?;
    stock::runtime()?.block_on(async {
        let store = stock::open(&options.store).await?;
        let mut shelves = Vec::new();
        if let Some(out) = &options.out {
            shelves.push(Store::create(&out.display().to_string()).await?);
        }
        if options.publish {
            shelves.push(Store::create(&options.store).await?);
        }
        let stock = stock::stock(&store, &timetable).await?;
        let late = |rule| options.allow_missing && rule == Rule::NotStored;
        let published = Published::read(&shelves, &timetable).await?;
        let mut told = published::findings(&published, &timetable, &stock, now);
        for finding in told.iter_mut().filter(|finding| late(finding.rule)) {
            finding.weight = Weight::Note;
        }
        read::tell(&told)?;

        let work = Work {
            options,
            key: &key,
            timetable: &timetable,
            stock: &stock,
            shelves: &shelves,
            published: &published,
            now,
        };
        // All days first: a file is followed whole or not at all.
        let mut made: Vec<(Date, Made)> = Vec::new();
        for date in timetable.days() {
            let before = made.last().map(|(date, made)| (*date, &made.plan));
            let day = work.make(date, published.day_before(date, before))?;
            made.push((date, day));
        }
        for (date, made) in &made {
            work.publish(*date, made).await?;
            work.tell_opened(*date, made, &store).await?;
        }
        let today = timetable.zone.local(now).date();
        guides::write(&shelves, made.first().map_or(today, |(date, _)| today.min(*date))).await
    })
}

/// One file's way to its plans.
struct Work<'a> {
    options: &'a Compile,
    key: &'a SigningKey,
    timetable: &'a Timetable,
    stock: &'a timetable::Stock,
    shelves: &'a [Store],
    published: &'a Published,
    now: Timestamp,
}

/// One day's plan.
struct Made {
    signed: SignedPlan,
    plan: Plan,
    /// Why the last one stays; `None`: it is another.
    stays: Option<Stays>,
    /// What the last one kept shut and this file names no more.
    dropped: Vec<LessonId>,
}

/// Why a published edition stays.
#[derive(Clone, Copy)]
enum Stays {
    /// This file says the same.
    Same,
    /// Its day is over, and it says what was shown.
    Over,
}

impl Work<'_> {
    fn make(&self, date: Date, day_before: Option<&Plan>) -> Result<Made, AnyFault> {
        let last = self.published.of(date);
        let previous = last.map(|(_, plan)| plan);
        if let (Some(edition), Some(last)) = (self.options.edition, previous.map(|plan| plan.edition))
            && edition <= last
        {
            return Err(TimetableFault::Edition { edition, last, date }.into());
        }
        if let Some(last) = previous.filter(|_| self.options.edition.is_none()) {
            same_place(last, self.timetable, self.now)?;
        }
        // A file of a whole term is compiled again all term, and its lessons are ingested anew meanwhile.
        if let Some((signed, plan)) = last
            && self.options.edition.is_none()
            && is_over(self.timetable, date, self.now)
        {
            let (signed, plan) = (signed.clone(), plan.clone());
            return Ok(Made { signed, plan, stays: Some(Stays::Over), dropped: Vec::new() });
        }
        let making = Making {
            made_at: self.now,
            edition: self.options.edition,
            previous,
            day_before,
            allow_missing: self.options.allow_missing,
        };
        let plan = match timetable::compile(self.timetable, date, self.stock, making) {
            Ok(plan) => plan,
            Err(findings) => {
                read::tell(&findings)?;
                return Err(TimetableFault::Findings { count: findings.len() }.into());
            }
        };
        let dropped = previous.map(|previous| self.dropped(previous)).unwrap_or_default();
        match last {
            // The very same day: what nodes follow stays, and gets this key's signature if it has none.
            Some((signed, last)) if self.options.edition.is_none() && last.says_the_same(&plan) => {
                let mut signed = signed.clone();
                signed.signatures.add(self.key.sign(signed.plan.as_bytes()));
                Ok(Made { signed, plan: last.clone(), stays: Some(Stays::Same), dropped })
            }
            _ => Ok(Made { signed: SignedPlan::by(&plan, &[self.key]), plan, stays: None, dropped }),
        }
    }

    fn dropped(&self, previous: &Plan) -> Vec<LessonId> {
        let named =
            |lesson: &LessonId| self.timetable.items.iter().any(|item| item.lesson.as_ref() == Some(lesson));
        let shut = previous.lessons.iter().filter(|lesson| lesson.release > self.now);
        shut.map(|lesson| lesson.lesson.clone()).filter(|lesson| !named(lesson)).collect()
    }

    /// What no plan keeps shut is open, which nobody means who cancels a lesson.
    async fn tell_opened(&self, date: Date, made: &Made, store: &Store) -> Result<(), AnyFault> {
        let tomorrow = date.tomorrow().ok().and_then(|date| self.published.of(date));
        let still_shut =
            |lesson: &LessonId| tomorrow.is_some_and(|(_, plan)| plan.lesson(lesson.as_str()).is_some());
        for lesson in made.dropped.iter().filter(|lesson| !still_shut(lesson)) {
            if store.lesson(lesson).await?.is_none_or(|shelved| shelved.package.is_none()) {
                continue;
            }
            writeln!(
                faults::say::out(),
                "note: `{lesson}` is in the timetable of {date} no more, and open to everybody from now on; `airclass package delete {lesson}` withdraws it"
            )
            .map_err(TimetableFault::System)?;
        }
        Ok(())
    }

    async fn publish(&self, date: Date, made: &Made) -> Result<(), AnyFault> {
        let Made { signed, plan, stays, .. } = made;
        for shelf in self.shelves {
            // The guide first: whoever sees the plan's edition finds it in the guide.
            shelf.put(&day_path(date), Day::of(plan, None).to_bytes().into()).await?;
            shelf.put(&plan_path(date), signed.to_bytes().into()).await?;
        }
        let missing = plan.lessons.iter().filter(|lesson| lesson.media.is_none()).count();
        let bytes = plan.fill.iter().fold(0_u64, |sum, fill| sum.saturating_add(fill.bytes));
        let mut out = faults::say::out();
        if let Some(Stays::Over) = stays {
            return Ok(writeln!(out, "{date}: edition {} stays, the day is over", plan.edition)
                .map_err(TimetableFault::System)?);
        }
        writeln!(
            out,
            "{date}: edition {}{}, {} lessons ({missing} missing), {} channels, {} packages of {:.1} GB to fill, signed by {}",
            plan.edition,
            if stays.is_some() { " (unchanged)" } else { "" },
            plan.lessons.len(),
            plan.channels.len(),
            plan.fill.len(),
            bytes as f64 / 1e9,
            self.key.id(),
        )
        .map_err(TimetableFault::System)?;
        Ok(())
    }
}
