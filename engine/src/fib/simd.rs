//! Sixteen addresses at once, and the processor's own way to count bits.
//!
//! The only unsafe code beside the devices. What it buys is in the `fib` bench: a gather fetches 16 entries with one
//! instruction, and all stages of 64 addresses wait for memory together. Which way is taken is decided at run time, and
//! all ways give the same answers: the tests hold each against the others.

#![allow(unsafe_code)]

use super::v4::Table4;
use super::v6::{self, Entry, Table6};
use super::{NO_ROUTE, NextHopId, v4};
use core::arch::asm;
use core::arch::x86_64::*;
use core::sync::atomic::Ordering::Acquire;

/// Proof that the processor has its own ways to count and to shift bits (POPCNT and BMI2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits(());

impl Bits {
    pub(super) fn detect() -> Option<Bits> {
        (is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi2")).then_some(Bits(()))
    }

    /// How many bits are set.
    #[inline(always)]
    pub(super) fn count(self, word: u64) -> usize {
        let count: u64;
        // SAFETY: the processor has the instruction; it reads and writes registers only.
        unsafe { asm!("popcnt {}, {}", out(reg) count, in(reg) word, options(pure, nomem, nostack)) };
        count as usize
    }
}

/// One address. While its entries come from memory the processor begins with the next lookups, as many as it has room for:
/// every instruction less is room.
#[inline(always)]
pub(super) fn lookup4_one(_: Bits, table: &Table4, address: u32) -> NextHopId {
    let (root, words) = table.parts();
    let numbers = words.as_ptr().cast::<u16>();
    let rank: usize;
    // SAFETY: the processor has the instructions. 18 bits are a place in the root, an entry of it is where a node begins, and
    // a node has one leaf more than bits are set. Words that entries lead to are not written any more.
    let leaf = unsafe {
        let node = root.get_unchecked((address >> 14) as usize).load(Acquire) as usize;
        asm!(
            "rorx {place:e}, {address:e}, 8",
            "shrx {rank}, qword ptr [{numbers} + 2 * {node}], {place}",
            "popcnt {rank}, {rank}",
            address = in(reg) address,
            numbers = in(reg) numbers,
            node = in(reg) node,
            place = out(reg) _,
            rank = lateout(reg) rank,
            options(pure, readonly, nostack),
        );
        numbers.add(node + rank + 4).read()
    };
    if v4::is_block(leaf) { table.lookup_block(address, leaf) } else { leaf }
}

/// Looks up as many as this processor can at once; what is left over.
pub(super) fn lookup4<'a>(
    table: &Table4,
    addresses: &'a [u32],
    next_hops: &'a mut [NextHopId],
) -> (&'a [u32], &'a mut [NextHopId]) {
    if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq")) {
        return (addresses, next_hops);
    }
    in_chunks(
        (addresses, next_hops),
        // SAFETY: the processor has what the functions are compiled for.
        |addresses, next_hops| unsafe { lookup4_some::<4, 64>(table, addresses, next_hops) },
        |addresses, next_hops| unsafe { lookup4_some::<1, 16>(table, addresses, next_hops) },
    )
}

/// Looks up 64 together, then 16 together; what is left over. There are as many answers as addresses.
fn in_chunks<'a, N>(
    (addresses, next_hops): (&'a [N], &'a mut [NextHopId]),
    many: impl Fn(&[N; 64], &mut [NextHopId; 64]),
    some: impl Fn(&[N; 16], &mut [NextHopId; 16]),
) -> (&'a [N], &'a mut [NextHopId]) {
    let (now, addresses) = addresses.as_chunks();
    let (answers, next_hops) = next_hops.as_chunks_mut();
    now.iter().zip(answers).for_each(|(now, answers)| many(now, answers));
    let (now, addresses) = addresses.as_chunks();
    let (answers, next_hops) = next_hops.as_chunks_mut();
    now.iter().zip(answers).for_each(|(now, answers)| some(now, answers));
    (addresses, next_hops)
}

