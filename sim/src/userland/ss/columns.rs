//! The table: every column is as wide as what stands in it (`render_calc_width` where no terminal reads along).

/// The columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Which table.
    Netid,
    /// The state.
    State,
}

/// Headings, what stands before them, and whether they are aligned to the right.
const COLUMNS: [(&str, &str, bool); 9] = [
    ("Netid", "", false),
    ("State", " ", false),
    ("Recv-Q", " ", false),
    ("Send-Q", " ", false),
    ("Local Address:", " ", true),
    ("Port", "", false),
    ("Peer Address:", " ", true),
    ("Port", "", false),
    ("Process", "", false),
];

/// What stands in one line.
pub(super) type Row = [String; COLUMNS.len()];

/// Rows, and which columns are left out.
pub(super) struct Table {
    rows: Vec<Row>,
    disabled: [bool; COLUMNS.len()],
}

impl Table {
    pub(super) fn new(heading: bool) -> Table {
        let mut table = Table { rows: Vec::new(), disabled: [false; COLUMNS.len()] };
        if heading {
            table.add(COLUMNS.map(|(name, ..)| name.to_string()));
        }
        table
    }

    pub(super) fn disable(&mut self, column: Column) {
        match column {
            Column::Netid => self.disabled[0] = true,
            Column::State => self.disabled[1] = true,
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(super) fn render(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let mut started = false;
            let cells = row.iter().zip(COLUMNS).zip(widths).zip(self.disabled);
            for (((cell, (_, before, right)), width), _) in cells.filter(|(_, disabled)| !disabled) {
                let before = if started { before } else { "" };
                started = true;
                let room = width.saturating_sub(before.len());
                text += before;
                text += &if right { format!("{cell:>room$}") } else { format!("{cell:<room$}") };
            }
            text.push('\n');
        }
        text
    }

    fn widths(&self) -> [usize; COLUMNS.len()] {
        let mut widths = [0; COLUMNS.len()];
        let mut first = true;
        for (at, width) in widths.iter_mut().enumerate() {
            let (Some((_, before, _)), Some(false)) = (COLUMNS.get(at), self.disabled.get(at)) else { continue };
            let longest = self.rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
            *width = if first || longest == 0 { longest } else { longest + before.len() };
            first &= *width == 0;
        }
        widths
    }
}
