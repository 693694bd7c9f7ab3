//! The order of interfaces in a listing: by name, numbers in them as numbers, aliases behind their interface.

use super::super::nettools::atoi;
use std::cmp::Ordering;

/// `nstrcmp()`
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let ((a, a_alias), (b, b_alias)) = (split_alias(a), split_alias(b));
    let ((a_front, a_number), (b_front, b_number)) = (split_number(a), split_number(b));
    let common = a_front.len().min(b_front.len());
    let fronts = a_front.as_bytes()[..common].cmp(&b_front.as_bytes()[..common]);
    let alias = |alias: Option<&str>| alias.map_or(-1, atoi);
    fronts
        .then(a_front.len().cmp(&b_front.len()))
        .then(atoi(a_number).cmp(&atoi(b_number)))
        .then(a.cmp(b))
        .then(alias(a_alias).cmp(&alias(b_alias)))
        .then(a_alias.cmp(&b_alias))
}

/// `v0:1` is alias 1 of `v0`; other labels are names like others.
fn split_alias(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((front, alias)) if !alias.is_empty() && alias.bytes().all(|c| c.is_ascii_digit()) => (front, Some(alias)),
        _ => (name, None),
    }
}

fn split_number(name: &str) -> (&str, &str) {
    name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["veth10", "lo", "veth2:10", "veth2", "veth2:9", "eth0", "averylong", "v9:x", "v9"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["averylong", "eth0", "lo", "v9", "v9:x", "veth2", "veth2:9", "veth2:10", "veth10"]);
    }
}