/// `N` times 16 addresses, stage by stage.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn lookup4_some<const N: usize, const M: usize>(table: &Table4, addresses: &[u32; M], next_hops: &mut [NextHopId; M]) {
    let (root, words) = table.parts();
    let (root, words) = (root.as_ptr().cast::<i32>(), words.as_ptr());
    let low = _mm512_set1_epi32(0xffff);

    let mut addrs = [_mm512_setzero_si512(); N];
    let mut nodes = addrs;
    for i in 0..N {
        // SAFETY: `M` is 16 × `N`; 18 bits are a place in the root.
        unsafe {
            addrs[i] = _mm512_loadu_si512(addresses.as_ptr().add(16 * i).cast());
            nodes[i] = _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<14>(addrs[i]), root);
        }
    }

    let mut ranks = addrs;
    for i in 0..N {
        let places = _mm512_and_si512(_mm512_srli_epi32::<8>(addrs[i]), _mm512_set1_epi32(63));
        // SAFETY: an entry of the root is where a node begins.
        ranks[i] = unsafe { ranks_of::<2>(words.cast(), u16::MAX, nodes[i], places) };
    }

    for i in 0..N {
        let at = _mm512_add_epi32(nodes[i], _mm512_add_epi32(ranks[i], _mm512_set1_epi32(4)));
        // SAFETY: a node has one leaf more than bits are set; behind the last word of all one is left free.
        let leaves = unsafe { _mm512_i32gather_epi32::<2>(at, words.cast()) };
        let leaves = _mm512_and_si512(leaves, low);
        let behind = _mm512_sub_epi32(leaves, _mm512_set1_epi32(i32::from(v4::BLOCK)));
        let blocks = _mm512_cmplt_epu32_mask(behind, _mm512_set1_epi32(i32::from(NO_ROUTE - v4::BLOCK)));
        let answers = _mm512_cvtepi32_epi16(leaves);
        // SAFETY: `M` is 16 × `N`.
        unsafe { _mm256_storeu_si256(next_hops.as_mut_ptr().add(16 * i).cast(), answers) };
        if blocks != 0 {
            in_blocks(table, blocks, &addresses[16 * i..16 * i + 16], &mut next_hops[16 * i..16 * i + 16]);
        }
    }
}

/// The few whose /24 holds longer prefixes.
#[cold]
fn in_blocks(table: &Table4, which: u16, addresses: &[u32], next_hops: &mut [NextHopId]) {
    for (at, (address, next_hop)) in addresses.iter().zip(next_hops).enumerate() {
        if which >> at & 1 == 1 {
            *next_hop = table.lookup_block(*address, *next_hop);
        }
    }
}

/// Looks up as many as this processor can at once; what is left over.
pub(super) fn lookup6<'a>(
    table: &Table6,
    addresses: &'a [u128],
    next_hops: &'a mut [NextHopId],
) -> (&'a [u128], &'a mut [NextHopId]) {
    let has_all = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vpopcntdq")
        && is_x86_feature_detected!("popcnt");
    if !has_all {
        return (addresses, next_hops);
    }
    in_chunks(
        (addresses, next_hops),
        // SAFETY: the processor has what the functions are compiled for.
        |addresses, next_hops| unsafe { lookup6_some::<4, 64>(table, addresses, next_hops) },
        |addresses, next_hops| unsafe { lookup6_some::<1, 16>(table, addresses, next_hops) },
    )
}

/// The bits of an entry that say where its node is.
const PLACES: u32 = (1 << v6::SIZE) - 1;

/// `N` times 16 addresses, stage by stage.
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,popcnt")]
fn lookup6_some<const N: usize, const M: usize>(table: &Table6, addresses: &[u128; M], next_hops: &mut [NextHopId; M]) {
    let (root, words) = table.parts();
    let (root, words) = (root.as_ptr().cast::<i32>(), words.as_ptr().cast::<i64>());
    let lanes = _mm512_setr_epi32(3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63);

    let mut tops = [_mm512_setzero_si512(); N];
    let mut entries = tops;
    for i in 0..N {
        // SAFETY: the highest 32 bits of 16 addresses lie within these, and `M` is 16 × `N`; 16 bits are a place in the root.
        unsafe {
            tops[i] = _mm512_i32gather_epi32::<4>(lanes, addresses.as_ptr().add(16 * i).cast());
            entries[i] = _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<16>(tops[i]), root);
        }
    }
    for i in 0..N {
        let child = _mm512_and_si512(_mm512_srli_epi32::<6>(tops[i]), _mm512_set1_epi32(1023));
        let at = _mm512_add_epi32(_mm512_and_si512(entries[i], _mm512_set1_epi32(PLACES as i32)), child);
        // SAFETY: an entry that names a block is followed by as many as 10 bits choose from.
        entries[i] = unsafe { _mm512_mask_i32gather_epi32::<4>(entries[i], are(entries[i], v6::BLOCK), at, root) };
    }
    for i in 0..N {
        // SAFETY: entries and words are of one table.
        entries[i] = unsafe { step_of_rank(words, entries[i], tops[i]) };
    }

    let mut seconds = tops;
    for i in 0..N {
        // SAFETY: as above, for the next 32 bits.
        seconds[i] = unsafe {
            let lanes = _mm512_sub_epi32(lanes, _mm512_set1_epi32(1));
            _mm512_i32gather_epi32::<4>(lanes, addresses.as_ptr().add(16 * i).cast())
        };
        // SAFETY: as above.
        entries[i] = unsafe { step_of_rank(words, entries[i], _mm512_srli_epi32::<26>(seconds[i])) };
    }
    let (mut found, mut numbers) = ([0; M], [0u32; M]);
    for i in 0..N {
        // SAFETY: as above; `M` is 16 × `N`.
        unsafe {
            let entries = step_of_rank(words, entries[i], _mm512_srli_epi32::<20>(seconds[i]));
            _mm512_storeu_si512(found.as_mut_ptr().add(16 * i).cast(), entries);
            _mm512_storeu_si512(numbers.as_mut_ptr().add(16 * i).cast(), seconds[i]);
        }
    }
    in_lists(table, addresses, &found, &numbers, next_hops);
}

