use super::*;
use std::alloc::{Layout, alloc, dealloc};
use std::io::{Read, pipe};
use std::os::fd::AsRawFd;

/// A block as the allocator gives it, and takes it back.
struct Block(*mut u8);

const LAYOUT: Layout = match Layout::from_size_align(BLOCK, BLOCK) {
    Ok(layout) => layout,
    Err(_) => panic!("both are powers of two"),
};

#[expect(unsafe_code, reason = "stands for the allocator")]
impl Block {
    fn new(byte: u8) -> Self {
        // SAFETY: the layout is not empty, and all of it is written to.
        let block = unsafe { alloc(LAYOUT) };
        unsafe { block.write_bytes(byte, BLOCK) };
        took(block);
        Self(block)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: written to, and its own until the end.
        unsafe { std::slice::from_raw_parts(self.0, BLOCK) }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the same, and nobody else's meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.0, BLOCK) }
    }
}

#[expect(unsafe_code, reason = "stands for the allocator")]
impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        if unsafe { reclaim(self.0) } {
            unsafe { dealloc(self.0, LAYOUT) };
        }
    }
}

#[expect(unsafe_code, reason = "what a sender does")]
fn splice(bytes: &[u8], to: &impl AsRawFd) {
    assert!(lend(bytes));
    let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: a description of bytes that are there.
    assert_eq!(
        unsafe { libc::vmsplice(to.as_raw_fd(), &raw const part, 1, 0) },
        isize::try_from(bytes.len()).unwrap()
    );
}

#[test]
#[expect(unsafe_code, reason = "writes where a block was")]
fn what_was_lent_stays_as_it_was_whoever_gets_the_block_next() {
    let (mut reader, writer) = pipe().unwrap();
    let block = Block::new(7);
    offer(block.bytes());
    splice(&block.bytes()[4_096..8_192], &writer);
    // SAFETY: what the allocator does with it and its next owner then.
    assert!(unsafe { reclaim(block.0) });
    took(block.0);
    unsafe { block.0.write_bytes(9, BLOCK) };
    drop(writer);
    let mut sent = Vec::new();
    reader.read_to_end(&mut sent).unwrap();
    assert!(sent.len() == 4_096 && sent.iter().all(|&byte| byte == 7));
    assert!(block.bytes().iter().all(|&byte| byte == 9));
}

#[test]
fn what_was_lent_stays_as_it_was_where_its_owner_uses_the_block_again() {
    let (mut reader, writer) = pipe().unwrap();
    let mut block = Block::new(7);
    offer(block.bytes());
    splice(&block.bytes()[4_096..8_192], &writer);
    assert!(!withdraw(&mut block.bytes_mut()[4_096..]), "of a part that is not said");
    assert!(withdraw(block.bytes_mut()) && !is_offered(block.bytes()));
    assert!(block.bytes().iter().all(|&byte| byte == 0));
    block.bytes_mut().fill(9);
    drop(writer);
    let mut sent = Vec::new();
    reader.read_to_end(&mut sent).unwrap();
    assert!(sent.len() == 4_096 && sent.iter().all(|&byte| byte == 7));
}

#[test]
fn only_what_was_offered_is_lent_and_only_whole_blocks_are_offered() {
    let mut block = Block::new(7);
    assert!(withdraw(block.bytes_mut()));
    let all = block.bytes();
    offer(&all[..BLOCK - 1]);
    offer(&all[1..]);
    assert!(!is_offered(all) && !lend(all));
    offer(all);
    assert!(is_offered(all) && is_offered(&all[BLOCK - 1..]) && is_offered(&all[5..99]));
    assert!(!is_offered(&all[..0]), "nothing lies in no block");
    assert!(withdraw(block.bytes_mut()) && block.bytes()[9] == 7, "nobody has it");
    let all = block.bytes();
    assert!(!is_offered(all));
    offer(all);
    assert!(lend(&all[..1]) && lend(&all[9..]) && is_offered(all));
    let (memory, foreign) = (vec![0; 2 * BLOCK], all.as_ptr().addr());
    offer(&memory);
    assert!(!is_offered(&memory), "of no allocator that minds");
    drop(block);
    assert_eq!(state(foreign).unwrap().load(Ordering::Relaxed), NOBODYS);
}
