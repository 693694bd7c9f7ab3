//! The counters of `ip -s link` and `ip -s addr`: columns as wide as their widest number.

use super::super::Ip;
use super::super::options::Options;
use super::link::Link;

/// Names of the columns of the four lines, in JSON and for people. An empty name: nothing stands there.
const RX: [&str; 6] = ["bytes", "packets", "errors", "dropped", "missed", "mcast"];
const TX: [&str; 6] = ["bytes", "packets", "errors", "dropped", "carrier", "collsns"];
const RX_ERRORS: [&str; 5] = ["length", "crc", "frame", "fifo", "overrun"];
const TX_ERRORS: [&str; 5] = ["aborted", "fifo", "window", "heartbt", "transns"];

/// The lines `RX:` and `TX:`, with `-s -s` those of errors, without the last line's end.
pub(super) fn print(ip: &mut Ip, link: &Link) {
    let of = &link.counters;
    let rx = [of.rx_bytes, of.rx_packets, of.rx_errors, of.rx_dropped, 0, 0];
    let tx = [of.tx_bytes, of.tx_packets, 0, of.tx_dropped, 0, 0];
    let tx_errors = [0, 0, 0, 0, u64::from(link.carrier_changes)];
    if ip.print.is_json() {
        return json(ip, &rx, &tx, &tx_errors);
    }
    let more = ip.opts.stats > 1;
    let mut widths = [10, 7, 6, 7, 7, 7];
    if !ip.opts.human {
        widen(&mut widths, &rx);
        widen(&mut widths, &tx);
    }
    let separator = ip.print.separator();
    let mut text = line("RX", &RX, &rx, &widths, separator, &ip.opts);
    if more {
        text += &errors("RX", &RX_ERRORS, &[0; 5], &widths, separator, &ip.opts);
    }
    text += separator;
    text += &line("TX", &TX, &tx, &widths, separator, &ip.opts);
    if more {
        text += &errors("TX", &TX_ERRORS, &tx_errors, &widths, separator, &ip.opts);
    }
    ip.print.text(&text);
}

fn widen(widths: &mut [usize], numbers: &[u64]) {
    for (width, number) in widths.iter_mut().zip(numbers) {
        *width = (*width).max(number.to_string().len());
    }
}

fn line(
    what: &str,
    names: &[&str; 6],
    numbers: &[u64; 6],
    widths: &[usize; 6],
    separator: &str,
    opts: &Options,
) -> String {
    let mut text = format!("    {what}:");
    for (at, (name, width)) in names.iter().zip(widths).enumerate() {
        let width = if at == 0 { width - 4 } else { *width };
        text += &format!(" {name:>width$}");
    }
    // The column of compressed packets, always empty here, keeps its width.
    text += &format!(" {:10}{separator}    ", "");
    for (number, width) in numbers.iter().zip(widths) {
        text += &number_text(*number, *width, opts);
    }
    text
}

fn errors(
    what: &str,
    names: &[&str; 5],
    numbers: &[u64; 5],
    widths: &[usize; 6],
    separator: &str,
    opts: &Options,
) -> String {
    let mut text = format!("{separator}    {what} errors:{:indent$}", "", indent = widths[0] - 10);
    for (name, width) in names.iter().zip(&widths[1..]) {
        text += &format!(" {name:>width$}");
    }
    text += &format!("{separator}{:indent$}", "", indent = widths[0] + 5);
    for (number, width) in numbers.iter().zip(&widths[1..]) {
        text += &number_text(*number, *width, opts);
    }
    text
}

/// `print_num()`: a number in its column; with `-h` rounded to K, M, G …
fn number_text(number: u64, width: usize, opts: &Options) -> String {
    let base: u64 = if opts.iec { 1024 } else { 1000 };
    if !opts.human || number < base {
        return format!("{number:>width$} ");
    }
    let mut prefixes = "kMGTPE".chars();
    let mut prefix = prefixes.next().unwrap_or('k');
    let mut power = base;
    while number / base >= power {
        let Some(next) = prefixes.next() else { break };
        prefix = next;
        power = power.saturating_mul(base);
    }
    let whole = number / power;
    let precision = if whole < 10 { 2 } else { usize::from(whole < 100) };
    let suffix = if opts.iec { "i" } else { "" };
    let rounded = format!("{:.precision$}{prefix}{suffix}", number as f64 / power as f64);
    format!("{rounded:>width$} ")
}

fn json(ip: &mut Ip, rx: &[u64; 6], tx: &[u64; 6], tx_errors: &[u64; 5]) {
    const RX: [&str; 6] = ["bytes", "packets", "errors", "dropped", "over_errors", "multicast"];
    const TX: [&str; 6] = ["bytes", "packets", "errors", "dropped", "carrier_errors", "collisions"];
    const RX_ERRORS: [&str; 5] = ["length_errors", "crc_errors", "frame_errors", "fifo_errors", "missed_errors"];
    const TX_ERRORS: [&str; 5] =
        ["aborted_errors", "fifo_errors", "window_errors", "heartbeat_errors", "carrier_changes"];
    let more = ip.opts.stats > 1;
    let print = &mut ip.print;
    print.open_object_named("stats64");
    for (what, names, numbers, error_names, error_numbers) in
        [("rx", RX, rx, RX_ERRORS, &[0; 5]), ("tx", TX, tx, TX_ERRORS, tx_errors)]
    {
        print.open_object_named(what);
        for (name, number) in names.iter().zip(numbers) {
            print.json_number(name, number);
        }
        for (name, number) in error_names.iter().zip(error_numbers).filter(|_| more) {
            print.json_number(name, number);
        }
        print.close_object();
    }
    print.close_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_readable_numbers() {
        let plain = Options::default();
        let rx = [90, 1, 0, 0, 0, 0];
        let text = line("RX", &RX, &rx, &[10, 7, 6, 7, 7, 7], "\n", &plain);
        let head = "    RX:  bytes packets errors dropped  missed   mcast           \n";
        assert_eq!(text, format!("{head}            90       1      0       0       0       0 "));
        let human = Options { human: true, ..plain.clone() };
        assert_eq!(number_text(1500, 7, &human), "  1.50k ");
        assert_eq!(number_text(15_000, 7, &human), "  15.0k ");
        assert_eq!(number_text(150_000, 7, &human), "   150k ");
        assert_eq!(number_text(1_500_000, 7, &human), "  1.50M ");
        assert_eq!(number_text(2048, 7, &Options { iec: true, ..human }), " 2.00ki ");
        assert_eq!(number_text(2048, 7, &plain), "   2048 ");
    }
}
