//! Any bytes as a sheet and as TOML: read or refused with a place, and what was read is checked and compiled or refused.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use timetable::{Given, Making, Shipped, Stock, Timetable, check, compile};

fuzz_target!(|bytes: &[u8]| {
    for name in ["day.csv", "day.toml"] {
        let read = Timetable::read(Given { name, bytes }, &Shipped::default(), |_| Err("no sheet".to_owned()));
        let Ok(timetable) = read else { continue };
        let _ = check(&timetable, None);
        let making = Making {
            made_at: Timestamp::UNIX_EPOCH,
            edition: None,
            previous: None,
            day_before: None,
            allow_missing: true,
        };
        for date in timetable.days().into_iter().take(2) {
            if let Ok(plan) = compile(&timetable, date, &Stock::default(), making) {
                plan.check().expect("what is compiled can be followed");
            }
        }
    }
});
