//! `/proc/sys` as `sysctl` walks it.

use super::super::Proc;
use crate::userland::regex::Regex;
pub(super) use crate::view::sysctl::Node;
use crate::view::sysctl::{all, below, node, write};
use std::collections::BTreeSet;
use vethlab_engine::control::Errno;

/// `/proc/sys` of a process.
pub(super) struct Tree<'a> {
    p: &'a Proc,
}

/// A path without superfluous slashes.
fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

impl Tree<'_> {
    /// As this process sees it.
    pub(super) fn new(p: &Proc) -> Tree<'_> {
        Tree { p }
    }

    /// What stands at this path.
    pub(super) fn node(&self, path: &str) -> Node {
        node(&self.p.world(), self.p.ns(), &tidy(path))
    }

    /// All paths of values below a directory, in the order of a listing.
    pub(super) fn below(&self, directory: &str) -> Vec<String> {
        below(&self.p.world(), self.p.ns(), &tidy(directory))
    }

    /// Values and directories that a shell pattern means.
    pub(super) fn like(&self, pattern: &str) -> Vec<String> {
        let Some(regex) = shell_pattern(&tidy(pattern)) else { return Vec::new() };
        let mut nodes: BTreeSet<String> = BTreeSet::new();
        for path in all(&self.p.world(), self.p.ns()) {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            nodes.extend(ends.map(|end| path[..end].to_string()).filter(|node| regex.is_match(node)));
        }
        nodes.into_iter().collect()
    }

    /// Writes a value.
    pub(super) fn write(&self, path: &str, value: &str) -> Result<(), Errno> {
        write(&mut self.p.world(), self.p.ns(), &tidy(path), value)
    }
}

/// `*`, `?` and `[…]` as an expression; none of them goes beyond a slash.
fn shell_pattern(pattern: &str) -> Option<Regex> {
    let mut expression = String::from("^");
    let mut in_set = false;
    for c in pattern.chars() {
        match c {
            ']' => {
                in_set = false;
                expression.push(c);
            }
            _ if in_set => expression.push(if c == '!' && expression.ends_with('[') { '^' } else { c }),
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => {
                in_set = true;
                expression.push(c);
            }
            c if c.is_alphanumeric() || "/_-".contains(c) => expression.push(c),
            c => expression.extend(['\\', c]),
        }
    }
    expression.push('$');
    Regex::new(&expression)
}

#[cfg(test)]
mod tests {
    use super::{shell_pattern, tidy};

    #[test]
    fn shell_patterns_stay_within_a_directory() {
        let fits = |pattern: &str, path: &str| shell_pattern(pattern).expect(pattern).is_match(path);
        assert!(fits("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/lo/rp_filter"));
        assert!(!fits("net/*/rp_filter", "net/ipv4/conf/lo/rp_filter"));
        assert!(fits("net/conf/eth[0-9]/x", "net/conf/eth1/x") && !fits("net/conf/eth[!0-9]/x", "net/conf/eth1/x"));
        assert!(fits("net/conf/eth?.100/x", "net/conf/eth1.100/x"));
    }

    #[test]
    fn superfluous_slashes_do_not_count() {
        assert_eq!(tidy("/net//ipv4/./ip_forward/"), "net/ipv4/ip_forward");
    }
}
