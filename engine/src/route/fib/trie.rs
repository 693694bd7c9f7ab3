//! A binary trie with compressed paths. A node is a prefix; its children hold longer ones, by the next bit. A node has a
//! value, or two children, or both: else it is spliced out. Nodes know their parent, so that all matches of an address are
//! found by going down once and up again, without a stack.

use crate::addr::{Address, Prefix};

/// No node.
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
struct Node<A, V> {
    prefix: Prefix<A>,
    parent: u32,
    children: [u32; 2],
    value: Option<V>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Trie<A, V> {
    nodes: Vec<Node<A, V>>,
    root: u32,
    free: Vec<u32>,
    values: usize,
}

impl<A: Address, V> Trie<A, V> {
    pub(super) fn new() -> Trie<A, V> {
        Trie { nodes: Vec::new(), root: NONE, free: Vec::new(), values: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.values
    }

    pub(super) fn get(&self, prefix: Prefix<A>) -> Option<&V> {
        self.node_of(prefix).and_then(|node| self.nodes[node as usize].value.as_ref())
    }

    pub(super) fn get_mut(&mut self, prefix: Prefix<A>) -> Option<&mut V> {
        self.node_of(prefix).and_then(|node| self.nodes[node as usize].value.as_mut())
    }

    pub(super) fn insert(&mut self, prefix: Prefix<A>, value: V) -> Option<V> {
        let (above, below) = self.descend(prefix);
        if above != NONE && self.nodes[above as usize].prefix == prefix {
            let old = self.nodes[above as usize].value.replace(value);
            self.values += usize::from(old.is_none());
            return old;
        }
        self.values += 1;
        if below == NONE {
            let leaf = self.make(prefix, Some(value));
            self.hang(above, leaf);
            return None;
        }
        let other = self.nodes[below as usize].prefix;
        let shared = prefix.address().common_bits(other.address()).min(prefix.length()).min(other.length());
        if shared == prefix.length() {
            let between = self.make(prefix, Some(value));
            self.hang(above, between);
            self.hang(between, below);
        } else {
            let fork = self.make(Prefix::of(prefix.address(), shared), None);
            let leaf = self.make(prefix, Some(value));
            self.hang(above, fork);
            self.hang(fork, below);
            self.hang(fork, leaf);
        }
        None
    }

    pub(super) fn remove(&mut self, prefix: Prefix<A>) -> Option<V> {
        let node = self.node_of(prefix)?;
        let value = self.nodes[node as usize].value.take()?;
        self.values -= 1;
        let parent = self.nodes[node as usize].parent;
        self.splice(node);
        if parent != NONE && self.nodes[parent as usize].value.is_none() {
            self.splice(parent);
        }
        Some(value)
    }

    /// Takes all out, by address, then length.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (Prefix<A>, V)> + use<A, V> {
        let mut entries: Vec<(Prefix<A>, V)> = core::mem::replace(self, Trie::new())
            .nodes
            .into_iter()
            .filter_map(|node| node.value.map(|value| (node.prefix, value)))
            .collect();
        entries.sort_by_key(|entry| entry.0);
        entries.into_iter()
    }

    /// The last node on the way down that holds `address`.
    #[inline]
    pub(super) fn deepest(&self, address: A) -> u32 {
        let mut last = NONE;
        let mut next = self.root;
        while let Some(node) = self.nodes.get(next as usize) {
            if !node.prefix.contains(address) {
                break;
            }
            last = next;
            next = node.children[address.bit(node.prefix.length())];
        }
        last
    }

    /// The first node with a value from `node` upwards; `node` then stands above it.
    #[inline]
    pub(super) fn upwards(&self, node: &mut u32) -> Option<(Prefix<A>, &V)> {
        while let Some(here) = self.nodes.get(*node as usize) {
            *node = here.parent;
            if let Some(value) = &here.value {
                return Some((here.prefix, value));
            }
        }
        None
    }

    /// All with a value, a node before its children: by address, then length.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Prefix<A>, &V)> {
        core::iter::successors(Some(self.root).filter(|node| *node != NONE), |node| self.after(*node))
            .filter_map(|node| self.nodes.get(node as usize))
            .filter_map(|node| node.value.as_ref().map(|value| (node.prefix, value)))
    }

    /// The node that follows in that order.
    fn after(&self, mut node: u32) -> Option<u32> {
        let [left, right] = self.nodes.get(node as usize)?.children;
        if left != NONE || right != NONE {
            return Some(if left != NONE { left } else { right });
        }
        loop {
            let parent = self.nodes[node as usize].parent;
            let [left, right] = self.nodes.get(parent as usize)?.children;
            if left == node && right != NONE {
                return Some(right);
            }
            node = parent;
        }
    }

    fn node_of(&self, prefix: Prefix<A>) -> Option<u32> {
        let (above, _) = self.descend(prefix);
        self.nodes.get(above as usize).filter(|node| node.prefix == prefix).map(|_| above)
    }

    /// The last node that covers `prefix`, and its child on the way to `prefix`, which does not.
    fn descend(&self, prefix: Prefix<A>) -> (u32, u32) {
        let mut above = NONE;
        let mut next = self.root;
        while let Some(node) = self.nodes.get(next as usize) {
            if !node.prefix.covers(prefix) {
                break;
            }
            above = next;
            if node.prefix == prefix {
                return (above, NONE);
            }
            next = node.children[prefix.address().bit(node.prefix.length())];
        }
        (above, next)
    }

    fn make(&mut self, prefix: Prefix<A>, value: Option<V>) -> u32 {
        let node = Node { prefix, parent: NONE, children: [NONE; 2], value };
        match self.free.pop() {
            Some(slot) => {
                self.nodes[slot as usize] = node;
                slot
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        }
    }

    /// Makes `node` the child of `parent` (or the root) on its side.
    fn hang(&mut self, parent: u32, node: u32) {
        let address = self.nodes[node as usize].prefix.address();
        self.nodes[node as usize].parent = parent;
        match self.nodes.get_mut(parent as usize) {
            Some(above) => above.children[address.bit(above.prefix.length())] = node,
            None => self.root = node,
        }
    }

    /// Takes a node without value out, unless it forks.
    fn splice(&mut self, node: u32) {
        let Node { parent, children: [left, right], .. } = self.nodes[node as usize];
        if left != NONE && right != NONE {
            return;
        }
        let child = if left != NONE { left } else { right };
        if child != NONE {
            self.hang(parent, child);
        } else {
            match self.nodes.get_mut(parent as usize) {
                Some(above) => above.children = above.children.map(|entry| if entry == node { NONE } else { entry }),
                None => self.root = NONE,
            }
        }
        self.free.push(node);
    }
}
