//! `/run/netns`: a file for each name.

use super::{Entry, Kind};
use crate::world::World;
use vethlab_engine::control::Errno;

pub(super) fn kind(world: &World, parts: &[&str]) -> Result<Entry, Errno> {
    match parts {
        [] => Ok(Entry::directory("netns", 0o755)),
        [name] if world.netns_named(name).is_some() => Ok(Entry::file(name, 0o444)),
        [name, ..] if world.netns_named(name).is_some() => Err(Errno::NotDir),
        _ => Err(Errno::NoEnt),
    }
}

pub(super) fn list(world: &World, parts: &[&str]) -> Result<Vec<Entry>, Errno> {
    match kind(world, parts)?.kind {
        Kind::Directory => Ok(world.netns_list().iter().map(|(name, _)| Entry::file(name, 0o444)).collect()),
        _ => Err(Errno::NotDir),
    }
}

pub(super) fn read(world: &World, parts: &[&str]) -> Result<String, Errno> {
    match kind(world, parts)?.kind {
        Kind::Directory => Err(Errno::IsDir),
        // A namespace cannot be read.
        _ => Err(Errno::Inval),
    }
}

pub(super) fn write(world: &World, parts: &[&str]) -> Result<(), Errno> {
    match kind(world, parts) {
        Ok(Entry { kind: Kind::Directory, .. }) => Err(Errno::IsDir),
        Ok(_) | Err(Errno::NoEnt) => Err(Errno::Perm),
        Err(errno) => Err(errno),
    }
}
