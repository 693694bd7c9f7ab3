use super::super::super::print::Style;
use super::*;

fn entry(state: Nud) -> Listed {
    Listed {
        ip: IpAddr::from([10, 0, 0, 2]),
        port: 2,
        mac: Some(Mac([2, 0, 0, 0, 0, 2])),
        state,
        router: false,
        proxy: false,
        extern_learn: false,
        protocol: 0,
        cache: Some(Cache { used: 0, confirmed: 60, updated: 1, probes: 4, references: 1 }),
    }
}

fn filter(line: &str, flush: bool) -> Result<Filter, Stop> {
    let words: Vec<String> = line.split_whitespace().map(String::from).collect();
    let mut args = Args::new(&words);
    let states = if flush { !KEPT } else { 0xff & !NOARP };
    let mut filter = Filter { states, ..Filter::default() };
    while let Some(word) = args.next() {
        if !filter.state_word(word, &mut args, flush)? {
            filter.prefix_word(word, &mut args)?;
        }
    }
    Ok(filter)
}

/// Which of all states a filter takes.
fn states(line: &str, flush: bool) -> Vec<Nud> {
    const ALL: [Nud; 5] = [Nud::None, Nud::Stale, Nud::Failed, Nud::Noarp, Nud::Permanent];
    let filter = filter(line, flush).expect("a filter");
    ALL.into_iter().filter(|state| filter.takes(&entry(*state))).collect()
}

#[test]
fn states_that_are_shown_and_flushed() {
    assert_eq!(states("", false), [Nud::Stale, Nud::Failed, Nud::Permanent]);
    assert_eq!(states("nud all", false).len(), 5);
    assert_eq!(states("nud none", false), [Nud::None]);
    assert_eq!(states("nud stale nud noarp", false), [Nud::Stale, Nud::Noarp]);
    // "Not permanent, not noarp" has the bit of "none" in it.
    assert_eq!(states("", true), [Nud::None, Nud::Stale, Nud::Failed]);
    assert_eq!(states("nud all", true), [Nud::None, Nud::Stale, Nud::Failed, Nud::Permanent]);
    // What was learned elsewhere is shown in any state.
    let learned = Listed { extern_learn: true, ..entry(Nud::Noarp) };
    assert!(filter("nud stale", false).is_ok_and(|filter| filter.takes(&learned)));
}

#[test]
fn prefixes_protocols_and_use() {
    let takes = |line| filter(line, false).map(|filter| filter.takes(&entry(Nud::Stale)));
    assert_eq!((takes("10.0.0.2"), takes("to 10.0.0.0/30"), takes("10.0.0.3")), (Ok(true), Ok(true), Ok(false)));
    assert_eq!((takes("any"), takes("default"), takes("fe80::/64")), (Ok(true), Ok(true), Ok(false)));
    assert_eq!((takes("unused"), takes("proto static"), takes("proto all")), (Ok(false), Ok(false), Ok(true)));
    assert_eq!(takes("nud foo"), Err(invarg("nud state is bad", "foo")));
    assert_eq!(takes("h"), Err(usage()));
}

fn printed(style: Style, entry: &Listed, statistics: bool) -> String {
    let mut print = Print::new(style);
    print.begin();
    print.open_object();
    print_long(&mut print, entry, Some("v0"), statistics);
    state(&mut print, entry.state);
    print.close_object();
    print.end();
    print.take().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_neighbor_in_every_style() {
    let json = Style { json: true, ..Style::default() };
    let stale = entry(Nud::Stale);
    assert_eq!(printed(Style::default(), &stale, false), "10.0.0.2 dev v0 lladdr 02:00:00:00:00:02 STALE ");
    assert_eq!(
        printed(Style::default(), &stale, true),
        "10.0.0.2 dev v0 lladdr 02:00:00:00:00:02  ref 1 used 0/60/1probes 4 STALE "
    );
    assert_eq!(
        printed(json, &Listed { router: true, mac: None, ..stale }, true),
        "[{\"dst\":\"10.0.0.2\",\"dev\":\"v0\",\"router\":null,\"refcnt\":1,\"used\":0,\"confirmed\":60,\"updated\":1,\
         \"probes\":4,\"state\":[\"STALE\"]}]\n"
    );
    let proxy = Listed::proxy((0, IpAddr::from([10, 0, 0, 78])), ProxyEntry::default());
    assert_eq!(printed(Style::default(), &proxy, true), "10.0.0.78 dev v0 proxy ");
}

#[test]
fn columns_of_the_brief_style() {
    let mut print = Print::new(Style::default());
    print_brief(&mut print, &entry(Nud::Stale), Some("v0"));
    let text: String = print.take().into_iter().map(|(_, text)| text).collect();
    assert_eq!(text, "10.0.0.2                                v0               02:00:00:00:00:02");
}
