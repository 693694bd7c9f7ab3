//! What must hold in every world after every step. Debug builds check it, in worlds of many namespaces not after each step;
//! release builds may.

use crate::world::World;
use std::collections::BTreeSet;

/// The laws. The error says which one is broken.
pub fn check(world: &World) -> Result<(), String> {
    frames(world)?;
    names(world)?;
    ends(world)
}

/// No frame is lost: each one that was taken from the pool waits in a stack, or is on its way.
fn frames(world: &World) -> Result<(), String> {
    let taken = world.frames_taken();
    let parked: usize = world.stacks().map(|(_, stack)| stack.parked()).sum();
    let flying = world.frames_on_the_way();
    if taken == parked + flying {
        return Ok(());
    }
    Err(format!("{taken} frames were taken, but {parked} wait in stacks and {flying} are on their way"))
}

/// Each name is the only one of its kind, and is of a namespace that lives.
fn names(world: &World) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (name, ns) in world.netns_list() {
        if !world.netns_exists(ns) {
            return Err(format!("{name} is the name of a namespace that is gone"));
        }
        if let Some(twice) = seen.replace(name) {
            return Err(format!("two namespaces are named {twice}"));
        }
    }
    Ok(())
}

/// Each end of a cable is the other end of its other end, and a carrier needs both of them up.
fn ends(world: &World) -> Result<(), String> {
    for (ns, stack) in world.stacks() {
        for port in stack.ports().iter() {
            let Some(peer) = world.peer(ns, port.index) else { continue };
            let back = world.peer(peer.netns, peer.index);
            if back.as_ref().map(|back| (back.netns, back.index)) != Some((ns, port.index)) {
                return Err(format!("{} of {ns:?} has lost the other end of its cable", port.name));
            }
            let other = world.stack(peer.netns).ports().get(peer.index);
            let both = port.is_up() && other.is_some_and(|other| other.is_up());
            if port.carrier != both {
                return Err(format!("{} of {ns:?}: carrier {}, both ends up {both}", port.name, port.carrier));
            }
        }
    }
    Ok(())
}
