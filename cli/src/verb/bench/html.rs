//! A report as one HTML page: plots and tables, with nothing that must be fetched.

use super::table::{demand, head, number, span, stand};
use std::fmt::Write;
use vethlab_benches::report::{Report, Row, Samples, Stand};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#1d2733;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem;border-bottom:1px solid #d5dde5}h3{font-size:1rem;margin:1.5rem 0 .3rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{padding:.25rem .5rem;border-bottom:1px solid #e4e9ee;text-align:right}
th:first-child,td:first-child,.left{text-align:left}.note,.head{color:#5a6875;font-size:.85rem}
.goal{color:#0b7a3b}.floor{color:#8a6100}.below{color:#b3261e}.skipped{color:#b3261e}
svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1d2733}
@media (prefers-color-scheme:dark){body{background:#14191f;color:#dde5ec}svg text{fill:#dde5ec}th,td{border-color:#2b343d}}
";

/// Plots: the width of all, of the names, and the height of a bar with the space around it.
const WIDTH: f64 = 900.0;
const NAMES: f64 = 250.0;
const VALUES: f64 = 170.0;
const LINE: f64 = 26.0;

/// The page.
pub(super) fn html(report: &Report) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>vethlab bench</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n<h1>vethlab bench</h1>\n"
    );
    for line in head(report) {
        put(&mut page, format_args!("<p class=\"head\">{}</p>\n", escaped(&line)));
    }
    let mut rest = report.rows.as_slice();
    while let Some(first) = rest.first() {
        let (rows, others) = rest.split_at(rest.iter().take_while(|row| row.bench == first.bench).count());
        rest = others;
        section(&mut page, &first.bench, rows);
    }
    for line in &report.skipped {
        put(&mut page, format_args!("<p class=\"skipped\">SKIPPED {}</p>\n", escaped(line)));
    }
    page.push_str("</body></html>\n");
    page
}

/// A string takes everything.
fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(text);
}

fn section(page: &mut String, bench: &str, rows: &[Row]) {
    put(page, format_args!("<h2>{}</h2>\n", escaped(bench)));
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = |row: &&Row| row.what == first.what && row.unit == first.unit;
        let (plotted, others) = rest.split_at(rest.iter().take_while(same).count());
        rest = others;
        plot(page, first, plotted);
    }
    page.push_str("<table><tr><th></th><th>vethlab</th><th class=\"left\">peer</th><th>its</th><th>ratio</th><th>floor / goal</th><th></th></tr>\n");
    for row in rows {
        table_row(page, row);
    }
    page.push_str("</table>\n");
    let mut last = None;
    for note in rows.iter().filter_map(|row| row.note.as_deref()) {
        if last != Some(note) {
            put(page, format_args!("<p class=\"note\">{}</p>\n", escaped(note)));
        }
        last = Some(note);
    }
}

fn table_row(page: &mut String, row: &Row) {
    let asked = demand(row.demand);
    let class = match row.stand() {
        None => "",
        Some(Stand::Below) => "below",
        Some(Stand::Floor) => "floor",
        Some(Stand::Goal) => "goal",
    };
    let shown = |samples: &Option<Samples>| samples.as_ref().map(span).unwrap_or_default();
    put(
        page,
        format_args!(
            "<tr><td>{}</td><td>{} {}</td><td class=\"left\">{}</td><td>{}</td><td>{}</td><td>{asked}</td>\
             <td class=\"{class}\">{}</td></tr>\n",
            escaped(&row.title()),
            span(&row.ours),
            escaped(&row.unit.name),
            escaped(row.peer.as_deref().unwrap_or_default()),
            shown(&row.theirs),
            shown(&row.ratio),
            stand(row),
        ),
    );
}

/// Bars of one contest, one for each who took part: the median, a line from the least to the most, a dot for each round.
fn plot(page: &mut String, first: &Row, rows: &[Row]) {
    let mut bars: Vec<(&str, &Samples, bool)> = Vec::new();
    for row in rows {
        let ours = if row.who.is_empty() { "vethlab" } else { &row.who };
        let peer = row.peer.as_deref().zip(row.theirs.as_ref());
        let both = [Some((ours, &row.ours, true)), peer.map(|(name, samples)| (name, samples, false))];
        for bar in both.into_iter().flatten() {
            if !bars.iter().any(|known| (known.0, known.2) == (bar.0, bar.2)) {
                bars.push(bar);
            }
        }
    }
    let most = bars.iter().map(|(_, samples, _)| samples.most()).fold(f64::MIN_POSITIVE, f64::max);
    let height = LINE * bars.len() as f64 + 6.0;
    let (what, unit) = (escaped(&first.what), escaped(&first.unit.name));
    let better = if first.unit.less_is_better { "less is better" } else { "more is better" };
    put(page, format_args!("<h3>{what} <span class=\"note\">{unit}, {better}</span></h3>\n"));
    put(page, format_args!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{what}\">\n"));
    for (at, (name, samples, ours)) in bars.into_iter().enumerate() {
        bar(page, LINE * at as f64 + 3.0, name, samples, if ours { "#1f77b4" } else { "#9aa5b1" }, most);
    }
    page.push_str("</svg>\n");
}

fn bar(page: &mut String, top: f64, name: &str, samples: &Samples, color: &str, most: f64) {
    let x = |figure: f64| NAMES + (WIDTH - NAMES - VALUES) * figure / most;
    let (middle, text) = (top + LINE / 2.0 - 3.0, top + LINE / 2.0 + 1.0);
    let (least, largest, median) = (x(samples.least()), x(samples.most()), x(samples.median()));
    put(page, format_args!("<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>", NAMES - 8.0, escaped(name)));
    let (width, thick) = (median - NAMES, LINE - 8.0);
    put(
        page,
        format_args!("<rect x=\"{NAMES}\" y=\"{top}\" width=\"{width:.1}\" height=\"{thick}\" fill=\"{color}\"/>"),
    );
    let line = "stroke=\"#1d2733\" stroke-width=\"1.5\"";
    put(page, format_args!("<line x1=\"{least:.1}\" x2=\"{largest:.1}\" y1=\"{middle}\" y2=\"{middle}\" {line}/>"));
    for round in &samples.rounds {
        put(page, format_args!("<circle cx=\"{:.1}\" cy=\"{middle}\" r=\"2\" fill=\"#1d2733\"/>", x(*round)));
    }
    put(page, format_args!("<text x=\"{:.1}\" y=\"{text}\">{}</text>\n", largest + 8.0, number(samples.median())));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
