//! Any bytes: what is read as a manifest seals to a manifest, and what stands in it stays in its package.
#![no_main]

use libfuzzer_sys::fuzz_target;
use package::{Lesson, Manifest, catalogue};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sealed) = Manifest::parse(bytes) {
        for object in &sealed.manifest().objects {
            let path = sealed.id().object(&object.path);
            assert!(path.as_str().starts_with("p/") && !path.as_str().contains(".."));
        }
        let again = sealed.manifest().clone().seal().expect("what was read can be sealed");
        assert_eq!(again.manifest(), sealed.manifest());
    }
    let _ = catalogue::Version::parse(bytes);
    let _ = Lesson::parse(bytes);
});