/// From the entries of which the next step is no rank to the answers: a list of up to 32 ranges is compared at once. What is
/// a next hop already is answered the same way, with a list that nobody needs: a branch would be missed too often.
#[target_feature(enable = "avx512f,avx512bw,popcnt")]
fn in_lists<const M: usize>(
    table: &Table6,
    addresses: &[u128; M],
    entries: &[u32; M],
    numbers: &[u32; M],
    next_hops: &mut [NextHopId; M],
) {
    let words = table.parts().1.as_ptr().cast::<i64>();
    let list_of = |entry: u32| if entry & v6::KIND == v6::NARROW { entry & PLACES } else { 0 } as usize;
    let size_of = |entry: u32| 4usize << (entry >> v6::SIZE & 3);
    for entry in entries {
        let list = words.wrapping_add(list_of(*entry));
        _mm_prefetch::<_MM_HINT_T0>(list.cast());
        _mm_prefetch::<_MM_HINT_T0>(list.wrapping_add(size_of(*entry) / 4).cast());
    }
    let mut deeper = 0u64;
    for at in 0..M {
        let entry = entries[at];
        let (list, size) = (list_of(entry), size_of(entry));
        // SAFETY: behind where a node begins, and behind the first word, are eight words or more: so many are free behind
        // the last of all. A list has as many next hops as ranges.
        let leaf = unsafe {
            let starts = _mm512_loadu_si512(words.add(list).cast());
            let number = _mm512_set1_epi16((numbers[at] >> 16) as i16);
            let begun = _mm512_cmple_epu16_mask(starts, number) & (u32::MAX >> (32 - size));
            words.add(list).cast::<u16>().add(size + begun.count_ones() as usize).sub(1).read()
        };
        let leaf = if entry & v6::KIND == v6::LEAF { entry as u16 } else { leaf };
        deeper |= u64::from(entry & v6::KIND > v6::NARROW) << at;
        next_hops[at] = leaf;
    }
    while deeper != 0 {
        let at = deeper.trailing_zeros() as usize % M;
        next_hops[at] = table.lookup_from(addresses[at], Entry(entries[at]), 32);
        deeper &= deeper - 1;
    }
}

/// Those lanes whose entries are of a kind.
#[inline]
#[target_feature(enable = "avx512f")]
fn are(entries: __m512i, kind: u32) -> __mmask16 {
    let kinds = _mm512_and_si512(entries, _mm512_set1_epi32(v6::KIND as i32));
    _mm512_cmpeq_epi32_mask(kinds, _mm512_set1_epi32(kind as i32))
}

/// Goes on where an entry is a rank: by the lowest 6 bits.
///
/// # Safety
///
/// The entries are those of a table with these words.
#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
unsafe fn step_of_rank(words: *const i64, entries: __m512i, bits: __m512i) -> __m512i {
    let mask = are(entries, v6::RANK);
    if mask == 0 {
        return entries;
    }
    let node = _mm512_and_si512(entries, _mm512_set1_epi32(PLACES as i32));
    // SAFETY: such an entry is where a node begins; it has one entry more than bits are set.
    unsafe {
        let rank = ranks_of::<8>(words, mask, node, _mm512_and_si512(bits, _mm512_set1_epi32(63)));
        let at = _mm512_add_epi32(_mm512_slli_epi32::<1>(node), _mm512_add_epi32(rank, _mm512_set1_epi32(2)));
        _mm512_mask_i32gather_epi32::<4>(entries, mask, at, words.cast())
    }
}

/// Of nodes that begin with a bit for each of 64 places: how many bits are set from a place on, in the lanes of the mask.
///
/// # Safety
///
/// In these lanes `nodes` times `SCALE` are bytes behind `words`, where a word is; the others are not fetched.
#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
unsafe fn ranks_of<const SCALE: i32>(words: *const i64, mask: __mmask16, nodes: __m512i, places: __m512i) -> __m512i {
    // SAFETY: as the caller promises.
    let half = |mask: __mmask8, nodes: __m256i, places: __m256i| unsafe {
        let ends = _mm512_mask_i32gather_epi64::<SCALE>(_mm512_setzero_si512(), mask, nodes, words);
        _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(_mm512_srlv_epi64(ends, _mm512_cvtepu32_epi64(places))))
    };
    let low = half(mask as u8, _mm512_castsi512_si256(nodes), _mm512_castsi512_si256(places));
    let high = half((mask >> 8) as u8, _mm512_extracti64x4_epi64::<1>(nodes), _mm512_extracti64x4_epi64::<1>(places));
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
}
