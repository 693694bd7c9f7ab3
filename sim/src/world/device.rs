//! Ports of the host with a real interface behind them, in a world that is stepped in real time: what leaves by one waits
//! for whoever drives the interface, and what the interface received arrives at once.
//!
//! Such a port is the end of a cable like a network card's; the cable's other end is the device.

use super::World;
use super::cable::{End, Place};
use vethlab_engine::addr::Mac;
use vethlab_engine::control::{Command, Errno, LinkChange};
use vethlab_engine::frame::{FrameBuf, FramePool};

/// A device, as a world knows it.
#[derive(Debug)]
pub(super) struct Device {
    /// The end of the cable at the port.
    near: End,
    /// Frames that the port has sent, oldest first.
    leaving: Vec<FrameBuf>,
}

impl World {
    /// Gives the host a port for a real interface, up, and tells the device's number: they count from 0. `EEXIST`: there is
    /// a port of this name.
    pub fn device_add(&mut self, name: &str, mac: Mac, mtu: u32, carrier: bool) -> Result<usize, Errno> {
        let host = self.host();
        if self.stack(host).ports().named(name).is_some() {
            return Err(Errno::Exist);
        }
        let number = self.devices.len();
        let index = self.add_card(host, name, mac);
        let [near, _] = self.lay_cable([Place::Port(host, index), Place::Device(number)], true).ends();
        self.devices.push(Device { near, leaving: Vec::new() });
        if !carrier {
            self.set_carrier(near, false);
        }
        let change = LinkChange { up: Some(true), mtu: Some(mtu), ..LinkChange::default() };
        // The kernel's own MTU may be one that it would not let a user set: then ours stays what it is.
        if self.apply(host, Command::LinkChange(index, change)).is_err() {
            let up = LinkChange { up: Some(true), ..LinkChange::default() };
            self.apply(host, Command::LinkChange(index, up)).map_err(|refusal| refusal.errno)?;
        }
        Ok(number)
    }

    /// Where frames come from and go back to.
    pub fn pool(&mut self) -> &mut FramePool {
        &mut self.pool
    }

    /// Frames that an interface received arrive at its port; takes all of them.
    pub fn device_receive(&mut self, device: usize, frames: &mut Vec<FrameBuf>) {
        let Some(Place::Port(ns, index)) = self.device_end(device).and_then(|near| self.place(near)) else {
            frames.drain(..).for_each(|frame| self.pool.give(frame));
            return;
        };
        self.visit(ns, |stack, cx, watcher| {
            for frame in frames.drain(..) {
                stack.receive(cx, index, frame, watcher);
            }
        });
        self.finish();
    }

    /// Moves what left by a port to the end of `frames`.
    pub fn device_drain(&mut self, device: usize, frames: &mut Vec<FrameBuf>) {
        if let Some(device) = self.devices.get_mut(device) {
            frames.append(&mut device.leaving);
        }
    }

    /// The interface has, or no longer has, a cable that works.
    pub fn device_carrier(&mut self, device: usize, on: bool) {
        if let Some(near) = self.device_end(device) {
            self.set_carrier(near, on);
            self.finish();
        }
    }

    /// The interface has another MTU now.
    pub fn device_mtu(&mut self, device: usize, mtu: u32) {
        let Some(Place::Port(ns, index)) = self.device_end(device).and_then(|near| self.place(near)) else { return };
        let change = LinkChange { mtu: Some(mtu), ..LinkChange::default() };
        // Refused where it is none that a user could set: then the port keeps its own, and the interface refuses frames.
        let _ = self.apply(ns, Command::LinkChange(index, change));
    }

    fn device_end(&self, device: usize) -> Option<End> {
        self.devices.get(device).map(|device| device.near)
    }

    /// A frame has left by the port of a device.
    pub(super) fn device_send(&mut self, device: usize, frame: FrameBuf) {
        match self.devices.get_mut(device) {
            Some(device) => device.leaving.push(frame),
            None => self.pool.give(frame),
        }
    }

    /// How many frames wait for their devices.
    pub(super) fn device_frames(&self) -> usize {
        self.devices.iter().map(|device| device.leaving.len()).sum()
    }

    /// Gives back what waits for devices.
    pub(super) fn devices_clear(&mut self) {
        for device in &mut self.devices {
            device.leaving.drain(..).for_each(|frame| self.pool.give(frame));
        }
    }
}

#[cfg(target_os = "linux")]
impl vethlab_engine::runner::Driven for World {
    fn pool(&mut self) -> &mut FramePool {
        World::pool(self)
    }

    fn advance(&mut self, now: vethlab_engine::time::Time) {
        self.advance_to(now);
    }

    fn receive(&mut self, port: usize, frames: &mut Vec<FrameBuf>) {
        self.device_receive(port, frames);
    }

    fn next_deadline(&self) -> Option<vethlab_engine::time::Time> {
        self.next_event()
    }

    fn drain(&mut self, port: usize, frames: &mut Vec<FrameBuf>) {
        self.device_drain(port, frames);
    }

    fn carrier(&mut self, port: usize, on: bool) {
        self.device_carrier(port, on);
    }

    fn mtu(&mut self, port: usize, mtu: u32) {
        self.device_mtu(port, mtu);
    }
}
