//! Any bytes: an envelope and the plan in it are read or refused, and what was read is written so that it is read as the same
//! and answers any question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use timetable::{AirSegment, Plan, SignedPlan, guide};

fuzz_target!(|bytes: &[u8]| {
    if let Some(signed) = SignedPlan::parse(bytes) {
        assert_eq!(SignedPlan::parse(&signed.to_bytes()), Some(signed.clone()));
        let _ = Plan::parse(&signed.plan);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(plan) = Plan::parse(text) {
        assert_eq!(Plan::parse(&plan.to_text()).ok().as_ref(), Some(&plan));
        for channel in &plan.channels {
            let window: Vec<_> = plan.window(channel, AirSegment(0), u64::MAX).collect();
            assert_eq!(window.len(), 18_000);
            assert_eq!(window.last().map(|last| last.discontinuities), Some(plan.discontinuities_after(channel)));
        }
        let _ = (guide::xmltv(&[&plan], None), guide::ics(&[&plan], None), guide::html(&plan, None));
    }
});
