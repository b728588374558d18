//! Bringing the next record's bytes near while this one is encrypted.

/// Bytes that are fetched together.
const LINE: usize = 64;

/// Has the core fetch the `length` bytes behind `plain` into its second-level cache, without waiting for them. It is no access: whatever
/// lies there, nothing happens.
///
/// A core by itself looks ahead to the end of a page. A record is four pages, so that of a body that is in no cache each cost a
/// wait, together a third of what an encrypted answer took.
pub(super) fn behind(plain: &[u8], length: usize) {
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
