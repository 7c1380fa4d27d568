//! Maps of sparse files: which parts of a file an archive holds, the rest being holes.
//!
//! GNU tar has invented four ways to write a map. The oldest keeps it in the header and in blocks right
//! behind it, two keep it in extended records ([`crate::pax`]), the newest in front of the data. Each comes
//! down to a list of extents. GNU tar manual, "Storing Sparse Files"; book ch. 5.

use tar::GnuHeader;

use crate::fields;
use crate::pax;

/// A part of a file that is no hole, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A map that contradicts itself or the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its map of holes is malformed")]
pub struct SparseError;

/// An offset and a length take twelve bytes each.
const PAIR: usize = 24;

/// What the header itself holds of a map in the oldest format.
pub(crate) fn old_map(header: &GnuHeader) -> Option<Vec<Extent>> {
    let mut map = Vec::new();
    for pair in &header.sparse {
        push(&pair.offset, &pair.numbytes, &mut map)?;
    }
    Some(map)
}

/// Adds what one more block of such a map holds; says whether yet another follows.
pub(crate) fn more_of_old_map(block: &[u8; 512], map: &mut Vec<Extent>) -> Option<bool> {
    let (pairs, rest) = block.split_at(PAIR * 21);
    for pair in pairs.chunks_exact(PAIR) {
        push(&pair[..12], &pair[12..], map)?;
    }
    Some(rest[0] != 0)
}

fn push(offset: &[u8], length: &[u8], map: &mut Vec<Extent>) -> Option<()> {
    if offset[0] == 0 || length[0] == 0 {
        return Some(());
    }
    let field = |field| u64::try_from(fields::number(field)?).ok();
    map.push(Extent { offset: field(offset)?, length: field(length)? });
    Some(())
}

/// Reads a map of format 1.0, decimal numbers each on a line; none as long as `text` has not all of it.
pub(crate) fn text_map(text: &[u8]) -> Result<Option<Vec<Extent>>, SparseError> {
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').map_while(|line| line.strip_suffix(b"\n"));
    let Some(count) = lines.next() else { return Ok(None) };
    let count: usize = pax::decimal(count).ok_or(SparseError)?;
    let wanted = count.checked_mul(2).ok_or(SparseError)?;
    // Cheap, because it is asked again with every block that a hostile map is made of.
    if text.iter().filter(|&&byte| byte == b'\n').count() <= wanted {
        return Ok(None);
    }
    let numbers: Option<Vec<u64>> = lines.take(wanted).map(pax::decimal).collect();
    let numbers = numbers.ok_or(SparseError)?;
    let pairs = pax::pairs(&numbers).ok_or(SparseError)?;
    Ok(Some(pairs.into_iter().map(|(offset, length)| Extent { offset, length }).collect()))
}

/// Whether extents are in order, inside a file of `size` bytes, and together as long as the `stored` data.
pub(crate) fn check(extents: &[Extent], stored: u64, size: u64) -> Result<(), SparseError> {
    let (mut end, mut total) = (0, 0u64);
    for extent in extents {
        if extent.offset < end {
            return Err(SparseError);
        }
        end = extent.offset.checked_add(extent.length).ok_or(SparseError)?;
        total = total.checked_add(extent.length).ok_or(SparseError)?;
    }
    if end <= size && total == stored && size <= i64::MAX as u64 { Ok(()) } else { Err(SparseError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_map_is_read_once_it_is_whole() {
        assert_eq!(text_map(b"2\n0\n512\n40"), Ok(None));
        let extents = [Extent { offset: 0, length: 512 }, Extent { offset: 4096, length: 1 }];
        assert_eq!(text_map(b"2\n0\n512\n4096\n1\n\0\0"), Ok(Some(extents.to_vec())));
        assert_eq!(text_map(b"0\n\0\0"), Ok(Some(Vec::new())));
        assert_eq!((text_map(b"x\n"), text_map(b"1\n-1\n2\n")), (Err(SparseError), Err(SparseError)));
    }

    #[test]
    fn extents_that_overlap_or_overrun_are_refused() {
        let map = |pairs: &[(u64, u64)]| -> Vec<_> {
            pairs.iter().map(|&(offset, length)| Extent { offset, length }).collect()
        };
        assert_eq!(check(&map(&[(0, 5), (10, 5)]), 10, 15), Ok(()));
        for (pairs, stored, size) in [
            (&[(0, 5), (4, 5)][..], 10, 20),
            (&[(10, 5), (0, 5)], 10, 20),
            (&[(0, 5)], 4, 5),
            (&[(0, 5)], 5, 4),
            (&[(u64::MAX, 1)], 1, u64::MAX),
        ] {
            assert_eq!(check(&map(pairs), stored, size), Err(SparseError));
        }
    }
}
