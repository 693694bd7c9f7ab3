//! Sixteen addresses at once, and the processor's own way to count bits.
//!
//! The only unsafe code beside the devices. What it buys is in the `lpm` bench: a gather fetches 16 entries with one
//! instruction, and all stages of 64 addresses wait for memory together. Which way is taken is decided at run time, and
//! all ways give the same answers: the tests hold each against the others.

#![allow(unsafe_code)]

use super::v4::Table4;
use super::v6::{self, Entry, Table6};
use super::{NextHopId, next_hop, v4};
use core::arch::asm;
use core::arch::x86_64::*;

/// How many bits are set.
#[inline(always)]
pub(super) fn count_ones(word: u64) -> u32 {
    if !is_x86_feature_detected!("popcnt") {
        return word.count_ones();
    }
    let count: u64;
    // SAFETY: the processor has the instruction; it reads and writes registers only.
    unsafe { asm!("popcnt {}, {}", out(reg) count, in(reg) word, options(pure, nomem, nostack)) };
    count as u32
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
    let whole = addresses.len() & !15;
    let (now, rest) = addresses.split_at(whole);
    let (answers, rest_answers) = next_hops.split_at_mut(whole);
    for (now, answers) in now.chunks(64).zip(answers.chunks_mut(64)) {
        // SAFETY: the processor has what the functions are compiled for.
        match (now.as_array(), answers.as_mut_array()) {
            (Some(now), Some(answers)) => unsafe { lookup4_some::<4, 64>(table, now, answers) },
            _ => {
                for (now, answers) in now.chunks_exact(16).zip(answers.chunks_exact_mut(16)) {
                    let (Some(now), Some(answers)) = (now.as_array(), answers.as_mut_array()) else { continue };
                    unsafe { lookup4_some::<1, 16>(table, now, answers) };
                }
            }
        }
    }
    (rest, rest_answers)
}

/// `N` times 16 addresses, stage by stage.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn lookup4_some<const N: usize, const M: usize>(table: &Table4, addresses: &[u32; M], next_hops: &mut [NextHopId; M]) {
    let (root, words) = table.parts();
    let (root, words) = (root.as_ptr().cast::<i32>(), words.as_ptr());
    let low = _mm512_set1_epi32(0xffff);

    let mut addrs = [_mm512_setzero_si512(); N];
    let mut entries = addrs;
    for i in 0..N {
        // SAFETY: `M` is 16 × `N`; 18 bits are a place in the root.
        unsafe {
            addrs[i] = _mm512_loadu_si512(addresses.as_ptr().add(16 * i).cast());
            entries[i] = _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<14>(addrs[i]), root);
        }
    }

    let mut masks = [0; N];
    let mut ranks = addrs;
    let mut nodes = addrs;
    for i in 0..N {
        masks[i] = sign_bits(entries[i]);
        nodes[i] = _mm512_and_si512(entries[i], _mm512_set1_epi32(i32::MAX));
        let places = _mm512_and_si512(_mm512_srli_epi32::<8>(addrs[i]), _mm512_set1_epi32(63));
        // SAFETY: an entry with the highest bit set is where a node begins.
        ranks[i] = unsafe { ranks_of(words.cast(), masks[i], nodes[i], places) };
    }

    for i in 0..N {
        // The leaf's number in halves of a word, from the arena's beginning; two of them are fetched together.
        let at = _mm512_add_epi32(_mm512_slli_epi32::<2>(nodes[i]), _mm512_add_epi32(ranks[i], _mm512_set1_epi32(3)));
        // SAFETY: a node has as many leaves as bits are set; behind the last word of all one is left free.
        let pairs = unsafe {
            let pair = _mm512_srli_epi32::<1>(at);
            _mm512_mask_i32gather_epi32::<4>(entries[i], masks[i], pair, words.cast())
        };
        let odd = _mm512_slli_epi32::<4>(_mm512_and_si512(at, _mm512_set1_epi32(1)));
        let leaves = _mm512_and_si512(_mm512_mask_srlv_epi32(pairs, masks[i], pairs, odd), low);
        let blocks = _mm512_test_epi32_mask(leaves, _mm512_set1_epi32(i32::from(v4::BLOCK)));
        let answers = _mm512_cvtepi32_epi16(_mm512_sub_epi32(leaves, _mm512_set1_epi32(1)));
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
            *next_hop = table.lookup_block(*address, next_hop.wrapping_add(1));
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
        && is_x86_feature_detected!("avx512vpopcntdq");
    if !has_all {
        return (addresses, next_hops);
    }
    let whole = addresses.len() & !15;
    let (now, rest) = addresses.split_at(whole);
    let (answers, rest_answers) = next_hops.split_at_mut(whole);
    for (now, answers) in now.chunks(64).zip(answers.chunks_mut(64)) {
        let mut entries = [0; 64];
        for (now, entries) in now.chunks_exact(16).zip(entries.chunks_exact_mut(16)) {
            let (Some(now), Some(entries)) = (now.as_array(), entries.as_mut_array()) else { continue };
            // SAFETY: the processor has what the functions are compiled for.
            unsafe { first_steps6(table, now, entries) };
        }
        // SAFETY: as above.
        unsafe { last_steps6(table, now, &entries, answers) };
    }
    (rest, rest_answers)
}

