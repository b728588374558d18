//! Papers that the page asks for always, where nobody has published them: an answer, so that nothing looks broken.

use bytes::Bytes;
use feedback::Support;
use package::StorePath;
use package::platforms::{Platforms, Standing, platforms_path, standing_path};
use package::resource::{Resources, resources_path};
use timetable::guide::LimitTable;
use timetable::{days_path, limits_path};

/// Whom people may ask for help.
const SUPPORT: &str = "resources/support.json";

/// Which groups of servers can be reached: edges know, an origin stands before none.
const HEALTH: &str = "resources/health.json";

/// What stands in for the paper at `path`; `None` for what is there or not.
pub(crate) fn of(path: &StorePath, support: &Support) -> Option<Bytes> {
    if *path == days_path() {
        return Some(Bytes::from_static(b"{\"days\":[]}\n"));
    }
    if path.as_str() == SUPPORT {
        return Some(support.to_json().into());
    }
    if *path == platforms_path() {
        return Some(Platforms::default().to_bytes().into());
    }
    if *path == standing_path() {
        return Some(Standing::default().to_bytes().into());
    }
    if path.as_str() == HEALTH {
        return Some(Bytes::from_static(b"{\"groups\":{}}\n"));
    }
    if *path == resources_path() {
        return Some(Resources::default().to_bytes().into());
    }
    (*path == limits_path()).then(|| LimitTable::shipped().to_bytes().into())
}
