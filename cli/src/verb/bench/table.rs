//! Tables for people: on the terminal, or in Markdown.

use comfy_table::{CellAlignment, Table, presets};
use vethlab_benches::report::{Demand, Report, Row, Samples, Stand};

/// All of a report as text.
pub(super) fn table(report: &Report, markdown: bool) -> String {
    let mut text = head(report).join("\n");
    text.push('\n');
    let mut rest = report.rows.as_slice();
    while let Some(first) = rest.first() {
        let (rows, others) = rest.split_at(rest.iter().take_while(|row| row.bench == first.bench).count());
        rest = others;
        let title = if markdown { format!("\n### {}\n\n", first.bench) } else { format!("\n{}\n", first.bench) };
        text.push_str(&title);
        text.push_str(&one(rows, markdown));
        text.push('\n');
        for note in notes(rows) {
            text.push_str(&if markdown { format!("\n{note}\n") } else { format!("{note}\n") });
        }
    }
    for line in &report.skipped {
        text.push_str(&format!("\nSKIPPED {line}\n"));
    }
    text
}

/// Where and how it was measured, a line each.
pub(super) fn head(report: &Report) -> Vec<String> {
    let versions: Vec<String> = report.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let quick = if report.quick { "; QUICK: short turns, figures worth little" } else { "" };
    vec![
        format!("{}, {} cores, kernel {}", report.machine.cpu, report.machine.cores, report.kernel),
        versions.join(", "),
        format!(
            "median [least–most] of {} rounds, all taking turns in each; seed {}{quick}",
            report.rounds, report.seed
        ),
    ]
}

fn one(rows: &[Row], markdown: bool) -> String {
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_FULL_CONDENSED });
    table.set_header(["", "vethlab", "peer", "its", "ratio", "floor / goal", ""]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    for row in rows {
        table.add_row([
            row.title(),
            format!("{} {}", span(&row.ours), row.unit.name),
            row.peer.clone().unwrap_or_default(),
            row.theirs.as_ref().map(span).unwrap_or_default(),
            row.ratio.as_ref().map(span).unwrap_or_default(),
            demand(row.demand),
            stand(row).to_string(),
        ]);
    }
    table.to_string()
}

fn notes(rows: &[Row]) -> Vec<&str> {
    let mut notes: Vec<&str> = rows.iter().filter_map(|row| row.note.as_deref()).collect();
    let mut told = std::collections::BTreeSet::new();
    notes.retain(|note| told.insert(*note));
    notes
}

/// Floor and goal in words.
pub(super) fn demand(demand: Option<Demand>) -> String {
    match demand {
        None => String::new(),
        Some(Demand::RatioAtLeast { floor, goal }) => format!("≥ {floor} / {goal}"),
        Some(Demand::FigureAtMost { floor, goal }) => format!("≤ {floor} / {goal}"),
    }
}

/// How a row stands to them.
pub(super) fn stand(row: &Row) -> &'static str {
    match row.stand() {
        None => "",
        Some(Stand::Below) => "below the floor",
        Some(Stand::Floor) => "floor",
        Some(Stand::Goal) => "goal",
    }
}

/// The median, and the range it is from if there were several rounds.
pub(super) fn span(samples: &Samples) -> String {
    let median = number(samples.median());
    if samples.rounds.len() < 2 {
        return median;
    }
    format!("{median} [{}–{}]", number(samples.least()), number(samples.most()))
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 || value == 0.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        value if value >= 0.1 => 3,
        value if value >= 0.01 => 4,
        _ => 5,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown = [0.0, 0.01234, 0.1234, 1.234, 12.34, 123.4, 12345.6].map(number);
        assert_eq!(shown, ["0", "0.0123", "0.123", "1.23", "12.3", "123", "12346"]);
    }
}
