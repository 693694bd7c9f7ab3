use super::*;

fn route(prefix: &str) -> Listed {
    let (address, length) = prefix.split_once('/').expect("a prefix");
    let (address, length): (IpAddr, u8) = (address.parse().expect("an address"), length.parse().expect("a length"));
    Listed {
        family: Family::of(address),
        kind: 1,
        destination: (length > 0).then_some(address),
        length,
        source: None,
        tos: 0,
        table: table::MAIN,
        protocol: 3,
        scope: 0,
        gateway: None,
        oif: Some(2),
        prefsrc: None,
        metric: None,
        flags: 0,
        mark: 0,
        realms: None,
        uid: None,
        expires: None,
        error: 0,
        users: 0,
        metrics: Default::default(),
        iif: None,
        preference: None,
        hops: Vec::new(),
    }
}

fn filter(family: Family, line: &str) -> Filter {
    let words: Vec<String> = line.split_whitespace().map(String::from).collect();
    let mut args = Args::new(&words);
    let mut filter = Filter { family, table: table::MAIN, ..Filter::default() };
    while let Some(word) = args.next() {
        let taken = filter.table_word(word, &mut args).unwrap()
            || filter.number_word(word, &mut args).unwrap()
            || filter.name_word(word, &mut args).unwrap();
        if !taken {
            filter.prefix_word(word, &mut args).unwrap();
        }
    }
    filter
}

fn taken(line: &str) -> Vec<&'static str> {
    taken_of(Family::Unspec, line)
}

fn taken_of(family: Family, line: &str) -> Vec<&'static str> {
    const ROUTES: [&str; 4] = ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32"];
    let filter = filter(family, line);
    ROUTES.into_iter().filter(|prefix| filter.takes(&route(prefix))).collect()
}

#[test]
fn prefixes_by_root_match_and_exact() {
    assert_eq!(taken("10.1.0.0/16"), ["10.1.0.0/16"]);
    assert_eq!(taken("exact 10.1.2.3"), ["10.1.2.3/32"]);
    assert_eq!(taken("root 10.1.0.0/16"), ["10.1.0.0/16", "10.1.2.3/32"]);
    assert_eq!(taken("match 10.1.9.9"), ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16"]);
    assert_eq!(taken("to match 10.1.2.3 root 10.1.0.0/16"), ["10.1.0.0/16", "10.1.2.3/32"]);
    assert_eq!(taken("fe80::/64"), [""; 0]);
}

#[test]
fn default_is_a_length_and_any_is_nothing() {
    assert_eq!(taken("default"), ["0.0.0.0/0"]);
    assert_eq!(taken("any").len(), 4);
    assert_eq!(taken_of(Family::Inet, "any"), ["0.0.0.0/0"]);
    assert_eq!(taken_of(Family::Inet, "root any").len(), 4);
    assert_eq!(taken_of(Family::Inet6, "").len(), 0);
}

#[test]
fn from_counts_by_its_length_alone() {
    assert_eq!(taken("from 10.0.0.1").len(), 0);
    assert_eq!(taken("from match 10.0.0.1").len(), 4);
    assert_eq!(taken("from root default").len(), 4);
}

#[test]
fn a_gateway_and_a_source_by_prefix() {
    let address = Some(IpAddr::from([10, 0, 0, 2]));
    let with = Listed { gateway: address, prefsrc: address, ..route("10.0.0.0/8") };
    for (line, takes) in [
        ("via 10.0.0.2", true),
        ("via 10.0.0.0/24", true),
        ("via 10.0.1.0/24", false),
        ("via inet6 fe80::1", false),
        ("via any", true),
        ("src 10.0.0.2", true),
        ("src 10.0.0.3", false),
    ] {
        assert_eq!(filter(Family::Unspec, line).takes(&with), takes, "{line}");
    }
    assert!(!filter(Family::Unspec, "via 10.0.0.2").takes(&route("10.0.0.0/8")));
    assert!(Filter::is_whole(filter(Family::Unspec, "via 10.0.0.2").via, Family::Inet));
    assert!(!Filter::is_whole(filter(Family::Unspec, "via 10.0.0.0/24").via, Family::Inet));
}

#[test]
fn realms_by_either_half() {
    let with = Listed { realms: Some(3 << 16 | 5), ..route("10.0.0.0/8") };
    for (line, takes) in [("realms 5", true), ("realms 3/", true), ("realms 3/5", true), ("realms 4/", false)] {
        assert_eq!(filter(Family::Unspec, line).takes(&with), takes, "{line}");
    }
}

#[test]
fn numbers_and_all() {
    assert_eq!(taken("proto boot scope global type unicast metric 0").len(), 4);
    assert_eq!((taken("proto all scope all table all").len(), taken("proto static").len()), (4, 0));
    assert_eq!((taken("mark 1").len(), taken("tos 0x10").len(), taken("cache").len()), (0, 0, 0));
    assert_eq!(filter(Family::Unspec, "table all").dump_family(), Family::Unspec);
    assert_eq!(filter(Family::Unspec, "").dump_family(), Family::Inet);
}
