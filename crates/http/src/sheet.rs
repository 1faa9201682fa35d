//! Tables for spreadsheets: comma-separated values (RFC 4180) in which no cell is taken for a formula.

use crate::problem::Problem;

/// The lines, each as long as the first.
///
/// # Errors
/// They are of different lengths.
pub fn csv<const N: usize>(lines: impl Iterator<Item = [String; N]>) -> Result<Vec<u8>, Problem> {
    let fault = || Problem::Fault("a table is no CSV".to_owned());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line.map(inert)).map_err(|_| fault())?;
    }
    writer.into_inner().map_err(|_| fault())
}

/// A cell that no spreadsheet takes for a formula.
fn inert(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"] {
            assert_eq!(inert(cell.to_owned()), format!("'{cell}"));
        }
        assert_eq!(inert("Jabatan Kebajikan".to_owned()), "Jabatan Kebajikan");
    }
}
