//! Stacks joined by cables, judged by what leaves them.

mod arp;
mod bridge;
mod filter;
mod forward;
mod icmp;
mod lab;
mod local;
mod noise;
mod reasons;
mod straight;
mod taps;
mod tcp;
mod vxlan;
mod ways;
