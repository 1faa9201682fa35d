//! Tables for spreadsheets: comma-separated values (RFC 4180) in which no cell is taken for a formula.

use std::path::Path;

use crate::failure::Failure;

/// Writes the headings and the lines.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, headings: &[&str], lines: &[Vec<String>]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_path(path).map_err(|it| Failure::Report(it.to_string()))?;
    let mut add = |cells: Vec<String>| writer.write_record(cells).map_err(|it| Failure::Report(it.to_string()));
    add(headings.iter().map(ToString::to_string).collect())?;
    for line in lines {
        add(line.iter().map(|it| inert(it)).collect())?;
    }
    writer.flush().map_err(Failure::file(path))
}

/// A cell that no spreadsheet takes for a formula.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"] {
            assert_eq!(inert(cell), format!("'{cell}"));
        }
        assert_eq!(inert("Jabatan Kebajikan"), "Jabatan Kebajikan");
    }
}
