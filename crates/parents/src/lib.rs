//! Which of several servers is asked, when another, when again. Pure: the caller passes `now` and keeps the state.
//!
//! In the order of a request: `route` (which group of servers) `→ rate` (whether it may be asked at all) `→ preference` (which server of a tier) `→ health`
//! (whether it is fit to be asked) `→ retry` and `budget` (whether another one may be asked after it failed) `→ hedge`
//! (when a second one is asked beside a slow one) `→ resume` (how a body that broke off goes on elsewhere).

pub mod budget;
pub mod health;
pub mod hedge;
pub mod preference;
pub mod rate;
pub mod resume;
pub mod retry;
pub mod route;
