use super::super::super::args::InetPrefix;
use super::*;

fn request() -> Request {
    let to = InetPrefix {
        family: Family::Inet,
        address: Some(IpAddr::from([10, 1, 0, 0])),
        length: 16,
        length_given: true,
        named: false,
    };
    Request { family: Family::Inet, destination: Some(to), ..Request::default() }
}

fn via(last: u8) -> Option<Via> {
    Some(Via::Address(Some(IpAddr::from([10, 0, 0, last]))))
}

fn refusal(request: &Request) -> Option<String> {
    match spec(request, None, false) {
        Err(Stop::Fail(2, text)) => Some(text),
        _ => None,
    }
}

#[test]
fn the_scope_follows_from_type_and_gateway() {
    let scope = |request: &Request, delete| spec(request, Some(2), delete).map(|spec| spec.scope);
    assert_eq!(scope(&request(), false), Ok(Some(scope::LINK)));
    assert_eq!(scope(&Request { gateway: via(1), ..request() }, false), Ok(Some(scope::UNIVERSE)));
    assert_eq!(scope(&request(), true), Ok(None));
    let local = Request { kind: Some(2), ..request() };
    assert_eq!(scope(&local, true), Ok(Some(scope::HOST)));
    assert_eq!(spec(&local, Some(1), false).map(|spec| spec.table), Ok(Some(table::LOCAL)));
    assert_eq!(scope(&Request { family: Family::Inet6, ..request() }, false), Ok(Some(scope::UNIVERSE)));
    assert_eq!(scope(&Request { kind: Some(6), ..request() }, false), Ok(Some(scope::UNIVERSE)));
}

#[test]
fn a_deletion_says_only_what_was_said() {
    let deletion = spec(&request(), None, true).expect("a deletion");
    assert_eq!((deletion.kind, deletion.protocol, deletion.scope, deletion.metric), (None, None, None, None));
    assert_eq!((deletion.table, deletion.nexthops.len()), (Some(table::MAIN), 0));
    let addition = spec(&request(), Some(2), false).expect("an addition");
    assert_eq!((addition.kind, addition.protocol), (Some(RouteKind::Unicast), Some(protocol::BOOT)));
}

#[test]
fn what_the_kernel_refuses_at_first_sight() {
    let said = |request: &Request| refusal(request).unwrap_or_default();
    assert_eq!(said(&Request { empty: true, ..request() }), "Error: Attribute failed policy validation.\n");
    assert_eq!(said(&Request { nexthop_id: Some(5), ..request() }), "Error: Nexthop id does not exist.\n");
    assert_eq!(said(&Request { kind: Some(RTN_NAT), ..request() }), "Error: Invalid scope.\n");
    assert_eq!(said(&Request { kind: Some(12), ..request() }), "Error: Invalid route type.\n");
    let foreign = Request { gateway: Some(Via::Foreign), ..request() };
    assert_eq!(said(&foreign), "Error: Unsupported address family in RTA_VIA.\n");
    let hop = Hop { gateway: via(2), oif: None, weight: 1, onlink: false, realms: 0 };
    let both = Request { gateway: via(1), hops: Some(vec![hop]), ..request() };
    assert_eq!(said(&both), "Error: Nexthop gateway does not match RTA_GATEWAY or RTA_VIA.\n");
    let realms = Request { realms: Some(5), hops: Some(vec![hop]), ..request() };
    assert_eq!(said(&realms), "Error: Nexthop class id does not match RTA_FLOW.\n");
    let tos = Request { family: Family::Inet6, destination: None, tos: 4, ..request() };
    assert_eq!(said(&tos), "Error: Invalid dsfield (tos): option not available for IPv6.\n");
    assert_eq!(said(&Request { family: Family::Bridge, ..request() }), "RTNETLINK answers: Operation not supported\n");
}

#[test]
fn a_gateway_of_zeros_is_none() {
    let any = Request { gateway: Some(Via::Address(Some(Ipv4Addr::UNSPECIFIED.into()))), ..request() };
    let spec = spec(&any, Some(2), false).expect("a route");
    assert_eq!((spec.nexthops[0].gateway, spec.scope), (None, Some(scope::UNIVERSE)));
}
