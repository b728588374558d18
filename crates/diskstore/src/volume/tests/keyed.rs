//! Attack 46: keys that somebody has chosen so that they meet.

use super::*;
use crate::media::simulated::SimulatedDisk;

fn fresh(secret: u64) -> Volume {
    let begin = Begin { identity: (7, secret), anew: false };
    let wanted: Wanted = Arc::new(|_| false);
    Volume::open(&SimulatedDisk::default(), SMALL, begin, wanted, Arc::default()).expect("a new disk opens")
}

#[test]
fn attack_46_where_a_key_lies_is_not_known_outside() {
    let (one, other) = (fresh(1), fresh(2));
    for key in 1..10 {
        put(&one, key, 100);
        put(&other, key, 100);
        let print = |volume: &Volume| fingerprint(volume.hash(&name(key)));
        assert_ne!(print(&one), print(&other), "{key}");
        for (volume, there, elsewhere) in
            [(&one, print(&one), print(&other)), (&other, print(&other), print(&one))]
        {
            assert!(volume.index.get(there).is_some() && volume.index.get(elsewhere).is_none(), "{key}");
        }
    }
}
