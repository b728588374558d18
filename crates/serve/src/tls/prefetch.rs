//! Bringing the next record's bytes near while this one is encrypted, where that pays.
//!
//! It does for bodies that come from memory, and costs a twelfth of an encrypted answer for those that are in a core's cache anyway: one
//! segment that all want at the same time. So each core tries both by turns on what it encrypts, and keeps to what was quicker.

mod trial;

use std::cell::RefCell;
use std::time::Instant;
use trial::Trial;

thread_local! {
    static TRIAL: RefCell<Trial> = RefCell::default();
}

/// Bytes that are fetched together.
const LINE: usize = 64;

/// Encrypts `plain` by `encrypt`, of which most likely `length` more bytes follow at once. They are fetched meanwhile, where that pays.
#[expect(clippy::disallowed_methods, reason = "how long the processor takes, which no test's clock tells")]
pub(super) fn around<T>(plain: &[u8], length: usize, encrypt: impl FnOnce() -> T) -> T {
    let next = TRIAL.with_borrow_mut(Trial::next);
    let began = next.is_timed.then(Instant::now);
    if next.fetches {
        behind(plain, length);
    }
    let made = encrypt();
    if let Some(began) = began {
        TRIAL.with_borrow_mut(|trial| trial.took(began.elapsed()));
    }
    made
}

/// Has the core fetch the `length` bytes behind `plain` into its second-level cache, without waiting for them. It is no access: whatever
/// lies there, nothing happens.
///
/// A core by itself looks ahead to the end of a page. A record is four pages, so that of a body that is in no cache each cost a
/// wait, together a third of what an encrypted answer took.
fn behind(plain: &[u8], length: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..length).step_by(LINE) {
        let next = plain.as_ptr().wrapping_add(plain.len() + line);
        #[expect(unsafe_code, reason = "a prefetch has no safe form")]
        #[expect(clippy::pointers_in_nomem_asm_block, reason = "what a prefetch reads no program can see")]
        // SAFETY: it changes nothing that a program could see, and no address is wrong for it.
        unsafe {
            // The pause is two or three cycles. At full speed a core cannot remember them all, drops most, and finds
            // less than it would without any: by then it has lost sight of the stream itself.
            std::arch::asm!(
                "prefetcht1 [{next}]",
                ".rept 16",
                "nop",
                ".endr",
                next = in(reg) next,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (plain, length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happens_whatever_lies_behind() {
        behind(&[], 1 << 20);
        behind(&[7; 100], 1 << 20);
        behind(&vec![7; 1 << 20], 1 << 20);
    }
}
