//! What routers of a field do with a frame, seen at both ends.

use super::*;
use crate::pnet_peer::open;
use crate::traffic::datagram;
use etherparse::Ipv4HeaderSlice;
use vethlab_tests::rights::root_or_skip;

/// The first frame that is like this one behind its link header, addresses and all, and comes out at the other end.
fn through(field: &Field, frame: &[u8]) -> Option<Vec<u8>> {
    let mut seen = field.sink.enter(|| Ok(open("d0")?.1)).unwrap();
    let mut sender = field.source.enter(|| Ok(open("s0")?.0)).unwrap();
    sender.send_to(frame, None).unwrap().unwrap();
    // A timeout ends it.
    std::iter::from_fn(|| seen.next().ok().map(<[u8]>::to_vec)).find(|came| came.get(26..) == frame.get(26..))
}

/// Gives the packet the identification by which its header's checksum comes to this.
fn number(frame: &mut [u8], wanted: u16) {
    let right = (0..=u16::MAX).find(|id| {
        frame[18..20].copy_from_slice(&id.to_be_bytes());
        Ipv4HeaderSlice::from_slice(&frame[14..]).unwrap().to_header().calc_header_checksum() == wanted
    });
    assert!(right.is_some(), "no identification does that");
    frame[24..26].copy_from_slice(&wanted.to_be_bytes());
}

#[test]
fn xdp_forwards_by_the_kernels_routes_and_not_by_its_stack() {
    if !root_or_skip("xdp_forwards_by_the_kernels_routes_and_not_by_its_stack") {
        return;
    }
    let field = Field::new().unwrap();
    // Whatever goes through the stack is dropped there.
    field.kernel_routes(&["iptables -P FORWARD DROP".to_string()]).unwrap();
    let mut asked = datagram([S0, R0], (SOURCE, 4000), (SINK, 5000), 60);
    assert_eq!(through(&field, &asked), None, "the stack drops it");
    let forwarders = field.xdp_routes().unwrap();
    // Checksums to which something is carried, or nearly, or that become all ones.
    for (ttl, sum) in [(255, 0x1234u16), (64, 0xfefe), (2, 0xfeff), (128, 0xff00), (3, 0xff80)] {
        asked[22] = ttl;
        number(&mut asked, sum);
        let came = through(&field, &asked).expect("it comes through");
        assert_eq!((&came[..6], &came[6..12], &came[12..22]), (&D0[..], &R1[..], &asked[12..22]));
        let header = Ipv4HeaderSlice::from_slice(&came[14..]).unwrap().to_header();
        assert_eq!(header.time_to_live, ttl - 1);
        assert_eq!(header.header_checksum, header.calc_header_checksum());
    }
    asked[22] = 1;
    assert_eq!(through(&field, &asked), None, "a TTL that ends is the stack's");
    drop(forwarders);
    asked[22] = 64;
    assert_eq!(through(&field, &asked), None, "it is the stack's again");
}
