//! Columns that are as wide as what stands in them: Go's `text/tabwriter`, which Docker's tables are printed with.
//!
//! A cell ends with a tab. Lines that follow each other and have a cell at the same place share a column, and the column
//! ends with the first line that has none: text after the last tab of a line is in no column.

/// Spaces after the longest cell of a column, and the least width of one: Docker's.
const PADDING: usize = 3;
const NARROWEST: usize = 10;

/// Lines with tabs as lines with spaces.
pub(crate) fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len() - 1]).collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut line = 0;
        while line < lines.len() {
            let block = widths[line..].iter().take_while(|widths| widths.len() > column).count();
            let longest = lines[line..line + block].iter().map(|cells| cells[column].chars().count()).max();
            let width = (longest.unwrap_or(0) + PADDING).max(NARROWEST);
            widths[line..line + block].iter_mut().for_each(|widths| widths[column] = width);
            line += block.max(1);
        }
    }
    let padded = |(cells, widths): (&Vec<&str>, &Vec<usize>)| {
        let mut line: String =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<0$}", *width)).collect();
        line.push_str(cells.last().copied().unwrap_or_default());
        line
    };
    lines.iter().zip(&widths).map(padded).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_ends_with_the_first_line_that_has_no_cell_in_it() {
        insta::assert_snapshot!(
            align("NAME\tSTATE\na_very_long_name\tup\nnone of it\nb\tdown\tx\n"),
            @r"
        NAME               STATE
        a_very_long_name   up
        none of it
        b         down      x
        "
        );
    }
}