/// The entries of 16 addresses after 32 bits.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
fn first_steps6(table: &Table6, addresses: &[u128; 16], answers: &mut [u32; 16]) {
    let (entries, words) = table.parts();
    let (entries, words) = (entries.as_ptr().cast::<i32>(), words.as_ptr());
    let lanes = _mm512_setr_epi32(3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63);
    let places = _mm512_set1_epi32((1 << v6::SIZE) - 1);
    let is = |entry: __m512i, kind: u32| {
        let kinds = _mm512_and_si512(entry, _mm512_set1_epi32(v6::KIND as i32));
        _mm512_cmpeq_epi32_mask(kinds, _mm512_set1_epi32(kind as i32))
    };
    // SAFETY: the highest 32 bits of 16 addresses lie within these; 16 bits are a place in the root, and an entry that
    // names a block is followed by as many as 10 bits choose from.
    let (top, entry) = unsafe {
        let top = _mm512_i32gather_epi32::<4>(lanes, addresses.as_ptr().cast());
        let entry = _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<16>(top), entries);
        let child = _mm512_and_si512(_mm512_srli_epi32::<6>(top), _mm512_set1_epi32(1023));
        let at = _mm512_add_epi32(_mm512_and_si512(entry, places), child);
        (top, _mm512_mask_i32gather_epi32::<4>(entry, is(entry, v6::BLOCK), at, entries))
    };
    let mask = is(entry, v6::RANK);
    let node = _mm512_and_si512(entry, places);
    let last_bits = _mm512_and_si512(top, _mm512_set1_epi32(63));
    // SAFETY: such an entry is where a node begins.
    let rank = unsafe { ranks_of(words.cast(), mask, node, last_bits) };
    let at = _mm512_add_epi32(_mm512_slli_epi32::<1>(node), _mm512_add_epi32(rank, _mm512_set1_epi32(1)));
    // SAFETY: a node has as many entries as bits are set; 16 numbers are written to 16.
    unsafe {
        let entry = _mm512_mask_i32gather_epi32::<4>(entry, mask, at, words.cast());
        _mm512_storeu_si512(answers.as_mut_ptr().cast(), entry);
    }
}

/// From the entries after 32 bits to the answers: a list of up to 32 ranges is compared at once.
#[target_feature(enable = "avx512f,avx512bw")]
fn last_steps6(table: &Table6, addresses: &[u128], entries: &[u32; 64], next_hops: &mut [NextHopId]) {
    let (_, words) = table.parts();
    let place = |entry: u32| (entry & ((1 << v6::SIZE) - 1)) as usize;
    let count = addresses.len();
    for entry in &entries[..count] {
        if entry & v6::KIND != v6::LEAF {
            _mm_prefetch::<_MM_HINT_T0>(words.as_ptr().wrapping_add(place(*entry)).cast());
        }
    }
    for ((address, entry), answer) in addresses.iter().zip(entries).zip(next_hops) {
        *answer = match entry & v6::KIND {
            v6::LEAF => next_hop(*entry as u16),
            v6::NARROW => {
                let (at, size) = (place(*entry), 4usize << (entry >> v6::SIZE & 3));
                let mine = (((1u64 << size) - 1) & 0xffff_ffff) as u32;
                // SAFETY: eight words from where a node begins are in the arena: so many are free behind the last.
                let starts = unsafe { _mm512_loadu_si512(words.as_ptr().add(at).cast()) };
                let number = _mm512_set1_epi16((address >> 80) as i16);
                let rank = _mm512_mask_cmple_epu16_mask(mine, starts, number).count_ones() as usize;
                next_hop(table.half_word(4 * at + size + rank - 1))
            }
            _ => table.lookup_from(*address, Entry(*entry), 32),
        };
    }
}

/// Of nodes that begin with a bit for each of 64 places: how many bits are set up to a place, in the lanes of the mask.
///
/// # Safety
///
/// In these lanes `nodes` are numbers of words behind `words`; the others are not fetched.
#[inline]
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
unsafe fn ranks_of(words: *const i64, mask: __mmask16, nodes: __m512i, places: __m512i) -> __m512i {
    // The bits up to the place go to the top, the others out.
    let shifts = _mm512_sub_epi32(_mm512_set1_epi32(63), places);
    // SAFETY: as the caller promises.
    let half = |mask: __mmask8, nodes: __m256i, shifts: __m256i| unsafe {
        let starts = _mm512_mask_i32gather_epi64::<8>(_mm512_setzero_si512(), mask, nodes, words);
        _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(_mm512_sllv_epi64(starts, _mm512_cvtepu32_epi64(shifts))))
    };
    let low = half(mask as u8, _mm512_castsi512_si256(nodes), _mm512_castsi512_si256(shifts));
    let high = half((mask >> 8) as u8, _mm512_extracti64x4_epi64::<1>(nodes), _mm512_extracti64x4_epi64::<1>(shifts));
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
}

/// The highest bit of each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn sign_bits(lanes: __m512i) -> __mmask16 {
    _mm512_cmplt_epi32_mask(lanes, _mm512_setzero_si512())
}
